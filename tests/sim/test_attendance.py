"""A simulation in which a person is wanted ends and says what for, or takes one answer for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.cli.exits import Exit
from sdl.core.events import Verdict
from sdl.sim.simulate import simulate, simulate_together
from tests.cli.conftest import command
from tests.sim.places import place

ASK = """
[[policy]]
action = "{action}"
on     = "driver"
then   = "ask"
"""
FAULT = 'faults = [{{ action = "{action}", on_call = 2, kind = "raise" }}]'


def asking(folder: Path, *, action: str = "dispense") -> Path:
    """A campaign of four runs; a person is asked about the second call of an action."""
    fault, rule = FAULT.format(action=action), ASK.format(action=action)
    of = "handler" if action == "dispense" else "reader"
    return place(folder, runs=4, options=rule, **{of: fault})  # type: ignore[arg-type]


def test_where_everything_waits_for_a_person_a_simulation_ends(tmp_path: Path) -> None:
    outcome = simulate(asking(tmp_path))
    assert outcome.view.ended is None
    (question,) = outcome.view.questions
    assert question.step == "dye/run-2/step-1"
    assert outcome.lab_s < 24 * 3600.0


@pytest.mark.parametrize("action", ["dispense", "absorbance"])
@pytest.mark.parametrize("verdict", ["happened", "did_not_happen", "discard"])
def test_one_answer_to_every_question_lets_it_go_on(
    tmp_path: Path, action: str, verdict: Verdict
) -> None:
    outcome = simulate(asking(tmp_path, action=action), verdict=verdict)
    assert outcome.view.ended is not None
    assert outcome.view.ended.ending == "budget"
    cannot_be_given = action == "absorbance" and verdict == "happened"  # a reading has a result
    discards = verdict == "discard" or cannot_be_given
    assert outcome.view.unknown == (1 if discards else 0)


def test_a_long_pause_between_two_steps_is_not_taken_for_an_end(tmp_path: Path) -> None:
    path = place(tmp_path, runs=1)
    path.write_text(path.read_text().replace("settle_s = 30.0", "settle_s = 40000.0"))
    outcome = simulate(path)
    assert outcome.view.runs_measured == 1
    assert outcome.lab_s > 40000.0


def test_several_campaigns_of_which_one_waits_end_too(tmp_path: Path) -> None:
    first = asking(tmp_path)
    other = tmp_path / "other.toml"
    other.write_text(first.read_text().replace('"dye"', '"other"'))
    came_to = simulate_together([first, other])
    assert not came_to.lab.closed
    assert any(view.questions for view in came_to.lab.campaigns)


def test_the_command_says_what_waits_and_what_to_do(tmp_path: Path) -> None:
    campaign = asking(tmp_path)
    said = command(tmp_path, "simulate", str(campaign))
    assert said.code == Exit.FAULT
    assert "dye/run-2/step-1: what became of dispense on handler?" in said.err
    assert "--answer discard" in said.err
    assert "--resume" not in said.out
    assert "sdl why dye --in" in said.out
    again = command(tmp_path, "simulate", str(campaign), "--answer", "did-not-happen")
    assert again.code == Exit.OK, again.err
