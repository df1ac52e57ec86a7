"""One MQTT connection: aiomqtt's client without its task per message and wait per publish.

A step of a protocol is one command and two events, so what a message costs decides how many
instruments one process can serve. aiomqtt makes a task for each message received and waits for
each acknowledgement apart; here messages go straight to the inbox, a publish is handed over and
its acknowledgement only counted, and the socket is written without asking the selector first.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from ssl import SSLContext
from typing import TYPE_CHECKING

import aiomqtt
from paho.mqtt.enums import MQTTErrorCode

from sdl.shell.bus import Message

if TYPE_CHECKING:
    from aiomqtt.types import PahoSocket, SocketOption
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode


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
        will: aiomqtt.Will | None,
        timeout: float,
        keepalive: int,
        max_inflight_messages: int,
        tls_context: SSLContext | None,
        socket_options: Iterable[SocketOption],
    ) -> None:
        """``deliver`` and ``acknowledged`` (with the packet's number) are called in the loop."""
        self._deliver = deliver
        self._acknowledged = acknowledged
        self._loop_thread = threading.get_ident()
        self._writing = False
        super().__init__(
            hostname,
            port,
            username=username,
            password=password,
            identifier=identifier,
            will=will,
            timeout=timeout,
            keepalive=keepalive,
            max_inflight_messages=max_inflight_messages,
            tls_context=tls_context,
            socket_options=socket_options,
        )

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
        self._deliver(Message(message.topic, bytes(message.payload), message.retain))

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

    def _on_socket_register_write(self, client: Client, userdata: object, sock: PahoSocket) -> None:
        if threading.get_ident() != self._loop_thread:  # while connecting
            super()._on_socket_register_write(client, userdata, sock)
        elif self._writing:  # the socket is full: go on when it has room
            self._loop.add_writer(sock.fileno(), self._write)
        else:
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._writing = True
        try:
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001 -- whatever it is, this line is broken
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
        finally:
            self._writing = False
