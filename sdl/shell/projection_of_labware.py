"""From a journal line about where labware stands to its rows: pure, without state."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from sdl.core import commands as c
from sdl.core import events as e
from sdl.shell.changes import Cell, Change, acted, insert, text_of, update
from sdl.wire.journal import Line

LabwareChange: TypeAlias = (
    c.BeginCarry
    | c.EndCarry
    | c.AskPlate
    | e.CarryDone
    | e.LabwarePlaced
    | e.LabwareDoubted
    | e.PlateBrought
)


def labware(line: Line, value: LabwareChange) -> list[Change]:
    """The row changes of one line."""
    match value:
        case c.BeginCarry():
            return [_carry(line, value.carry, _begun(line, value))]
        case c.EndCarry():
            return _ended(line, value)
        case e.CarryDone():
            act = "done" if value.done else "not-done"
            return [acted(line, line.campaign, act, value.carry, value.by, value.note)]
        case e.LabwarePlaced():
            where = f"{value.labware} on {value.site}" if value.site else f"{value.labware} off"
            return [acted(line, line.campaign, "place", where, value.by, value.note)]
        case e.PlateBrought():
            where = f"{value.labware} on {value.site}"
            return [acted(line, line.campaign, "plate", where, value.by, value.note)]
        case e.LabwareDoubted() | c.AskPlate():
            return []  # its end is a line of its own
        case _:
            assert_never(value)


def _begun(line: Line, value: c.BeginCarry) -> dict[str, Cell]:
    return {
        "labware": value.labware,
        "source": value.source,
        "target": value.target,
        "carrier": value.carrier,
        "step": value.step,
        "status": "under way",
        "site": "",
        "reason": "",
        "begun_at": line.at,
        "ended_at": None,
    }


def _ended(line: Line, value: c.EndCarry) -> list[Change]:
    end: dict[str, Cell] = {
        "status": "lost" if value.lost else "done",
        "site": text_of(value.site),
        "reason": text_of(value.lost),
        "ended_at": line.at,
    }
    if value.carry:
        return [update(line, "carry", (value.carry,), end)]
    put: dict[str, Cell] = {
        "labware": text_of(value.labware),
        "source": "",
        "target": text_of(value.site),
        "carrier": "",
        "step": "",
        "begun_at": line.at,
    }
    return [_carry(line, f"{line.campaign}/placed-{line.seq}", {**put, **end})]


def _carry(line: Line, carry: str, values: dict[str, Cell]) -> Change:
    return insert(line, line.campaign, "carry", (carry,), {"carry": carry, **values})
