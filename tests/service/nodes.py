"""A node as the wire shows it, in a thread of its own: born, and answering a stop as it was told.

It drives nothing. What a real node does at a stop is tested with the nodes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sdl.shell.mqtt_bus import MqttBus
from sdl.wire import mqtt
from sdl.wire.topics import Topics

SAFE, SILENT = "", "says nothing"


@contextmanager
def node(url: str, lab: str, answers: Mapping[str, str]) -> Iterator[list[mqtt.StopAll]]:
    """Instruments by name, with the reason why each cannot make safe, ``SAFE`` or ``SILENT``.

    Yields what it was told on the topic of stops.
    """
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    heard: list[mqtt.StopAll] = []

    async def serve() -> None:
        bus, topics = MqttBus(url, f"sdl-{lab}-node"), Topics(lab)
        await bus.connect()
        await bus.subscribe(topics.stop_all())
        for name in answers:
            await bus.publish(topics.birth(name), mqtt.encode(birth(name)), retain=True)
        listening = asyncio.create_task(listen(bus, topics))
        ready.set()
        await over.wait()
        listening.cancel()
        for name in answers:
            await bus.publish(topics.birth(name), b"", retain=True)
        await bus.aclose()

    async def listen(bus: MqttBus, topics: Topics) -> None:
        async for message in bus.messages():
            stop = mqtt.decode(mqtt.StopAll, message.payload)
            heard.append(stop)
            for name, why in answers.items():
                if why != SILENT:
                    word = made_safe(name, why, stop.id)
                    await bus.publish(topics.event(name), mqtt.encode(word))

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield heard
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def birth(name: str) -> mqtt.Birth:
    return mqtt.Birth(
        dev=name,
        node="node-1",
        boot="boot-1",
        memory="memory-1",
        driver="made-up",
        driver_version="1",
        driver_sha256="0" * 64,
        simulated=True,
        actions=(),
        limits={},
        sha256="0" * 64,
    )


def made_safe(name: str, why: str, answers: str) -> mqtt.EventMessage:
    error = mqtt.EventError(phase="during", kind="driver", reason=why) if why else None
    return mqtt.EventMessage(
        journal="",
        cid="",
        dev=name,
        boot="boot-1",
        memory="memory-1",
        epoch=1,
        seq=0,
        st="made_safe",
        at=0.0,
        error=error,
        answers=answers,
    )
