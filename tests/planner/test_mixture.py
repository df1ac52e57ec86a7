"""The ensemble asked as a campaign asks: by problem and trials."""

from __future__ import annotations

import math

import pytest

from sdl.errors import PlannerFault
from sdl.model.campaign import ChoiceParameter, LinearConstraint, Objective, RangeParameter
from sdl.model.candidates import packed
from sdl.model.data import Inputs, Trial
from sdl.model.planning import Problem
from sdl.model.space import violations
from sdl.planner.candidates import listed
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.proposals import Campaign, Observed

SPACE = (
    RangeParameter(name="dose_mg", low=0.01, high=100.0, log=True),
    ChoiceParameter(name="solvent", options=("water", "2-propanol", "toluene")),
)
PROBLEM = Problem(space=SPACE, objective=Objective(measure="yield", goal="maximise"))


def _yield(inputs: Inputs) -> float:
    away = math.log10(float(inputs["dose_mg"])) - 0.7
    return 80.0 - 20.0 * away**2 + (10.0 if inputs["solvent"] == "toluene" else 0.0)


def _trial(inputs: Inputs, status: str = "measured") -> Trial:
    if status == "measured":
        return Trial(inputs=inputs, status="measured", measures={"yield": _yield(inputs)})
    return Trial(inputs=inputs, status="failed", measures={})


@pytest.mark.parametrize("seed", range(2))
def test_a_real_input_is_found_between_the_points_of_the_sample(seed: int) -> None:
    trials: tuple[Trial, ...] = ()
    found = EnsemblePlanner().suggest(PROBLEM, trials, 1, seed)
    while len(trials) < 16:
        trials += (_trial(found[0].inputs),)
        found = EnsemblePlanner().suggest(PROBLEM, trials, 1, seed)
    assert max(trial.measures["yield"] for trial in trials) > 89.5, f"seed {seed}"
    assert found[0].model_digest
    assert found[0].predicted["yield"].sd > 0.0


def test_where_runs_failed_and_no_model_can_be_made_the_suggestion_says_why() -> None:
    failed = tuple(_trial({"dose_mg": dose, "solvent": "water"}, "failed") for dose in (1, 2, 3))
    (found,) = EnsemblePlanner().suggest(PROBLEM, failed, 1, 0)
    assert "3 of 3 trials failed" in found.fall_back


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    trials = tuple(
        _trial({"dose_mg": dose, "solvent": solvent})
        for dose, solvent in ((0.1, "water"), (5.0, "toluene"), (40.0, "water"), (2.0, "water"))
    )
    one = EnsemblePlanner().suggest(PROBLEM, trials, 2, 5)
    EnsemblePlanner().suggest(PROBLEM, trials[::-1], 1, 5)
    assert EnsemblePlanner().suggest(PROBLEM, trials, 2, 5) == one


def test_a_used_up_list_says_so() -> None:
    problem = Problem(space=SPACE[1:], objective=PROBLEM.objective)
    trials = tuple(
        Trial(inputs={"solvent": name}, status="measured", measures={"yield": 1.0})
        for name in SPACE[1].options
    )
    with pytest.raises(PlannerFault, match="no free point"):
        EnsemblePlanner().suggest(problem, trials, 1, 0)


def test_a_corner_that_hardly_any_point_hits_is_told_where_points_cannot_be_moved() -> None:
    corner = LinearConstraint(weights=dict.fromkeys("abcd", 1.0), at_most=12.0)
    real = tuple(RangeParameter(name=name, low=0.0, high=100.0) for name in "abcd")
    problem = Problem(space=real, objective=PROBLEM.objective, constraints=(corner,))
    found = EnsemblePlanner().suggest(problem, (), 9, 0)
    assert not violations(problem, found, 9)
    whole = tuple(RangeParameter(name=n, low=0.0, high=1000.0, integer=True) for n in "abcd")
    problem = Problem(space=whole, objective=PROBLEM.objective, constraints=(corner,))
    with pytest.raises(PlannerFault, match="keep the constraints"):
        EnsemblePlanner().suggest(problem, (), 9, 0)


@pytest.mark.parametrize("seed", range(2))
def test_a_list_of_points_is_the_same_list_by_every_door(seed: int) -> None:
    rows = [(heat, dose) for heat in (20.0, 40.0, 100.0) for dose in (1.0, 2.0, 5.0, 10.0)]
    problem = Problem(
        space=(
            RangeParameter(name="heat_c", low=20.0, high=100.0),
            RangeParameter(name="dose_mg", low=1.0, high=10.0),
        ),
        objective=Objective(measure="yield", goal="maximise"),
        candidates=packed("list.csv", "", rows, 2),
    )
    columns = {"heat_c": [row[0] for row in rows], "dose_mg": [row[1] for row in rows]}
    campaign = Campaign(problem, listed(columns, [], []), seed)
    trials: tuple[Trial, ...] = ()
    for _ in range(6):
        (found,) = EnsemblePlanner().suggest(problem, trials, 1, seed)
        observed = [Observed(one.inputs, one.measures) for one in trials]
        (other,) = campaign.proposals(observed, [], 1)
        assert found.inputs == other.inputs, f"seed {seed}"
        measures = {"yield": float(found.inputs["heat_c"]) / float(found.inputs["dose_mg"])}
        trials += (Trial(inputs=found.inputs, status="measured", measures=measures),)
