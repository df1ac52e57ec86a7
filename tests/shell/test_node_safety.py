"""Safe means safe: nothing runs beside ``make_safe``, nothing after it, and two nodes never act."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

import pytest

from sdl.model.lab import Instrument, Lab
from sdl.shell.action_call import CANCEL_S, MAKE_SAFE_S
from sdl.shell.clock import LoopClock
from sdl.shell.local_bus import LocalBroker
from sdl.shell.node import Node
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.shell.reception import Delay
from sdl.shell.station import STILL_GOING
from sdl.sim.loop import run_virtually
from sdl.wire.mqtt import Control, EventMessage, StopAll, encode
from tests.shell.bench_of_buses import BOOT, Caller, command, new_node
from tests.shell.heater_device import Heater

CID = "c/run-1/step-1/try-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One heater at its node, and who tells it what to do."""

    broker: LocalBroker
    lab: Lab
    clock: LoopClock
    caller: Caller
    node: Node

    @property
    def heater(self) -> Heater:
        return heater_of(self.node)

    async def bake(self, lead_s: float, time_s: float) -> None:
        await self.caller.send(command(CID, "bake", lead_s=lead_s, time_s=time_s))

    async def stop(self, id_: str, journal: str = "") -> None:
        await self.caller.control(Control(id=id_, op="stop", epoch=1, journal=journal))

    async def stop_all(self, id_: str) -> None:
        stop = StopAll(id=id_, by="mira", note="fire")
        await self.caller.bus.publish(self.caller.topics.stop_all(), encode(stop))

    async def release(self, *lifts: str) -> None:
        await self.caller.control(Control(id="r", op="release", epoch=1, lifts=lifts))

    async def safe(self, count: int) -> list[EventMessage]:
        """The answers to stops, once there are so many."""
        await self.caller.until(lambda: self.caller.stages("").count("made_safe") >= count)
        return [word for word in self.caller.events if word.st == "made_safe"]

    async def another(self, boot: str, journal: MemoryJournal) -> Node:
        """A second node for the same instrument, started."""
        node = new_node(self.lab, self.broker.client(boot), self.clock, boot=boot, journal=journal)
        await node.start()
        return node


def heater_of(node: Node) -> Heater:
    """The driver that a node hosts, which loads it as a module of its own."""
    return cast("Heater", node.stations["probe"].device)


def on_the_floor(
    story: Callable[[Floor], Awaitable[None]],
    *,
    safe_s: float = 0.0,
    silence_s: float | None = None,
    greets: bool = True,
) -> None:
    """Let a story happen in virtual time."""
    lab = Lab(
        name="h",
        speed=1.0,
        instruments=(
            Instrument(
                name="probe",
                driver="./heater_device.py:Heater",
                simulated=True,
                options={"safe_s": safe_s},
                limits={},
            ),
        ),
    )

    async def run() -> None:
        broker, clock = LocalBroker(), LoopClock(asyncio.get_running_loop().time)
        async with Caller(broker.client("caller"), "h", greets=greets) as caller:
            node = new_node(lab, broker.client("node"), clock, silence_s=silence_s)
            await node.start()
            if greets:
                await caller.ready()
            floor = Floor(broker=broker, lab=lab, clock=clock, caller=caller, node=node)
            await story(floor)
            assert floor.heater.clashes == []
            node.kill()

    run_virtually(run())


@pytest.mark.parametrize("time_s", [0.5, 50.0])
def test_what_an_action_switches_on_while_it_is_stopped_is_off_when_it_is_safe(
    time_s: float,
) -> None:
    """It ends by itself soon after, or is cut off: make_safe came before either."""

    async def story(floor: Floor) -> None:
        await floor.bake(lead_s=1.0, time_s=time_s)
        await asyncio.sleep(0.5)
        await floor.stop("1")
        [answer] = await floor.safe(1)
        assert floor.heater.baked == 1
        assert (answer.error, floor.heater.on, floor.heater.made_safe) == (None, False, 2)

    on_the_floor(story)


def test_an_order_to_stop_joins_the_one_that_is_being_obeyed() -> None:
    async def story(floor: Floor) -> None:
        await floor.stop("1")
        await asyncio.sleep(10.0)
        await floor.stop("1")  # told again, for there was no answer yet
        await floor.stop_all("2")
        answers = await floor.safe(3)
        assert {word.answers for word in answers} == {"1", "2"}
        assert {word.at for word in answers} == {12.0}
        assert floor.heater.made_safe == 1
        await floor.release("1", "2")
        await floor.bake(lead_s=1.0, time_s=30.0)
        assert (await floor.caller.end(CID)).st == "done"

    on_the_floor(story, safe_s=12.0)


def test_a_make_safe_that_hangs_is_given_up_on_and_nothing_begins_beside_it() -> None:
    """As a vendor's library does that blocks its thread: it cannot be ended from outside."""

    async def story(floor: Floor) -> None:
        await floor.stop("1")
        [answer] = await floor.safe(1)
        assert answer.at == MAKE_SAFE_S + CANCEL_S
        assert answer.error is not None
        assert answer.error.reason == f"make_safe did not end within 30 s; {STILL_GOING}"
        await floor.stop("1")
        await floor.stop_all("2")
        answers = await floor.safe(3)
        assert {word.error for word in answers} == {answer.error}
        assert {word.at for word in answers} == {answer.at}, "the others waited once more"
        await floor.release("1", "2")
        await floor.bake(lead_s=1.0, time_s=1.0)
        end = await floor.caller.end(CID)
        assert (end.st, end.error and end.error.kind) == ("failed", "lab")
        assert end.error is not None
        assert STILL_GOING in end.error.reason
        await floor.caller.until(lambda: floor.caller.status_of() == "attention")
        await floor.caller.until(lambda: floor.caller.status_of() == "idle")
        assert floor.clock.now() == 80.0, "make_safe came back"
        assert floor.heater.made_safe == 1
        again = await floor.caller.run(command(f"{CID[:-1]}2", "bake", lead_s=1.0, time_s=1.0))
        assert again.st == "done"

    on_the_floor(story, safe_s=80.0)


def test_once_a_make_safe_came_back_the_next_order_tries_again() -> None:
    async def story(floor: Floor) -> None:
        await floor.stop("1")
        await floor.safe(1)
        await asyncio.sleep(100.0)
        floor.heater.safe_s = 0.0
        await floor.stop("2")
        [_, answer] = await floor.safe(2)
        assert (answer.answers, answer.error, floor.heater.made_safe) == ("2", None, 2)

    on_the_floor(story, safe_s=40.0)


def test_nothing_starts_while_a_release_waits_for_make_safe() -> None:
    async def story(floor: Floor) -> None:
        await floor.stop("1")
        await asyncio.sleep(1.0)
        await floor.release("1")
        await floor.bake(lead_s=1.0, time_s=1.0)
        assert (await floor.caller.end(CID)).at >= 7.0
        assert floor.caller.stages("") == ["made_safe"]
        assert floor.heater.made_safe == 1

    on_the_floor(story, safe_s=5.0)


def test_a_greeting_does_not_begin_anything_before_the_rest_is_over() -> None:
    async def story(floor: Floor) -> None:
        await floor.caller.heartbeat()
        await asyncio.sleep(31.0)  # a silence of 30 s, and make_safe has begun
        await floor.caller.heartbeat()
        await floor.caller.greet(floor.caller.births("probe")[-1])
        await floor.bake(lead_s=0.5, time_s=20.0)
        end = await floor.caller.end(CID)
        assert (end.st, floor.heater.on, end.duration_s) == ("done", True, 20.5)
        assert end.at == pytest.approx(35.0 + 20.5)

    on_the_floor(story, safe_s=5.0, silence_s=30.0)


def test_a_release_lifts_the_orders_that_it_names_and_no_other() -> None:
    async def story(floor: Floor) -> None:
        caller, node = floor.caller, floor.node
        await floor.stop("dye/halt-1")
        await floor.safe(1)
        await floor.stop_all("fire")
        await asyncio.sleep(0.5)
        await floor.release("dye/halt-1")  # was on its way when the lab was stopped
        await floor.release("another")
        await floor.bake(lead_s=0.5, time_s=1.0)
        end = await caller.end(CID)
        assert (end.st, end.error and end.error.kind) == ("failed", "lab")
        await floor.safe(2)
        await asyncio.sleep(1.0)
        assert node.stations["probe"].state.stops == ("fire",)
        birth = caller.births("probe")[-1]
        assert (birth.stops, birth.stopped) == (("fire",), "everything was stopped by mira: fire")
        await floor.release("fire")
        await caller.ready()
        assert caller.births("probe")[-1].stops == ()

    on_the_floor(story, safe_s=3.0)


def test_a_release_that_names_nothing_lifts_nothing_that_came_after_it() -> None:
    async def story(floor: Floor) -> None:
        await floor.stop("1")
        await floor.safe(1)
        await floor.release()
        await floor.stop("2")
        await floor.safe(2)
        await asyncio.sleep(10.0)
        assert floor.node.stations["probe"].state.stops == ("2",)
        await floor.release()
        await floor.caller.ready()

    on_the_floor(story)


def test_which_orders_stand_outlives_the_node() -> None:
    async def story(floor: Floor) -> None:
        journal = MemoryJournal(BOOT)
        first = await floor.another("boot-2", journal)
        await floor.stop_all("fire")
        await floor.safe(2)
        first.kill()
        await asyncio.sleep(1.0)
        second = await floor.another("boot-3", journal)
        assert second.stations["probe"].state.stops == ("fire",)
        await floor.release("other")
        await asyncio.sleep(1.0)
        assert second.stations["probe"].safety.stopped == "everything was stopped by mira: fire"
        await floor.release("fire")
        await asyncio.sleep(1.0)
        assert second.stations["probe"].safety.orders == ()
        second.kill()

    on_the_floor(story)


@pytest.mark.parametrize("journal, ends", [("journal-1", "done"), ("journal-2", "failed")])
def test_what_waits_of_an_orchestrator_that_was_left_never_starts(journal: str, ends: str) -> None:
    """Another journal is another campaign, whose orchestrator knows nothing of the command."""

    async def story(floor: Floor) -> None:
        birth = await floor.caller.birth_of("probe")
        await floor.bake(lead_s=0.5, time_s=1.0)
        await floor.caller.told(CID, "accepted")
        await floor.caller.greet(birth, epoch=2, journal=journal)
        end = await floor.caller.end(CID)
        assert (end.st, floor.heater.baked) == (ends, int(ends == "done"))
        if end.error is not None:
            assert (end.error.phase, end.error.kind) == ("before_start", "refused")
            assert "another orchestrator has taken over" in end.error.reason

    on_the_floor(story, greets=False)


def test_of_two_nodes_with_one_journal_the_one_greeted_last_acts_alone() -> None:
    """As where a node's folder was copied to another machine and both are on."""

    async def story(floor: Floor) -> None:
        second = await floor.another("boot-2", MemoryJournal(BOOT))
        await floor.caller.birth_of("probe", 2)
        await asyncio.sleep(1.0)
        await floor.bake(lead_s=0.5, time_s=1.0)
        await asyncio.sleep(5.0)
        assert (floor.heater.baked, heater_of(second).baked) == (0, 1)
        assert floor.heater.made_safe == 1
        assert floor.node.stations["probe"].status == "waiting"
        second.kill()

    on_the_floor(story)


def test_a_node_is_taken_up_again_when_its_copy_is_gone() -> None:
    """A broker keeps only the births of the one that came last."""

    async def story(floor: Floor) -> None:
        second = await floor.another("boot-2", MemoryJournal(BOOT))
        await floor.caller.birth_of("probe", 2)
        await second.aclose()
        birth = await floor.caller.birth_of("probe", 3)
        assert birth.boot == BOOT

    on_the_floor(story)


def test_a_greeting_of_another_node_ends_one_of_ours_that_is_not_through() -> None:
    async def story(floor: Floor) -> None:
        birth = await floor.caller.birth_of("probe")
        await floor.caller.greet(birth)
        await floor.caller.greet(birth.model_copy(update={"boot": "boot-2"}))
        await floor.bake(lead_s=0.5, time_s=1.0)
        await asyncio.sleep(5.0)
        assert (floor.heater.baked, floor.heater.made_safe) == (0, 0)
        assert floor.caller.stages(CID) == ["accepted"]

    on_the_floor(story, greets=False)


def test_a_question_of_a_far_epoch_shuts_nobody_out() -> None:
    async def story(floor: Floor) -> None:
        await floor.caller.control(Control(id="q", op="query", cid="x", epoch=2**33 - 1))
        wild = encode(Control(id="q", op="query", cid="x", epoch=7)).replace(b"7", b"9" * 20)
        await floor.caller.bus.publish(floor.caller.topics.control("probe"), wild)
        await floor.bake(lead_s=0.5, time_s=1.0)
        assert (await floor.caller.end(CID)).st == "done"

    on_the_floor(story)


def test_a_result_that_is_no_text_fails_after_it_was_done() -> None:
    async def story(floor: Floor) -> None:
        end = await floor.caller.run(command(CID, "label"))
        assert (end.st, end.error and end.error.phase) == ("failed", "after")
        assert end.error is not None
        assert "surrogates not allowed" in end.error.reason

    on_the_floor(story)


def test_a_clock_that_stood_still_delays_one_command_and_no_more() -> None:
    delay = Delay()
    assert delay.of(1, 100.0, 100.0) == 0.0
    asleep_s = 3600.0
    ages = [delay.of(1, at, at + asleep_s) for at in (200.0, 201.0, 300.0, 301.0)]
    assert ages == pytest.approx([asleep_s, asleep_s, 0.0, 0.0], abs=1.0)


def test_messages_that_were_held_up_together_are_as_old_as_they_are() -> None:
    delay = Delay()
    assert delay.of(1, 100.0, 100.0) == 0.0
    ages = [delay.of(1, at, 400.0) for at in (200.0, 250.0, 300.0, 399.0)]
    assert ages == pytest.approx([200.0, 150.0, 100.0, 1.0], abs=0.1)


def test_an_orchestrators_order_that_was_lifted_stops_nothing_when_it_comes_again() -> None:
    async def story(floor: Floor) -> None:
        await floor.stop("dye/halt-1", journal="of dye")
        await floor.safe(1)
        await floor.release("dye/halt-1")
        await floor.caller.ready()
        await floor.stop("dye/halt-1", journal="of dye")  # a broker had kept it
        await asyncio.sleep(1.0)
        assert not floor.node.stations["probe"].state.stops
        await floor.stop("dye/halt-1", journal="of another dye")
        await floor.safe(2)
        assert floor.node.stations["probe"].state.stops == ("dye/halt-1",)

    on_the_floor(story)
