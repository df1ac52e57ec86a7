"""What the benchmarks share: the machine, spreads, aims, and the bare round trip as a baseline."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from sdl.core.commands import Perform
from sdl.shell.mqtt_bus import MqttBus
from sdl.wire.mqtt import EventMessage, command_message, encode

ECHO = Path(__file__).with_name("echo.py")
EXAMPLES = Path(__file__).parents[1] / "examples"


def machine() -> str:
    """The machine and its load in one line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(": ")[1] if names else model
    load = f"{psutil.getloadavg()[0]:.1f}"
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, load {load}"


def arguments(text: str | None) -> ArgumentParser:
    """A parser whose help is the module's docstring; every benchmark takes ``--json``."""
    assert text is not None
    head, _, body = text.partition("\n\n")
    parser = ArgumentParser(description=head, epilog=" ".join(body.split()))
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def say(text: str) -> None:
    """Tell how far it is, on stderr: stdout holds the figures alone."""
    print(text, file=sys.stderr, flush=True)


def write_json(report: Mapping[str, object]) -> None:
    """The report as one JSON document."""
    print(json.dumps(report, indent=1))


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which ``percent`` of them lie, by linear interpolation."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100.0
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Least, middle and greatest of them."""
    return {"min": min(values), "median": percentile(values, 50), "max": max(values)}


def shown(values: Mapping[str, float], digits: int = 0) -> str:
    """A spread in words: the median, then the least and the greatest."""
    low, high = values["min"], values["max"]
    return f"{values['median']:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"


def beside(value: float, kind: Literal["at most", "at least"], aim: float) -> str:
    """An aim as it is printed beside its figure."""
    met = value <= aim if kind == "at most" else value >= aim
    return f"[aim {kind} {aim:,g}: {'met' if met else 'missed'}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class BareTrips:
    """Messages there and back over the broker: no engine, no journal, no node."""

    seconds: list[float]
    """Of each round trip, the first tenth left out."""
    per_s: float


def payload_bytes() -> tuple[int, int]:
    """Sizes of the command and of the result that a ticker's step sends."""
    perform = Perform(
        cid="ticks/run-10/step-1.10.10/try-1",
        step="ticks/run-10/step-1.10.10",
        attempt=1,
        memory="0" * 16,
        instrument="t10",
        operation="tick",
        effect="once",
        args={},
        not_after=None,
    )
    result = EventMessage(
        journal="0" * 32,
        cid=perform.cid,
        dev=perform.instrument,
        boot="0" * 16,
        memory=perform.memory,
        epoch=1,
        seq=1000,
        st="done",
        at=time.time(),
        duration_s=0.0001,
        result=time.monotonic(),
    )
    command = command_message(perform, epoch=1, issued_at=time.time(), journal="0" * 32)
    return len(encode(command)), len(encode(result))


@contextmanager
def echo(url: str, result_bytes: int) -> Iterator[None]:
    """A process that answers each message with one of that many bytes."""
    with subprocess.Popen(
        [sys.executable, str(ECHO), str(result_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{url}\n")
        process.stdin.flush()
        process.stdout.readline()
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(10.0)


def round_trips(url: str, count: int, in_flight: int = 1, pause_s: float = 0.0) -> BareTrips:
    """The baseline: messages of a step's size to another process and back, so many at once.

    ``pause_s``: before each message but the first ones.
    """
    command_bytes, result_bytes = payload_bytes()
    with echo(url, result_bytes):
        return asyncio.run(_trips(url, count, in_flight, pause_s, b"x" * command_bytes))


async def _trips(url: str, count: int, in_flight: int, pause_s: float, payload: bytes) -> BareTrips:
    bus = MqttBus(url, "bench-near")
    await bus.subscribe("bench/evt")
    await bus.connect()
    answers, sent, seconds = bus.messages(), deque[float](), list[float]()
    began = time.perf_counter()
    for number in range(count + in_flight):
        if number >= in_flight:
            await anext(answers)
            seconds.append(time.perf_counter() - sent.popleft())
            if pause_s > 0.0:
                await asyncio.sleep(pause_s)
        if number < count:
            sent.append(time.perf_counter())
            await bus.publish("bench/cmd", payload)
    per_s = count / (time.perf_counter() - began)
    await bus.aclose()
    return BareTrips(seconds=seconds[count // 10 :], per_s=per_s)
