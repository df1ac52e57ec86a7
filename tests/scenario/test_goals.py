"""Campaigns for more than the best point, from their files to the summary, in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.cli.best import in_a_line, in_short, label, told
from sdl.cli.summary import content
from sdl.core.view import View
from tests.cli.conftest import command
from tests.scenario.test_problems import MIXTURE, ONE, TWO, played, refused, written

ENSEMBLE = '\n[planner]\nkind = "ensemble"\n'
RUNS = "\n[stop]\nruns = 14\n"
COST = "\n[cost]\nper_run = 1\nper_unit.a_fraction = 4\nchange.b_fraction = 2\n"


def _sought(words: str) -> str:
    return f'\n[objective]\nmeasure = "gain_ratio"\n{words}\n'


def _told(view: View) -> dict[str, str]:
    return dict(told(view))


def test_a_front_is_found_within_limits_and_each_suggestion_predicts_all_measures(
    tmp_path: Path,
) -> None:
    outcome, _ = played(tmp_path, MIXTURE, TWO, COST, ENSEMBLE, RUNS)
    assert outcome.view.front
    assert len(outcome.view.front) >= 4
    assert all(one.measures["price_ratio"] <= 9.0 for one in outcome.view.front)
    assert outcome.view.runs_measured == 14


def test_hits_are_counted_in_words(tmp_path: Path) -> None:
    sought = _sought('goal = "hits"\nat_least = 0.4')
    outcome, record = played(tmp_path, MIXTURE, sought, ENSEMBLE, RUNS)
    view = outcome.view
    listed = command(tmp_path, "runs", "list", "--in", str(record)).out
    assert listed.count("measured, hit") == view.tally.within
    assert view.tally.within >= 6
    assert _told(view)["hits"] == f"{view.tally.within} hits of 14 measured"
    assert label(view) + in_short(view, "none") == _told(view)["hits"], "hits are no best point"
    assert view.best is not None
    assert view.best.value >= 0.4
    assert view.best.where in _told(view)["first"]
    assert in_short(view, "none yet") == in_a_line(view) == _told(view)["hits"]
    assert content(outcome)["tally"] == view.tally


def test_a_boundary_has_two_sides(tmp_path: Path) -> None:
    outcome, _ = played(tmp_path, MIXTURE, _sought('goal = "level"\nlevel = 0.31'), ENSEMBLE, RUNS)
    tally = outcome.view.tally
    assert tally.below >= 3
    assert tally.above >= 3
    said = _told(outcome.view)
    assert said["level"] == f"{tally.below} below the level, {tally.above} above"
    assert said["nearest"].startswith("gain_ratio = 0.3")


def test_what_is_new_has_no_best_point(tmp_path: Path) -> None:
    outcome, _ = played(tmp_path, MIXTURE, _sought('goal = "novelty"'), ENSEMBLE, RUNS)
    assert outcome.view.best is None
    assert _told(outcome.view) == {"novelty": "14 measured, gain_ratio from 0 to 0.5"}
    assert in_a_line(outcome.view) == _told(outcome.view)["novelty"]


@pytest.mark.parametrize("words", ['goal = "hits"\nat_least = 0.4', 'goal = "novelty"'])
def test_what_breaks_a_limit_is_no_hit_and_nothing_new(tmp_path: Path, words: str) -> None:
    limit = '\n[[constraint]]\nmeasure = "purity_fraction"\nat_least = 0.8\n'
    outcome, _ = played(tmp_path, MIXTURE, _sought(words), limit, ENSEMBLE, RUNS)
    tally = outcome.view.tally
    assert tally.below + tally.within + tally.above < 14
    assert tally.most is not None
    assert tally.most <= 0.33


@pytest.mark.parametrize(
    "words, expected",
    [
        ('goal = "hits"\nat_least = 1', "cannot count hits; give a goal or a target, or take"),
        ('goal = "level"\nlevel = 1', "cannot look for where a level is passed; take another"),
        ('goal = "novelty"', "cannot look for what is new; take another planner"),
    ],
)
def test_the_planner_that_knows_no_such_goal_refuses_it_at_its_line(
    tmp_path: Path, words: str, expected: str
) -> None:
    path = written(tmp_path, MIXTURE, _sought(words), '\n[planner]\nkind = "ax"\n')
    assert f"16: objective.goal: the planner 'ax' {expected}" in refused(path)


@pytest.mark.parametrize(
    "words, expected",
    [
        (
            'goal = "hits"\nat_least = 0.2\nat_most = 0.3',
            "as many hits as can be: gain_ratio at least 0.2 and at most 0.3",
        ),
        ('goal = "level"\nlevel = 0.3', "where gain_ratio passes 0.3"),
        ('goal = "novelty"', "what is new: gain_ratio unlike all that was measured"),
    ],
)
def test_check_says_what_is_sought(tmp_path: Path, words: str, expected: str) -> None:
    written(tmp_path, MIXTURE, _sought(words), ENSEMBLE)
    said = command(tmp_path, "check", "blend.toml").out
    assert f"objective {expected}" in [" ".join(line.split()) for line in said.splitlines()]


def test_check_tells_nothing_as_unused_that_the_ensemble_uses(tmp_path: Path) -> None:
    limit = '\n[[constraint]]\nmeasure = "purity_fraction"\nat_least = 0.8\n'
    costs = '\n[planner]\nkind = "ensemble"\ncosts = false\n'
    written(tmp_path, MIXTURE, ONE, limit, COST, costs)
    said = command(tmp_path, "check", "blend.toml").out
    assert "not used" not in said
    assert "ensemble, costs = False" in said
