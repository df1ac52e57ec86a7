"""Who counts as online: birth and status must agree, and silence is noticed."""

from __future__ import annotations

import time

from sdl.core.events import InstrumentLost, InstrumentOnline
from sdl.shell.roll_call import SILENCE_S, RollCall
from sdl.wire.mqtt import Birth, Heartbeat, Status


def birth(boot: str = "boot-1", device: str = "reader", node: str = "node") -> Birth:
    return Birth(
        dev=device,
        node=node,
        boot=boot,
        memory=boot,
        driver="absorbance-reader",
        driver_version="1",
        driver_sha256="0" * 64,
        simulated=True,
        actions=(),
        limits={},
        sha256="0" * 64,
    )


def status(boot: str = "boot-1", *, online: bool = True) -> Status:
    return Status(boot=boot, epoch=0, online=online, at=0.0)


def beat(boot: str = "boot-1") -> Heartbeat:
    return Heartbeat(boot=boot, seq=1, monotonic=0.0)


def boots(events: list[InstrumentOnline] | list[InstrumentOnline | InstrumentLost]) -> list[str]:
    return [event.boot if isinstance(event, InstrumentOnline) else "lost" for event in events]


def test_birth_and_status_in_any_order_bring_an_instrument_online_once() -> None:
    one = RollCall()
    assert boots(one.birth(birth(), 0.0, 0.0)) == []
    assert boots(one.status("node", status(), 0.0, 0.0)) == ["boot-1"]
    assert boots(one.status("node", status(), 0.0, 0.0)) == []
    other = RollCall()
    assert boots(other.status("node", status(), 0.0, 0.0)) == []
    assert boots(other.birth(birth(), 0.0, 0.0)) == ["boot-1"]


def test_a_birth_that_comes_again_brings_an_instrument_online_again() -> None:
    call = RollCall()
    call.birth(birth(), 0.0, 0.0)
    call.status("node", status(), 0.0, 0.0)
    assert boots(call.birth(birth(), 0.0, 1.0)) == ["boot-1"], "words may have been lost"
    assert call.silent(0.0, SILENCE_S) == [], "a birth is a sign of life"


def test_a_birth_kept_from_a_dead_node_brings_nothing_online() -> None:
    call = RollCall()
    call.status("node", status("boot-2"), 0.0, 0.0)
    assert boots(call.birth(birth("boot-1"), 0.0, 0.0)) == []
    assert boots(call.birth(birth("boot-2"), 0.0, 0.0)) == ["boot-2"]


def test_the_late_will_of_a_replaced_node_is_not_believed() -> None:
    call = RollCall()
    call.birth(birth("boot-2"), 0.0, 0.0)
    call.status("node", status("boot-2"), 0.0, 0.0)
    assert call.status("node", status("boot-1", online=False), 0.0, 0.0) == []
    assert boots(call.status("node", status("boot-2", online=False), 0.0, 0.0)) == ["lost"]


def test_silence_loses_an_instrument_and_a_heartbeat_brings_it_back() -> None:
    call = RollCall()
    call.birth(birth(), 0.0, 0.0)
    call.status("node", status(), 0.0, 0.0)
    assert call.silent(0.0, SILENCE_S) == []
    (lost,) = call.silent(0.0, SILENCE_S + 0.1)
    assert lost.reason == "no heartbeat for 6 s"
    assert call.silent(0.0, SILENCE_S + 5.0) == []
    assert call.heartbeat("node", beat("boot-0"), 0.0, 20.0) == []
    assert boots(call.heartbeat("node", beat(), 0.0, 20.0)) == ["boot-1"]


def test_the_heartbeat_of_a_node_speaks_for_all_its_instruments() -> None:
    call = RollCall()
    call.status("node", status(), 0.0, 0.0)
    for device in ("reader", "handler"):
        call.birth(birth(device=device), 0.0, 0.0)
    assert len(call.silent(0.0, SILENCE_S + 0.1)) == 2
    assert call.heartbeat("node", beat("boot-0"), 0.0, 20.0) == []
    assert call.heartbeat("other", beat(), 0.0, 20.0) == []
    assert boots(call.heartbeat("node", beat(), 0.0, 20.0)) == ["boot-1", "boot-1"]
    assert call.silent(0.0, 20.0 + SILENCE_S) == []


def test_a_rebirth_is_told_even_if_nobody_saw_the_death() -> None:
    call = RollCall()
    call.birth(birth("boot-1"), 0.0, 0.0)
    call.status("node", status("boot-1"), 0.0, 0.0)
    call.status("node", status("boot-2"), 0.0, 1.0)
    assert boots(call.birth(birth("boot-2"), 0.0, 1.0)) == ["boot-2"]


def live(boot: str = "boot-2") -> RollCall:
    """The reader is online under a boot that beats; the clock shows 2 s."""
    call = RollCall()
    call.birth(birth(boot), 0.0, 0.0)
    call.status("node", status(boot), 0.0, 0.0)
    call.heartbeat("node", beat(boot), 0.0, 2.0)
    return call


def test_what_a_broker_that_was_put_back_repeats_hides_no_live_instrument() -> None:
    call = live()
    for kept in (birth("boot-1"), birth("boot-0"), birth("boot-1")):
        assert call.birth(kept, 0.0, 3.0) == []
    assert call.status("node", status("boot-1"), 0.0, 3.0, kept=True) == []
    assert call.birth(birth("boot-1"), 0.0, 3.0) == []
    assert call.heartbeat("node", beat("boot-2"), 0.0, 4.0) == [], "it was online all the time"
    assert call.silent(0.0, 4.0 + SILENCE_S) == []
    assert boots(call.birth(birth("boot-2"), 0.0, 5.0)) == ["boot-2"]


def test_an_old_birth_that_was_believed_is_put_right_by_the_next_heartbeat() -> None:
    call = live()
    late = 2.0 + SILENCE_S + 1.0
    assert len(call.silent(0.0, late)) == 1
    call.birth(birth("boot-1"), 0.0, late)
    assert boots(call.status("node", status("boot-1"), 0.0, late, kept=True)) == ["boot-1"]
    assert boots(call.heartbeat("node", beat("boot-2"), 0.0, late + 2.0)) == ["boot-2"]


def test_a_birth_that_a_heartbeat_confirms_replaces_the_one_before() -> None:
    call = live()
    assert call.birth(birth("boot-3"), 0.0, 3.0) == []
    assert boots(call.heartbeat("node", beat("boot-3"), 0.0, 4.0)) == ["boot-3"]
    assert call.heartbeat("node", beat("boot-2"), 0.0, 4.1) == [], "it was late on its way"
    assert call.status("node", status("boot-2"), 0.0, 4.1) == []
    assert call.status("node", status("boot-2", online=False), 0.0, 4.2) == []


def test_an_instrument_that_a_node_hosts_no_more_falls_silent() -> None:
    call = live()
    call.birth(birth("boot-2", "handler"), 0.0, 2.0)
    call.status("node", status("boot-3"), 0.0, 3.0)
    assert boots(call.birth(birth("boot-3"), 0.0, 3.0)) == ["boot-3"]
    for second in (5.0, 7.0, 9.0):
        call.heartbeat("node", beat("boot-3"), 0.0, second)
    assert [lost.instrument for lost in call.silent(0.0, 10.0)] == ["handler"]


def test_an_instrument_moves_to_another_node_once_its_own_is_gone_or_the_other_beats() -> None:
    call = live()
    call.status("other", status("boot-9"), 0.0, 3.0, kept=True)
    assert call.birth(birth("boot-9", node="other"), 0.0, 3.0) == []
    assert call.heartbeat("other", beat("boot-9"), 0.0, 4.0) == []
    assert boots(call.status("node", status("boot-2", online=False), 0.0, 5.0)) == ["lost"]
    assert boots(call.heartbeat("other", beat("boot-9"), 0.0, 6.0)) == ["boot-9"]
    call.birth(birth("boot-3"), 0.0, 7.0)
    assert call.status("node", status("boot-3"), 0.0, 7.0) == []
    call.heartbeat("node", beat("boot-3"), 0.0, 8.0)
    assert boots(call.birth(birth("boot-3"), 0.0, 8.0)) == ["boot-3"], "by its own word"


def test_a_birth_costs_the_same_however_many_there_are() -> None:
    call = RollCall()
    call.status("node", status(), 0.0, 0.0)
    births = [birth(device=f"reader-{number}") for number in range(5000)]
    began = time.process_time()
    for each in births:
        assert len(call.birth(each, 0.0, 0.0)) == 1
    took_s = time.process_time() - began
    assert took_s < 0.5, f"{took_s:.3f} s for 5,000; looking at all of them for each takes 1 s"
