"""Asking a planner: over the bus, or in this process in virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from sdl.errors import PlannerFault
from sdl.model.planning import Answer, Ask
from sdl.shell.bus import Bus, Message
from sdl.shell.crash import crash_point
from sdl.shell.planner_worker import WORKER
from sdl.wire.mqtt import (
    Unreadable,
    WorkerStatus,
    decode,
    decode_answer,
    decode_ask,
    encode_answer,
    encode_ask,
)
from sdl.wire.topics import Topics, kind_in

_LOG = logging.getLogger("sdl.planner")


class Asking(Protocol):
    """What the runtime needs of a planner, wherever it thinks."""

    async def ask(self, ask: Ask, timeout_s: float) -> Answer:
        """The answer, which may be an error in words.

        ``timeout_s``: wall seconds, without the time that other questions before it take.
        PlannerFault if the planner died, hung, or sent no answer
        that can be read; asking the same again is free.
        """
        ...


@dataclass(slots=True)
class _Pending:
    ask: Ask
    payload: bytes
    answered: asyncio.Future[Answer]


class PlannerClient:
    """Asks a worker process, and starts it anew when it dies or hangs.

    One question is at the worker at a time, and the others wait here, in order: so one that hangs,
    or kills the worker, costs the campaigns behind it no more than that campaign's ``timeout_s``,
    and none of their tries.
    """

    def __init__(
        self,
        *,
        lab: str,
        bus: Bus,
        restart: Callable[[], Awaitable[None]] | None = None,
        worker: str = WORKER,
    ) -> None:
        """``bus``: for this client alone. ``restart`` ends and starts the worker process."""
        self._bus = bus
        self._restart = restart
        self._topics = Topics(lab)
        self._worker = worker
        self._boot = ""
        self._pending: dict[str, _Pending] = {}
        self._listening: asyncio.Task[None] | None = None
        self._restarting = asyncio.Lock()
        self._turn = asyncio.Lock()
        """Held by the question that is at the worker."""

    async def start(self) -> None:
        """Open the line. LabFault if the broker cannot be reached."""
        await self._bus.subscribe(
            self._topics.answer(self._worker), self._topics.planner_status(self._worker)
        )
        await self._bus.connect(on_connect=self._ask_again)
        self._listening = asyncio.create_task(self._listen())

    async def aclose(self) -> None:
        """Close the line. Safe to call twice."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        await self._bus.aclose()

    async def ask(self, ask: Ask, timeout_s: float) -> Answer:
        async with self._turn:
            return await self._ask(ask, timeout_s)

    async def _ask(self, ask: Ask, timeout_s: float) -> Answer:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        pending = _Pending(ask, encode_ask(ask), answered)
        self._pending[ask.id] = pending
        boot = self._boot
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(pending)
                crash_point("orchestrator.asked")
                return await answered
        except TimeoutError:
            await self._start_anew(boot)
            raise PlannerFault(
                f"the planner {ask.planner!r} did not answer {ask.id} within {timeout_s:g} s and "
                "was started anew; a larger [planner] timeout_s gives it more time"
            ) from None
        except PlannerFault:
            await self._start_anew(boot)
            raise
        finally:
            if self._pending.get(ask.id) is pending:
                del self._pending[ask.id]

    async def _start_anew(self, boot: str) -> None:
        """Once per death, however many questions were open."""
        async with self._restarting:
            if self._restart is not None and self._boot in (boot, ""):
                self._boot = ""
                await self._restart()

    async def _send(self, pending: _Pending) -> None:
        await self._bus.publish(self._topics.ask(self._worker), pending.payload)

    async def _ask_again(self) -> None:
        for pending in tuple(self._pending.values()):
            await self._send(pending)

    async def _listen(self) -> None:
        async for message in self._bus.messages():
            try:
                if kind_in(message.topic) == "status":
                    await self._hear_status(message)
                else:
                    self._hear_answer(message)
            except Unreadable as error:
                _LOG.warning("%s: %s", message.topic, error)

    async def _hear_status(self, message: Message) -> None:
        status = decode(WorkerStatus, message.payload)
        if status.online:  # it may have been away when we asked, with a broker that forgets
            self._boot = status.boot
            await self._ask_again()
        elif status.boot == self._boot:
            await self._died()

    async def _died(self) -> None:
        if self._pending:
            self._fail("the planner process died")  # who asked starts it anew
            return
        try:
            await self._start_anew(self._boot)
        except PlannerFault as fault:  # the next question will say so
            _LOG.warning("%s", fault)

    def _hear_answer(self, message: Message) -> None:
        try:
            answer = decode_answer(message.payload)
        except Unreadable as error:  # one worker, one question at a time: it is ours
            self._fail(f"the planner answered nonsense: {error}")
            return
        pending = self._pending.get(answer.id)
        if pending is not None and not pending.answered.done():
            pending.answered.set_result(answer)

    def _fail(self, why: str) -> None:
        for pending in self._pending.values():
            if not pending.answered.done():
                pending.answered.set_exception(PlannerFault(f"{pending.ask.id}: {why}"))


class DirectPlanner:
    """Asks a planner in this process, with the same bytes through the same codecs."""

    def __init__(self, answer: Callable[[Ask], Answer]) -> None:
        """``answer``: ``sdl.planner.server.answer``."""
        self._answer = answer

    async def ask(self, ask: Ask, timeout_s: float) -> Answer:
        crash_point("orchestrator.asked")
        del timeout_s  # it blocks: nothing else is to happen in virtual time meanwhile
        try:
            return decode_answer(encode_answer(self._answer(decode_ask(encode_ask(ask)))))
        except Unreadable as error:
            raise PlannerFault(f"the planner {ask.planner!r}: {error}") from error
