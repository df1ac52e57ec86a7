"""One MQTT connection: aiomqtt's client without its task per message and wait per publish.

A step of a protocol is one command and two events, so what a message costs decides how many
instruments one process can serve. aiomqtt makes a task for each message received and waits for
each acknowledgement apart; here messages go straight to the inbox, a publish is handed over and
its acknowledgement only counted, and the socket is written without asking the selector first,
all packets at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from ssl import SSLContext
from typing import TYPE_CHECKING, Literal

import aiomqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sdl.shell.bus import Message
from sdl.shell.mqtt_socket import GatheringSocket

if TYPE_CHECKING:
    from aiomqtt.types import PahoSocket, SocketOption
    from paho.mqtt.client import Client, MQTTMessage

PUBACK_BYTES = 2
"""Of an acknowledgement in MQTT 3.1.1: the packet's number, and nothing else."""
_ACCEPTED = ReasonCode(PacketTypes.PUBACK)
_NOTHING = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class _Received:
    """A message of quality of service 1 that a lasting client received."""

    mid: int
    """Number of its packet."""
    taken: bool = False


class Connection(aiomqtt.Client):
    """An ``aiomqtt.Client`` for one connection only; a new line needs a new one."""

    def __init__(
        self,
        hostname: str,
        port: int,
        *,
        deliver: Callable[[Message], None],
        acknowledged: Callable[[int], None],
        username: str | None,
        password: str | None,
        identifier: str,
        lasting: bool,
        will: aiomqtt.Will | None,
        timeout: float,
        keepalive: int,
        max_inflight_messages: int,
        tls_context: SSLContext | None,
        socket_options: Iterable[SocketOption],
    ) -> None:
        """``deliver`` and ``acknowledged`` (with the packet's number) are called in the loop.

        ``lasting``: what is received is acknowledged when it is said, not when it is delivered,
        and the broker keeps the session.
        """
        self._deliver = deliver
        self._acknowledged = acknowledged
        self._loop_thread = threading.get_ident()
        self._writing = False
        self._blocked = False
        self._socket: GatheringSocket | None = None
        self._lasting = lasting
        self._due: deque[_Received] = deque()
        """What was received and not acknowledged; that has to be done in this order."""
        super().__init__(
            hostname,
            port,
            username=username,
            password=password,
            identifier=identifier,
            clean_session=not lasting,
            will=will,
            timeout=timeout,
            keepalive=keepalive,
            max_inflight_messages=max_inflight_messages,
            tls_context=tls_context,
            socket_options=socket_options,
        )
        self._client.manual_ack_set(lasting)
        self._handle_any_ack = self._client._handle_pubackcomp  # noqa: SLF001 - no other way
        self._client._handle_pubackcomp = self._handle_ack  # type: ignore[assignment, method-assign]  # noqa: SLF001
        self._client.disable_logger()  # six lines for each command, which nobody reads

    @property
    def is_open(self) -> bool:
        """Whether the broker let us in and the line did not break since."""
        return self._connected.done() and not self._disconnected.done()

    async def lost(self) -> None:
        """Return when the line has broken; raises what broke it."""
        await asyncio.shield(self._disconnected)

    def hand_over(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> int | None:
        """Give a message to the socket. Its packet number, or None if it was not taken."""
        info = self._client.publish(topic, payload, qos, retain)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        del client, userdata
        topic, payload = message.topic, bytes(message.payload)
        if self._lasting and message.qos:
            received = _Received(message.mid)
            self._due.append(received)
            ack = partial(self._taken, received)
            self._deliver(Message(topic, payload, message.retain, ack))
        else:
            self._deliver(Message(topic, payload, message.retain))

    def _taken(self, received: _Received) -> None:
        """Acknowledge a message, as soon as all that came before it are."""
        received.taken = True
        while self._due and self._due[0].taken:
            mid = self._due.popleft().mid
            if self.is_open:  # a new line has new numbers
                self._client.ack(mid, 1)

    def _handle_ack(self, kind: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        """Note an acknowledgement.

        The library makes a reason and properties for each, which MQTT 3.1.1 does not have; they
        cost more than all else about it.
        """
        client = self._client
        packet = client._in_packet["packet"]  # noqa: SLF001
        if kind != "PUBACK" or len(packet) != PUBACK_BYTES:
            return self._handle_any_ack(kind)
        mid = int.from_bytes(packet, "big")
        with client._out_message_mutex:  # noqa: SLF001
            if mid in client._out_messages:  # noqa: SLF001
                return client._do_on_publish(mid, _ACCEPTED, _NOTHING)  # noqa: SLF001
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _on_publish(
        self,
        client: Client,
        userdata: object,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        del client, userdata, reason_code, properties
        self._acknowledged(mid)

    def _on_socket_open(self, client: Client, userdata: object, sock: PahoSocket) -> None:
        for option in self._socket_options:  # which aiomqtt gives to no socket but a plain one
            sock.setsockopt(*option)
        self._socket = GatheringSocket(sock)
        client._sock = self._socket  # noqa: SLF001 -- the library has no other way
        super()._on_socket_open(client, userdata, sock)

    def _on_socket_close(self, client: Client, userdata: object, sock: PahoSocket) -> None:
        if self._blocked:
            self._loop.remove_writer(sock.fileno())
            self._blocked = False
        super()._on_socket_close(client, userdata, sock)

    def _on_socket_register_write(self, client: Client, userdata: object, sock: PahoSocket) -> None:
        del client, userdata, sock
        if threading.get_ident() != self._loop_thread:  # while connecting
            self._loop.call_soon_threadsafe(self._write)
        elif not self._writing:
            self._loop.call_soon(self._write)

    def _on_socket_unregister_write(
        self, client: Client, userdata: object, sock: PahoSocket
    ) -> None:
        """Whether anything waits for the line to be free is seen in ``_write``."""

    def _write(self) -> None:
        self._writing = True
        try:
            self._client.loop_write()
            self._flush()
        except Exception as error:  # noqa: BLE001 -- whatever it is, this line is broken
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
        finally:
            self._writing = False

    def _flush(self) -> None:
        """Give the line all that it takes; and more when it has room again."""
        line = self._socket
        if line is None or line.fileno() < 0:
            return
        if not line.flush():
            self._loop.add_writer(line.fileno(), self._write)
            self._blocked = True
            return
        if self._blocked:
            self._loop.remove_writer(line.fileno())
            self._blocked = False
        if self._client.want_write():  # it was told to wait
            self._loop.call_soon(self._write)
