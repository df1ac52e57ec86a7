"""Stops a whole lab over its broker, without an orchestrator, and hears who has made safe."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sdl.errors import LabFault
from sdl.shell.bus import Message
from sdl.shell.mqtt_bus import MqttBus
from sdl.wire import mqtt
from sdl.wire.topics import Topics, kind_in, name_in

CONNECT_S = 5.0
DELIVERY_S = 5.0
"""Wall seconds until our own word must have come back from the broker."""


@dataclass(slots=True, kw_only=True)
class Echo:
    """What came back after a stop of everything."""

    instruments: set[str] = field(default_factory=set)
    """That were born at this broker and whose node is there."""
    safe: set[str] = field(default_factory=set)
    """Whose driver has confirmed."""
    unsafe: dict[str, str] = field(default_factory=dict)
    """Whose driver could not make safe, and why."""

    @property
    def silent(self) -> set[str]:
        """Of whom nothing was heard."""
        return self.instruments - self.safe - self.unsafe.keys()


async def stop_everything(url: str, lab: str, *, by: str, note: str, listen_s: float) -> Echo:
    """Tell every node of a lab to stop, over the broker at ``url``.

    Returns once each instrument has made safe, or after ``listen_s`` wall seconds. LabFault if the
    broker did not take the word and hand it on.
    """
    topics = Topics(lab)
    stop = mqtt.StopAll(id=f"stop/{secrets.token_hex(8)}", by=by, note=note)
    bus = MqttBus(url, f"sdl-{lab}-stop-{secrets.token_hex(4)}")
    async with _open(bus):
        # Our own word comes back on it: then it has gone to all others, too.
        await bus.subscribe(topics.stop_all(), topics.event("+"))
        await bus.subscribe(topics.birth("+"), topics.node_status("+"))
        await bus.publish(topics.stop_all(), mqtt.encode(stop))
        return await _heard(bus, stop.id, listen_s)


@asynccontextmanager
async def _open(bus: MqttBus) -> AsyncIterator[None]:
    try:
        try:
            async with asyncio.timeout(CONNECT_S):
                await bus.connect()
        except TimeoutError:
            raise LabFault(f"the broker at {bus.address} does not answer") from None
        yield
    finally:
        await bus.aclose()


async def _heard(bus: MqttBus, own: str, listen_s: float) -> Echo:
    ear = _Ear(own)
    listening = asyncio.create_task(ear.listen(bus))
    try:
        if not await _within(DELIVERY_S, ear.handed_on):
            raise LabFault(
                f"the broker at {bus.address} did not hand the stop on within {DELIVERY_S:g} s"
            )
        await _within(listen_s, ear.complete)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return ear.echo


async def _within(patience_s: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(patience_s):
            await event.wait()
    except TimeoutError:
        return False
    return True


class _Ear:
    """Puts together what the broker says."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._nodes: dict[str, bool] = {}
        """Whether each is there."""
        self._node_of: dict[str, str] = {}
        self.echo = Echo()
        self.handed_on = asyncio.Event()
        self.complete = asyncio.Event()

    async def listen(self, bus: MqttBus) -> None:
        async for message in bus.messages():
            try:
                self._take(message)
            except mqtt.Unreadable:
                continue  # whatever it is, it is no answer to a stop
            self.echo.instruments = {
                device for device, node in self._node_of.items() if self._nodes.get(node, True)
            }
            if self.handed_on.is_set() and self.echo.instruments and not self.echo.silent:
                self.complete.set()

    def _take(self, message: Message) -> None:
        name = name_in(message.topic)
        match kind_in(message.topic):
            case "stop" if mqtt.decode(mqtt.StopAll, message.payload).id == self._own:
                self.handed_on.set()
            case "birth" if message.payload:
                self._node_of[name] = mqtt.decode(mqtt.Birth, message.payload).node
            case "status" if message.payload:
                self._nodes[name] = mqtt.decode(mqtt.Status, message.payload).online
            case "evt":
                self._answer(mqtt.decode(mqtt.EventMessage, message.payload))
            case _:
                pass

    def _answer(self, word: mqtt.EventMessage) -> None:
        if word.st != "made_safe" or word.answers != self._own:
            return
        if word.error is None:
            self.echo.safe.add(word.dev)
            self.echo.unsafe.pop(word.dev, None)
        else:
            self.echo.unsafe[word.dev] = word.error.reason
