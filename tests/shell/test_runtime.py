"""One orchestrator at work: what it says of itself, what people tell it, and when it must be still.

The real runtime, engine and node, in virtual time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from sdl.core import events as ev
from sdl.core.commands import Halt, Perform
from sdl.errors import LeaseLost, RecordFault
from sdl.planner.server import answer
from sdl.shell import crash, opening, runtime
from sdl.shell.bench import Bench
from sdl.shell.bus import Message
from sdl.shell.clock import LoopClock
from sdl.shell.dispatch import Vouch, alone
from sdl.shell.local_bus import LocalBroker, LocalBus
from sdl.shell.node import Node
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.shell.planner_client import DirectPlanner
from sdl.shell.preflight import prepare
from sdl.shell.presence import Presence
from sdl.shell.runtime import Append, Runtime, Watch
from sdl.sim.loop import VirtualLoop, run_virtually
from sdl.wire import mqtt
from sdl.wire.journal import Line, load
from sdl.wire.topics import Topics, kind_in
from tests.sim.places import place

EPOCH = 1_800_000_000
TOPICS = Topics("bench")


@dataclass(slots=True)
class Place:
    """An orchestrator at work in a lab, and what can be seen of it from outside."""

    broker: LocalBroker
    runtime: Runtime
    bus: LocalBus
    working: asyncio.Task[None]
    lines: list[Line]
    heard: list[Message] = field(default_factory=list)

    def on_record(self, kind: type) -> list[object]:
        """What stands in the journal, of one type."""
        values = (load(line.type, line.body) for line in self.lines)
        return [value for value in values if isinstance(value, kind)]

    def controls(self, op: str) -> list[mqtt.Control]:
        """What nodes were told past their commands."""
        sent = [m for m in self.heard if kind_in(m.topic) == "ctl"]
        found = [mqtt.decode(mqtt.Control, message.payload) for message in sent]
        return [control for control in found if control.op == op]

    def statuses(self) -> list[tuple[int, bool]]:
        """What orchestrators said of themselves: epoch, and whether they are there."""
        told = [m for m in self.heard if m.topic == TOPICS.orchestrator_status()]
        found = [mqtt.decode(mqtt.Status, message.payload) for message in told]
        return [(status.epoch, status.online) for status in found]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return when something holds; in virtual time that is at once, or never."""
        async with asyncio.timeout(3600.0):
            while not holds():  # noqa: ASYNC110 - nobody tells a spy
                await asyncio.sleep(0.01)


Story = Callable[[Place], Awaitable[None]]


def told(
    tmp_path: Path,
    story: Story,
    *,
    vouch: Vouch = alone,
    append: Callable[[list[Line]], Append] | None = None,
    broker: LocalBroker | None = None,
    watch: Watch = lambda _: None,
    **changes: object,
) -> Place:
    """Let a story happen beside a campaign of forty runs."""
    prepared = prepare(place(tmp_path, **{"runs": 40, **changes}))  # type: ignore[arg-type]
    lab, seen = prepared.lab.lab, list[Place]()

    async def play() -> None:
        await played(broker or LocalBroker())

    async def played(broker: LocalBroker) -> None:
        clock = LoopClock(VirtualLoop.running().time)
        bench = Bench(clock=clock, seed=1, lab=lab)
        node = Node(
            lab=lab,
            folder=tmp_path,
            bus=broker.client("node"),
            clock=clock,
            bench=bench,
            boot="b",
            journal=MemoryJournal("m"),
        )
        spec = prepared.campaign.campaign
        opened = opening.new(
            prepared.script, spec, lab, at=0.0, clock="virtual", speed=1.0, epoch=EPOCH
        )
        lines: list[Line] = []
        bus, spy = broker.client("orchestrator"), broker.client("spy")
        presence = Presence(bus, TOPICS, boot="me", epoch=EPOCH, now=clock.now)
        runtime = Runtime(
            engine=opened.engine,
            chain=opened.chain,
            append=append(lines) if append else kept(lines),
            bus=bus,
            planner=DirectPlanner(answer),
            clock=clock,
            topics=TOPICS,
            watch=watch,
            presence=presence,
            vouch=vouch,
        )
        await spy.subscribe("#")
        await spy.connect()
        await bus.connect(will=presence.will(), on_connect=presence.announce)
        await node.start()
        working = asyncio.create_task(runtime.run(*opened.first))
        it = Place(broker, runtime, bus, working, lines)
        seen.append(it)
        spying = asyncio.create_task(listen(spy, it.heard))
        try:
            await story(it)
        finally:
            for task in (working, spying):
                task.cancel()
                with suppress(asyncio.CancelledError, LeaseLost, RecordFault):
                    await task
            await node.aclose()

    run_virtually(play())
    return seen[0]


async def listen(spy: LocalBus, heard: list[Message]) -> None:
    async for message in spy.messages():
        heard.append(message)  # noqa: PERF401 - others look at it meanwhile


def kept(lines: list[Line]) -> Append:
    async def append(more: Sequence[Line]) -> None:
        lines.extend(more)

    return append


def test_it_says_that_it_is_there_and_that_it_leaves(tmp_path: Path) -> None:
    async def story(it: Place) -> None:
        await asyncio.sleep(20.0)
        it.working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await it.working

    it = told(tmp_path, story)
    assert it.statuses()[0] == (EPOCH, True)
    assert it.statuses()[-1] == (EPOCH, False)
    beats = [m for m in it.heard if m.topic == TOPICS.orchestrator_heartbeat()]
    assert 10 <= len(beats) <= 11


def test_views_of_a_large_lab_take_a_small_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view_s, shown = 0.1, list[float]()

    def monotonic() -> float:
        return VirtualLoop.running().time() + view_s * len(shown)

    async def story(it: Place) -> None:
        await it.until(lambda: len(shown) >= 10)

    clocks = SimpleNamespace(monotonic=monotonic, thread_time=lambda: view_s * len(shown))
    monkeypatch.setattr(runtime, "time", clocks)
    told(tmp_path, story, watch=lambda _: shown.append(monotonic()))
    pauses_s = [after - before for before, after in pairwise(shown)]
    assert min(pauses_s) >= 19 * view_s, pauses_s


def test_the_late_will_of_one_before_us_is_put_right(tmp_path: Path) -> None:
    async def story(it: Place) -> None:
        await asyncio.sleep(1.0)
        former = Presence(it.bus, TOPICS, boot="former", epoch=EPOCH - 5, now=lambda: 0.0)
        will = former.will()
        await it.broker.client("former").publish(will.topic, will.payload, retain=True)
        it.broker.route(will)
        await asyncio.sleep(1.0)
        (retained,) = it.broker.retained(TOPICS.orchestrator_status())
        assert mqtt.decode(mqtt.Status, retained.payload).boot == "me"

    it = told(tmp_path, story)
    assert (EPOCH - 5, False) in it.statuses()


def test_nodes_are_greeted_with_our_epoch_and_again_when_their_line_is_mended(
    tmp_path: Path,
) -> None:
    async def story(it: Place) -> None:
        await it.until(lambda: len(it.on_record(Perform)) >= 5)
        assert len(it.controls("greet")) == 2
        it.bus.drop()
        await it.bus.reconnect()
        await it.until(lambda: len(it.controls("greet")) >= 4)

    it = told(tmp_path, story)
    assert {control.epoch for control in it.controls("greet")} == {EPOCH}
    assert {control.boot for control in it.controls("greet")} == {"b"}
    assert {control.memory for control in it.controls("greet")} == {"m"}


class Losing(LocalBroker):
    """Loses one word of a node: the one that is told of the start of a command."""

    lost = 0

    def route(self, message: Message) -> None:
        if kind_in(message.topic) == "evt" and not self.lost:
            word = mqtt.decode(mqtt.EventMessage, message.payload)
            if word.st == "started":
                self.lost = word.seq
                return
        super().route(message)


def test_a_word_that_is_lost_is_asked_for_and_comes_in_its_place(tmp_path: Path) -> None:
    async def story(it: Place) -> None:
        await it.until(lambda: len(it.on_record(ev.CommandDone)) >= 3)

    broker = Losing()
    it = told(tmp_path, story, broker=broker)
    assert broker.lost
    assert broker.lost in [control.from_seq for control in it.controls("greet")]
    words = [load(line.type, line.body) for line in it.lines]
    seqs = [
        word.seq
        for word in words
        if isinstance(word, ev.CommandAccepted | ev.CommandStarted | ev.CommandDone)
        and word.cid == "dye/run-1/step-1/try-1"
    ]
    assert seqs == [1, 2, 3]


def test_what_a_person_tells_is_on_record_when_it_is_answered(tmp_path: Path) -> None:
    async def story(it: Place) -> None:
        await it.until(lambda: len(it.on_record(Perform)) >= 3)
        said = await it.runtime.tell(
            lambda at: ev.PauseRequested(at=at, what="", by="ada", note="lunch")
        )
        assert said == ""
        assert len(it.on_record(ev.PauseRequested)) == 1
        nonsense = await it.runtime.tell(
            lambda at: ev.StepResolved(at=at, step="dye/run-99/step-1", verdict="discard", by="ada")
        )
        assert nonsense
        assert it.on_record(ev.StepResolved) == [], "nonsense is not put on record"
        await asyncio.sleep(600.0)
        done = len(it.on_record(Perform))
        await asyncio.sleep(3600.0)
        assert len(it.on_record(Perform)) == done, "it went on"
        again = await it.runtime.tell(lambda at: ev.ResumeRequested(at=at, what="", by="ada"))
        assert again == ""
        await it.until(lambda: len(it.on_record(Perform)) > done)
        assert it.runtime.lab().name == "dye"

    told(tmp_path, story)


def test_a_stop_of_the_lab_goes_over_the_bus_and_on_record(tmp_path: Path) -> None:
    async def story(it: Place) -> None:
        await it.until(lambda: len(it.on_record(Perform)) >= 3)
        await it.runtime.stop_all("eve", "fire")
        (stop,) = it.on_record(ev.LabStopRequested)
        assert isinstance(stop, ev.LabStopRequested)
        assert (stop.by, stop.note) == ("eve", "fire")
        await asyncio.sleep(1.0)
        (order,) = [m for m in it.heard if m.topic == TOPICS.stop_all()]
        assert mqtt.decode(mqtt.StopAll, order.payload).by == "eve"
        assert len(it.on_record(ev.LabStopRequested)) == 1, "it heard itself"

    told(tmp_path, story)


def test_a_stop_past_the_desk_is_on_record_too(tmp_path: Path) -> None:
    async def story(it: Place) -> None:
        await it.until(lambda: len(it.on_record(Perform)) >= 3)
        order = mqtt.StopAll(id="panel/1", by="panel", note="button")
        it.broker.route(Message(TOPICS.stop_all(), mqtt.encode(order)))
        await it.until(lambda: bool(it.on_record(ev.LabStopRequested)))

    told(tmp_path, story)


def test_an_instrument_that_is_broken_off_is_told_to_stop(tmp_path: Path) -> None:
    async def story(it: Place) -> None:
        await it.until(lambda: len(it.on_record(ev.CommandStarted)) >= 1)
        said = await it.runtime.tell(
            lambda at: ev.AbortRequested(at=at, what="handler", by="ada", note="smoke")
        )
        assert said == ""
        # Not an answer to us: of a stop that another campaign of this name had asked for.
        journal = {"journal": "another", "answers": "dye/halt-1"}
        where = {"dev": "handler", "boot": "b", "memory": "m", "epoch": 1}
        word = {**journal, **where, "cid": "", "seq": 0, "st": "made_safe", "at": 0.0}
        answer = mqtt.EventMessage.model_validate(word)
        it.broker.route(Message(TOPICS.event("handler"), mqtt.encode(answer)))
        await it.until(lambda: bool(it.on_record(ev.InstrumentMadeSafe)))

    it = told(tmp_path, story)
    (stop,) = it.controls("stop")
    (halt,) = it.on_record(Halt)
    (safe,) = it.on_record(ev.InstrumentMadeSafe)
    assert isinstance(halt, Halt)
    assert isinstance(safe, ev.InstrumentMadeSafe)
    assert halt.id == stop.id == safe.halt == "dye/halt-1"


def test_a_node_that_obeys_a_higher_epoch_ends_our_work(tmp_path: Path) -> None:
    async def story(it: Place) -> None:
        await it.until(lambda: len(it.on_record(Perform)) >= 3)
        greeting = mqtt.Control(id="g", op="greet", epoch=EPOCH + 7, boot="b")
        for name in ("handler", "reader"):
            it.broker.route(Message(TOPICS.control(name), mqtt.encode(greeting)))
        with pytest.raises(LeaseLost, match=f"obeys another orchestrator, of epoch {EPOCH + 7}"):
            await it.working

    told(tmp_path, story)


def test_who_is_not_vouched_for_sends_nothing(tmp_path: Path) -> None:
    leads = True

    async def vouch() -> None:
        if not leads:
            raise LeaseLost("another one leads")

    async def story(it: Place) -> None:
        nonlocal leads
        await it.until(lambda: len(it.on_record(Perform)) >= 3)
        await asyncio.sleep(1.0)
        leads, decided = False, len(it.lines)
        sent = len([each for each in it.heard if kind_in(each.topic) in ("cmd", "ctl")])
        with pytest.raises(LeaseLost):
            await it.working
        await asyncio.sleep(1.0)
        assert len(it.lines) > decided
        after = len([each for each in it.heard if kind_in(each.topic) in ("cmd", "ctl")])
        assert after == sent, "what was decided last was sent after all"

    told(tmp_path, story, vouch=vouch)


def test_nothing_is_sent_that_is_not_on_record(tmp_path: Path) -> None:
    def failing(lines: list[Line]) -> Append:
        async def append(more: Sequence[Line]) -> None:
            if sum(line.type == "Perform" for line in lines) >= 3:
                raise RecordFault("the disk is full")
            lines.extend(more)

        return append

    async def story(it: Place) -> None:
        with pytest.raises(RecordFault, match="the disk is full"):
            await it.working
        await asyncio.sleep(0.0)
        sent = sum(kind_in(message.topic) == "cmd" for message in it.heard)
        assert sent == len(it.on_record(Perform))
        with pytest.raises(RecordFault):
            await asyncio.wait_for(it.working, 1.0)

    told(tmp_path, story, append=failing)


def test_its_crash_points_are_passed_in_the_order_of_what_leaves_a_trace(tmp_path: Path) -> None:
    passed: list[str] = []

    async def story(it: Place) -> None:
        await it.until(lambda: len(it.on_record(Perform)) >= 3)

    crash.hook(lambda name: passed.append(name) if name.startswith("orchestrator.") else None)
    try:
        told(tmp_path, story)
    finally:
        crash.hook(None)
    wanted = [f"orchestrator.{each}" for each in ("event.handled", "lines.committed", "asked")]
    assert [*dict.fromkeys(passed)][:2] == wanted[:2]
    assert set(passed) == {*wanted, "orchestrator.command.published"}
    first = passed.index("orchestrator.command.published")
    assert passed[:first].count("orchestrator.lines.committed") >= 2


def test_a_word_that_cannot_be_looked_at_is_kept_out_and_the_work_goes_on(tmp_path: Path) -> None:
    async def story(it: Place) -> None:
        await it.until(lambda: len(it.on_record(Perform)) >= 3)
        said = await it.runtime.tell(
            lambda at: ev.StepResolved(at=at, step=None, verdict="discard", by="eve")  # type: ignore[arg-type]
        )
        assert said.startswith("it could not be understood")
        said = await it.runtime.tell(
            lambda at: ev.PauseRequested(at=at, what="", by="eve", note="no Unicode: \udcff")
        )
        assert said.startswith("it could not be understood")
        await it.until(lambda: len(it.on_record(Perform)) >= 6)
        assert it.on_record(ev.StepResolved) == []

    told(tmp_path, story)
