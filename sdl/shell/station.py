"""One instrument at its node: commands in, one action at a time, events out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sdl.capabilities import Device
from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument
from sdl.shell.action_call import Outcome, call
from sdl.shell.clock import Clock
from sdl.shell.offered import breach
from sdl.wire.mqtt import (
    CommandMessage,
    Control,
    EventError,
    EventMessage,
    Stage,
    State,
    Unreadable,
    digest,
    encode,
)

REASON_CAP = 4000
"""Characters of a reason; drivers may quote whole documents."""
QUEUE = 100
"""Commands that may wait at one instrument; the orchestrator sends one ahead."""
FINISH_S = 2.0
"""Wall seconds that an action under way may take to end when its node is stopped."""

NODE_FAILED = "the node failed while it handled the action; see its log"

_LOG = logging.getLogger("sdl.node")


class CommandId(NamedTuple):
    """What makes a command one: campaigns in two journals may have the same name, so equal cids."""

    journal: str
    cid: str


@dataclass(slots=True)
class Known:
    """A command that was seen before: it is not acted on again."""

    args_sha256: str
    last: bytes = b""
    """The last event about it, as published; empty until there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command that passed the checks."""

    id: CommandId
    operation: Operation
    arguments: Mapping[str, object]
    deadline: float | None
    """Lab time by the node's clock after which it must not start."""


class Station:
    """Holds one driver, and acts on each command at most once, and only on those for this boot."""

    def __init__(
        self,
        *,
        instrument: Instrument,
        device: Device,
        operations: Mapping[str, Operation],
        clock: Clock,
        boot: str,
        publish: Callable[[bytes], Awaitable[None]],
        settled: Callable[[], None],
    ) -> None:
        """``publish`` sends an event; ``settled`` is called when an action has ended."""
        self.instrument = instrument
        self.device = device
        self.operations = operations
        self._clock = clock
        self._boot = boot
        self._publish = publish
        self._settled = settled
        self._known: dict[CommandId, Known] = {}
        self._queue: deque[Job] = deque()
        self._current: CommandId | None = None
        self._worker: asyncio.Task[None] | None = None
        self._leftover: asyncio.Task[object] | None = None
        self._seq = 0

    @property
    def state(self) -> State:
        """What it is doing now."""
        stuck = self._leftover is not None and not self._leftover.done()
        return State(
            boot=self._boot,
            status="attention" if stuck else "busy" if self._current is not None else "idle",
            cid=self._current.cid if self._current is not None else None,
            queued=len(self._queue),
            seq=self._seq,
            at=self._clock.now(),
        )

    def knows(self, command: CommandId) -> bool:
        """Whether this command was received before."""
        return command in self._known

    async def command(self, message: CommandMessage) -> None:
        """Check a command and do it, now or in turn; a known one gets its last event again.

        One that is meant for another boot is never acted on: an earlier one may have done it.
        """
        command = CommandId(message.journal, message.cid)
        if message.memory != self._boot:
            await self._emit(command, "not_seen", remember=False)
            return
        known = self._known.get(command)
        if known is not None:
            await self._again(message, known)
            return
        self._known[command] = Known(message.args_sha256)
        try:
            checked = self._check(message)
        except Exception as error:  # noqa: BLE001 -- whatever a message holds, the node goes on
            _LOG.exception("%s: %s could not be checked", self.instrument.name, message.cid)
            checked = f"the node cannot read it ({type(error).__name__}); see its log"
        if isinstance(checked, str):
            await self.refuse(command, checked)
            return
        self._queue.append(checked)
        if self._current is None:
            self._current = command
            self._worker = asyncio.create_task(self._work())
        else:
            await self._emit(command, "accepted")

    async def control(self, message: Control) -> None:
        """Answer a query, take a waiting command back, or stop."""
        command = CommandId(message.journal, message.cid or "")
        match message.op:
            case "query":
                await self._query(command)
            case "cancel":
                await self._cancel(command)
            case "stop":
                await self.stop("the instrument was stopped")
            case "greet" | "release":
                pass

    async def stop(self, why: str) -> None:
        """Start nothing that waits, and make the instrument safe."""
        waiting, self._queue = tuple(self._queue), deque()
        for job in waiting:
            await self.refuse(job.id, why)
        try:
            await self.device.make_safe()
        except Exception:  # noqa: BLE001 -- a driver may raise anything, the node goes on
            _LOG.exception("%s: make_safe failed", self.instrument.name)

    async def close(self) -> None:
        """Stop, let the action under way end if it does so soon, and close the driver's line."""
        await self.stop("the node was stopped")
        if self._worker is not None and not self._worker.done():
            await asyncio.wait((self._worker,), timeout=FINISH_S)
            self._worker.cancel()
            await asyncio.wait((self._worker,))
        try:
            await self.device.disconnect()
        except Exception:  # noqa: BLE001 -- a driver may raise anything, the node goes on
            _LOG.exception("%s: disconnect failed", self.instrument.name)

    async def refuse(self, command: CommandId, reason: str) -> None:
        """Say that a command was not started, and will not be."""
        why = EventError(phase="before_start", kind="refused", reason=_clean(reason))
        await self._emit(command, "failed", error=why)

    async def _again(self, message: CommandMessage, known: Known) -> None:
        if known.args_sha256 != message.args_sha256:
            await self._emit(
                CommandId(message.journal, message.cid),
                "failed",
                error=EventError(
                    phase="before_start",
                    kind="refused",
                    reason=f"conflict: {message.cid} was sent before with other arguments",
                ),
                remember=False,
            )
        elif known.last:
            await self._publish(known.last)

    async def _query(self, command: CommandId) -> None:
        known = self._known.get(command)
        if known is None:
            await self._emit(command, "not_seen")
        elif known.last:  # else its first event is on its way
            await self._publish(known.last)

    async def _cancel(self, command: CommandId) -> None:
        for job in self._queue:
            if job.id == command and command != self._current:
                self._queue.remove(job)
                await self.refuse(command, "it was cancelled before it started")
                return
        await self._query(command)

    def _check(self, message: CommandMessage) -> Job | str:
        """The job, or why it is refused."""
        name = self.instrument.name
        operation = self.operations.get(message.op)
        if operation is None:
            there = ", ".join(self.operations) or "nothing"
            return f"{name} offers no {message.op!r}; it offers {there}"
        if digest(message.args) != message.args_sha256:
            return "the arguments do not match their SHA-256"
        if self._leftover is not None and not self._leftover.done():
            return f"{name} needs attention: an action that was given up on may still be going on"
        if len(self._queue) >= QUEUE:
            return f"{QUEUE} commands wait at {name} already"
        try:
            arguments = operation.load_arguments(message.args)
        except TypeError as error:
            return str(error)
        outside = breach(operation, arguments, self.instrument.limits)
        if outside is not None:
            return outside
        deadline = None if message.ttl_s is None else self._clock.now() + message.ttl_s
        return Job(
            id=CommandId(message.journal, message.cid),
            operation=operation,
            arguments=arguments,
            deadline=deadline,
        )

    async def _work(self) -> None:
        """Do what waits, in order, until nothing does."""
        try:
            while self._queue:
                job = self._queue.popleft()
                self._current = job.id
                await self._guarded(job)
        finally:
            self._current = None

    async def _guarded(self, job: Job) -> None:
        """Do a job; should we fail at it ourselves, say so, for nobody else will."""
        try:
            await self._perform(job)
        except Exception:  # noqa: BLE001 -- an instrument must not fall silent for ever
            _LOG.exception("%s: %s went wrong at the node", self.instrument.name, job.id.cid)
            why = EventError(phase="during", kind="driver", reason=NODE_FAILED)
            await self._emit(job.id, "unknown", error=why)

    async def _perform(self, job: Job) -> None:
        began = self._clock.now()
        if job.deadline is not None and began >= job.deadline:
            await self.refuse(job.id, "its deadline passed before it could start")
            return
        await self._emit(job.id, "started")
        outcome = await call(self.device, job.operation, job.arguments, self._clock)
        self._leftover = outcome.leftover
        duration_s = self._clock.now() - began
        self._settled()
        await self._tell(job.id, outcome, duration_s)

    async def _tell(self, command: CommandId, outcome: Outcome, duration_s: float) -> None:
        if outcome.st == "done":
            try:
                await self._emit(command, "done", result=outcome.result, duration_s=duration_s)
            except Unreadable as too_large:
                why = EventError(phase="after", kind="driver", reason=str(too_large))
                await self._emit(command, "failed", error=why, duration_s=duration_s)
            return
        why = EventError(phase=outcome.phase, kind=outcome.kind, reason=_clean(outcome.reason))
        await self._emit(command, outcome.st, error=why, duration_s=duration_s)

    async def _emit(
        self,
        command: CommandId,
        stage: Stage,
        *,
        result: JsonValue = None,
        duration_s: float | None = None,
        error: EventError | None = None,
        remember: bool = True,
    ) -> None:
        payload = encode(
            EventMessage(
                journal=command.journal,
                cid=command.cid,
                dev=self.instrument.name,
                boot=self._boot,
                memory=self._boot,
                epoch=0,
                seq=self._seq + 1,
                st=stage,
                at=self._clock.now(),
                duration_s=duration_s,
                result=result,
                error=error,
            )
        )
        self._seq += 1
        known = self._known.get(command)
        if known is not None and remember:
            known.last = payload
        await self._publish(payload)


def _clean(reason: str) -> str:
    """A reason that fits into a message: no longer than the cap, and no half characters."""
    return reason[:REASON_CAP].encode("utf-8", "replace").decode()
