"""A campaign as an Ax experiment: all trials, whatever the names; and what Ax says of it."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from ax.api.client import Client
from ax.core.trial_status import TrialStatus

from sdl.errors import PlannerFault
from sdl.model.campaign import (
    ChoiceParameter,
    Condition,
    LinearConstraint,
    Objective,
    OutcomeConstraint,
    RangeParameter,
)
from sdl.model.candidates import packed
from sdl.model.data import Inputs, Trial
from sdl.model.planning import Problem
from sdl.planner.ax_experiment import exported, safe_names
from sdl.planner.ax_report import report

CLASSES = ("water", "2-propanol", "n/a: none")
SPACE = (
    RangeParameter(name="lambda", low=0.0, high=1.0),
    RangeParameter(name="dose_mg", low=0.01, high=100.0, log=True),
    ChoiceParameter(name="class", options=CLASSES),
    ChoiceParameter(name="reader", options=("left",)),
)
PROBLEM = Problem(
    space=SPACE,
    objective=Objective(measure="yield", goal="maximise"),
    further=(Objective(measure="S", goal="target", target=2.0),),
    constraints=(
        LinearConstraint(weights={"lambda": 1.0}, at_most=0.99),
        LinearConstraint(weights={"lambda": 1.0, "dose_mg": 0.01}, at_most=2.0),
    ),
    outcomes=(OutcomeConstraint(measure="cost", at_most=90.0),),
)


def _inputs(chance: random.Random) -> Inputs:
    return {
        "lambda": 0.99 * chance.random(),
        "dose_mg": 10.0 ** chance.uniform(-2.0, 2.0),
        "class": chance.choice(CLASSES),
        "reader": "left",
    }


def _trials() -> tuple[Trial, ...]:
    chance = random.Random(3)
    points = [_inputs(chance) for _ in range(15)]
    return (
        *(Trial(inputs=one, status="measured", measures=_measures(one)) for one in points[:12]),
        Trial(inputs=points[12], status="failed", measures={}),
        Trial(inputs=points[13], status="abandoned", measures={}),
        Trial(inputs=points[14], status="pending", measures={}),
    )


def _measures(inputs: Inputs) -> dict[str, float]:
    rate = float(inputs["lambda"])
    water = float(inputs["class"] == "water")
    return {"yield": 3.0 * rate + water, "S": 1.0 + 2.0 * rate, "cost": float(inputs["dose_mg"])}


@pytest.mark.parametrize("name", ["yield", "lambda", "S", "gamma", "2nd", "a b", "_x", "n/a: c"])
def test_no_name_means_anything_to_python_or_sympy(name: str) -> None:
    (safe,) = safe_names([name]).values()
    client = Client()
    client.configure_experiment([])
    client.configure_optimization(objective=f"-{safe}")
    assert list(client._experiment.metrics) == [safe]


def test_no_two_names_become_the_same() -> None:
    found = safe_names(["a b", "a_b", "a-b", "yield", "yield_", "a b"])
    assert len(set(found.values())) == len(found) == 5


def test_ax_has_every_trial_as_it_ended_and_says_what_matters(tmp_path: Path) -> None:
    best = max(trial.measures["yield"] for trial in _trials() if trial.measures)
    problem = replace(PROBLEM, objective=replace(PROBLEM.objective, threshold=best))
    told = report(problem, _trials(), "dye-450", tmp_path)
    assert (told.measured, told.failed, told.abandoned, told.pending) == (12, 1, 1, 1)
    assert told.not_made == {}
    assert set(told.fit) == {"yield", "S loss"}
    assert told.fit["yield"] > 0.5
    assert next(iter(told.sensitivity["yield"])) == "lambda"
    assert set(told.sensitivity["yield"]) == {"lambda", "dose_mg", "class"}
    assert sum(told.sensitivity["yield"].values()) == pytest.approx(1.0)
    assert any(one.measures["yield"] == pytest.approx(best) for one in told.front)
    for one in told.front:
        assert one.inputs == _trials()[one.trial].inputs
        is_best = one.measures["yield"] == pytest.approx(best)
        assert one.beyond == (() if is_best else ("yield",))

    client = Client.load_from_json_file(str(tmp_path / "ax.json"))
    trials = client._experiment.trials.values()
    assert [trial.status for trial in trials][11:] == [
        TrialStatus.COMPLETED,
        TrialStatus.FAILED,
        TrialStatus.ABANDONED,
        TrialStatus.RUNNING,
    ]
    (constraint,) = client._experiment.search_space.parameter_constraints
    assert constraint.constraint_dict == {"lambda_": 1.0}
    assert [one.partition(":")[0] for one in told.not_told] == ["lambda + 0.01 dose_mg <= 2"]


def test_an_input_that_rests_has_its_resting_value_in_ax_too() -> None:
    heat = RangeParameter(
        name="heat_c",
        low=20.0,
        high=80.0,
        only_if=(Condition(input="class", values=("water",)),),
        otherwise=0.0,
    )
    problem = Problem(space=(SPACE[2], heat), objective=Objective(measure="yield", goal="maximise"))
    rests = Trial(inputs={"class": "n/a: none", "heat_c": 0.0}, status="pending", measures={})
    client = exported(problem, (rests,), "dye-450").client
    (arm,) = client._experiment.trials[0].arms
    assert arm.parameters == {"class_": "n/a: none", "heat_c": 0.0}


@pytest.mark.parametrize("numbers", [{}, {"charge": (1.0, 2.5, 4.0)}])
def test_what_only_names_the_points_of_a_list_is_not_for_models(
    numbers: dict[str, tuple[float, ...]],
) -> None:
    columns = {"design": ("GVTG", "KEDR", "YNNL"), **numbers}
    problem = Problem(
        space=tuple(ChoiceParameter(name=name, options=each) for name, each in columns.items()),
        objective=Objective(measure="yield", goal="maximise"),
        candidates=packed("list.csv", "", list(zip(*columns.values(), strict=True)), len(columns)),
    )
    found = exported(problem, (), "screen")
    assert list(found.inputs.values()) == (list(numbers) or ["design"])
    assert any(one.startswith("design, which only names") for one in found.left_out) == bool(
        numbers
    )


def test_too_few_trials_are_told() -> None:
    with pytest.raises(PlannerFault, match="3 measured trials are too few for an analysis"):
        report(PROBLEM, _trials()[:3], "dye-450", Path("nowhere"))
