"""An earlier campaign on something like it guides one that begins."""

from __future__ import annotations

import json
from pathlib import Path

from sdl.shell.record import Record
from sdl.sim.simulate import simulate
from tests.cli.conftest import command
from tests.scenario.test_problems import GRID, MIXTURE, ONE, played, refused, written

OURS = '\n[planner]\nkind = "ensemble"\n'
HINT = '\n[prior]\ncampaign = "earlier"\nhint = true\n'


def test_an_earlier_campaign_guides_the_first_point_and_its_points_can_be_tried(
    tmp_path: Path,
) -> None:
    earlier = written(tmp_path, MIXTURE, ONE, GRID, "\n[stop]\nruns = 66\n", name="earlier")
    simulate(earlier, record=tmp_path / "record.sqlite")
    outcome, sqlite = played(tmp_path, MIXTURE, ONE, HINT, OURS, "\n[stop]\nruns = 4\n")
    assert outcome.view.runs_measured == 4, "all 66 points were measured before, as hints"
    record = Record.open(f"sqlite:///{sqlite}", create=False)
    try:
        first, _, third, *_ = record.suggestions("blend")
        assert record.verify() is None
    finally:
        record.close()
    assert first.origin == "sources"
    assert third.why is not None
    weights = json.loads(third.why)["surrogates"]["gain_ratio"]
    assert set(weights) == {"pooled lengths", "with earlier"}


def test_a_planner_that_would_take_hints_for_measurements_is_refused(tmp_path: Path) -> None:
    ax = '\n[planner]\nkind = "ax"\n'
    levels = MIXTURE
    path = written(tmp_path, levels, ONE, HINT, ax)
    assert "prior.hint: the planner 'ax' would take what was measured on something else" in (
        refused(path)
    )


def test_a_planner_that_does_not_say_what_is_left_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, MIXTURE, ONE, GRID, "\n[stop]\nexpected_gain = 0.1\n")
    assert "stop.expected_gain: the planner 'grid' does not say what is left" in refused(path)


def test_a_campaign_ends_once_little_is_left(tmp_path: Path) -> None:
    rules = "\n[stop]\nruns = 66\nexpected_gain = 0.05\n"
    outcome, sqlite = played(tmp_path, MIXTURE, ONE, OURS, rules)
    view = outcome.view
    last = f"blend/suggestion-{view.runs_measured}"
    said = command(tmp_path, "why", last, "--in", str(sqlite)).out
    assert "an expected gain of" in said
    assert "that a better point is left" in said
    assert view.ended is not None
    assert view.ended.ending == "enough"
    assert 10 <= view.runs_measured < 60
    assert "believed to be better by more than 0.05 in gain_ratio" in view.ended.reason
