"""What a node says after it died in mid-action, in virtual time and over one journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sdl.authoring import action
from sdl.errors import RecordFault, UserMistake
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab
from sdl.shell.bench import Bench
from sdl.shell.clock import LoopClock, WallClock
from sdl.shell.local_bus import LocalBroker, LocalBus
from sdl.shell.node import Node
from sdl.shell.node_journal import Entry
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.sim.loop import run_virtually
from sdl.wire.mqtt import CommandMessage, Control
from tests.shell.bench_of_buses import (
    BOOT,
    JOURNAL,
    Caller,
    command,
    new_node,
    probe_lab,
)

CID = "c/run-1/step-1/try-1"


@dataclass(frozen=True)
class Cut:
    """An action that is cut off, and what the next boot says of it."""

    op: str
    args: dict[str, JsonValue]
    st: str
    phase: str = "during"
    says: str = "nobody saw how it ended"
    traces: int = 0


CUTS = {
    "once": Cut("act", {"what": "hang"}, "unknown", traces=1),
    "pure": Cut("look", {"what": "hang"}, "failed", traces=1),
    "idempotent": Cut("move", {"what": "before"}, "unknown"),
    "idempotent-happened": Cut("move", {"what": "after"}, "unknown", traces=1),
    "did-not-happen": Cut(
        "dose", {"what": "before"}, "failed", "before_start", "{'traces': 0}, now 0"
    ),
    "happened": Cut("dose", {"what": "after"}, "done", traces=1),
    "unclear": Cut(
        "dose", {"what": "after", "finds": "unclear"}, "unknown", says="drifts", traces=1
    ),
    "no-result": Cut(
        "dose",
        {"what": "after", "finds": "no-result"},
        "unknown",
        says="what it would have returned",
        traces=1,
    ),
    "probe-raises": Cut(
        "dose",
        {"what": "before", "finds": "raise"},
        "unknown",
        says="find raised DriverFault: the balance does not answer",
    ),
    "probe-hangs": Cut(
        "dose", {"what": "before", "finds": "hang"}, "unknown", says="did not answer within 20 s"
    ),
    "no-find": Cut("dose", {"what": "before", "finds": "nonsense"}, "unknown", says="no Finding"),
    "no-verdict": Cut("dose", {"what": "before", "finds": "odd"}, "unknown", says="no verdict"),
}


@dataclass
class Floor:
    """One broker, one journal, one orchestrator, and a node that dies and comes again."""

    caller: Caller
    broker: LocalBroker
    journal: MemoryJournal
    lab: Lab
    log: Path
    silence_s: float | None = None
    boots: int = 0
    node: Node | None = None
    bus: LocalBus | None = None

    async def boot(self, journal: MemoryJournal | None = None) -> Node:
        """Kill the node that is there, and start another one."""
        await self.kill()
        self.journal = journal or self.journal
        self.boots += 1
        self.bus = self.broker.client("node")
        clock = LoopClock(asyncio.get_running_loop().time)
        self.node = new_node(
            self.lab,
            self.bus,
            clock,
            boot=f"boot-{self.boots}",
            journal=self.journal,
            silence_s=self.silence_s,
        )
        await self.node.start()
        return self.node

    async def kill(self) -> None:
        """As ``kill -9`` does."""
        if self.node is not None and self.bus is not None:
            self.node.kill()
            self.bus.drop()
            await self.node.aclose()

    def traces(self) -> list[str]:
        """What was done to the world."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    async def started(self, message: CommandMessage) -> None:
        """Send a command and return in mid-action."""
        await self.caller.send(message)
        await self.caller.until(lambda: "started" in self.caller.stages(message.cid))
        await asyncio.sleep(1.0)


def on_the_floor(
    log: Path,
    scene: Callable[[Floor], Awaitable[None]],
    *,
    journal: MemoryJournal | None = None,
    greets: bool = True,
    silence_s: float | None = None,
) -> None:
    """Play a scene in virtual time."""

    async def run() -> None:
        broker = LocalBroker()
        async with Caller(broker.client("caller"), "local", greets=greets) as caller:
            floor = Floor(
                caller=caller,
                broker=broker,
                journal=journal or MemoryJournal(BOOT),
                lab=probe_lab("local", log=log),
                log=log,
                silence_s=silence_s,
            )
            await floor.boot()
            try:
                await scene(floor)
            finally:
                await floor.kill()

    run_virtually(run())


@pytest.mark.parametrize("name", CUTS)
def test_an_action_that_was_cut_off_is_told_as_what_is_known_of_it(
    name: str, tmp_path: Path
) -> None:
    cut = CUTS[name]

    async def scene(floor: Floor) -> None:
        await floor.caller.ready()
        order = command(CID, cut.op, **cut.args)
        await floor.started(order)
        await floor.boot()
        end = await floor.caller.end(CID)
        assert (end.st, end.seq, end.boot) == (cut.st, 2, "boot-2")
        if cut.st == "done":
            assert end.result == 1
        else:
            assert end.error is not None
            assert end.error.phase == cut.phase
            assert cut.says in end.error.reason
        await floor.caller.send(order)  # a copy that was under way all the time
        await floor.caller.heard(end, 2)
        assert floor.traces() == [f"{JOURNAL}:{CID}"] * cut.traces
        await floor.caller.ready()
        assert (await floor.caller.run(command("c/run-1/step-2/try-1", "act", what="ok"))).seq == 4

    on_the_floor(tmp_path / "log", scene)


@pytest.mark.parametrize("ttl_s,st", [(None, "done"), (1e6, "failed")])
def test_what_was_accepted_is_done_after_a_restart_where_its_deadline_surely_holds(
    tmp_path: Path, ttl_s: float | None, st: str
) -> None:
    async def scene(floor: Floor) -> None:
        order = command(CID, "act", what="ok").model_copy(update={"ttl_s": ttl_s})
        await floor.caller.send(order)
        await floor.caller.until(lambda: floor.caller.stages(CID) == ["accepted"])
        await asyncio.sleep(100.0)
        assert floor.caller.stages(CID) == ["accepted"], "it began without a greeting"
        floor.caller.greets = True
        await floor.boot()
        end = await floor.caller.end(CID)
        assert end.st == st
        assert len(floor.traces()) == (st == "done")
        if end.error is not None:
            assert (end.error.phase, end.error.kind) == ("before_start", "lab")
            assert "deadline" in end.error.reason

    on_the_floor(tmp_path / "log", scene, greets=False)


def test_a_greeting_says_again_what_was_not_heard(tmp_path: Path) -> None:
    async def scene(floor: Floor) -> None:
        caller = floor.caller
        await caller.ready()
        for number in (1, 2, 3):
            await caller.run(command(f"c/run-1/step-{number}/try-1", "act", what="ok"))
        other = command("c/run-1/step-1/try-1", "act", what="ok")
        await caller.run(other.model_copy(update={"journal": "journal-2", "cid": "d/1"}))
        heard = list(caller.events)
        assert [event.seq for event in heard] == list(range(1, 9))
        await caller.greet(await caller.birth_of("probe"), from_seq=4)
        await caller.until(lambda: len(caller.events) == 8 + 5)
        assert caller.events[8:] == heard[3:]
        await floor.boot()
        await caller.greet(await caller.birth_of("probe", 2), from_seq=8)
        await caller.until(lambda: caller.events[-1] == heard[7])
        assert len(floor.traces()) == 4

    on_the_floor(tmp_path / "log", scene)


def test_a_greeting_for_another_boot_is_none(tmp_path: Path) -> None:
    async def scene(floor: Floor) -> None:
        birth = await floor.caller.birth_of("probe")
        await floor.caller.greet(birth.model_copy(update={"boot": "boot-0"}))
        await floor.caller.send(command(CID, "act", what="ok"))
        await asyncio.sleep(10.0)
        assert floor.caller.stages(CID) == ["accepted"]
        assert floor.caller.status_of() == "waiting"
        await floor.caller.greet(birth)
        assert (await floor.caller.end(CID)).st == "done"

    on_the_floor(tmp_path / "log", scene, greets=False)


@pytest.mark.parametrize("noticed_by", ["mark", "greeting"])
def test_a_journal_that_was_put_back_gets_a_new_name(tmp_path: Path, noticed_by: str) -> None:
    first, second = (command(f"c/run-1/step-{number}/try-1", "act", what="ok") for number in (1, 2))

    async def scene(floor: Floor) -> None:
        caller, journal = floor.caller, floor.journal
        await caller.ready()
        await caller.run(first)
        old = journal.copy()
        await caller.run(second)
        if noticed_by == "mark":
            journal.put_back(old)
            await floor.boot()
        else:
            caller.greets = False
            blank = MemoryJournal("other")
            blank.put_back(old)
            await floor.boot(blank)
            birth = await caller.birth_of("probe", 2)
            assert birth.memory == BOOT, "nothing gave it away yet"
            waits = second.model_copy(update={"cid": "c/run-1/step-3/try-1"})
            await caller.send(waits)
            await caller.until(lambda: caller.stages(waits.cid) == ["accepted"])
            await caller.greet(birth, from_seq=5)
            caller.greets = True
        births = 2 if noticed_by == "mark" else 3
        birth = await caller.birth_of("probe", births)
        assert birth.memory != BOOT
        for order in (first, second):  # copies that were under way all the time
            await caller.query(order.cid)
            await caller.send(order)
            await caller.told(order.cid, "not_seen", "not_seen")
        assert {event.memory for event in caller.events[-4:]} == {birth.memory}
        await caller.ready()
        # Under the new name, what is known from the old one is still not done again.
        await caller.send(first.model_copy(update={"memory": birth.memory}))
        await caller.until(lambda: caller.stages(first.cid)[-1] == "done")
        end = await caller.run(
            first.model_copy(update={"memory": birth.memory, "cid": "c/run-1/step-9/try-1"})
        )
        assert (end.st, end.seq) == ("done", 2)
        assert len(floor.traces()) == 3
        await floor.boot()
        assert (await caller.birth_of("probe", births + 1)).memory == birth.memory

    on_the_floor(tmp_path / "log", scene)


def test_a_lost_journal_has_another_name(tmp_path: Path) -> None:
    async def scene(floor: Floor) -> None:
        await floor.caller.ready()
        await floor.caller.run(command(CID, "act", what="ok"))
        floor.journal.lose()
        await floor.boot()
        assert (await floor.caller.birth_of("probe", 2)).memory != BOOT
        await floor.caller.send(command(CID, "act", what="ok"))
        await floor.caller.until(lambda: floor.caller.stages(CID)[-1] == "not_seen")
        assert len(floor.traces()) == 1

    on_the_floor(tmp_path / "log", scene)


def test_a_lower_epoch_is_stale_for_ever(tmp_path: Path) -> None:
    async def scene(floor: Floor) -> None:
        caller = floor.caller
        await caller.ready()
        new = command(CID, "act", what="ok").model_copy(update={"epoch": 7})
        assert (await caller.run(new)).st == "done"
        await floor.boot()
        old = command("c/run-1/step-2/try-1", "act", what="ok").model_copy(update={"epoch": 6})
        end = await caller.run(old)
        assert (end.st, end.seq, end.epoch) == ("stale", 0, 7)
        for op in ("query", "cancel", "release", "greet"):
            heard = len(caller.events)
            control = Control(
                id="1", op=op, journal=JOURNAL, cid=CID, epoch=6, boot="boot-2", from_seq=1
            )
            await caller.control(control)
            await caller.more_than(heard)
            assert caller.events[-1].st == "stale"
        await caller.greet(await caller.birth_of("probe", 2), epoch=8)
        await caller.ready()
        last = old.model_copy(update={"epoch": 7})
        await caller.send(last)
        await caller.until(lambda: caller.stages(last.cid) == ["stale"] * 2)
        await floor.boot()
        again = old.model_copy(update={"epoch": 7, "cid": "c/run-1/step-3/try-1"})
        assert (await caller.run(again)).st == "stale", "a greeting's epoch was forgotten"
        await caller.control(Control(id="1", op="stop", epoch=1))
        await caller.until(lambda: "made_safe" in caller.stages(""))
        assert len(floor.traces()) == 1

    on_the_floor(tmp_path / "log", scene)


def test_a_stop_outlives_a_restart(tmp_path: Path) -> None:
    async def scene(floor: Floor) -> None:
        await floor.caller.ready()
        await floor.caller.control(Control(id="1", op="stop", epoch=1, by="mira"))
        await floor.caller.until(lambda: floor.caller.stages("") == ["made_safe"])
        await floor.boot()
        refused = await floor.caller.run(command(CID, "act", what="ok"))
        assert refused.error is not None
        assert "stopped by mira" in refused.error.reason
        assert (await floor.caller.birth_of("probe", 3)).stopped == "it was stopped by mira"
        await floor.caller.control(Control(id="2", op="release", epoch=1))
        await floor.caller.ready()
        await floor.boot()
        await floor.caller.ready()
        assert (await floor.caller.birth_of("probe", 5)).stopped == ""
        end = await floor.caller.run(command("c/run-1/step-2/try-1", "act", what="ok"))
        assert end.st == "done"

    on_the_floor(tmp_path / "log", scene)


class Disk(MemoryJournal):
    """A journal on a disk that fails and delays as it is told."""

    def __init__(self) -> None:
        super().__init__(BOOT)
        self.full = False
        self.takes_s = 0.0

    async def commit(self, entries: Sequence[Entry]) -> None:
        await asyncio.sleep(self.takes_s)
        if self.full:
            raise RecordFault("the disk is full")
        await super().commit(entries)


def test_nothing_begins_that_is_not_durable(tmp_path: Path) -> None:
    disk = Disk()

    async def scene(floor: Floor) -> None:
        caller = floor.caller
        await caller.ready()
        disk.full = True
        await caller.send(command(CID, "act", what="ok"))
        await caller.until(lambda: caller.status_of() == "attention")
        await caller.send(command(CID, "act", what="ok"))
        await caller.query(CID)
        await asyncio.sleep(60.0)
        assert (caller.stages(CID), floor.traces()) == ([], [])
        disk.full = False
        assert (await caller.end(CID)).st == "done"
        assert caller.status_of() != "attention"
        assert caller.stages(CID) == ["started", "done"]
        assert len(floor.traces()) == 1

    on_the_floor(tmp_path / "log", scene, journal=disk)


def test_a_result_that_cannot_be_kept_is_told_later(tmp_path: Path) -> None:
    disk = Disk()

    async def scene(floor: Floor) -> None:
        caller = floor.caller
        await caller.ready()
        await floor.started(command(CID, "dose", what="after"))
        disk.full = True
        await asyncio.sleep(60.0)
        assert caller.stages(CID) == ["started"]
        assert caller.status_of() == "attention"
        disk.full = False
        assert (await caller.end(CID)).result == 1

    on_the_floor(tmp_path / "log", scene, journal=disk)


def test_a_deadline_that_passes_while_the_start_is_written_holds(tmp_path: Path) -> None:
    disk = Disk()

    async def scene(floor: Floor) -> None:
        await floor.caller.ready()
        disk.takes_s = 5.0
        order = command(CID, "act", what="ok").model_copy(update={"ttl_s": 3.0})
        end = await floor.caller.run(order)
        assert end.error is not None
        assert (end.st, end.error.phase) == ("failed", "before_start")
        assert "deadline" in end.error.reason
        assert (floor.caller.stages(CID), floor.traces()) == (["started", "failed"], [])

    on_the_floor(tmp_path / "log", scene, journal=disk)


def test_a_command_that_was_long_on_its_way_does_not_start_late(tmp_path: Path) -> None:
    async def scene(floor: Floor) -> None:
        await floor.caller.ready()
        quick = command("c/run-1/step-0/try-1", "act", what="ok")
        now = asyncio.get_running_loop().time()
        behind = 1000.0  # the two clocks differ, which is no delay
        await floor.caller.run(quick.model_copy(update={"issued_at": now - behind}))
        for number, took_s, st in ((1, 40.0, "done"), (2, 60.0, "failed")):
            now = asyncio.get_running_loop().time()
            late = command(f"c/run-1/step-{number}/try-1", "act", what="ok")
            late = late.model_copy(update={"issued_at": now - behind - took_s, "ttl_s": 50.0})
            assert (await floor.caller.run(late)).st == st

    on_the_floor(tmp_path / "log", scene)


def test_instruments_rest_when_the_orchestrator_falls_silent(tmp_path: Path) -> None:
    async def scene(floor: Floor) -> None:
        caller, node = floor.caller, floor.node
        assert node is not None
        await caller.ready()
        await floor.started(command(CID, "move", what="after"))
        second, third = (f"c/run-1/step-{number}/try-1" for number in (2, 3))
        await caller.send(command(second, "move", what="after"))
        await caller.send(command(third, "act", what="ok"))
        await asyncio.sleep(60.0)
        assert (await caller.end(CID)).st == "done", "what ran was not finished"
        assert caller.stages(second) == ["accepted", "started", "done"], "it was 5 s after the word"
        assert caller.stages(third) == ["accepted"]
        assert caller.status_of() == "waiting"
        assert len(caller.births("probe")) == 1
        await caller.heartbeat()
        assert (await caller.end(third)).st == "done"
        assert len(caller.births("probe")) == 2

    on_the_floor(tmp_path / "log", scene, silence_s=15.0)


class Blind:
    """An instrument that names a probe it does not have."""

    def __init__(self, *, name: str, bench: object) -> None:
        self.name = name

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Nothing moves."""

    @action("once", probe="look_again")
    async def act(self) -> None:
        """Never called."""


def test_what_a_driver_does_not_have_is_a_mistake_before_anything_starts() -> None:
    instrument = Instrument(name="blind", driver="./test_node_recovery.py:Blind", simulated=True)
    with pytest.raises(UserMistake, match=r"Blind\.act: probe='look_again' names no method"):
        Node(
            lab=Lab(name="local", instruments=(instrument,)),
            folder=Path(__file__).parent,
            bus=LocalBroker().client("node"),
            clock=WallClock(),
            bench=Bench.instant(),
        )
