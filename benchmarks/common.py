"""What the benchmarks share: the machine, percentiles, and the bare round trip as a baseline."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

from sdl.shell.mqtt_bus import MqttBus


def machine() -> str:
    """The machine in one line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(": ")[1] if names else model
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which ``percent`` of them lie, by linear interpolation."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100.0
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


async def round_trips(url: str, count: int) -> list[float]:
    """Seconds of bare command and answer over the broker: no engine, no journal, no node."""
    near, far = MqttBus(url, "bench-near"), MqttBus(url, "bench-far")
    await far.subscribe("bench/cmd")
    await near.subscribe("bench/evt")
    await far.connect()
    await near.connect()

    async def answer() -> None:
        async for message in far.messages():
            await far.publish("bench/evt", message.payload)

    echo = asyncio.create_task(answer())
    payload = b"x" * 300
    times: list[float] = []
    answers = near.messages()
    for _ in range(count):
        began = time.perf_counter()
        await near.publish("bench/cmd", payload)
        await anext(answers)
        times.append(time.perf_counter() - began)
    echo.cancel()
    await near.aclose()
    await far.aclose()
    return times[count // 10 :]
