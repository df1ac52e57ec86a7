"""Plates that are carried, under faults: nothing collides, and planted defects are found."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from sdl.core import deck
from sdl.core.deck import Deck
from sdl.core.porter import PorterTroubles
from sdl.core.standing import Piece, Standing
from sdl.core.work import Work
from sdl.shell.preflight import Prepared, prepare
from sdl.sim.drill import Report, drill
from tests.sim.drills import WITHIN_S, everything_everywhere

CAMPAIGN = Path(__file__).parents[2] / "examples" / "fault_drill" / "carried.toml"
SEEDS = range(16)


@cache
def prepared() -> Prepared:
    return prepare(CAMPAIGN)


def told(report: Report) -> str:
    faults = "; ".join(str(fault) for fault in report.faults)
    return f"seed {report.seed}: {report.broken} ({faults})"


def broken(seeds: range = SEEDS) -> set[str]:
    """Which invariants do not hold, by their first words."""
    reports = [drill(prepared(), seed, faults=WITHIN_S * 2.0) for seed in seeds]
    return {report.broken.partition(":")[0] for report in reports if report.broken}


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_befalls_a_lab_its_plates_do_not_collide(seed: int) -> None:
    report = drill(prepared(), seed, faults=WITHIN_S * 2.0)
    assert not report.broken, told(report)
    assert report.ending, told(report)


def test_an_action_on_a_plate_that_stands_elsewhere_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Deck, "at_instruments", everything_everywhere)
    assert broken(range(3)) == {"I7 or the watch"}


def test_a_carry_to_an_instrument_that_is_at_work_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deck, "is_open", lambda instrument: instrument.able)
    assert "I7 or the watch" in broken(range(12))


def test_a_carry_that_is_taken_for_done_though_nobody_knows_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hope(self: PorterTroubles, run: object, step: object, trouble: str, error: object) -> None:
        del trouble, error
        self._porter.note(step, "done")  # type: ignore[arg-type]
        Work.throw(self._porter, run, step, ValueError("never mind"))  # type: ignore[arg-type]

    monkeypatch.setattr(PorterTroubles, "meet", hope)
    assert broken(range(24)) & {"I11", "I12"}


def test_two_plates_on_one_site_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Standing._stand

    def free(self: Standing, changed: Iterable[Piece], places: Iterable[str]) -> None:
        usual(self, changed, places)
        self.taken = {}
        self.idle = {place: [] for place in self.floor.sites}
        self.free = {place: list(sites) for place, sites in self.floor.sites.items()}

    monkeypatch.setattr(Standing, "_stand", free)
    assert broken(range(6)) == {"I7 or the watch"}
