"""What the runtime, its nodes and its planner workers ask of a bus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it travels."""

    topic: str
    payload: bytes
    retain: bool = False
    """Received: it was kept by the broker and may be old. Published: keep it."""


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

    async def subscribe(self, *filters: str) -> None:
        """Receive what matches; kept over reconnections."""
        ...

    def messages(self) -> AsyncIterator[Message]:
        """Messages in the order of their arrival; ends when the bus is closed. For one reader."""
        ...

    async def aclose(self) -> None:
        """Say good-bye: what was handed over goes out, no will is published. Safe to call twice."""
        ...
