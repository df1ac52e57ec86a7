"""Materials under faults: volumes, reservations and places are right, planted defects found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from sdl.core.deck import Deck
from sdl.core.inventory import Inventory
from sdl.core.materials import Materials
from sdl.model.stock import Move, Pieces, Transfer
from sdl.shell.preflight import Prepared, prepare
from sdl.sim.drill import Report, drill
from sdl.sim.faults import ORCHESTRATOR, PERSON, Fault
from tests.sim.drills import everything_everywhere

CAMPAIGN = Path(__file__).parents[2] / "examples" / "fault_drill" / "materials.toml"
WITHIN_S = 100.0
"""Virtual seconds in which faults begin; without any, the campaign takes 150."""
SEEDS = range(10)


@cache
def prepared(runs: int = 5) -> Prepared:
    """The campaign, with so many runs; the third is the first that has to wait for a refill."""
    whole = prepare(CAMPAIGN)
    campaign = whole.campaign.campaign
    short = replace(campaign, stop=replace(campaign.stop, runs=runs))
    return replace(whole, campaign=replace(whole.campaign, campaign=short))


def told(report: Report) -> str:
    faults = "; ".join(str(fault) for fault in report.faults)
    return f"seed {report.seed}: {report.broken} ({faults})"


def broken(seeds: range, *faults: Fault) -> set[str]:
    """Which invariants do not hold, by their first words."""
    reports = [drill(prepared(), seed, faults=faults or WITHIN_S) for seed in seeds]
    return {report.broken.partition(":")[0] for report in reports if report.broken}


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_befalls_a_lab_its_ledger_says_what_is_there_or_that_it_does_not_know(
    seed: int,
) -> None:
    report = drill(prepared(), seed, faults=WITHIN_S)
    assert not report.broken, told(report)
    assert report.ending, told(report)


def test_people_fill_bottles_up_and_replace_them() -> None:
    report = drill(prepared(), 7, faults=())
    assert (report.broken, report.ending) == ("", "budget")
    assert report.rough["bottle filled up"], report.rough
    assert report.rough["bottle replaced"], report.rough


@pytest.mark.parametrize("seed", range(4))
def test_what_no_forecast_foresaw_waits_for_a_refill_whatever_befalls_a_lab(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(Materials, "_foresee", lambda *_: {})
    report = drill(prepared(), seed, faults=WITHIN_S)
    assert not report.broken, told(report)
    assert report.ending == "budget", told(report)
    assert report.rough["bottle filled up"] + report.rough["bottle replaced"], told(report)


@pytest.mark.parametrize("point", ["orchestrator.event.handled", "orchestrator.lines.committed"])
def test_an_orchestrator_may_die_at_every_line_of_a_journal_of_materials(point: str) -> None:
    passing = 0
    while True:
        passing += 1
        death = Fault(kind="point", target=ORCHESTRATOR, point=point, passing=passing, for_s=3.0)
        report = drill(prepared(runs=3), 1, faults=(death,))
        assert not report.broken, told(report)
        assert report.ending == "budget", told(report)
        if not report.points:
            break  # it ended before it came past so often
    assert passing > 30, f"{point} was passed {passing - 1} times"


# Planted defects.


RESUME = Fault(kind="kill", target=ORCHESTRATOR, at=4.0, for_s=1.0)
ABORT = Fault(kind="abort", target=PERSON, at=12.0, for_s=4.0)
"""In the middle of the first dispense: some has been moved."""


@pytest.mark.parametrize("fault", [RESUME, ABORT])
def test_a_sound_ledger_breaks_nothing(fault: Fault) -> None:
    assert broken(range(2), fault) == set()


def test_what_is_booked_twice_after_a_resume_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Materials._use

    def twice(self: Materials, *given: object) -> None:
        once(self, *given)  # type: ignore[arg-type]
        if self._work.lab.starts > 1:
            once(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Materials, "_use", twice)
    assert "I14" in broken(range(2), RESUME) <= {"I14", "I7 or the watch"}


def test_what_is_drawn_twice_and_booked_once_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Inventory.move

    def twice(self: Inventory, transfer: Transfer, instrument: str, cause: str) -> object:
        once(self, transfer, instrument, cause)
        return once(self, transfer, instrument, cause)

    monkeypatch.setattr(Inventory, "move", twice)
    assert "I13" in broken(range(2), RESUME) <= {"I13", "I7 or the watch"}


def test_a_volume_that_is_not_booked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inventory, "take_down", lambda *_: ((), ""))
    assert broken(range(2), RESUME) == {"I13"}


def test_tips_that_are_used_and_not_booked_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    every = Inventory.transfers

    def liquids(self: Inventory, moves: Iterable[Move], instrument: str) -> Iterator[Transfer]:
        yield from every(self, (one for one in moves if not isinstance(one, Pieces)), instrument)

    monkeypatch.setattr(Inventory, "transfers", liquids)
    assert broken(range(2), RESUME) == {"I14"}


def test_what_broke_off_on_the_way_and_is_not_in_doubt_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def use(self: Inventory, run: str, source: str, volume_pl: int, cid: str) -> None:
        del cid
        self.use(run, source, volume_pl)

    monkeypatch.setattr(Inventory, "doubt", use)
    assert broken(range(2), ABORT) == {"I13"}


def test_a_reservation_that_outlives_its_run_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def leak(self: Inventory, run: str) -> Mapping[str, int]:
        return dict(self.reserved.get(run, {}))

    monkeypatch.setattr(Inventory, "release", leak)
    assert broken(range(2), ABORT) == {"I7 or the watch"}


def test_a_reservation_that_is_given_up_too_early_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Materials, "reserve", lambda *_: None)
    monkeypatch.setattr(Materials, "draws", lambda *_: {})
    assert broken(range(1), RESUME) == {"I14"}


def test_a_promise_of_what_is_not_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inventory, "reserved_pl", lambda *_: 0)
    assert broken(range(2), RESUME) == {"I14"}


def test_a_plate_that_stands_elsewhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deck, "at_instruments", everything_everywhere)
    assert broken(range(2), RESUME) == {"I7 or the watch"}
