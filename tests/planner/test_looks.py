"""What a cheaper fidelity is worth: runs of it are paid for, and only the target counts."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from sdl.model.campaign import ChoiceParameter, Objective, RangeParameter
from sdl.model.costs import Fidelity
from sdl.model.data import Inputs, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.reason import Look
from sdl.model.space import violations
from sdl.planner.mixture import EnsemblePlanner

LEVELS = tuple(range(12))
ASSAY = Fidelity(input="assay", target="full", costs={"quick": 1.0, "full": 10.0})
PROBLEM = Problem(
    space=(
        ChoiceParameter(name="acid", options=LEVELS),
        ChoiceParameter(name="base", options=LEVELS),
        ChoiceParameter(name="assay", options=("quick", "full")),
    ),
    objective=Objective(measure="yield", goal="maximise"),
    fidelity=ASSAY,
)
PLACES = list(itertools.product(LEVELS, LEVELS))
BUDGET = 400.0
"""In which every campaign here finds what it seeks, or counts as if it had then."""


def surface(seed: int) -> np.ndarray:
    """Yields (12, 12) with several hills, about 0 and 1 wide."""
    chance = np.random.default_rng([seed, 77])
    acid, base = np.meshgrid(LEVELS, LEVELS, indexing="ij")
    total = np.zeros((12, 12))
    for _ in range(9):
        at, height = chance.uniform(0, 11, size=2), chance.normal()
        total += height * np.exp(-((acid - at[0]) ** 2 + (base - at[1]) ** 2) / 8.0)
    return np.asarray((total - total.mean()) / total.std())


def quick_look(seed: int, *, tells: bool) -> np.ndarray:
    """What the quick assay shows: the yields and an error of its own, or those of another."""
    if tells:
        return np.asarray(0.8 * surface(seed) + 0.25 * surface(seed + 1000) + 3.0)
    return surface(seed + 2000)


def spent(seed: int, problem: Problem, quick: np.ndarray) -> tuple[float, list[str]]:
    """What it costs to measure one of the two best at the target, and the assays in order."""
    full = surface(seed)
    good = np.sort(full.ravel())[-2]
    trials: tuple[Trial, ...] = ()
    total, order = 0.0, []
    while total < BUDGET:
        (one,) = EnsemblePlanner().suggest(problem, trials, 1, seed)
        assay = str(one.inputs["assay"])
        place = int(one.inputs["acid"]), int(one.inputs["base"])
        value = float((full if assay == "full" else quick)[place])
        total += ASSAY.costs[assay]
        order.append(assay)
        if assay == "full" and value >= good:
            break
        new = Trial(inputs=one.inputs, status="measured", measures={"yield": value})
        trials = (*trials, new)
    return total, order


TARGET_ONLY = replace(
    PROBLEM,
    fidelity=None,
    space=(*PROBLEM.space[:2], ChoiceParameter(name="assay", options=("full",))),
)
SEEDS = range(10, 22)


@cache
def costs_alone() -> list[float]:
    """What each campaign costs that has the target only."""
    return [spent(seed, TARGET_ONLY, surface(seed))[0] for seed in SEEDS]


def test_a_telling_assay_at_a_tenth_of_the_cost_saves_a_third_of_all_costs() -> None:
    alone = costs_alone()
    helped = [spent(seed, PROBLEM, quick_look(seed, tells=True))[0] for seed in SEEDS]
    assert sum(helped) < 0.67 * sum(alone), f"seeds {SEEDS}: {helped} against {alone}"


def test_an_assay_that_tells_nothing_costs_little_and_is_dropped() -> None:
    alone = costs_alone()
    misled = [spent(seed, PROBLEM, quick_look(seed, tells=False))[0] for seed in SEEDS]
    assert sum(misled) < 1.25 * sum(alone), f"seeds {SEEDS}: {misled} against {alone}"


def trial(assay: str, place: tuple[int, int], value: float | None) -> Trial:
    inputs: Inputs = {"acid": place[0], "base": place[1], "assay": assay}
    if value is None:
        return Trial(inputs=inputs, status="pending", measures={})
    return Trial(inputs=inputs, status="measured", measures={"yield": value})


def known(seed: int) -> tuple[Trial, ...]:
    """Twenty quick runs, and four at the target."""
    order = [PLACES[at] for at in np.random.default_rng(seed).permutation(len(PLACES))]
    quick, full = quick_look(seed, tells=True), surface(seed)
    looks = [trial("quick", place, float(quick[place])) for place in order[:20]]
    return (*looks, *(trial("full", place, float(full[place])) for place in order[18:22]))


def reasoned(problem: Problem, trials: tuple[Trial, ...], count: int) -> tuple[Suggestion, ...]:
    found = EnsemblePlanner().suggest(problem, trials, count, 0)
    assert not violations(problem, found, count, trials)
    assert all(look(one).option == one.inputs["assay"] for one in found)
    return found


def look(one: Suggestion) -> Look:
    """Which each suggestion of a campaign with fidelities has."""
    assert one.reason is not None
    assert one.reason.look is not None
    return one.reason.look


def test_openings_of_a_cheaper_assay_cost_one_run_at_the_target() -> None:
    found = reasoned(PROBLEM, (), 12)
    assert [one.inputs["assay"] for one in found] == ["quick"] * 10 + ["full"] * 2
    assert [look(one).why for one in found] == ["opening"] * 10 + ["target"] * 2


def test_an_assay_that_costs_half_as_much_is_not_opened() -> None:
    dear = replace(PROBLEM, fidelity=replace(ASSAY, costs={"quick": 5.0, "full": 10.0}))
    assert {one.inputs["assay"] for one in reasoned(dear, (), 4)} == {"full"}


@pytest.mark.parametrize("seed", range(3))
def test_quick_runs_cost_no_more_than_one_at_the_target_before_the_next_of_it(seed: int) -> None:
    found = reasoned(PROBLEM, known(seed), 24)
    row = 0.0
    for one in found:
        assay = str(one.inputs["assay"])
        row = 0.0 if assay == "full" else row + ASSAY.costs[assay]
        assert row <= ASSAY.costs["full"], f"seed {seed}"


def test_a_quick_run_says_what_it_tells_and_foretells_no_measurement() -> None:
    every = [one for seed in range(3) for one in reasoned(PROBLEM, known(seed), 6)]
    quick = [one for one in every if one.inputs["assay"] == "quick"]
    assert quick
    for one in quick:
        assert look(one).why == "pays"
        assert 0.1 < look(one).tells <= 1.0, "a tenth of the cost has to tell a tenth at least"
        assert look(one).weight >= 0.5
        assert not one.predicted
        assert one.reason is not None
        assert one.reason.log_cost == math.log(ASSAY.costs["quick"])


def test_the_point_of_a_quick_run_under_way_waits_for_its_result() -> None:
    trials = known(1)
    (best,) = reasoned(PROBLEM, trials, 1)
    place = int(best.inputs["acid"]), int(best.inputs["base"])
    flying = (*trials, trial("quick", place, None))
    for one in reasoned(PROBLEM, flying, 4):
        assert (one.inputs["acid"], one.inputs["base"]) != place


def test_what_is_left_over_comes_last_and_says_so() -> None:
    trials = tuple(trial("full", place, float(sum(place))) for place in PLACES)
    (one,) = reasoned(PROBLEM, trials, 1)
    assert one.inputs["assay"] == "quick"
    cheap = tuple(trial("quick", place, float(place[0])) for place in PLACES[:10])
    (last,) = reasoned(PROBLEM, (*cheap, *trials), 1)
    assert look(last).why == "left over"


def test_real_inputs_are_looked_at_by_a_cheaper_fidelity_too() -> None:
    dose = RangeParameter(name="acid", low=0.0, high=11.0)
    problem = replace(PROBLEM, space=(dose, *PROBLEM.space[1:]))
    found = reasoned(problem, known(1), 3)
    assert len(found) == 3
