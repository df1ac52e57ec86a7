"""What protocol and driver files import: ``protocol``, ``together``, ``settle``, ``within`` ...

The same words work in both ways a protocol is run. Under plain asyncio, against drivers or
simulators, they sleep and gather. Under the engine's trampoline, which announces itself in
``driven``, they hand a request out and wait for what the engine feeds back. ``action_key`` and
``note`` are for drivers whose actions can be looked up after a crash.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import math
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ParamSpec, TypeAlias, TypeVar, cast, overload

from sdl.errors import ProtocolMistake
from sdl.model.action import Capability, Effect, action
from sdl.model.data import JsonValue
from sdl.model.policy import Rule
from sdl.model.probe import Finding, Interrupted

__all__ = [
    "Act",
    "Capability",
    "CloseWindow",
    "Effect",
    "Finding",
    "Fork",
    "Interrupted",
    "OpenWindow",
    "Request",
    "Rule",
    "Settle",
    "Underway",
    "action",
    "action_key",
    "driven",
    "note",
    "policy_of",
    "protocol",
    "settle",
    "together",
    "underway",
    "within",
]

_POLICY = "__sdl_policy__"

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Act:
    """Ask for one action of the instrument that plays ``role``."""

    role: str
    operation: str
    arguments: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Settle:
    """Let at least ``seconds`` of lab time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """Actions asked for from here on must start within ``seconds`` of lab time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """The innermost open window ends."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Run the branches side by side."""

    branches: tuple[Awaitable[object], ...]


Request: TypeAlias = Act | Settle | OpenWindow | CloseWindow | Fork

driven: ContextVar[bool] = ContextVar("driven", default=False)
"""True while the engine's trampoline steps a protocol."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Awaiting it hands the request to the trampoline and returns what the trampoline sends."""

    request: Request

    def __await__(self) -> Generator[Request, object, object]:
        return (yield self.request)


Protocol: TypeAlias = Callable[P, Coroutine[object, object, R]]


@overload
def protocol(function: Protocol[P, R], /) -> Protocol[P, R]: ...
@overload
def protocol(*, policy: Sequence[Rule] = ()) -> Callable[[Protocol[P, R]], Protocol[P, R]]: ...
def protocol(
    function: Protocol[P, R] | None = None, /, *, policy: Sequence[Rule] = ()
) -> Protocol[P, R] | Callable[[Protocol[P, R]], Protocol[P, R]]:
    """Mark an ``async def`` as a protocol: a signature that ``sdl check`` reads as its schema.

    Positional parameters are roles (instruments by capability, or ``Well``), keyword-only ones
    are inputs that a campaign may search, the fields of the returned dataclass are the measures.
    ``policy``: what is done about actions that go wrong, after the rules of the campaign.
    """

    def mark(function: Protocol[P, R]) -> Protocol[P, R]:
        if not inspect.iscoroutinefunction(function):
            raise ProtocolMistake(f"@protocol needs an 'async def'; {function!r} is none")
        if policy:
            setattr(function, _POLICY, tuple(policy))
        return function

    return mark if function is None else mark(function)


def policy_of(function: Callable[..., object]) -> tuple[Rule, ...]:
    """What ``@protocol(policy=...)`` wrote on a function; empty where it wrote nothing."""
    found = vars(function).get(_POLICY, ()) if inspect.isfunction(function) else ()
    return tuple(found)


async def settle(seconds: float) -> None:
    """Let at least ``seconds`` of lab time pass: a minimum lag. ValueError if negative."""
    if not 0.0 <= seconds < math.inf:
        raise ValueError(f"settle({seconds}): give seconds, 0 or more")
    if driven.get():
        await Ask(Settle(seconds))
    else:
        await asyncio.sleep(seconds)


class within:  # noqa: N801 - it reads as a word of the protocol language
    """A maximum lag: each action asked for inside must start within ``seconds`` of entering.

    The engine raises ``WindowMissed`` at the action that would start later, unless the error
    policy has another remedy for ``on = "window"``. Under plain asyncio
    nothing competes for an instrument, so every action starts at once and nothing is checked.
    """

    def __init__(self, seconds: float) -> None:
        if not 0.0 < seconds < math.inf:
            raise ValueError(f"within({seconds}): give seconds, more than 0")
        self.seconds = seconds

    async def __aenter__(self) -> None:
        if driven.get():
            await Ask(OpenWindow(self.seconds))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        # A coroutine that is being thrown away may not await anything more.
        if driven.get() and kind is not GeneratorExit:
            await Ask(CloseWindow())


@overload
async def together(a: Awaitable[A], b: Awaitable[B], /) -> tuple[A, B]: ...
@overload
async def together(a: Awaitable[A], b: Awaitable[B], c: Awaitable[C], /) -> tuple[A, B, C]: ...
@overload
async def together(*branches: Awaitable[R]) -> tuple[R, ...]: ...
async def together(*branches: Awaitable[object]) -> tuple[object, ...]:
    """Run branches side by side and return their results in order.

    When a branch fails, its siblings start nothing new, what was started finishes, and one
    ``ExceptionGroup`` with every cause is raised. (Under plain asyncio the siblings run to their
    end first: there is nobody who could hold their next action back.)
    """
    if driven.get():
        return cast("tuple[object, ...]", await Ask(Fork(branches)))
    results = await asyncio.gather(*branches, return_exceptions=True)
    causes = [result for result in results if isinstance(result, BaseException)]
    fatal = [cause for cause in causes if not isinstance(cause, Exception)]
    if fatal:
        raise fatal[0]
    if causes:
        failed = [cause for cause in causes if isinstance(cause, Exception)]
        raise ExceptionGroup("branches of together() failed", failed)
    return tuple(results)


@dataclass(frozen=True, slots=True)
class Underway:
    """The action that a node lets a driver do."""

    key: str
    note: Callable[[JsonValue], Awaitable[None]]


underway: ContextVar[Underway | None] = ContextVar("underway", default=None)
"""Set by the node while it calls a driver."""


def action_key() -> str:
    """The one name of the action that this driver is asked for now; empty outside a node.

    It is the same in ``Interrupted.key`` after a crash: hand it to an instrument that can log it.
    """
    action_now = underway.get()
    return "" if action_now is None else action_now.key


async def note(value: JsonValue) -> None:
    """Put down what a probe will need, such as what a balance shows before a dispense.

    Durable in the node's journal when it returns; the last one counts. Does nothing outside a
    node. TypeError or ValueError if ``value`` is no plain JSON with finite numbers.
    """
    json.dumps(value, allow_nan=False)
    action_now = underway.get()
    if action_now is not None:
        await action_now.note(value)
