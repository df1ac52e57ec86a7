"""Who counts as online: birth and status must agree, and silence is noticed."""

from __future__ import annotations

from sdl.core.events import InstrumentLost, InstrumentOnline
from sdl.shell.roll_call import SILENCE_S, RollCall
from sdl.wire.mqtt import Birth, Heartbeat, Status


def birth(boot: str = "boot-1", device: str = "reader") -> Birth:
    return Birth(
        dev=device,
        node="node",
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
    assert call.heartbeat("reader", beat("boot-0"), 0.0, 20.0) == []
    assert boots(call.heartbeat("reader", beat(), 0.0, 20.0)) == ["boot-1"]


def test_the_heartbeat_of_a_node_speaks_for_all_its_instruments() -> None:
    call = RollCall()
    call.status("node", status(), 0.0, 0.0)
    for device in ("reader", "handler"):
        call.birth(birth(device=device), 0.0, 0.0)
    assert len(call.silent(0.0, SILENCE_S + 0.1)) == 2
    assert call.node_heartbeat("node", beat("boot-0"), 0.0, 20.0) == []
    assert call.node_heartbeat("other", beat(), 0.0, 20.0) == []
    assert boots(call.node_heartbeat("node", beat(), 0.0, 20.0)) == ["boot-1", "boot-1"]
    assert call.silent(0.0, 20.0 + SILENCE_S) == []


def test_a_rebirth_is_told_even_if_nobody_saw_the_death() -> None:
    call = RollCall()
    call.birth(birth("boot-1"), 0.0, 0.0)
    call.status("node", status("boot-1"), 0.0, 0.0)
    call.status("node", status("boot-2"), 0.0, 1.0)
    assert boots(call.birth(birth("boot-2"), 0.0, 1.0)) == ["boot-2"]
