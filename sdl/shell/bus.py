"""What the runtime, its nodes and its planner workers ask of a bus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias


def _no_one_waits() -> None:
    """Nothing to acknowledge."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it travels."""

    topic: str
    payload: bytes
    retain: bool = False
    """Received: it was kept by the broker and may be old. Published: keep it."""
    ack: Callable[[], None] = field(default=_no_one_waits, compare=False, repr=False)
    """Received: to be called once nothing more can be lost of it. Until then a broker that keeps
    this client's session delivers it again after the line broke, and sends only so many more."""


OnConnect: TypeAlias = Callable[[], Awaitable[None]]


class Bus(Protocol):
    """One client of a broker.

    It gives no promise that a message arrives once, or at all: whoever needs an answer sets a
    timer and asks again.
    """

    async def connect(
        self, *, will: Message | None = None, on_connect: OnConnect | None = None
    ) -> None:
        """Open the line, and keep it open from now on.

        ``on_connect`` runs after every connection, the first included, once the subscriptions
        stand. LabFault if the broker cannot be reached now. ``will``: what the broker publishes
        when the line breaks without a good-bye.
        """
        ...

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        qos: int = 1,
        expiry_s: float | None = None,
    ) -> None:
        """Hand a message over; waits only while too many are on their way.

        Without a connection it is kept and goes out on the next one, and so does one that was not
        acknowledged on the last; neither where ``expiry_s`` (wall seconds since this call) have
        passed, or ``qos`` is 0. LimitReached if too many are kept already.
        """
        ...

    async def subscribe(self, *filters: str, at_once: bool = False) -> None:
        """Receive what matches; kept over reconnections.

        ``at_once``: topics (no wildcards) whose messages overtake all others on their way here and
        in ``messages``. They need no acknowledgement, so one may be lost when the line breaks.
        """
        ...

    def messages(self) -> AsyncIterator[Message]:
        """Messages in the order of their arrival, those *at once* before all others.

        Ends when the bus is closed. For one reader.
        """
        ...

    async def aclose(self) -> None:
        """Say good-bye: what was handed over goes out, no will is published. Safe to call twice."""
        ...
