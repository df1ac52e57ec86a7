"""A node on every bus: the same commands have the same ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sdl.authoring import action
from sdl.errors import DriverFault, UserMistake
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab, Limit
from sdl.model.labware import Labware
from sdl.shell.bench import Bench
from sdl.shell.bench_file import BenchFile
from sdl.shell.clock import LoopClock, WallClock
from sdl.shell.local_bus import LocalBroker
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node import Node
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.shell.station import NODE_FAILED
from sdl.sim.loop import run_virtually
from sdl.wire.labware_kinds import labware_kind
from sdl.wire.mqtt import Birth, Control, Status, decode, encode
from tests.shell.bench_of_buses import (
    BOOT,
    FOLDER,
    JOURNAL,
    Caller,
    command,
    probe_lab,
    running_node,
)

Scene = Callable[[Caller, Node], Awaitable[None]]
SPEED = 50.0


@dataclass(frozen=True)
class Case:
    """One command, and how it must end."""

    op: str
    args: dict[str, JsonValue]
    st: str
    phase: str = ""
    kind: str = ""
    says: str = ""


CASES = {
    "done": Case("act", {"what": "ok"}, "done"),
    "driver-fault": Case("act", {"what": "driver"}, "failed", "during", "driver", "lid is open"),
    "refused": Case("act", {"what": "refused"}, "failed", "before_start", "refused", "position"),
    "material": Case("act", {"what": "material"}, "failed", "during", "material", "no tip"),
    "lab-fault": Case("act", {"what": "lab"}, "failed", "during", "lab", "door"),
    "outcome-unknown": Case(
        "act", {"what": "unknown"}, "unknown", "during", "driver", "mid-stroke"
    ),
    "crash": Case("act", {"what": "crash"}, "failed", "during", "driver", "ZeroDivisionError"),
    "half-a-character": Case(
        "act", {"what": "surrogate"}, "failed", "during", "driver", "the display says ?"
    ),
    "error-without-text": Case(
        "act", {"what": "unprintable"}, "failed", "during", "driver", "raised UnprintableError"
    ),
    "nan": Case("act", {"what": "nan"}, "failed", "after", "driver", "not a finite number"),
    "wrong-type": Case("act", {"what": "type"}, "failed", "after", "driver", "returned '12'"),
    "hang-once": Case("act", {"what": "hang"}, "unknown", "during", "driver", "did not answer"),
    "hang-pure": Case("look", {"what": "hang"}, "failed", "during", "driver", "did not answer"),
    "no-such-action": Case("fly", {}, "failed", "before_start", "refused", "act, look"),
    "no-such-argument": Case("act", {"x": 1}, "failed", "before_start", "refused", "no argument"),
    "argument-type": Case("act", {"what": 5}, "failed", "before_start", "refused", "what"),
    "above-limit": Case(
        "pour", {"volumes_ul": {"dye": 301}}, "failed", "before_start", "refused", "['dye'] = 301"
    ),
    "below-limit": Case(
        "pour", {"volumes_ul": {"dye": -1}}, "failed", "before_start", "refused", "below the limit"
    ),
    "number-as-text": Case(
        "pour", {"volumes_ul": {"dye": "nan"}}, "failed", "before_start", "refused", "not a finite"
    ),
    "number-beyond-floats": Case(
        "turn", {"times": 10**400}, "failed", "before_start", "refused", "too large a number"
    ),
    "in-limits": Case("pour", {"volumes_ul": {"dye": 300}, "speed": 2}, "done"),
}


async def check(caller: Caller, cid: str, case: Case) -> None:
    """Send a case's command and compare its end."""
    end = await caller.run(command(cid, case.op, **case.args))
    told = caller.stages(cid)
    assert end.st == case.st, end
    assert (told[0] == "started") == (
        case.phase != "before_start" or case.args == {"what": "refused"}
    )
    assert (end.duration_s is not None) == (told[0] == "started")
    if case.st != "done":
        assert end.error is not None
        assert (end.error.phase, end.error.kind) == (case.phase, case.kind)
        assert case.says in end.error.reason


async def every_case(caller: Caller, node: Node) -> None:
    for name, case in CASES.items():
        await check(caller, f"c/run-1/step-{name}/try-1", case)
    sequence = [event.seq for event in caller.events]
    assert sequence == list(range(1, len(sequence) + 1)), "events have a gap or are out of order"
    assert {event.boot for event in caller.events} == {node.boot}


async def twice_is_once(caller: Caller, node: Node) -> None:
    first = await caller.run(command("c/run-1/step-1/try-1", "act", what="ok"))
    assert first.result == 1.0
    await caller.send(command("c/run-1/step-1/try-1", "act", what="ok"))
    await caller.until(lambda: caller.stages(first.cid) == ["started", "done", "done"])
    assert caller.events[-1] == first, "a known command is answered from memory"
    second = await caller.run(command("c/run-1/step-2/try-1", "act", what="ok"))
    assert second.result == 2.0, "the repetition acted"
    conflict = command("c/run-1/step-2/try-1", "act", what="driver")
    await caller.send(conflict)
    await caller.until(lambda: caller.stages(conflict.cid)[-1] == "conflict")
    error = caller.events[-1].error
    assert error is not None
    assert "other arguments" in error.reason
    assert caller.events[-1].seq == 0, "it stands in no journal"
    await caller.query(second.cid)
    await caller.until(lambda: caller.events[-1] == second)


async def another_journal_is_another_campaign(caller: Caller, node: Node) -> None:
    old = command("c/run-1/step-1/try-1", "act", what="ok")
    assert (await caller.run(old)).result == 1.0
    new = old.model_copy(update={"journal": "journal-2"})
    await caller.query(new.cid, journal=new.journal)
    await caller.until(lambda: caller.stages(new.cid)[-1] == "not_seen")
    await caller.send(new)
    await caller.until(lambda: caller.stages(new.cid)[-2:] == ["started", "done"])
    assert caller.events[-1].result == 2.0, "it got the result of the old campaign"
    told = [event.journal for event in caller.events]
    assert told == [JOURNAL] * 2 + ["journal-2"] * 3
    await caller.query(old.cid)
    await caller.until(lambda: len(caller.events) == 6)
    assert (caller.events[-1].journal, caller.events[-1].result) == (JOURNAL, 1.0)


async def what_another_boot_should_do_is_not_done(caller: Caller, node: Node) -> None:
    order = command("c/run-1/step-1/try-1", "act", what="ok")
    await caller.send(order.model_copy(update={"memory": "boot-0"}))
    assert (await caller.end(order.cid)).st == "not_seen"
    await caller.query(order.cid)
    await caller.until(lambda: caller.stages(order.cid) == ["not_seen"] * 2)
    assert {event.boot for event in caller.events} == {BOOT}
    await caller.send(order)  # nothing was remembered of the other one
    await caller.until(lambda: caller.stages(order.cid)[2:] == ["started", "done"])
    assert caller.events[-1].result == 1.0


async def queue_and_control(caller: Caller, node: Node) -> None:
    held, waiting, late, taken = (f"c/run-1/step-{n}/try-1" for n in (1, 2, 3, 4))
    await caller.send(command(held, "hold"))
    await caller.until(lambda: caller.stages(held) == ["started"])
    await caller.send(command(waiting, "act", what="ok"))
    # All others seem to have been issued at 0 s, so this one is young.
    now = node.stations["probe"]._clock.now()
    short = command(late, "act", what="ok")
    await caller.send(short.model_copy(update={"ttl_s": 0.5, "issued_at": now}))
    await caller.send(command(taken, "act", what="ok"))
    await caller.until(lambda: caller.stages(taken) == ["accepted"])
    assert node.stations["probe"].state.queued == 3
    await caller.control(Control(id="1", op="cancel", journal=JOURNAL, cid=taken, epoch=1))
    cancelled = await caller.end(taken)
    assert cancelled.error is not None
    assert "cancelled" in cancelled.error.reason
    await caller.query("c/run-9/step-9/try-1")
    assert (await caller.end("c/run-9/step-9/try-1")).st == "not_seen"
    await node.stations["probe"]._clock.sleep(1.0)
    await node.stations["probe"].device.make_safe()  # lets the held action go
    assert (await caller.end(held)).st == "done"
    assert (await caller.end(waiting)).st == "done"
    refused = await caller.end(late)
    assert refused.error is not None
    assert "deadline" in refused.error.reason
    assert caller.stages(waiting) == ["accepted", "started", "done"]


async def stop_refuses_what_waits(caller: Caller, node: Node) -> None:
    held, waiting = (f"c/run-1/step-{n}/try-1" for n in (1, 2))
    await caller.send(command(held, "hold"))
    await caller.send(command(waiting, "act", what="ok"))
    await caller.until(lambda: caller.stages(waiting) == ["accepted"])
    await caller.control(Control(id="1", op="stop", journal=JOURNAL, epoch=1))
    assert (await caller.end(waiting)).st == "failed"
    assert (await caller.end(held)).st == "done"
    await caller.until(lambda: caller.stages("") == ["made_safe"])
    assert caller.events[-1].error is None
    assert node.stations["probe"].state.status == "stopped"
    late = await caller.run(command("c/run-1/step-3/try-1", "act", what="ok"))
    assert late.error is not None
    assert "is stopped" in late.error.reason
    await caller.control(Control(id="2", op="release", epoch=1))
    await caller.until(lambda: caller.status_of() == "idle")
    assert (await caller.run(command("c/run-1/step-4/try-1", "act", what="ok"))).st == "done"


async def a_driver_that_will_not_let_go(caller: Caller, node: Node) -> None:
    end = await caller.run(command("c/run-1/step-1/try-1", "act", what="stubborn"))
    assert end.st == "unknown"
    assert node.stations["probe"].state.status == "attention"
    end = await caller.run(command("c/run-1/step-2/try-1", "act", what="ok"))
    assert end.error is not None
    assert "attention" in end.error.reason
    await node.stations["probe"].device.make_safe()


async def what_is_no_command_is_dropped(caller: Caller, node: Node) -> None:
    good = command("c/run-1/step-1/try-1", "act", what="ok")
    topic = caller.topics.command("probe")
    body = json.loads(encode(good))
    bad = {
        "retained": (encode(good.model_copy(update={"cid": "retained"})), True, "retained"),
        "version": (
            json.dumps({**body, "cid": "version", "v": 2}).encode(),
            False,
            "malformed at v",
        ),
        "extra": (json.dumps({**body, "cid": "extra", "x": 2}).encode(), False, "malformed at x"),
        "infinite": (
            json.dumps({**body, "cid": "infinite", "issued_at": float("inf")}).encode(),
            False,
            "finite",
        ),
        "hash": (encode(good.model_copy(update={"cid": "hash", "args_sha256": "0"})), False, "SHA"),
        "other": (encode(good.model_copy(update={"cid": "other", "dev": "x"})), False, "meant for"),
    }
    await caller.bus.publish(topic, b"\xff{")
    for cid, (payload, retain, says) in bad.items():
        await caller.bus.publish(topic, payload, retain=retain)
        if (
            cid == "retained"
        ):  # a live subscriber receives it without the mark, so it acts: clear it
            await caller.bus.publish(topic, b"", retain=True)
            continue
        end = await caller.end(cid)
        assert end.error is not None
        assert says in end.error.reason
    assert (await caller.run(good)).st == "done"


SCENES: list[Scene] = [
    every_case,
    twice_is_once,
    another_journal_is_another_campaign,
    what_another_boot_should_do_is_not_done,
    queue_and_control,
    stop_refuses_what_waits,
    a_driver_that_will_not_let_go,
    what_is_no_command_is_dropped,
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_on_the_local_bus_in_virtual_time(scene: Scene) -> None:
    async def run() -> None:
        broker = LocalBroker()
        clock = LoopClock(asyncio.get_running_loop().time)
        async with (
            Caller(broker.client("caller"), "local") as caller,
            running_node(probe_lab("local"), broker.client("node"), clock) as node,
        ):
            await caller.ready()
            await scene(caller, node)

    run_virtually(run())


async def test_on_a_real_broker(broker_url: str) -> None:
    """All scenes, each with its own lab, on Mosquitto and on the embedded broker."""
    for scene in SCENES:
        name = scene.__name__.replace("_", "-")
        async with (
            Caller(MqttBus(broker_url, f"caller-{name}"), name) as caller,
            running_node(
                probe_lab(name), MqttBus(broker_url, f"node-{name}"), WallClock(SPEED)
            ) as node,
        ):
            await caller.ready()
            await scene(caller, node)


async def test_a_retained_command_from_before_is_refused() -> None:
    broker = LocalBroker()
    async with Caller(broker.client("caller"), "local") as caller:
        old = command("c/run-1/step-1/try-1", "act", what="ok")
        await caller.bus.publish(caller.topics.command("probe"), encode(old), retain=True)
        async with running_node(probe_lab("local"), broker.client("node"), WallClock()):
            end = await caller.end(old.cid)
        assert end.error is not None
        assert "retained" in end.error.reason


async def test_a_copy_from_before_a_restart_is_answered_and_not_done_again() -> None:
    broker, journal = LocalBroker(), MemoryJournal(BOOT)
    async with Caller(broker.client("caller"), "local") as caller:
        order = command("c/run-1/step-1/try-1", "act", what="ok")
        bus = broker.client("node")
        async with running_node(probe_lab("local"), bus, WallClock(), journal=journal):
            done = await caller.run(order)
        for boot, told in (("boot-2", 1), ("boot-3", 3)):
            bus, wanted = broker.client("node"), told + 2
            async with running_node(
                probe_lab("local"), bus, WallClock(), boot=boot, journal=journal
            ):
                # In the third boot it is retained as well: a refusal would say it never happened.
                await caller.send(order)
                await caller.bus.publish(caller.topics.command("probe"), encode(order), retain=True)
                await caller.heard(done, wanted)
    told_all = caller.stages(order.cid)
    assert told_all.count("started") == 1, "the copy acted"


@pytest.mark.parametrize(
    "error,st", [(OSError("the disk is full"), "done"), (RuntimeError("no such bench"), "unknown")]
)
async def test_a_fault_of_the_node_itself_leaves_no_command_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, st: str
) -> None:
    """What the instrument answered is told even where the simulated bench cannot be kept."""
    broken = [error]

    def save(file: BenchFile) -> None:
        if broken:
            raise broken.pop()

    monkeypatch.setattr(BenchFile, "save", save)
    broker = LocalBroker()
    async with (
        Caller(broker.client("caller"), "local") as caller,
        running_node(
            probe_lab("local"), broker.client("node"), WallClock(), bench_file=tmp_path / "b.json"
        ),
    ):
        first = await caller.run(command("c/run-1/step-1/try-1", "act", what="ok"))
        second = await caller.run(command("c/run-1/step-2/try-1", "act", what="ok"))
    assert (first.st, second.st) == (st, "done")
    assert first.error is None or first.error.reason == NODE_FAILED


async def test_a_node_announces_itself_and_says_good_bye() -> None:
    broker = LocalBroker()
    lab = probe_lab("local", "a", "b")
    async with Caller(broker.client("caller"), "local") as caller:
        bus = broker.client("node")
        async with running_node(lab, bus, WallClock(), heartbeat_s=0.01) as node:
            await caller.until(lambda: len(caller.of("birth")) == 2)
            births = [decode(Birth, message.payload) for message in caller.of("birth")]
            await caller.until(lambda: len(caller.of("hb", "node")) >= 2)
            bus.drop()
            await caller.until(lambda: online(caller) == [True, False])
            await bus.reconnect()
            await caller.until(lambda: online(caller) == [True, False, True])
            await caller.until(lambda: len(caller.of("birth")) == 2 * len(births))
        await caller.until(lambda: online(caller) == [True, False, True, False])
        assert caller.births("a")[-1].stopped == "", "a good-bye is no stop"
    assert [birth.dev for birth in births] == ["a", "b"]
    assert births[0].boot == node.boot
    names = ["move", "act", "look", "pour", "hold", "turn", "dose"]
    assert [action.name for action in births[0].actions] == names
    assert [action.probe for action in births[0].actions] == [False] * 6 + [True]
    assert births[0].actions[3].arguments["required"] == ["volumes_ul"]
    assert births[0].limits["pour.speed"] == Limit(high=2.0)
    assert births[0].sha256 != births[1].sha256


def online(caller: Caller) -> list[bool]:
    """What the node's status said, in order."""
    return [decode(Status, message.payload).online for message in caller.of("status")]


async def test_the_bench_is_remembered_over_a_restart(tmp_path: Path) -> None:
    broker, clock, memory = LocalBroker(), WallClock(1000.0), tmp_path / "bench.json"
    lab = Lab(
        name="local",
        instruments=(
            Instrument(
                name="handler",
                driver="liquid-handler",
                simulated=True,
                options={"sources_ul": {"dye": 2000}, "error_ul": 0.0, "error_cv": 0.0},
            ),
        ),
        labware=(Labware(name="plate-1", kind=labware_kind("plate-96-flat")),),
    )
    well: JsonValue = {"labware": "plate-1", "name": "A1"}
    left = []
    async with Caller(broker.client("caller"), "local") as caller:
        for attempt in (1, 2):
            async with running_node(lab, broker.client("node"), clock, bench_file=memory):
                cid = f"c/run-1/step-1/try-{attempt}"
                order = command(cid, "dispense", "handler", well=well, volumes_ul={"dye": 100.0})
                assert (await caller.run(order)).st == "done"
            left.append(json.loads(memory.read_text())["stocks"]["handler"])
    assert left[0] != left[1]
    assert json.loads(memory.read_text())["wells"]["plate-1/A1"]["volumes_ul"] == {"dye": 200.0}
    memory.write_text("{")
    with pytest.raises(UserMistake, match="delete it to start with fresh plates"):
        async with running_node(lab, broker.client("node"), clock, bench_file=memory):
            pass


class Mute:
    """An instrument that does not answer."""

    async def connect(self) -> None:
        """Fail."""
        raise OSError("no such port")

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Nothing moves."""

    @action("pure")
    async def look(self) -> float:
        """Never reached."""
        return 0.0


async def test_an_instrument_that_does_not_answer_is_named() -> None:
    lab = Lab(
        name="local",
        instruments=(Instrument(name="mute", driver="./test_node.py:Mute", simulated=False),),
    )
    with pytest.raises(DriverFault, match=r"'mute' cannot be reached.*no such port"):
        async with running_node(lab, LocalBroker().client("node"), WallClock()):
            pass


@pytest.mark.parametrize(
    "limits,only,says",
    [
        ({"pour.volume_ul": Limit(high=1.0)}, (), "names no argument.*pour.volumes_ul"),
        ({}, ("robe",), "no instrument 'robe'; it has probe"),
    ],
)
def test_a_wrong_limit_or_name_is_a_mistake_before_anything_starts(
    limits: dict[str, Limit], only: tuple[str, ...], says: str
) -> None:
    driver = "./probe_device.py:Probe"
    probe = Instrument(name="probe", driver=driver, simulated=True, limits=limits)
    with pytest.raises(UserMistake, match=says):
        Node(
            lab=Lab(name="local", instruments=(probe,)),
            folder=FOLDER,
            bus=LocalBroker().client("node"),
            clock=WallClock(),
            bench=Bench.instant(),
            only=only,
        )
