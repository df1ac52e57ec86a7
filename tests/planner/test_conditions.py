"""Inputs that are searched only at some values of others: what is one point, and what is found."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import numpy as np
import pytest

from sdl.errors import PlannerFault
from sdl.model.campaign import (
    ChoiceParameter,
    Condition,
    LinearConstraint,
    Objective,
    Parameter,
    RangeParameter,
)
from sdl.model.data import Inputs, Suggestion, Trial
from sdl.model.descriptors import Descriptors
from sdl.model.planning import Problem
from sdl.model.rival import Rival
from sdl.model.space import feasible, fits, grid_points, is_enumerable, named, point, settled, size
from sdl.planner.chance import RandomPlanner
from sdl.planner.contract import Planner
from sdl.planner.listing import listed, made_of
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.neighbours import neighbours
from sdl.planner.sample import candidates

AIM = Objective(measure="yield", goal="maximise")
CATALYST = ChoiceParameter(name="catalyst", options=("none", "acid", "metal"))
LOADING = RangeParameter(
    name="loading_mol",
    low=0.01,
    high=10.0,
    log=True,
    only_if=(Condition(input="catalyst", values=("acid", "metal")),),
    otherwise=0,
)
LIGAND = RangeParameter(
    name="ligand_ratio",
    low=0.5,
    high=4.0,
    only_if=(Condition(input="catalyst", values=("metal",)),),
    otherwise=0,
)
HEAT = RangeParameter(name="heat_c", low=20, high=100)
REACTION = Problem(space=(CATALYST, LOADING, LIGAND, HEAT), objective=AIM)


def on_levels(parameter: Parameter, *options: float) -> ChoiceParameter:
    return ChoiceParameter(
        name=parameter.name,
        options=options,
        only_if=parameter.only_if,
        otherwise=parameter.otherwise,
    )


LISTED = replace(
    REACTION,
    space=(CATALYST, on_levels(LOADING, 0.1, 1), on_levels(LIGAND, 1, 2), on_levels(HEAT, 20, 60)),
)
"""14 points: 2 without a catalyst, 4 with the acid, 8 with the metal."""


def yield_of(inputs: Inputs) -> float:
    """Best with the metal, 1 mol of it, twice as much ligand, at 70 degrees: 90."""
    heat = -((float(inputs["heat_c"]) - 70.0) ** 2) / 100.0
    if inputs["catalyst"] == "none":
        return 40.0 + heat
    away = -8.0 * math.log10(float(inputs["loading_mol"])) ** 2
    if inputs["catalyst"] == "acid":
        return 60.0 + heat + away
    return 90.0 + heat + away - 8.0 * (float(inputs["ligand_ratio"]) - 2.0) ** 2


def played(
    planner: Planner,
    problem: Problem,
    runs: int,
    seed: int,
    worth: Callable[[Inputs], float] = yield_of,
) -> list[Trial]:
    """What a campaign of so many runs has measured; fewer if the planner knows no further point."""
    trials: tuple[Trial, ...] = ()
    while len(trials) < runs:
        try:
            (found,) = planner.suggest(problem, trials, 1, seed)
        except PlannerFault:
            break
        measures = {"yield": worth(found.inputs)}
        trials += (Trial(inputs=found.inputs, status="measured", measures=measures),)
    return list(trials)


def test_points_that_differ_in_nothing_that_is_searched_are_one() -> None:
    every = list(grid_points(LISTED))
    assert len(set(every)) == len(every) == size(LISTED) == 14
    product = itertools.product(("none", "acid", "metal"), (0.1, 1), (1, 2), (20, 60))
    assert every == list(dict.fromkeys(settled(LISTED.space, values) for values in product))
    assert listed(LISTED).count == listed(LISTED).first.sum() == 14


def test_a_mixture_beside_conditions_is_listed_in_the_order_of_its_levels() -> None:
    share = tuple(place / 4 for place in range(5))
    parts = tuple(ChoiceParameter(name=name, options=share) for name in ("base", "salt"))
    acid = replace(on_levels(LIGAND, 1, 2), only_if=(Condition(input="base", values=(0.5,)),))
    whole = LinearConstraint(weights={"base": 1.0, "salt": 1.0}, at_least=1.0, at_most=1.0)
    problem = Problem(space=(*parts, acid), objective=AIM, constraints=(whole,))
    assert list(grid_points(problem)) == [
        (0.0, 1.0, 0), (0.25, 0.75, 0), (0.5, 0.5, 1), (0.5, 0.5, 2), (0.75, 0.25, 0), (1.0, 0.0, 0)
    ]  # fmt: skip
    assert size(problem) == 6


def test_a_space_of_which_little_is_searched_at_a_time_is_listed() -> None:
    """Of ten ways of work each has three levels of its own: 590,490 combinations, 30 points."""
    way = ChoiceParameter(name="way", options=tuple(f"way {place}" for place in range(10)))
    own = tuple(
        ChoiceParameter(
            name=f"dose_{place}",
            options=(1, 2, 3),
            only_if=(Condition(input="way", values=(f"way {place}",)),),
            otherwise=0,
        )
        for place in range(10)
    )
    problem = Problem(space=(way, *own), objective=AIM)
    assert size(problem) == 30
    assert is_enumerable(problem)
    found = EnsemblePlanner().suggest(problem, (), 30, 0)
    assert len({point(problem.space, one.inputs) for one in found}) == 30


@pytest.mark.parametrize("seed", range(2))
def test_a_campaign_tries_each_point_once_until_none_is_left(seed: int) -> None:
    trials = played(EnsemblePlanner(), LISTED, 20, seed)
    tried = [point(LISTED.space, one.inputs) for one in trials]
    assert sorted(tried, key=str) == sorted(grid_points(LISTED), key=str), f"seed {seed}"


def test_what_is_pending_is_not_suggested_with_other_values_of_what_rests() -> None:
    space = (CATALYST, LOADING, LIGAND)
    problem = replace(REACTION, space=space)
    none: Inputs = {"catalyst": "none", "loading_mol": 0.0, "ligand_ratio": 0.0}
    trials = (
        Trial(inputs=none, status="pending", measures={}),
        *played(EnsemblePlanner(), problem, 3, 1, lambda _: 1.0)[1:],
    )
    found = EnsemblePlanner().suggest(problem, trials, 6, 1)
    assert all(one.inputs["catalyst"] != "none" for one in found)
    assert all(fits(space, one.inputs) for one in found)


@pytest.mark.parametrize("beside", ["measured", "failed"])
def test_in_an_endless_space_a_point_at_which_all_rests_comes_once(beside: str) -> None:
    problem = replace(REACTION, space=(CATALYST, LOADING))
    measured = played(EnsemblePlanner(), problem, 4, 2, lambda _: 1.0)
    rest: Inputs = {"catalyst": "none", "loading_mol": 0}
    tried = (
        Trial(inputs=rest, status="measured", measures={"yield": 99.0})
        if beside == "measured"
        else Trial(inputs=rest, status="failed", measures={})
    )
    found = EnsemblePlanner().suggest(problem, (*measured, tried), 5, 2)
    assert len({point(problem.space, one.inputs) for one in found}) == 5
    assert all(one.inputs["catalyst"] != "none" for one in found)


def test_where_an_input_rests_its_value_there_stands_for_it() -> None:
    """Outside the range it lies a little beyond the nearer end, whatever it is."""
    points = [("none", 0, 0, 60), ("metal", 0.01, 0.5, 60), ("metal", 10.0, 4.0, 60)]
    every = made_of(REACTION, points)
    loading, ligand = every.coded.value[:, 0], every.coded.value[:, 1]
    np.testing.assert_allclose(loading, [-0.1, 0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(ligand, [-0.1, 0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(every.decoded("loading_mol", every.coded), [0.0, 0.01, 10.0])


def test_a_value_within_the_range_or_above_it_stands_where_it_is() -> None:
    for rests, place in ((2.25, 0.5), (99, 1.1)):
        problem = replace(REACTION, space=(CATALYST, replace(LIGAND, otherwise=rests)))
        every = made_of(problem, [("none", rests), ("metal", 0.5), ("metal", 4.0)])
        np.testing.assert_allclose(every.coded.value[:, 0], [place, 0.0, 1.0])
        np.testing.assert_allclose(
            every.decoded("ligand_ratio", every.coded), [float(rests), 0.5, 4.0]
        )


def test_of_an_input_with_one_level_the_model_sees_whether_it_is_there() -> None:
    problem = replace(REACTION, space=(CATALYST, on_levels(LIGAND, 2)))
    every = listed(problem)
    assert every.decoded("ligand_ratio", every.coded).tolist() == [0.0, 0.0, 2.0]


def test_descriptors_say_nothing_of_what_is_not_there() -> None:
    told = Descriptors(names=("size",), rows=((1.0,), (2.0,), (6.0,)), source="by hand")
    ligand = ChoiceParameter(
        name="ligand",
        options=("a", "b", "c"),
        descriptors=told,
        only_if=LIGAND.only_if,
        otherwise="-",
    )
    problem = replace(REACTION, space=(CATALYST, ligand))
    _, axis = listed(problem).axes.names
    places = {name: row[0] for name, row in zip(axis.options, axis.components, strict=True)}
    assert places["-"] == pytest.approx((places["a"] + places["b"] + places["c"]) / 3)
    trials = tuple(played(RandomPlanner(), problem, 3, 1, len))
    (found,) = EnsemblePlanner().suggest(problem, trials, 1, 1)
    assert fits(problem.space, found.inputs)


@pytest.mark.parametrize("seed", range(3))
def test_variants_and_neighbours_of_a_point_rest_and_are_searched_as_they_should(seed: int) -> None:
    limit = LinearConstraint(weights={"loading_mol": 1.0, "ligand_ratio": 1.0}, at_most=8.0)
    problem = replace(REACTION, constraints=(limit,))
    trials = played(RandomPlanner(), problem, 6, seed)
    for values in candidates(problem, trials, seed):
        inputs = named(problem.space, values)
        assert fits(problem.space, inputs), f"seed {seed}"
        assert feasible(problem, inputs), f"seed {seed}"
    chance = random.Random(seed)
    for centre, moving in (
        (("none", 0, 0, 60.0), {3}),
        (("acid", 1.0, 0, 60.0), {1, 3}),
        (("metal", 1.0, 2.0, 60.0), {1, 2, 3}),
    ):
        near = list(neighbours(problem, centre, 0.1, chance))
        moved = {at for one in near for at in range(4) if one[at] != centre[at]}
        assert moved == moving, f"seed {seed}"


def test_a_limit_on_an_input_that_rests_counts_its_value_there() -> None:
    limit = LinearConstraint(weights={"loading_mol": 1.0}, at_most=0.005)
    problem = replace(LISTED, constraints=(limit,))
    assert {values[0] for values in grid_points(problem)} == {"none"}


def test_rivals_predict_with_the_value_where_an_input_rests() -> None:
    """They differ most where there is no ligand at all."""
    problem = replace(
        REACTION,
        space=(CATALYST, LIGAND),
        objective=Objective(measure="yield", goal="discriminate"),
        rivals=(
            Rival(name="bound", predicts="exp(-9 * ligand_ratio)", sd=0.05),
            Rival(name="free", predicts="0 * ligand_ratio", sd=0.05),
        ),
    )
    (found,) = EnsemblePlanner().suggest(problem, (), 1, 0)
    assert found.inputs["ligand_ratio"] == 0


def test_conditions_are_searched_far_better_than_by_chance() -> None:
    def regret(planner: Planner, seed: int) -> float:
        trials = played(planner, REACTION, 16, seed)
        return 90.0 - max(one.measures["yield"] for one in trials)

    seeds = range(3)
    ours = mean(regret(EnsemblePlanner(), seed) for seed in seeds)
    theirs = mean(regret(RandomPlanner(), seed) for seed in seeds)
    assert ours < 0.25 * theirs, f"seeds {seeds}: {ours:.2f} and {theirs:.2f}"


def test_the_same_question_gives_the_same_bytes() -> None:
    trials = tuple(played(RandomPlanner(), REACTION, 6, 4))

    def asked() -> tuple[Suggestion, ...]:
        return EnsemblePlanner().suggest(REACTION, trials, 3, 4)

    first = asked()
    EnsemblePlanner().suggest(REACTION, trials[::-1], 1, 4)
    assert asked() == first
