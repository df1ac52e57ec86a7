"""The far side of the bare round trip: answers every message on bench/cmd with one on bench/evt."""

from __future__ import annotations

import asyncio
import sys

from sdl.shell.mqtt_bus import MqttBus


async def answer(url: str, size_bytes: int) -> None:
    """Answer until standard input is closed."""
    bus = MqttBus(url, "bench-far")
    await bus.subscribe("bench/cmd")
    await bus.connect()
    payload = b"x" * size_bytes

    async def work() -> None:
        async for _ in bus.messages():
            await bus.publish("bench/evt", payload)

    working = asyncio.create_task(work())
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await bus.aclose()
    await working


if __name__ == "__main__":
    asyncio.run(answer(sys.stdin.readline().strip(), int(sys.argv[1])))
