"""From a journal line about materials to its rows: pure, without state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias, assert_never

from sdl.core import commands as c
from sdl.core import events as e
from sdl.core.amounts import Level
from sdl.core.ids import campaign_of
from sdl.model.lab import Lab
from sdl.shell.changes import Cell, Change, Insert, acted, insert, json_of, text_of, update
from sdl.wire.journal import Line

MaterialChange: TypeAlias = c.Book | c.AskRefill | e.StockRefilled | e.StockLeft


def materials(line: Line, value: MaterialChange) -> list[Change]:
    """The row changes of one line."""
    match value:
        case c.Book():
            return [*_levels(line, value), *_movements(line, value), *_done(line, value)]
        case c.AskRefill():
            asked: dict[str, Cell] = {
                "task": value.task,
                "source": text_of(value.source),
                "missing_ul": value.missing_ul,
                "reason": text_of(value.reason),
                "asked_at": line.at,
            }
            return [insert(line, line.campaign, "refill", (value.task,), asked)]
        case e.StockRefilled():
            filled = acted(line, line.campaign, "refill", value.source, value.by, value.note)
            return [filled, _filled(line, value)]
        case e.StockLeft():
            return [_left(line, value)]
        case _:
            assert_never(value)


def declared_lots(line: Line, lab: Lab, at: float) -> Iterable[Change]:
    """What the lab's file says of the lots that are there."""
    for stocks in lab.stocks:
        for name, source in stocks.sources.items():
            place = text_of(f"{stocks.instrument}/{name}")
            there: dict[str, Cell] = {
                "source": place,
                "lot": text_of(source.lot),
                "volume_ul": source.volume_ul,
                "expires": source.expires,
                "replaces": True,
                "by": "",
                "note": "",
                "at": at,
            }
            yield insert(line, line.campaign, "lot", (line.campaign, place, line.seq), there)


def _left(line: Line, value: e.StockLeft) -> Insert:
    """As if somebody had filled that in: of several lots together, good until the first is not."""
    place = text_of(value.source)
    left: dict[str, Cell] = {
        "source": place,
        "lot": text_of(", ".join(one.lot for one in value.left if one.lot)),
        "volume_ul": sum(one.volume_ul for one in value.left),
        "expires": min((one.expires for one in value.left if one.expires), default=""),
        "replaces": True,
        "by": "",
        "note": text_of(f"left when {value.journal} ended"),
        "at": value.at,
    }
    return insert(line, line.campaign, "lot", (line.campaign, place, line.seq), left)


def _filled(line: Line, value: e.StockRefilled) -> Insert:
    place = text_of(value.source)
    filled: dict[str, Cell] = {
        "source": place,
        "lot": text_of(value.lot),
        "volume_ul": value.volume_ul,
        "expires": text_of(value.expires),
        "replaces": value.replaces,
        "by": text_of(value.by),
        "note": text_of(value.note),
        "at": value.at,
    }
    return insert(line, line.campaign, "lot", (line.campaign, place, line.seq), filled)


def _levels(line: Line, value: c.Book) -> Iterator[Change]:
    for level in value.levels:
        key = (line.campaign, text_of(level.source))
        if value.why == "declared":
            first: dict[str, Cell] = {"source": text_of(level.source), **_level(line, level)}
            yield insert(line, line.campaign, "stock", key, first)
        else:
            yield update(line, "stock", key, _level(line, level))


def _level(line: Line, level: Level) -> dict[str, Cell]:
    return {
        "volume_ul": level.volume_ul,
        "uncertainty_ul": level.uncertainty_ul,
        "reserved_ul": level.reserved_ul,
        "doubt_ul": level.doubt_ul,
        "free_ul": level.free_ul,
        "lots": json_of(list(level.lots)),
        "changed_at": line.at,
    }


def _movements(line: Line, value: c.Book) -> Iterator[Change]:
    for number, moved in enumerate(value.moves, start=1):
        row: dict[str, Cell] = {
            "number": number,
            "run": value.run,
            "cid": value.cid,
            "component": text_of(moved.component),
            "lot": text_of(moved.lot),
            "source": text_of(moved.source),
            "target": text_of(moved.target),
            "volume_ul": moved.volume_ul,
            "uncertainty_ul": moved.uncertainty_ul,
            "at": line.at,
        }
        campaign = campaign_of(value.run)
        yield insert(line, campaign, "movement", (campaign, line.seq, number), row)


def _done(line: Line, value: c.Book) -> Iterator[Change]:
    if value.task:
        yield update(line, "refill", (value.task,), {"done_at": line.at})
