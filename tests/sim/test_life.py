"""A killed process runs no line more, a frozen one waits, and virtual time needs no thread."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from sdl.sim.life import Killed, Life, living
from sdl.sim.loop import VirtualLoop, run_and_forget


async def ticks(into: list[float]) -> None:
    """Note each virtual second."""
    try:
        while True:
            into.append(asyncio.get_running_loop().time())
            await asyncio.sleep(1.0)
    finally:
        into.append(-1.0)


def test_a_killed_life_runs_no_line_more_not_even_to_tidy_up() -> None:
    async def play() -> list[float]:
        seen: list[float] = []
        life = Life("node", "node-1#1")
        life.start(ticks(seen))
        await asyncio.sleep(2.5)
        life.kill()
        await asyncio.sleep(10.0)
        return list(seen)

    assert run_and_forget(play()) == [0.0, 1.0, 2.0]


def test_a_frozen_life_goes_on_where_it_stood() -> None:
    async def play() -> list[float]:
        seen: list[float] = []
        life = Life("node", "node-1#1")
        life.start(ticks(seen))
        await asyncio.sleep(2.5)
        life.freeze()
        await asyncio.sleep(60.0)
        VirtualLoop.running().thaw(life)
        await asyncio.sleep(1.75)
        life.kill()
        return list(seen)

    assert run_and_forget(play()) == [0.0, 1.0, 2.0, 62.5, 63.5]


def test_what_a_life_starts_belongs_to_it_and_what_others_wait_for_does_not() -> None:
    async def play() -> tuple[str, bool]:
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def inner() -> None:
            mine = living()
            told.set_result("" if mine is None else mine.name)
            await asyncio.sleep(1.0)

        async def outer() -> None:
            await asyncio.gather(inner())

        Life("planner", "planner#1").start(outer())
        return await told, living() is None

    assert run_and_forget(play()) == ("planner#1", True)


def test_death_is_told_once() -> None:
    life, told = Life("node", "node-1#1"), list[str]()
    life.on_death.append(lambda: told.append("dead"))
    life.kill()
    life.kill()
    assert told == ["dead"]


def test_a_thread_takes_no_virtual_time() -> None:
    async def play() -> tuple[int, float]:
        answer = await asyncio.to_thread(sum, (1, 2, 3))
        return answer, asyncio.get_running_loop().time()

    assert run_and_forget(play()) == (6, 0.0)


def test_a_crash_ends_a_task_through_every_except() -> None:
    async def play() -> str:
        async def work() -> None:
            with suppress(Exception):  # what a careless handler would do
                raise Killed("node.accepted.committed")

        task = asyncio.get_running_loop().create_task(work())
        await asyncio.wait((task,))
        return type(task.exception()).__name__

    assert run_and_forget(play()) == "Killed"


@pytest.mark.parametrize("delay_s", [0.1, 3.0, 86_400.0])
def test_virtual_time_is_exact(delay_s: float) -> None:
    async def play() -> float:
        await asyncio.sleep(delay_s)
        return asyncio.get_running_loop().time()

    assert run_and_forget(play()) == delay_s
