"""A campaign that tells two hypotheses apart, from its file to the summary, in virtual time."""

from __future__ import annotations

from pathlib import Path

from sdl.cli.best import in_a_line, told
from sdl.cli.summary import content
from sdl.core.rivals import likelier
from tests.cli.conftest import command
from tests.scenario.test_problems import MIXTURE, played, refused, written

ENSEMBLE = '\n[planner]\nkind = "ensemble"\n'
AIM = '\n[objective]\nmeasure = "gain_ratio"\ngoal = "discriminate"\n'
RIVALS = """
[[rival]]
name     = "saturating"
predicts = "a_fraction - a_fraction ** 2 / 2"
sd       = 0.05

[[rival]]
name     = "linear"
predicts = "0.6 * a_fraction"
sd       = 0.05
"""
STOP = "\n[stop]\nruns = 14\n"


def test_the_right_one_ends_the_campaign_at_the_odds_that_were_asked_for(tmp_path: Path) -> None:
    outcome, _ = played(tmp_path, MIXTURE, AIM, RIVALS, ENSEMBLE, STOP + "odds = 100\n")
    view = outcome.view
    assert view.ended is not None
    assert view.ended.ending == "target"
    assert view.runs_measured < 14
    leader = likelier(view.rivals)
    assert (leader.name, leader.odds >= 100.0) == ("saturating", True)
    words = f"saturating is {leader.odds:.3g} times as likely as linear"
    assert view.ended.reason == in_a_line(view) == words
    assert dict(told(view)) == {"rivals": words}
    assert content(outcome)["rivals"] == view.rivals
    assert view.best is None


def test_where_neither_holds_the_summary_says_so(tmp_path: Path) -> None:
    wrong = RIVALS.replace("2 / 2", "2 + 1").replace("0.6 *", "5 *")
    outcome, _ = played(tmp_path, MIXTURE, AIM, wrong, ENSEMBLE, STOP)
    assert dict(told(outcome.view))["mind"].endswith("perhaps neither holds")


def test_another_planner_refuses_and_one_that_looks_at_no_results_plays_on(tmp_path: Path) -> None:
    path = written(tmp_path, MIXTURE, AIM, RIVALS, '\n[planner]\nkind = "ax"\n')
    assert "16: objective.goal: the planner 'ax' cannot tell rivals apart" in refused(path)
    outcome, _ = played(tmp_path, MIXTURE, AIM, RIVALS, '\n[planner]\nkind = "grid"\n', STOP)
    assert outcome.view.runs_measured == 14
    assert likelier(outcome.view.rivals).name == "saturating"


def test_check_says_what_is_sought(tmp_path: Path) -> None:
    written(tmp_path, MIXTURE, AIM, RIVALS, ENSEMBLE)
    said = " ".join(command(tmp_path, "check", "blend.toml").out.split())
    assert "which rival holds: where their predictions of gain_ratio differ most" in said
