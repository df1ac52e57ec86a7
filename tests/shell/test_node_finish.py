"""A node that is told to finish ends what it has in hand, begins nothing more, and leaves."""

from __future__ import annotations

import asyncio

import pytest

from sdl.shell.clock import LoopClock
from sdl.shell.local_bus import LocalBroker
from sdl.sim.loop import run_virtually
from sdl.wire.mqtt import Status, decode
from tests.shell.bench_of_buses import Caller, command, probe_lab, running_node
from tests.shell.test_node_safety import CID, Floor, on_the_floor

NEXT = "c/run-1/step-2/try-1"


def is_online(caller: Caller) -> bool:
    """What the node's status told last."""
    return decode(Status, caller.of("status")[-1].payload).online


async def told_to_finish(floor: Floor, stop: asyncio.Event) -> asyncio.Task[None]:
    """The node, told in the middle of an action that another one waits for."""
    await floor.caller.told(CID, "started")
    await floor.caller.send(command(NEXT, "bake", lead_s=0.5, time_s=1.0))
    await floor.caller.told(NEXT, "accepted")
    finish = asyncio.Event()
    serving = asyncio.create_task(floor.node.serve(stop, finish))
    finish.set()
    await floor.caller.until(lambda: not is_online(floor.caller))
    assert not serving.done()
    return serving


def test_what_is_in_hand_is_done_and_what_waits_is_let_be_whoever_greets() -> None:
    async def story(floor: Floor) -> None:
        caller = floor.caller
        await floor.bake(lead_s=0.5, time_s=20.0)
        serving = await told_to_finish(floor, asyncio.Event())
        await caller.greet(caller.births("probe")[-1], epoch=2)  # by whoever took over
        await serving
        assert floor.clock.now() == pytest.approx(20.5)
        assert caller.stages(CID) == ["started", "done"]
        assert caller.stages(NEXT) == ["accepted"], "refused before all know that it leaves"
        await floor.node.aclose()
        end = await caller.end(NEXT)
        assert end.error is not None
        assert (end.st, end.error.phase, end.error.kind) == ("failed", "before_start", "lab")
        assert (floor.heater.baked, floor.heater.on) == (1, False)

    on_the_floor(story)


def test_a_stop_of_everything_is_obeyed_by_a_node_that_finishes() -> None:
    async def story(floor: Floor) -> None:
        await floor.bake(lead_s=0.5, time_s=60.0)
        serving = await told_to_finish(floor, asyncio.Event())
        await asyncio.sleep(1.0)
        await floor.stop_all("fire")
        [answer] = await floor.safe(1)
        assert (answer.error, floor.heater.on) == (None, False)
        await serving
        assert floor.clock.now() < 10.0
        assert floor.caller.ended()[CID].st == "unknown"

    on_the_floor(story)


def test_who_hosts_the_node_may_cut_off_what_takes_too_long() -> None:
    async def story(floor: Floor) -> None:
        stop = asyncio.Event()
        await floor.bake(lead_s=0.5, time_s=60.0)
        serving = await told_to_finish(floor, stop)
        await asyncio.sleep(10.0)
        stop.set()
        await serving
        await floor.node.aclose()
        assert floor.clock.now() < 20.0
        assert (await floor.caller.end(CID)).st == "unknown"
        assert not floor.heater.on

    on_the_floor(story)


def test_a_node_that_finishes_is_away_whatever_comes_over_its_line() -> None:
    """It beats no more, and says no more than that it leaves when its line is mended."""

    async def run() -> None:
        broker = LocalBroker()
        clock = LoopClock(asyncio.get_running_loop().time)
        async with (
            Caller(broker.client("caller"), "away") as caller,
            running_node(probe_lab("away"), broker.client("n"), clock, heartbeat_s=2.0) as node,
        ):
            await caller.ready()
            await caller.send(command(CID, "hold"))
            await caller.told(CID, "started")
            finish = asyncio.Event()
            serving = asyncio.create_task(node.serve(asyncio.Event(), finish))
            await asyncio.sleep(5.0)
            finish.set()
            await caller.until(lambda: not is_online(caller))
            births, beats = len(caller.births("probe")), len(caller.of("hb"))
            assert beats == 2
            await node._announce()
            await asyncio.sleep(60.0)
            assert not is_online(caller)
            assert (len(caller.births("probe")), len(caller.of("hb"))) == (births, beats)
            serving.cancel()

    run_virtually(run())
