"""The trampoline takes requests out of protocols and feeds answers back in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import cast

import pytest

from sdl.authoring import Act, Ask, settle, together, within
from sdl.core.trampoline import Crashed, Finished, Trampoline, Wanted
from sdl.errors import DriverFault, LimitReached, ProtocolMistake

Protocol = Callable[[], Coroutine[object, object, object]]


async def act(name: str) -> str:
    return cast("str", await Ask(Act("reader", name, {})))


def paths(wanted: list[Wanted]) -> list[str]:
    return [f"{one.path} {_name(one)}" for one in wanted]


def _name(one: Wanted) -> str:
    return one.request.operation if isinstance(one.request, Act) else "settle"


def drive(protocol: Protocol) -> tuple[list[str], object]:
    """Answer every request at once with its own path; return the requests and the end."""
    trampoline = Trampoline(protocol())
    asked: list[str] = []
    queue = trampoline.start(0.0)
    while queue:
        one = queue.pop(0)
        asked += paths([one])
        if trampoline.waits(one.path):
            queue += trampoline.resume(one.path, 0.0, one.path)
    end = trampoline.end
    return asked, end.value if isinstance(end, Finished) else end


def test_steps_are_numbered_in_the_order_of_asking() -> None:
    async def plain() -> list[str]:
        await settle(5.0)
        return [await act("a"), await act("b")]

    assert drive(plain) == (["1 settle", "2 a", "3 b"], ["2", "3"])


def test_branches_are_numbered_below_their_fork() -> None:
    async def branch(name: str) -> str:
        await act(name)
        return await act(f"{name}2")

    async def forked() -> object:
        await act("first")
        return await together(branch("x"), branch("y"), act("z"))

    assert drive(forked) == (
        ["1 first", "2.1.1 x", "2.2.1 y", "2.3.1 z", "2.1.2 x2", "2.2.2 y2"],
        ("2.1.2", "2.2.2", "2.3.1"),
    )


def test_an_empty_fork_returns_at_once() -> None:
    async def nothing() -> object:
        return await together()

    assert drive(nothing) == ([], ())


def test_a_window_counts_from_the_answer_before_it_and_the_earliest_holds() -> None:
    async def windows() -> None:
        await act("a")
        async with within(60):
            await act("b")
            async with within(10):
                await act("c")
            await act("d")
        await act("e")

    trampoline = Trampoline(windows())
    wanted = trampoline.start(0.0)
    ends: list[float | None] = []
    for at in (100.0, 120.0, 125.0, 130.0, 140.0):
        ends.append(wanted[0].not_after)
        wanted = trampoline.resume(wanted[0].path, at, None)
    assert ends == [None, 160.0, 130.0, 160.0, None]


def test_an_error_is_raised_at_the_await_and_can_be_caught() -> None:
    async def careful() -> str:
        try:
            return await act("a")
        except DriverFault as fault:
            return f"{fault}, then {await act('b')}"

    trampoline = Trampoline(careful())
    trampoline.start(0.0)
    trampoline.throw("1", 0.0, DriverFault("jammed"))
    trampoline.resume("2", 0.0, "fine")
    assert trampoline.end == Finished("jammed, then fine")


def test_when_a_branch_fails_siblings_start_nothing_new_and_issued_steps_finish() -> None:
    cleaned: list[str] = []

    async def long(name: str) -> None:
        try:
            await act(name)
            await act(f"{name}-again")
        finally:
            cleaned.append(name)

    async def forked() -> None:
        await together(long("issued"), long("queued"), act("fails"))

    trampoline = Trampoline(forked())
    trampoline.start(0.0)
    trampoline.issue("1.1.1")
    trampoline.issue("1.3.1")
    assert trampoline.throw("1.3.1", 0.0, DriverFault("jammed")) == []
    assert cleaned == ["queued"]
    assert not trampoline.waits("1.2.1")
    assert trampoline.waits("1.1.1")
    assert trampoline.resume("1.1.1", 0.0, None) == []
    assert cleaned == ["queued", "issued"]
    assert isinstance(trampoline.end, Crashed)
    assert isinstance(trampoline.end.error, ExceptionGroup)
    assert [str(cause) for cause in trampoline.end.error.exceptions] == ["jammed"]


def test_a_failure_deep_in_nested_forks_stops_every_sibling_once() -> None:
    async def inner() -> None:
        await together(act("a"), act("b"))

    async def outer() -> None:
        await together(inner(), inner(), act("c"))

    trampoline = Trampoline(outer())
    assert len(trampoline.start(0.0)) == 5
    trampoline.throw("1.1.1.1.1", 0.0, DriverFault("x"))
    assert isinstance(trampoline.end, Crashed)
    assert isinstance(trampoline.end.error, ExceptionGroup)


def test_a_branch_that_fails_before_its_first_step_ends_the_fork() -> None:
    async def broken() -> None:
        raise DriverFault("at once")

    async def forked() -> None:
        await together(act("a"), broken(), act("b"))

    trampoline = Trampoline(forked())
    assert trampoline.start(0.0) == []
    assert isinstance(trampoline.end, Crashed)


def foreign_sleep() -> Coroutine[object, object, object]:
    return asyncio.sleep(0)


def test_awaiting_anything_else_is_refused_with_its_line() -> None:
    async def sleeps() -> None:
        await foreign_sleep()

    trampoline = Trampoline(sleeps())
    trampoline.start(0.0)
    assert isinstance(trampoline.end, Crashed)
    error = trampoline.end.error
    assert isinstance(error, ProtocolMistake)
    assert error.place is not None
    assert error.place.line is not None
    assert "is no action of the lab" in str(error)


def test_an_abandoned_run_cleans_up_and_asks_for_nothing() -> None:
    log: list[str] = []

    async def stubborn() -> None:
        async with within(60):
            try:
                await act("a")
            finally:
                log.append("cleaning")
                await act("never")
                log.append("never")

    trampoline = Trampoline(stubborn())
    trampoline.start(0.0)
    trampoline.abandon()
    assert log == ["cleaning"]
    assert not trampoline.waits("1")


@pytest.mark.filterwarnings("error")
def test_a_dropped_coroutine_inside_a_window_is_silent() -> None:
    async def windowed() -> None:
        async with within(5):
            await act("a")

    trampoline = Trampoline(windowed())
    trampoline.start(0.0)
    del trampoline


async def test_the_same_words_work_under_plain_asyncio() -> None:
    async def value(number: int) -> int:
        await settle(0.0)
        return number

    async with within(1):
        assert await together(value(1), value(2)) == (1, 2)


async def test_together_under_plain_asyncio_raises_every_cause() -> None:
    async def fail(word: str) -> None:
        raise DriverFault(word)

    with pytest.raises(ExceptionGroup) as caught:
        await together(fail("a"), fail("b"))
    assert [str(cause) for cause in caught.value.exceptions] == ["a", "b"]


@pytest.mark.parametrize(
    "word",
    [
        lambda: settle(-1.0),
        lambda: settle(float("inf")),
        lambda: _window(0.0),
        lambda: _window(float("inf")),
        lambda: _window(float("nan")),
    ],
)
async def test_times_that_make_no_sense_are_refused(word: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises(ValueError, match="give seconds"):
        await word()


async def _window(seconds: float) -> None:
    async with within(seconds):
        pass


@pytest.mark.parametrize("raised", [SystemExit(0), asyncio.CancelledError(), BaseException("x")])
def test_whatever_a_protocol_raises_ends_its_run_and_no_more(raised: BaseException) -> None:
    async def rude() -> None:
        await act("a")
        raise raised

    trampoline = Trampoline(rude())
    trampoline.start(0.0)
    trampoline.resume("1", 0.0, None)
    assert isinstance(trampoline.end, Crashed)
    assert isinstance(trampoline.end.error, ProtocolMistake)


def test_a_protocol_that_loops_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdl.core.trampoline.STEPS_MAX", 50)

    async def endless() -> None:
        while True:
            with contextlib.suppress(Exception):
                async with within(5):
                    pass

    trampoline = Trampoline(endless())
    trampoline.start(0.0)
    assert isinstance(trampoline.end, Crashed)
    assert isinstance(trampoline.end.error, LimitReached)


def test_what_a_stopped_branch_raises_while_it_cleans_up_is_dropped() -> None:
    async def leaving() -> None:
        try:
            await act("a")
        finally:
            raise SystemExit(7)

    async def forked() -> None:
        await together(leaving(), act("b"))

    trampoline = Trampoline(forked())
    trampoline.start(0.0)
    trampoline.throw("1.2.1", 0.0, DriverFault("x"))
    assert isinstance(trampoline.end, Crashed)


def test_a_thousand_forks_without_an_action_do_not_nest() -> None:
    async def nothing() -> None:
        return None

    async def forks() -> str:
        for _ in range(1000):
            await together(nothing(), nothing())
        return "done"

    assert drive(forks) == ([], "done")
