"""Questions to a planner reach it, whichever line breaks and whoever forgets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from sdl.errors import PlannerFault
from sdl.model.campaign import Objective, RangeParameter
from sdl.model.planning import Answer, Ask, Problem
from sdl.planner.server import answer
from sdl.shell.local_bus import LocalBroker
from sdl.shell.planner_client import PlannerClient
from sdl.shell.planner_worker import PlannerWorker

LAB = "planning"
PATIENCE_S = 5.0
QUESTION = Ask(
    id="c/ask-1",
    planner="grid",
    problem=Problem(
        space=(RangeParameter(name="x", low=0.0, high=1.0),),
        objective=Objective(measure="y", goal="minimise"),
    ),
    trials=(),
    count=2,
    seed=1,
)


async def test_a_question_that_a_forgetful_broker_dropped_is_asked_again() -> None:
    """A broker that was killed comes back without sessions, and we were quicker than the worker."""
    broker = LocalBroker()
    bus = broker.client("worker")
    worker = PlannerWorker(lab=LAB, bus=bus, answer=answer, planners=("grid",))
    client = PlannerClient(lab=LAB, bus=broker.client("client"))
    await worker.start()
    await client.start()
    serving = asyncio.create_task(worker.serve())
    broker.leave("worker", bus)
    asking = asyncio.create_task(client.ask(QUESTION, PATIENCE_S))
    done, _ = await asyncio.wait((asking,), timeout=0.05)
    assert not done, "the broker delivered what it should have dropped"

    await bus.reconnect()

    assert len((await asking).suggestions) == QUESTION.count
    serving.cancel()
    await client.aclose()
    await worker.aclose()


async def test_a_question_that_hangs_costs_those_behind_it_none_of_their_time() -> None:
    """One that is never answered, and one behind it with less patience than that takes."""
    broker = LocalBroker()
    worker = PlannerWorker(
        lab=LAB, bus=broker.client("worker"), answer=_hanging, planners=("grid",)
    )
    restarts: list[str] = []
    client = PlannerClient(lab=LAB, bus=broker.client("client"), restart=_noted(restarts))
    await worker.start()
    await client.start()
    serving = asyncio.create_task(worker.serve())
    hanging = asyncio.create_task(client.ask(replace(QUESTION, id="a/ask-1"), 0.4))
    await asyncio.sleep(0)
    behind = asyncio.create_task(client.ask(replace(QUESTION, id="b/ask-1"), 0.35))
    with pytest.raises(PlannerFault, match="did not answer a/ask-1"):
        await hanging
    assert not behind.done(), "it was given up for what another one did"
    HANGING.set()
    assert len((await behind).suggestions) == QUESTION.count
    serving.cancel()
    await client.aclose()
    await worker.aclose()


HANGING = threading.Event()


def _hanging(ask: Ask) -> Answer:
    if ask.id == "a/ask-1":
        HANGING.wait(PATIENCE_S)
    return answer(ask)


def _noted(restarts: list[str]) -> Callable[[], Awaitable[None]]:
    async def restart() -> None:
        restarts.append("restarted")

    return restart
