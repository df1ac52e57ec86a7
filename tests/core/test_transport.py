"""Plates come to the instruments that need them, and back; whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.core import commands as do
from sdl.core.engine import Engine
from tests.core.cell import Cell, cell, cell_campaign, cell_script, quick_read
from tests.core.floor import Chances, Start


def played(seed: int, plates: int = 3, odds: Chances = Chances(), **changes: object) -> Cell:  # noqa: B008 - frozen
    floor = Cell(
        Engine(cell_script()),
        seed=seed,
        chances=odds,
        simulated=False,
        clock="wall",
        there=cell(plates, hotel=0),
    )
    floor.play(cell_campaign(range(1, plates + 1), **changes))
    return floor


def test_a_plate_is_brought_to_each_instrument_and_put_away_at_the_end() -> None:
    floor = played(1, plates=1)
    moves = [
        (each.source, each.target) for each in floor.journal if isinstance(each, do.BeginCarry)
    ]
    assert moves[:4] == [
        ("hotel/1", "handler/1"),
        ("handler/1", "washer/1"),
        ("washer/1", "handler/1"),
        ("handler/1", "reader/1"),
    ]
    assert moves[-1] == ("reader/1", "hotel/1")
    assert floor.truth == {"plate-1": "hotel/1"}
    assert floor.wrong == []
    ends = [each for each in floor.journal if isinstance(each, do.EndRun)]
    assert [each.outcome for each in ends] == ["measured"] * 6
