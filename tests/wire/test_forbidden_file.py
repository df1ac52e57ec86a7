"""What a protocol must not do is found without running it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from sdl.errors import ProtocolMistake
from sdl.shell.plugins import PROTOCOLS, load
from sdl.wire.forbidden import forbidden
from sdl.wire.signature import ProtocolFunction

HEAD = """\
from __future__ import annotations
import asyncio as aio, datetime as dt, os.path, random, time, uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from sdl import Well, protocol, settle, together, within
from sdl.capabilities import LiquidHandler, PlateReader

STARTED = time.time()
LIMIT = timedelta(seconds=3).total_seconds()
DYES = {"red", "blue"}

@dataclass(frozen=True)
class Reading:
    absorbance_au: float

def jitter() -> float:
    return random.gauss(0, 1)

def harmless(time: float) -> float:
    return time * 2

def never_used() -> float:
    return time.time()

def colours() -> frozenset[str]:
    return frozenset(DYES)

def first(of: set[str]) -> str:
    return next(iter(of))

async def fill(handler: LiquidHandler, well: Well, path: Path | None = None) -> None:
    await handler.dispense(well, {"dye": 1.0})

async def doze() -> None:
    await aio.sleep(1)

@protocol
async def assay(handler: LiquidHandler, reader: PlateReader, well: Well, *, x: float) -> Reading:
"""
FIRST = HEAD.count("\n") + 1


def scan(tmp_path: Path, body: str) -> list[ProtocolMistake]:
    """The findings in a protocol with this body."""
    path = tmp_path / "assay.py"
    path.write_text(HEAD + "".join(f"    {line}\n" for line in body.splitlines()))
    return forbidden(cast("ProtocolFunction", load(PROTOCOLS, "./assay.py:assay", tmp_path).value))


SOUND = [
    "await handler.dispense(well, {'dye': x})\nreturn Reading(await reader.absorbance(well, 450))",
    "await settle(3)\nasync with within(60):\n    await reader.absorbance(well, 450)",
    "a, b = await together(handler.mix(well, 1, 1), reader.absorbance(well, 450))",
    "await fill(handler, well)",
    "step = handler.mix(well, 10, 3)\nawait step",
    "async def inner() -> None:\n    await settle(1)\nawait inner()",
    "y = harmless(x) + LIMIT + max(x, 2)",
    "for value in sorted([1, 2]):\n    await settle(value)",
    "when: datetime | None = None",
    "open = 3\nreturn Reading(open)",
    "for dye in sorted(DYES):\n    await settle(1)",
    "n = len(DYES) + sum(len(dye) for dye in DYES) + max({1, 2})",
    "dyes = {'red', 'blue'}\ndyes = sorted(dyes)\nfor dye in dyes:\n    await settle(1)",
    "dyes = {dye.upper() for dye in DYES}\nis_red = 'RED' in dyes",
    "dyes = ['red', 'blue']\ndyes.pop()\nn = list(dyes)",
    "n = {'red': 1}\nfor dye in n | {'blue': 2}:\n    await settle(1)",
]


@pytest.mark.parametrize("body", SOUND)
def test_a_sound_protocol_passes(tmp_path: Path, body: str) -> None:
    assert scan(tmp_path, body) == []


REFUSED: list[tuple[str, int, str]] = [
    ("t = time.monotonic()", FIRST, "time.monotonic reads a clock"),
    ("t = datetime.now()", FIRST, "datetime.now reads a clock"),
    ("t = dt.date.today()", FIRST, "dt.date.today reads a clock"),
    ("t = STARTED", 9, "time.time reads a clock"),
    ("y = random.random()", FIRST, "random.random rolls dice"),
    ("y = 1\ny = jitter()", 18, "random.gauss rolls dice"),
    ("y = uuid.uuid4()", FIRST, "uuid.uuid4 rolls dice"),
    ("import secrets\ny = secrets.token_hex()", FIRST + 1, "secrets.token_hex rolls dice"),
    ("import numpy as np\ny = np.random.rand()", FIRST + 1, "np.random.rand rolls dice"),
    ("open('x')", FIRST, "open touches files"),
    ("y = Path('x').read_text()", FIRST, "Path touches files"),
    ("y = os.path.exists('x')", FIRST, "os.path.exists touches files"),
    ("await aio.sleep(3)", FIRST, "aio.sleep works past the engine"),
    ("async with aio.timeout(3):\n    pass", FIRST, "aio.timeout works past the engine"),
    ("await doze()", 36, "aio.sleep works past the engine"),
    ("exec('1')", FIRST, "exec runs code that cannot be checked"),
    ("await sum([1])", FIRST, "awaits sum(...), which is no action of a role"),
    ("await [1]", FIRST, "awaits [1], which is no action of a role"),
    ("await well.rinse()", FIRST, "awaits well.rinse(...), but well is a well"),
    ("await x.real()", FIRST, "awaits x.real(...), but x is an input"),
    ("await handler.despense(well)", FIRST, "handler has no action 'despense'; did you mean 'dis"),
    ("handler.mix(well, 1, 1)", FIRST, "handler.mix(...) is not awaited; write 'await' before it"),
    ("settle(3)", FIRST, "settle(...) is not awaited; write 'await' before it"),
    ("async with x:\n    pass", FIRST, "'async with x' is not offered; use within(seconds)"),
    (
        "for dye in {'red', 'blue'}:\n    await settle(1)",
        FIRST,
        "takes the order of {'red', 'blue'}",
    ),
    ("for dye in DYES:\n    await settle(1)", FIRST, "takes the order of DYES: a set has another"),
    ("for dye in colours():\n    await settle(1)", FIRST, "takes the order of colours()"),
    ("for dye in DYES - {'red'}:\n    await settle(1)", FIRST, "takes the order of DYES - {'red'}"),
    ("dyes = [dye for dye in DYES]", FIRST, "takes the order of DYES"),
    ("dyes = {dye: 1 for dye in set('ab')}", FIRST, "takes the order of set('ab')"),
    (
        "dyes = DYES | {'green'}\ndyes |= {'black'}\nn = list(dyes)",
        FIRST + 2,
        "takes the order of d",
    ),
    ("n = tuple(x for x in frozenset('ab'))", FIRST, "takes the order of frozenset('ab')"),
    ("n = ', '.join(DYES)", FIRST, "takes the order of DYES"),
    ("n = f'{DYES}'", FIRST, "takes the order of DYES"),
    ("n = [*DYES]", FIRST, "takes the order of DYES"),
    ("a, b = DYES", FIRST, "takes the order of DYES"),
    ("await together(*{settle(1), settle(2)})", FIRST, "takes the order of {settle(1), settle(2)}"),
    ("dyes = set()\ndyes.add('red')\nn = dyes.pop()", FIRST + 2, "takes the order of dyes"),
    (
        "n = {'red': 1}\nfor dye in n.keys() | {'blue'}:\n    pass",
        FIRST + 1,
        "takes the order of n.ke",
    ),
    ("await handler.dispense(well, DYES)", FIRST, "takes the order of DYES"),
    ("n = first({'red'})", 30, "takes the order of of"),
]


@pytest.mark.parametrize("body,line,message", REFUSED)
def test_what_a_protocol_must_not_do_is_found_with_its_line(
    tmp_path: Path, body: str, line: int, message: str
) -> None:
    found = scan(tmp_path, body)
    assert [mistake.place and mistake.place.line for mistake in found] == [line], found
    assert found[0].message.startswith(message)


def test_several_are_found_together_and_each_once(tmp_path: Path) -> None:
    found = scan(tmp_path, "y = jitter() + jitter()\nz = time.time()\nawait aio.sleep(1)")
    lines = [mistake.place and mistake.place.line for mistake in found]
    assert lines == [18, FIRST + 1, FIRST + 2]


def test_who_goes_through_a_set_is_told_what_to_write(tmp_path: Path) -> None:
    (mistake,) = scan(tmp_path, "for dye in DYES:\n    await settle(1)")
    assert mistake.message == (
        "takes the order of DYES: a set has another order in each process, so a resumed run would "
        "go another way. Write sorted(DYES)"
    )
