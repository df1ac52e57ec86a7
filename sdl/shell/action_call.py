"""One call of a driver, and what its end means."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import methodcaller
from typing import Literal, TypeVar

from sdl.authoring import Underway, underway
from sdl.capabilities import Device
from sdl.core.events import FaultKind, Phase
from sdl.errors import ActionRefused, LabFault, OutcomeUnknown, OutOfMaterial, SdlError, said
from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.shell.clock import Clock
from sdl.shell.offered import not_finite

CANCEL_S = 1.0
"""How long a driver may take to give up an action that ran over its time."""

MAKE_SAFE_S = 30.0
"""Loop seconds that a driver may take to make its instrument safe."""
REASON_OF_CUT = "the node died while it ran, and nobody saw how it ended"

T = TypeVar("T")

_LOG = logging.getLogger("sdl.node")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an action ended."""

    st: Literal["done", "failed", "unknown"]
    result: JsonValue = None
    phase: Phase = "during"
    kind: FaultKind = "driver"
    reason: str = ""
    leftover: asyncio.Task[object] | None = None
    """The driver's own call where it would not be cancelled."""


async def call(
    device: Device,
    operation: Operation,
    arguments: Mapping[str, object],
    clock: Clock,
    action_now: Underway,
) -> Outcome:
    """Let the driver do one action. Never raises, and always returns in bounded lab time.

    Cancelling it gives the action up, and it still returns how that ended.
    """

    async def drive() -> object:
        underway.set(action_now)
        try:
            return await methodcaller(operation.name, **arguments)(device)
        except (SystemExit, KeyboardInterrupt) as leaving:  # asyncio would end the node with it
            raise RuntimeError(f"{type(leaving).__name__}: {leaving}") from leaving

    action = asyncio.create_task(drive())
    why = f"the driver did not answer within {operation.timeout_s:g} s"
    try:
        await _until_over(action, operation.timeout_s, clock)
    except asyncio.CancelledError:
        why = "it was stopped while it ran"
    if not action.done():
        leftover = await _cancelled(action)
        return _given_up(operation, why, leftover)
    if action.cancelled():
        return _given_up(operation, "the driver cancelled its own call", None)
    error = action.exception()
    return _ended(operation, action.result()) if error is None else _raised(operation, error)


async def _until_over(action: asyncio.Task[object], timeout_s: float, clock: Clock) -> None:
    """Return when the action is over, or its time is."""
    await asyncio.sleep(0)  # an action that is over at once needs no watch
    if action.done():
        return
    watch = asyncio.create_task(clock.sleep(timeout_s))
    try:
        await asyncio.wait((action, watch), return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()


async def _cancelled(action: asyncio.Task[T]) -> asyncio.Task[T] | None:
    """Cancel an action; the action itself if it will not let go."""
    action.cancel()
    with suppress(asyncio.CancelledError):  # it was given up on already
        await asyncio.wait((action,), timeout=CANCEL_S)
    return None if action.done() else action


def _given_up(operation: Operation, why: str, leftover: asyncio.Task[object] | None) -> Outcome:
    if operation.effect == "pure":
        return Outcome(st="failed", reason=f"{operation.name}: {why}", leftover=leftover)
    return Outcome(
        st="unknown",
        reason=f"{operation.name}: {why}, so nobody can say whether it happened",
        leftover=leftover,
    )


def _raised(operation: Operation, error: BaseException) -> Outcome:
    reason = said(error)
    match error:
        case OutcomeUnknown():
            return Outcome(st="unknown", reason=reason)
        case TimeoutError():  # a vendor's time-out says nothing about what the machine did
            return _given_up(operation, f"the driver timed out ({reason})", None)
        case ActionRefused():
            return Outcome(st="failed", phase="before_start", kind="refused", reason=reason)
        case OutOfMaterial():
            return Outcome(st="failed", kind="material", reason=reason)
        case LabFault():
            return Outcome(st="failed", kind="lab", reason=reason)
        case SdlError():
            return Outcome(st="failed", reason=reason)
        case _:
            _LOG.error("%s: the driver raised", operation.name, exc_info=error)
            return Outcome(
                st="failed",
                reason=f"{operation.name}: the driver raised {type(error).__name__}: {reason}; "
                "the node's log has the traceback",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """How making an instrument safe ended."""

    wrong: str = ""
    """What went wrong, in a sentence; empty if nothing."""
    leftover: asyncio.Task[None] | None = None
    """The driver's own call where it would not be cancelled, as in a thread that hangs."""


async def make_safe(name: str, device: Device) -> Safe:
    """Let a driver make its instrument safe. Returns in bounded time, whatever the driver does."""

    async def drive() -> None:
        try:
            await device.make_safe()
        except (SystemExit, KeyboardInterrupt) as leaving:  # asyncio would end the node with it
            raise RuntimeError(f"{type(leaving).__name__}: {leaving}") from leaving

    making = asyncio.create_task(drive())
    try:
        await asyncio.wait((making,), timeout=MAKE_SAFE_S)
    except asyncio.CancelledError:
        making.cancel()
        raise
    leftover = None
    if not making.done():
        wrong = f"make_safe did not end within {MAKE_SAFE_S:g} s"
        leftover = await _cancelled(making)
    elif making.cancelled():
        wrong = "make_safe cancelled itself"
    elif (error := making.exception()) is not None:
        _LOG.error("%s: make_safe failed", name, exc_info=error)
        wrong = f"make_safe raised {type(error).__name__}: {said(error)}"
    else:
        return Safe()
    _LOG.error("%s: %s", name, wrong)
    return Safe(wrong=wrong, leftover=leftover)


def _ended(operation: Operation, returned: object) -> Outcome:
    try:
        result = operation.dump_result(returned)
    except (TypeError, ValueError) as error:
        return Outcome(st="failed", phase="after", reason=str(error))
    wrong = not_finite(f"the result of {operation.name}", result)
    if wrong is not None:
        return Outcome(st="failed", phase="after", reason=wrong)
    return Outcome(st="done", result=result)
