"""The example with a list of designs finds what works in far fewer experiments than by chance."""

from __future__ import annotations

import csv
import runpy
import shutil
from pathlib import Path

import pytest

from sdl.sim.simulate import simulate

EXAMPLE = Path(__file__).parents[2] / "examples" / "design_screen"
LISTS = ("designs.csv", "truth.csv")


def _column(name: str, column: str) -> list[str]:
    with (EXAMPLE / name).open(newline="", encoding="utf-8") as file:
        return [row[column] for row in csv.DictReader(file)]


def test_most_hits_are_found_in_a_fifth_of_the_experiments(tmp_path: Path) -> None:
    outcome = simulate(EXAMPLE / "campaign.toml", record=tmp_path / "record.sqlite")
    view = outcome.view
    assert view.runs_measured == 60
    assert view.tally.within >= 12, "by chance 3.2 of 16 are found in 60 of 302 experiments"


def test_sixteen_of_302_designs_work_and_none_is_at_the_threshold() -> None:
    bound = [float(value) for value in _column("truth.csv", "bound_percent")]
    assert (len(bound), sum(value > 50.0 for value in bound)) == (302, 16)
    assert min(abs(value - 50.0) for value in bound) > 4.0
    assert _column("truth.csv", "design") == _column("designs.csv", "design")


def test_the_lists_are_those_that_the_generator_makes(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / "make_designs.py", tmp_path)
    runpy.run_path(str(tmp_path / "make_designs.py"), run_name="__main__")
    for name in LISTS:
        made, there = ((folder / name).read_text().splitlines() for folder in (tmp_path, EXAMPLE))
        assert len(made) == len(there)
        for one, other in zip(made[1:], there[1:], strict=True):
            (design, *numbers), (known, *values) = one.split(","), other.split(",")
            assert design == known
            # The last digit may differ with the library that takes matrices apart.
            assert list(map(float, numbers)) == pytest.approx(list(map(float, values)), abs=0.0021)
