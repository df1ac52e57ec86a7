"""The bus inside one process: the same bytes, no socket, no thread, no clock, one fixed order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sdl.shell.bus import Message, OnConnect
from sdl.shell.inbox import Inbox
from sdl.wire.topics import matches


class LocalBroker:
    """Passes messages on at once, to clients in the order in which they first connected."""

    def __init__(self) -> None:
        self._clients: dict[str, LocalBus] = {}
        self._retained: dict[str, Message] = {}

    def client(self, client_id: str) -> LocalBus:
        """A bus of its own for one part of the runtime."""
        return LocalBus(self, client_id)

    def join(self, client_id: str, bus: LocalBus) -> None:
        """Let a client in; another one of the same id loses its line, as with a real broker."""
        former = self._clients.get(client_id)
        if former is not None and former is not bus:
            former.drop()
        self._clients[client_id] = bus

    def leave(self, client_id: str, bus: LocalBus) -> None:
        """Forget a client."""
        if self._clients.get(client_id) is bus:
            del self._clients[client_id]

    def route(self, message: Message) -> None:
        """Give a message to everybody who subscribed to its topic."""
        if message.retain:
            self._keep(message)
        live = Message(message.topic, message.payload)
        for bus in tuple(self._clients.values()):
            bus.deliver(live)

    def retained(self, pattern: str) -> tuple[Message, ...]:
        """The kept messages that a new subscription receives."""
        return tuple(kept for kept in self._retained.values() if matches(pattern, kept.topic))

    def _keep(self, message: Message) -> None:
        if message.payload:
            self._retained[message.topic] = message
        else:
            self._retained.pop(message.topic, None)


class LocalBus:
    """One client of a ``LocalBroker``."""

    def __init__(self, broker: LocalBroker, client_id: str) -> None:
        self._broker = broker
        self._client_id = client_id
        self._filters: list[str] = []
        self._urgent: set[str] = set()
        self._inbox = Inbox()
        self._will: Message | None = None
        self._on_connect: OnConnect | None = None
        self._kept: list[tuple[Message, float | None]] = []
        """With the loop's time from which on it is stale."""
        self._connected = False

    async def connect(
        self, *, will: Message | None = None, on_connect: OnConnect | None = None
    ) -> None:
        self._will, self._on_connect = will, on_connect
        await self.reconnect()

    async def reconnect(self) -> None:
        """Come back after ``drop``, as the MQTT bus does by itself."""
        self._broker.join(self._client_id, self)
        self._connected = True
        for pattern in self._filters:
            self._receive_retained(pattern)
        if self._on_connect is not None:
            await self._on_connect()
        kept, self._kept = self._kept, []
        now = asyncio.get_running_loop().time()
        for message, expires in kept:
            if expires is None or now < expires:
                self._broker.route(message)

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        qos: int = 1,
        expiry_s: float | None = None,
    ) -> None:
        message = Message(topic, payload, retain)
        if self._connected:
            self._broker.route(message)
        elif qos:
            now = asyncio.get_running_loop().time()
            self._kept.append((message, None if expiry_s is None else now + expiry_s))

    async def subscribe(self, *filters: str, at_once: bool = False) -> None:
        if at_once:
            self._urgent.update(filters)
        for pattern in filters:
            if pattern not in self._filters:
                self._filters.append(pattern)
            if self._connected:
                self._receive_retained(pattern)

    def messages(self) -> AsyncIterator[Message]:
        return self._inbox.read()

    async def aclose(self) -> None:
        self._connected = False
        self._broker.leave(self._client_id, self)
        self._inbox.close()

    def deliver(self, message: Message) -> None:
        """Take a message from the broker; once, however many filters match."""
        if any(matches(pattern, message.topic) for pattern in self._filters):
            self._inbox.put(message, urgent=message.topic in self._urgent)

    def drop(self) -> None:
        """Break the line without a good-bye: the broker publishes the will."""
        if not self._connected:
            return
        self._connected = False
        self._broker.leave(self._client_id, self)
        if self._will is not None:
            self._broker.route(self._will)

    def _receive_retained(self, pattern: str) -> None:
        for message in self._broker.retained(pattern):
            self._inbox.put(message, urgent=message.topic in self._urgent)
