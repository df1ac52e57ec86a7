"""Why a point was suggested: each planner says what it can, and nothing in it is nonsense."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sdl.model.campaign import ChoiceParameter, Objective, RangeParameter
from sdl.model.data import Inputs, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.reason import Expected, Near, Reason
from sdl.model.space import violations
from sdl.planner.ax import AxPlanner
from sdl.planner.contract import Planner
from sdl.planner.grid import GridPlanner
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.sobol import SobolPlanner

DOSE = RangeParameter(name="dose_mg", low=0.0, high=10.0)
LEVELS = ChoiceParameter(name="heat_c", options=(20.0, 40.0, 60.0, 80.0))
SOLVENT = ChoiceParameter(name="solvent", options=("water", "toluene"))
AIM = Objective(measure="yield", goal="minimise")
ENDLESS = Problem(space=(DOSE,), objective=AIM)
LISTED = Problem(space=(LEVELS, SOLVENT), objective=AIM)

POINTS: tuple[Inputs, ...] = (
    {"heat_c": 20.0, "solvent": "water"},
    {"heat_c": 80.0, "solvent": "toluene"},
    {"heat_c": 40.0, "solvent": "toluene"},
    {"heat_c": 60.0, "solvent": "water"},
)
TRIALS = tuple(
    Trial(inputs=point, status="measured", measures={"yield": 10.0 * place})
    for place, point in enumerate(POINTS)
)
SOUND = Reason(
    expected={"yield": Expected(median=2.0, low=1.0, high=4.0)},
    surrogates={"yield": {"process": 1.0}},
    log_gain=-1.0,
    nearest=(Near(inputs=POINTS[0], measures={"yield": 0.0}, correlation=0.5),),
)


def reason_of(planner: Planner, problem: Problem, trials: tuple[Trial, ...]) -> Reason:
    (found,) = planner.suggest(problem, trials, 1, 3)
    assert found.reason is not None
    return found.reason


@pytest.mark.parametrize("planner", [AxPlanner(), EnsemblePlanner()], ids=["ax", "ensemble"])
def test_a_planner_with_a_model_says_what_it_expects_and_what_it_knows_nearby(
    planner: Planner,
) -> None:
    (found,) = planner.suggest(LISTED, TRIALS, 1, 3)
    reason = found.reason
    assert reason is not None
    expected = reason.expected["yield"]
    assert expected.low < expected.median < expected.high
    assert found.predicted["yield"].mean == expected.median
    assert found.predicted["yield"].sd == pytest.approx(expected.sd)
    assert sum(reason.surrogates["yield"].values()) == pytest.approx(1.0)
    assert reason.acquisition == found.acquisition
    assert reason.scored == 4, "of eight points four are measured"
    known = {near.measures["yield"]: near.inputs for near in reason.nearest}
    assert known.items() <= {10.0 * place: point for place, point in enumerate(POINTS)}.items()
    related = [near.correlation for near in reason.nearest]
    assert related == sorted(related, reverse=True)
    assert 0.0 < related[0] <= 1.0


def test_ax_says_what_it_expects_in_an_endless_space() -> None:
    trials = tuple(
        Trial(inputs={"dose_mg": dose}, status="measured", measures={"yield": (dose - 4.0) ** 2})
        for dose in (0.0, 3.0, 6.0, 10.0)
    )
    reason = reason_of(AxPlanner(), ENDLESS, trials)
    assert reason.expected["yield"].low < reason.expected["yield"].high
    assert reason.log_gain is not None
    assert list(reason.surrogates["yield"].values()) == [1.0]
    (found,) = AxPlanner().suggest(ENDLESS, trials, 1, 3)
    here = float(found.inputs["dose_mg"])
    away = [abs(float(near.inputs["dose_mg"]) - here) for near in reason.nearest]
    assert away == sorted(abs(float(trial.inputs["dose_mg"]) - here) for trial in trials)[:3]
    assert all(0.0 < near.correlation <= 1.0 for near in reason.nearest)


@pytest.mark.parametrize(
    "planner,problem",
    [
        (SobolPlanner(), ENDLESS),
        (SobolPlanner(), LISTED),
        (AxPlanner(), ENDLESS),
        (AxPlanner(), LISTED),
        (EnsemblePlanner(), LISTED),
    ],
)
def test_a_start_point_says_which_of_its_design_it_is(planner: Planner, problem: Problem) -> None:
    found: list[Suggestion] = list(planner.suggest(problem, (), 2, 5))
    pending = tuple(Trial(inputs=one.inputs, status="pending", measures={}) for one in found)
    found += planner.suggest(problem, pending, 1, 5)
    assert [one.reason and one.reason.number for one in found] == [1, 2, 3]
    assert all(one.reason and not one.reason.expected for one in found)


def test_a_grid_point_has_its_number_in_the_grid() -> None:
    assert reason_of(GridPlanner(), LISTED, TRIALS[1:]).number == 1
    assert reason_of(GridPlanner(), LISTED, TRIALS[:1]).number == 2
    second = replace(TRIALS[0], inputs={"heat_c": 20.0, "solvent": "toluene"})
    assert reason_of(GridPlanner(), LISTED, (second, TRIALS[0])).number == 3


def test_what_a_run_costs_lessens_the_acquisition() -> None:
    reason = Reason(log_gain=-1.0, log_feasible=-0.5, log_cost=2.0)
    assert reason.acquisition == -3.5
    assert Reason(log_feasible=-0.5).acquisition is None


@pytest.mark.parametrize(
    "reason,fault",
    [
        (SOUND, None),
        (Reason(), None),
        (replace(SOUND, log_gain=math.nan), "gives nan as log_gain"),
        (replace(SOUND, log_cost=math.inf), "gives inf as log_cost"),
        (replace(SOUND, surrogates={"yield": {"process": math.nan}}), "weight of process"),
        (
            replace(SOUND, expected={"yield": Expected(median=0.0, low=1.0, high=2.0)}),
            "expects yield as 0.0 between 1.0 and 2.0",
        ),
        (
            replace(SOUND, nearest=(replace(SOUND.nearest[0], measures={"yield": math.inf}),)),
            "gives inf as yield",
        ),
    ],
)
def test_an_answer_whose_reason_is_nonsense_is_refused(reason: Reason, fault: str | None) -> None:
    point = Suggestion(inputs=POINTS[0], origin="x", predicted={}, reason=reason)
    found = violations(LISTED, (point,), 1, ())
    assert (fault or "") in "; ".join(found)
    assert bool(found) is (fault is not None)


def test_both_planners_begin_at_the_same_far_points_of_a_list() -> None:
    begun = [
        planner.suggest(LISTED, TRIALS[:1], 2, 5) for planner in (AxPlanner(), EnsemblePlanner())
    ]
    ax, ours = ([dict(one.inputs) for one in found] for found in begun)
    assert ax == ours, "seed 5"
