"""The invariants bite: a lab with a planted defect is found out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

import sdl.sim.drill
from sdl import action
from sdl.core import commands as do
from sdl.core.events import CommandDone, CommandUnknown
from sdl.model.action import operations_of
from sdl.shell.bus import Message
from sdl.shell.node_journal import CommandId, Entry, Recalled, RecalledDevice, Remembered, Word
from sdl.sim.books import Books, Broken
from sdl.sim.disk import SimJournal, SimRecord
from sdl.sim.drill import drill
from sdl.sim.faults import BROKER, Fault
from sdl.sim.life import Life
from sdl.sim.loop import run_and_forget
from sdl.sim.trace import Trace
from sdl.sim.world import Deed, World
from sdl.wire import mqtt
from sdl.wire.journal import Line
from sdl.wire.topics import Topics
from tests.sim.drills import prepared

STORM = Fault(kind="storm", target=BROKER, at=0.5, for_s=30.0, amount=0.5)
DEATHS = tuple(Fault(kind="kill", target="node-1", at=at, for_s=1.0) for at in (2.0, 10.0, 18.0))
"""Each falls into an action of whichever instrument the first node hosts."""


def broken(*faults: Fault, seeds: range = range(6)) -> set[str]:
    """Which invariants these faults break, by their first words."""
    reports = [drill(prepared(), seed, faults=faults) for seed in seeds]
    return {report.broken.partition(":")[0] for report in reports if report.broken}


def test_a_sound_lab_breaks_none_of_them() -> None:
    assert broken(STORM, *DEATHS) == set()


class Forgetful(SimJournal):
    """Does not know what it was sent, nor what it had begun."""

    def find(self, device: str, command: CommandId) -> Remembered | None:
        del device, command
        return None


def test_a_node_that_does_a_repeated_command_again_breaks_i1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sdl.sim.drill, "SimJournal", Forgetful)
    assert broken(STORM) & {"I1", "I4"}


class Optimist(SimJournal):
    """Says after a death that nothing had begun."""

    def recall(self, devices: Sequence[str]) -> Recalled:
        known = super().recall(devices)
        hopeful = {name: _hopeful(each) for name, each in known.devices.items()}
        return replace(known, devices=hopeful)


def _hopeful(device: RecalledDevice) -> RecalledDevice:
    waiting = tuple(replace(each, stage="accepted") for each in device.unfinished)
    return replace(device, unfinished=waiting)


def test_a_node_that_says_that_nothing_had_begun_breaks_i1_or_i4(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sdl.sim.drill, "SimJournal", Optimist)
    assert broken(*DEATHS) & {"I1", "I4"}


class Hasty(SimJournal):
    """Says that it has written before it has; a death loses it."""

    async def commit(self, entries: Sequence[Entry]) -> None:
        if any(isinstance(entry, Word) and entry.stage == "started" for entry in entries):
            return
        await super().commit(entries)


def test_an_action_that_begins_before_its_start_is_durable_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sdl.sim.drill, "SimJournal", Hasty)
    seeds = [drill(prepared(), seed, faults=()) for seed in range(2)]
    assert all("nothing is journalled as started" in report.broken for report in seeds)


class Eager(SimRecord):
    """Says that lines are durable while they are not yet."""

    async def append(self, lines: Sequence[Line], lab: str, epoch: int, is_away: object) -> None:
        asyncio.get_running_loop().call_later(0.5, self._write, lines, lab, epoch)


def test_a_command_that_is_sent_before_it_is_on_record_breaks_o1_or_i2() -> None:
    reports = [drill(prepared(), seed, faults=(), recorded=Eager) for seed in range(2)]
    assert {report.broken.partition(":")[0] for report in reports} <= {"O1", "I2"}
    assert all(report.broken for report in reports)


def test_a_decision_that_is_not_on_record_breaks_i7() -> None:
    kept: list[Line] = []

    class Copied(SimRecord):
        def _write(self, lines: Sequence[Line], lab: str, epoch: int) -> None:
            super()._write(lines, lab, epoch)
            kept.extend(lines)

    assert not drill(prepared(), 0, faults=(), recorded=Copied).broken
    asked = next(line for line in kept if line.type == "AskPlanner")
    books = Books(prepared().script, lambda: 0.0)
    with pytest.raises(Broken, match="drill/ask-1"):
        books.keep([line for line in kept[: asked.seq] if line != asked])


CID = "drill/run-1/step-1/try-1"
TOPICS = Topics("drill-bench")


class Dosing:
    """One action, for a deed."""

    @action("once")
    async def dose(self) -> None: ...


def perform(not_after: float | None = None) -> do.Perform:
    """An intent, as it stands on record."""
    return do.Perform(
        cid=CID,
        step=CID.rpartition("/")[0],
        attempt=1,
        instrument="doser",
        operation="dose",
        effect="once",
        args={},
        memory="memory-1",
        not_after=not_after,
    )


def deed() -> Deed:
    """What a machine begins for it."""
    return Deed(
        cid=CID,
        instrument="doser",
        operation=operations_of(Dosing)["dose"],
        machine=Life("machine", "doser#1"),
        begun=0.0,
    )


def command(epoch: int) -> Message:
    """The intent on its way to its node."""
    message = mqtt.command_message(perform(), epoch=epoch, issued_at=0.0, journal="journal")
    return Message(TOPICS.command("doser"), mqtt.encode(message))


def greeting(epoch: int) -> Message:
    """An orchestrator takes up with the node."""
    control = mqtt.Control(id="greet", op="greet", epoch=epoch, boot="node-1#1")
    return Message(TOPICS.control("doser"), mqtt.encode(control))


def word(stage: mqtt.Stage, seq: int) -> Message:
    """What the node says of it."""
    event = mqtt.EventMessage(
        journal="journal",
        cid=CID,
        dev="doser",
        boot="b",
        memory="m",
        epoch=1,
        seq=seq,
        st=stage,
        at=0,
    )
    return Message(TOPICS.event("doser"), mqtt.encode(event))


def books(now: float = 0.0, *, intent: do.Perform | None = None) -> Books:
    """Books in which one intent is on record, if any."""
    kept = Books(prepared().script, lambda: now)
    kept.world = World(random.Random(1), Trace(), kept)
    if intent is not None:
        kept.performed[CID] = intent
    return kept


def test_an_action_without_an_intent_breaks_i2() -> None:
    with pytest.raises(Broken, match="I2"):
        books().begins(deed())


def test_a_second_action_or_effect_breaks_i1() -> None:
    kept = books(intent=perform())
    kept.received("node-1#1", command(epoch=1))
    kept.begins(deed())
    with pytest.raises(Broken, match="I1"):
        kept.begins(deed())
    kept.happens(deed())
    with pytest.raises(Broken, match="I1"):
        kept.happens(deed())


def test_a_late_beginning_breaks_i8_unless_a_clock_is_wrong() -> None:
    kept = books(now=100.5, intent=perform(not_after=100.0))
    kept.received("node-1#1", command(epoch=1))
    with pytest.raises(Broken, match="I8"):
        kept.begins(deed())
    kept = books(now=100.5, intent=perform(not_after=100.0))
    kept.clocks_differ = True
    kept.received("node-1#1", command(epoch=1))
    kept.begins(deed())


def test_a_command_of_one_who_was_replaced_breaks_i9() -> None:
    kept = books(intent=perform())
    kept.received("node-1#1", greeting(epoch=6))
    kept.received("node-1#1", command(epoch=5))
    with pytest.raises(Broken, match="I9"):
        kept.begins(deed())


def test_a_number_with_two_meanings_breaks_i6() -> None:
    kept = books(intent=perform())
    kept.received("orchestrator#1", word("started", 1))
    kept.received("orchestrator#1", word("started", 1))
    with pytest.raises(Broken, match="I6"):
        kept.received("orchestrator#1", word("done", 1))


def test_a_command_that_is_sent_and_not_on_record_breaks_o1() -> None:
    with pytest.raises(Broken, match="O1"):
        books().received("node-1#1", command(epoch=1))


def test_done_without_an_effect_breaks_i3_and_unknown_without_a_fault_the_precision() -> None:
    done = CommandDone(at=0.0, cid=CID, result=None, duration_s=1.0)
    unknown = CommandUnknown(at=0.0, cid=CID, reason="who knows")
    for event, broken_one in ((done, "I3"), (unknown, "precision")):
        with pytest.raises(Broken, match=broken_one):
            run_and_forget(_noted(books(intent=perform()), event))


async def _noted(kept: Books, event: CommandDone | CommandUnknown) -> None:
    kept.note_event(event)
