"""How long actions will take, for who looks at a lab at work."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sdl.core.engine import Engine
from sdl.core.events import CommandDone
from sdl.shell.expectations import Expectations
from sdl.shell.record import Record
from tests.core.dye import SCRIPT
from tests.core.floor import Floor, campaign, lab
from tests.shell.test_gantt import written


def expected(tmp_path: Path) -> tuple[Floor, Record, Expectations]:
    """Of a lab that has a campaign on record, and no simulator that says anything."""
    floor = Floor(Engine(SCRIPT), seed=6, simulated=False).play(campaign())
    record = written(floor, tmp_path)
    return floor, record, Expectations(lab(simulated=False), tmp_path, record)


def test_what_no_simulator_says_the_record_has_taught(tmp_path: Path) -> None:
    floor, record, expectations = expected(tmp_path)
    assert expectations.predict("reader", "absorbance", {}) is None
    expectations.learn()
    record.close()
    said = expectations.predict("reader", "absorbance", {})
    assert said is not None
    took = [each.duration_s for each in floor.journal if isinstance(each, CommandDone)]
    assert min(took) <= said.duration_s <= max(took), "seed 6"
    assert expectations.predict("reader", "shake", {}) is None


async def soon(holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never did")


async def test_a_record_that_cannot_be_read_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, record, expectations = expected(tmp_path)
    monkeypatch.setattr("sdl.shell.expectations.EVERY_S", 0.01)
    learning = asyncio.create_task(expectations.keep_learning())
    await soon(lambda: expectations.predict("reader", "absorbance", {}) is not None)
    with sqlite3.connect(tmp_path / "record.sqlite") as hands:
        hands.execute("DROP TABLE step")
    with caplog.at_level(logging.WARNING):
        await soon(lambda: "could not be looked up" in caplog.text)
    assert expectations.predict("reader", "absorbance", {}) is not None, "it knows what it knew"
    assert not learning.done()
    learning.cancel()
    await asyncio.gather(learning, return_exceptions=True)
    record.close()
