"""A stop overtakes all that waits, and what it stopped stays stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from sdl.shell.clock import LoopClock, WallClock
from sdl.shell.local_bus import LocalBroker
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node_journal import Entry
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.sim.loop import run_virtually
from sdl.wire.mqtt import Control, StopAll, encode
from tests.shell.bench_of_buses import (
    BOOT,
    JOURNAL,
    Caller,
    command,
    probe_lab,
    running_node,
)

NAMES = tuple(f"probe-{number}" for number in range(12))
QUEUED = 1000
PATIENCE_S = 5.0
"""On a machine that does other things beside; an idle one takes 0.02 s."""


async def queue_up(caller: Caller, memory: str, count: int) -> None:
    """Keep every instrument at work, and let commands wait in front of all of them."""
    for name in NAMES:
        order = command(f"c/{name}/step-0/try-1", "hold", name)
        await caller.send(order.model_copy(update={"memory": memory}))
    for number in range(count):
        name = NAMES[number % len(NAMES)]
        order = command(f"c/{name}/step-{number + 1}/try-1", "act", name, what="ok")
        await caller.send(order.model_copy(update={"memory": memory}))


async def everything_stops(caller: Caller, count: int) -> float:
    """Stop the whole lab; how long it took until all of it had said so, in wall seconds."""
    stop = StopAll(id="1", by="mira", note="it smells")
    began = time.perf_counter()
    await caller.bus.publish(caller.topics.stop_all(), encode(stop))
    await caller.until(lambda: caller.stages("").count("made_safe") == len(NAMES))
    answers = {(word.journal, word.answers) for word in caller.events if word.st == "made_safe"}
    assert answers == {("", "1")}
    took_s = time.perf_counter() - began
    await caller.until(lambda: len(caller.ended()) == count + len(NAMES))
    ends = caller.ended()
    held = [ends[f"c/{name}/step-0/try-1"].st for name in NAMES]
    assert held == ["done"] * len(NAMES), "make_safe lets go of what is held"
    others = [end for cid, end in ends.items() if "/step-0/" not in cid]
    assert {end.st for end in others} == {"failed"}
    reasons = {end.error.reason for end in others if end.error is not None}
    assert all("everything was stopped by mira: it smells" in reason for reason in reasons)
    return took_s


async def test_a_stop_of_everything_overtakes_a_thousand_commands(mosquitto: str) -> None:
    lab = probe_lab("stop", *NAMES)
    node_bus = MqttBus(mosquitto, "stop-node", lasting=True)
    async with (
        Caller(MqttBus(mosquitto, "stop-caller"), "stop") as caller,
        running_node(lab, node_bus, WallClock()) as node,
    ):
        await caller.ready(*NAMES)
        await queue_up(caller, node.memory, QUEUED)
        assert await everything_stops(caller, QUEUED) < PATIENCE_S
        assert {station.status for station in node.stations.values()} == {"stopped"}


def test_a_stop_of_everything_stops_everything_in_virtual_time() -> None:
    async def run() -> None:
        broker = LocalBroker()
        clock = LoopClock(asyncio.get_running_loop().time)
        async with (
            Caller(broker.client("caller"), "stop") as caller,
            running_node(probe_lab("stop", *NAMES), broker.client("node"), clock) as node,
        ):
            await caller.ready(*NAMES)
            await queue_up(caller, node.memory, 100)
            await asyncio.sleep(1.0)
            await everything_stops(caller, 100)

    run_virtually(run())


@pytest.mark.parametrize("what", ["stubborn", "hang"])
def test_an_action_that_goes_on_after_make_safe_is_given_up(what: str) -> None:
    """Nobody is told that an instrument is safe while it may still move."""

    async def run() -> None:
        broker = LocalBroker()
        clock = LoopClock(asyncio.get_running_loop().time)
        lab = probe_lab("stop")
        async with (
            Caller(broker.client("caller"), "stop") as caller,
            running_node(lab, broker.client("node"), clock) as node,
        ):
            await caller.ready()
            cid = "c/run-1/step-1/try-1"
            await caller.send(command(cid, "act", what=f"{what}-safe"))
            await caller.until(lambda: caller.stages(cid) == ["started"])
            await caller.control(Control(id="1", op="stop", epoch=1))
            await caller.until(lambda: "made_safe" in caller.stages(""))
            made_safe = caller.events[-1]
            assert caller.stages(cid) == ["started", "unknown"], "the word came after made_safe"
            assert (made_safe.error is None) == (what == "hang")
            if made_safe.error is not None:
                assert "may still be going on" in made_safe.error.reason
            node.kill()

    run_virtually(run())


def test_a_driver_that_cannot_be_made_safe_says_so() -> None:
    async def run() -> None:
        broker = LocalBroker()
        clock = LoopClock(asyncio.get_running_loop().time)
        async with (
            Caller(broker.client("caller"), "stop") as caller,
            running_node(probe_lab("stop"), broker.client("node"), clock) as node,
        ):
            await caller.ready()
            await caller.run(command("c/run-1/step-1/try-1", "act", what="jam"))
            await caller.control(Control(id="1", op="stop", epoch=1))
            await caller.until(lambda: "made_safe" in caller.stages(""))
            error = caller.events[-1].error
            assert error is not None
            assert "make_safe raised DriverFault: the arm is jammed" in error.reason
            assert node.stations["probe"].status == "stopped"

    run_virtually(run())


def test_each_order_to_stop_has_an_answer_that_names_it() -> None:
    async def run() -> None:
        broker = LocalBroker()
        clock = LoopClock(asyncio.get_running_loop().time)
        async with (
            Caller(broker.client("caller"), "stop") as caller,
            running_node(probe_lab("stop"), broker.client("node"), clock),
        ):
            await caller.ready()
            orders = ("dye/halt-1", "dye/halt-1", "dye/halt-2", "x" * 1000)
            for id_ in orders:
                await caller.control(Control(id=id_, op="stop", epoch=1, journal=JOURNAL))
            await caller.until(lambda: len(caller.stages("")) == len(orders))
            told = [(word.journal, word.answers) for word in caller.events]
            assert told == [(JOURNAL, id_[:200]) for id_ in orders]

    run_virtually(run())


class SlowJournal(MemoryJournal):
    """Its commits take a second of loop time."""

    async def commit(self, entries: Sequence[Entry]) -> None:
        await asyncio.sleep(1.0)
        await super().commit(entries)


def test_what_comes_right_after_a_release_waits_until_that_is_durable() -> None:
    async def run() -> None:
        broker = LocalBroker()
        clock = LoopClock(asyncio.get_running_loop().time)
        node_bus, journal = broker.client("node"), SlowJournal(BOOT)
        async with (
            Caller(broker.client("caller"), "stop") as caller,
            running_node(probe_lab("stop"), node_bus, clock, journal=journal) as node,
        ):
            await caller.ready()
            await caller.control(Control(id="1", op="stop", epoch=1))
            await caller.until(lambda: caller.stages("") == ["made_safe"])
            first, second = (f"c/run-1/step-{n}/try-1" for n in (1, 2))
            await caller.control(Control(id="2", op="release", epoch=1))
            await caller.send(command(first, "act", what="ok"))
            await caller.told(first, "accepted", "started", "done")
            # A stop that comes before the release is through counts, and so do both their orders.
            for id_, op in enumerate(("stop", "release", "stop"), start=3):
                await caller.control(Control.model_validate({"id": f"{id_}", "op": op, "epoch": 1}))
                await asyncio.sleep(0.1)
            await caller.until(lambda: len(caller.stages("")) == 3)
            await asyncio.sleep(10.0)
            assert node.stations["probe"].status == "stopped"
            assert journal.recall(("probe",)).devices["probe"].stopped == "it was stopped"
            refused = await caller.run(command(second, "act", what="ok"))
            assert (refused.st, refused.error and refused.error.kind) == ("failed", "lab")
            for id_ in range(6, 8):
                await caller.control(Control(id=f"{id_}", op="release", epoch=1))
            await caller.ready()
            assert journal.recall(("probe",)).devices["probe"].stopped == ""

    run_virtually(run())
