"""What is sent to nodes is sent again until it is answered, and not longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.shell.bus import Message
from sdl.shell.clock import LoopClock
from sdl.shell.dispatch import HALT_AGAIN_S, QUIET_S, RELEASE_AGAIN_S, Dispatch, alone
from sdl.shell.local_bus import LocalBroker
from sdl.sim.loop import run_virtually
from sdl.wire.mqtt import Control, decode
from sdl.wire.topics import Topics

TOPICS = Topics("bench")


async def listen(messages: AsyncIterator[Message], told: list[str]) -> None:
    async for message in messages:
        told += [decode(Control, message.payload).id]


def safe(halt: str) -> ev.InstrumentMadeSafe:
    return ev.InstrumentMadeSafe(at=0.0, instrument="handler", boot="b", safe=True, halt=halt)


def test_an_order_to_stop_is_told_again_until_it_has_an_answer_of_its_own() -> None:
    async def run() -> None:
        broker, posted = LocalBroker(), list[ev.Event]()
        spy, bus = broker.client("spy"), broker.client("orchestrator")
        for each in (spy, bus):
            await each.subscribe(TOPICS.control("+"))
            await each.connect()
        told: list[str] = []
        tasks = [asyncio.create_task(listen(spy.messages(), told))]

        def spawn(work: Awaitable[None]) -> None:
            tasks.append(asyncio.ensure_future(work))

        clock = LoopClock(asyncio.get_running_loop().time)
        dispatch = Dispatch(
            bus=bus, clock=clock, topics=TOPICS, post=posted.append, spawn=spawn, vouch=alone
        )
        await dispatch.halt("dye/halt-1", "handler")
        await dispatch.halt("dye/halt-2", "handler")
        for halt in ("dye/halt-1", "", "panel/1"):
            dispatch.heard(safe(halt))
        await asyncio.sleep(2.5 * HALT_AGAIN_S)
        assert told == ["dye/halt-1", "dye/halt-2", "dye/halt-2", "dye/halt-2"]
        dispatch.heard(safe("dye/halt-2"))
        await asyncio.sleep(2.5 * HALT_AGAIN_S)
        assert len(told) == 4
        await spy.aclose()
        await asyncio.gather(*tasks)
        assert posted == []

    run_virtually(run())


def test_a_release_is_repeated_until_its_node_shows_that_it_obeys_and_not_for_ever() -> None:
    async def run() -> None:
        broker, told = LocalBroker(), list[str]()
        spy, bus = broker.client("spy"), broker.client("orchestrator")
        for each in (spy, bus):
            await each.subscribe(TOPICS.control("+"))
            await each.connect()
        tasks = [asyncio.create_task(listen(spy.messages(), told))]

        def spawn(work: Awaitable[None]) -> None:
            tasks.append(asyncio.ensure_future(work))

        def post(event: ev.Event) -> None:
            raise AssertionError(event)

        clock = LoopClock(asyncio.get_running_loop().time)
        dispatch = Dispatch(
            bus=bus, clock=clock, topics=TOPICS, post=post, spawn=spawn, vouch=alone
        )
        birth = ev.InstrumentOnline(
            at=0.0, instrument="handler", boot="b", driver="d", simulated=True, actions=()
        )
        stands = replace(birth, stopped="you said so", stops=("dye/halt-1",))
        other = replace(birth, stopped="fire", stops=("panel/1",))
        for proof in (birth, other):
            told.clear()
            await dispatch.release("handler", ("dye/halt-1",))
            dispatch.heard(stands)  # it has not heard of it yet
            await asyncio.sleep(RELEASE_AGAIN_S[0] + 0.5)
            assert told == ["release/handler"] * 2
            dispatch.heard(proof)
            await asyncio.sleep(1000.0)
            assert len(told) == 2
        await dispatch.release("handler", ("dye/halt-1",))
        await asyncio.sleep(1000.0)
        assert len(told) == 2 + 1 + len(RELEASE_AGAIN_S)
        await spy.aclose()
        await asyncio.gather(*tasks)

    run_virtually(run())


def test_an_order_to_stop_that_was_held_up_is_not_told_after_its_release() -> None:
    """As where the database was away, so that nobody knew if we still lead (seed 21794)."""

    async def run() -> None:
        broker, told, leads = LocalBroker(), list[str](), asyncio.Event()
        posted = list[ev.Event]()
        spy, bus = broker.client("spy"), broker.client("orchestrator")
        for each in (spy, bus):
            await each.subscribe(TOPICS.control("+"))
            await each.connect()
        tasks = [asyncio.create_task(listen(spy.messages(), told))]

        def spawn(work: Awaitable[None]) -> None:
            tasks.append(asyncio.ensure_future(work))

        async def vouch() -> None:
            await leads.wait()

        clock = LoopClock(asyncio.get_running_loop().time)
        dispatch = Dispatch(
            bus=bus, clock=clock, topics=TOPICS, post=posted.append, spawn=spawn, vouch=vouch
        )
        spawn(dispatch.halt("dye/halt-1", "handler"))
        await asyncio.sleep(2.5 * HALT_AGAIN_S)
        dispatch.heard(safe("dye/halt-1"))
        spawn(dispatch.release("handler", ("dye/halt-1",)))
        leads.set()
        await asyncio.sleep(1.0)
        assert told == ["release/handler"]
        dispatch.close()
        await spy.aclose()
        await asyncio.gather(*tasks)

    run_virtually(run())


@pytest.mark.parametrize(
    "poison", ["a" * 300_000, float("nan"), "\ud800"], ids=["long", "nan", "text"]
)
def test_a_command_that_no_message_can_carry_is_refused_and_nothing_breaks(poison: object) -> None:
    async def run() -> None:
        posted = list[ev.Event]()
        bus = LocalBroker().client("orchestrator")
        await bus.connect()
        clock = LoopClock(asyncio.get_running_loop().time)

        def spawn(work: Awaitable[None]) -> None:
            raise AssertionError(work)

        dispatch = Dispatch(
            bus=bus, clock=clock, topics=TOPICS, post=posted.append, spawn=spawn, vouch=alone
        )
        perform = do.Perform(
            cid="dye/run-1/step-1/try-1",
            step="dye/run-1/step-1",
            attempt=1,
            instrument="handler",
            operation="dispense",
            effect="once",
            args={"x": poison},  # type: ignore[dict-item]
            memory="m",
            not_after=None,
        )
        await dispatch.perform(perform)
        await dispatch.resend(perform.cid)
        for event in posted:
            assert isinstance(event, ev.CommandFailed)
            assert (event.cid, event.phase, event.kind) == (perform.cid, "before_start", "refused")
        assert len(posted) == 2

    run_virtually(run())


def test_an_old_word_of_a_node_that_it_knew_nothing_yet_ends_no_patience() -> None:
    """The command has arrived since, and its end was lost: it has to be asked for."""

    async def run() -> None:
        posted = list[ev.Event]()
        bus = LocalBroker().client("orchestrator")
        await bus.connect()
        clock = LoopClock(asyncio.get_running_loop().time)

        def spawn(work: Awaitable[None]) -> None:
            raise AssertionError(work)

        dispatch = Dispatch(
            bus=bus, clock=clock, topics=TOPICS, post=posted.append, spawn=spawn, vouch=alone
        )
        cid = "dye/run-1/step-1/try-1"
        await dispatch.perform(
            do.Perform(
                cid=cid,
                step="dye/run-1/step-1",
                attempt=1,
                instrument="handler",
                operation="dispense",
                effect="once",
                args={},
                memory="m",
                not_after=None,
            )
        )
        dispatch.heard(ev.CommandStarted(at=1.0, cid=cid))
        dispatch.heard(ev.CommandNotSeen(at=0.5, cid=cid, memory="m"))
        await asyncio.sleep(QUIET_S[0] + 0.5)
        assert posted == [ev.CommandUnheard(at=QUIET_S[0], cid=cid)]

    run_virtually(run())


def test_a_release_names_all_orders_to_stop_that_we_know_of_once() -> None:
    async def run() -> None:
        broker = LocalBroker()
        spy, bus = broker.client("spy"), broker.client("orchestrator")
        await spy.subscribe(TOPICS.control("+"))
        for each in (spy, bus):
            await each.connect()
        heard: list[Control] = []

        async def listen_in() -> None:
            nonlocal heard
            async for message in spy.messages():
                heard += [decode(Control, message.payload)]

        listening = asyncio.create_task(listen_in())
        clock = LoopClock(asyncio.get_running_loop().time)
        dispatch = Dispatch(
            bus=bus,
            clock=clock,
            topics=TOPICS,
            post=lambda _: None,
            spawn=lambda _: None,
            vouch=alone,
        )
        dispatch.journal = "j"
        await dispatch.greet("handler", "b", None, "m")
        await dispatch.stop_all("me/1", "mira", "smoke")
        dispatch.stopped("panel/1")
        await dispatch.halt("dye/halt-1", "handler")
        for lifts in ((), (), ("x",)):
            await dispatch.release("handler", lifts)
        dispatch.close()
        await spy.aclose()
        await listening
        assert [(each.op, each.journal, each.memory) for each in heard[:1]] == [("greet", "j", "m")]
        lifted = [each.lifts for each in heard if each.op == "release"]
        assert lifted == [("me/1", "panel/1", "dye/halt-1"), (), ("x",)]

    run_virtually(run())
