"""The bus over MQTT 3.1.1: a new client for each connection, and a line that mends itself."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from urllib.parse import unquote, urlsplit

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from sdl.errors import LabFault, LimitReached, UserMistake
from sdl.shell.bus import Message, OnConnect
from sdl.shell.inbox import Inbox
from sdl.shell.mqtt_connection import Connection

IN_FLIGHT = 100
"""Messages handed over and not yet acknowledged; more make both client and broker slower."""
KEPT = 10_000
"""Messages kept while there is no connection."""
KEEPALIVE_S = 5
CONNECT_TIMEOUT_S = 5.0
FIRST_TRIES = 3
"""Lines that may break, at the start, after the broker has let us in: a broker under load does that
now and then, and later it would be mended in silence."""
FAREWELL_S = 1.0
"""How long the last messages may take to be acknowledged at the end."""
REFUSED = 128
"""From here on a broker's answer to a subscription means no."""
BACK_OFF_S = (0.05, 0.5)

_LOG = logging.getLogger("sdl.bus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a broker is and how to enter."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    @classmethod
    def of(cls, url: str) -> Address:
        """Read ``mqtt[s]://[user:password@]host[:port]``. UserMistake if it is none."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == -1:
            shown = f"{parts.scheme}://{parts.hostname or ''}"
            raise UserMistake(
                f"broker {shown!r} is no address; write 'mqtt://user:password@host:1883', "
                "'mqtts://...' or 'embedded'"
            )
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (8883 if tls else 1883),
            tls=tls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class _Outgoing:
    message: Message
    expires: float | None
    """By the monotonic clock; None: never."""

    @property
    def is_stale(self) -> bool:
        """Whether it must not be sent any more."""
        return self.expires is not None and self.expires <= time.monotonic()


class MqttBus:
    """One client of an MQTT broker."""

    def __init__(self, url: str, client_id: str, *, lasting: bool = False) -> None:
        """``client_id`` must be unique at the broker; a second one ends the first one's line.

        ``lasting``: the broker keeps what comes for this client while it is away, and delivers
        again what ``Message.ack`` was not called for. Otherwise messages count as received at
        once, and nobody is asked to call it.
        """
        self.address = Address.of(url)
        self._client_id = client_id
        self._lasting = lasting
        self._filters: dict[str, int] = {}
        """With the quality of service that each is asked for in."""
        self._inbox = Inbox()
        self._will: Message | None = None
        self._on_connect: OnConnect | None = None
        self._missed = False
        self._let_in = False
        """Whether the broker let us in, on the last line that there was."""
        self._connection: Connection | None = None
        self._unacknowledged: dict[int, _Outgoing] = {}
        self._kept: deque[_Outgoing] = deque()
        self._room = asyncio.Event()
        self._room.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._random = random.Random()
        self._keeper: asyncio.Task[None] | None = None
        self._closing = False

    async def connect(
        self, *, will: Message | None = None, on_connect: OnConnect | None = None
    ) -> None:
        self._will, self._on_connect = will, on_connect
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep_connected(first))
        try:
            await first
        except (aiomqtt.MqttError, OSError) as error:
            self._inbox.close()
            raise LabFault(
                f"the broker at {self.address} cannot be reached: {error or type(error).__name__}; "
                "check that it runs, and [lab] broker in lab.toml"
            ) from error

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        qos: int = 1,
        expiry_s: float | None = None,
    ) -> None:
        expires = None if expiry_s is None else time.monotonic() + expiry_s
        outgoing = _Outgoing(Message(topic, payload, retain), expires)
        while not self._room.is_set():
            await self._room.wait()
            if outgoing.is_stale:
                return
        if self._connection is not None and self._connection.is_open:
            self._hand_over(self._connection, outgoing, qos)
        elif qos:
            self._keep(outgoing)

    async def subscribe(self, *filters: str, at_once: bool = False) -> None:
        # A broker holds messages of quality 1 back while too many are not acknowledged: a stop
        # would wait behind the commands. With 0 it is passed on at once.
        wanted = dict.fromkeys(filters, 0 if at_once else 1)
        self._filters.update(wanted)
        if self._connection is not None and self._connection.is_open:
            with suppress(aiomqtt.MqttError):  # a broken line subscribes again when it is mended
                await self._subscribe(self._connection, wanted)

    def messages(self) -> AsyncIterator[Message]:
        return self._inbox.read()

    async def aclose(self) -> None:
        if self._closing:
            return
        self._closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._idle.wait()
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError, aiomqtt.MqttError, OSError):
                await self._keeper
        self._inbox.close()

    def _hand_over(self, connection: Connection, outgoing: _Outgoing, qos: int) -> bool:
        """Whether the line took it; what it did not take is kept, unless ``qos`` is 0."""
        message = outgoing.message
        mid = connection.hand_over(message.topic, message.payload, qos, retain=message.retain)
        if qos and mid is not None:
            self._unacknowledged[mid] = outgoing
            self._idle.clear()
            if len(self._unacknowledged) >= IN_FLIGHT:
                self._room.clear()
        elif qos:
            self._keep(outgoing)
        return mid is not None

    def _keep(self, outgoing: _Outgoing) -> None:
        if len(self._kept) >= KEPT:
            raise LimitReached(
                f"{KEPT} messages wait for the broker at {self.address}; no more are taken "
                "until it is back"
            )
        self._kept.append(outgoing)

    def _acknowledged(self, mid: int) -> None:
        self._unacknowledged.pop(mid, None)
        if not self._unacknowledged:
            self._idle.set()
        if len(self._unacknowledged) < IN_FLIGHT:
            self._room.set()

    async def _keep_connected(self, first: asyncio.Future[None]) -> None:
        for tries in count(1):
            try:
                await self._one_connection(first)
            except Exception as error:  # noqa: BLE001 -- whatever it was, the line must mend
                if not first.done():
                    is_slip = self._let_in and isinstance(error, aiomqtt.MqttError | OSError)
                    if not is_slip or tries >= FIRST_TRIES:
                        first.set_exception(error)
                        return
                elif not self._missed:  # one word for each outage, not one for each try
                    _LOG.warning("connection to %s lost: %r", self.address, error)
                self._missed = first.done()
            await asyncio.sleep(self._random.uniform(*BACK_OFF_S))

    async def _one_connection(self, first: asyncio.Future[None]) -> None:
        connection = self._new_connection()
        self._let_in = False
        try:
            async with connection:
                self._let_in = True
                await self._subscribe(connection, dict(self._filters))
                await self._until_lost(connection, first)
        finally:
            self._connection = None
            self._take_back()

    async def _until_lost(self, connection: Connection, first: asyncio.Future[None]) -> None:
        """Greet the broker and keep the line; a line that breaks in mid-greeting ends both."""
        lost = asyncio.create_task(connection.lost())
        greeting = asyncio.create_task(self._greet(connection, first))
        try:
            await asyncio.wait((lost, greeting), return_when=asyncio.FIRST_COMPLETED)
            if not lost.done():
                greeting.result()
            await lost
        finally:
            lost.cancel()
            greeting.cancel()
            await asyncio.gather(lost, greeting, return_exceptions=True)

    async def _greet(self, connection: Connection, first: asyncio.Future[None]) -> None:
        await self._send_kept(connection)
        self._connection = connection
        if self._on_connect is not None:
            await self._on_connect()
        if not first.done():
            first.set_result(None)
        if self._missed:
            _LOG.warning("connection to %s is back", self.address)
        self._missed = False

    async def _subscribe(self, connection: Connection, filters: Mapping[str, int]) -> None:
        if not filters:
            return
        granted: Sequence[int | ReasonCode] = await connection.subscribe(list(filters.items()))
        for each, code in zip(filters, granted, strict=False):
            if (code.value if isinstance(code, ReasonCode) else code) >= REFUSED:
                raise LabFault(
                    f"the broker at {self.address} does not let {self.address.user or 'anyone'} "
                    f"subscribe to {each}; grant it in the broker's access list"
                )

    async def _send_kept(self, connection: Connection) -> None:
        while self._kept:
            outgoing = self._kept.popleft()
            if outgoing.is_stale:
                continue
            if not self._hand_over(connection, outgoing, 1):
                raise aiomqtt.MqttError("the line broke while kept messages were sent")
            await self._room.wait()

    def _take_back(self) -> None:
        """What was not acknowledged may be lost, so it goes first on the next connection."""
        self._kept.extendleft(reversed(self._unacknowledged.values()))
        self._unacknowledged.clear()
        self._idle.set()
        self._room.set()

    def _deliver(self, message: Message) -> None:
        self._inbox.put(message, urgent=self._filters.get(message.topic) == 0)

    def _new_connection(self) -> Connection:
        will = self._will
        return Connection(
            self.address.host,
            self.address.port,
            deliver=self._deliver,
            acknowledged=self._acknowledged,
            username=self.address.user,
            password=self.address.password,
            identifier=self._client_id,
            lasting=self._lasting,
            will=aiomqtt.Will(will.topic, will.payload, 1, will.retain) if will else None,
            timeout=CONNECT_TIMEOUT_S,
            keepalive=KEEPALIVE_S,
            max_inflight_messages=IN_FLIGHT,
            tls_context=ssl.create_default_context() if self.address.tls else None,
            # Without it two small packets in a row wait for each other's acknowledgement, 40 ms.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
