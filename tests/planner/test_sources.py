"""What earlier campaigns on something like it are worth to one that begins."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from sdl.model.campaign import ChoiceParameter, Objective
from sdl.model.data import Inputs, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.planner.axes import axes_of, columns_of
from sdl.planner.belief import Sense
from sdl.planner.ensemble import DRAWS, Evidence
from sdl.planner.feasible import Keeping, Limit
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.scale import Scale
from sdl.planner.sources import MOST, Source, Sources

OPTIONS = {
    "base": tuple(f"base {letter}" for letter in "abcdef"),
    "ligand": tuple(f"ligand {letter}" for letter in "abcde"),
    "salt": tuple(f"salt {letter}" for letter in "abcd"),
}
POINTS: list[Inputs] = [
    dict(zip(OPTIONS, row, strict=True)) for row in itertools.product(*OPTIONS.values())
]
PROBLEM = Problem(
    space=tuple(ChoiceParameter(name=name, options=each) for name, each in OPTIONS.items()),
    objective=Objective(measure="yield", goal="maximise"),
    hints=("earlier",),
)


def yields(seed: int) -> dict[int, float]:
    """By point, of a substrate: main effects and, for a third, what pairs add to them."""
    chance = np.random.default_rng([seed, 31])
    main = {option: chance.normal() for each in OPTIONS.values() for option in each}
    pair = {both: chance.normal() for both in itertools.product(OPTIONS["base"], OPTIONS["ligand"])}
    return {
        at: 40.0
        + 10.0 * sum(main[str(value)] for value in point.values())
        + 6.0 * pair[str(point["base"]), str(point["ligand"])]
        for at, point in enumerate(POINTS)
    }


def hints(values: Sequence[float], name: str = "earlier") -> tuple[Trial, ...]:
    """Every second point of a shuffled list, with these values."""
    order = np.random.default_rng(5).permutation(len(POINTS))[::2]
    return tuple(
        Trial(
            inputs=POINTS[at],
            status="measured",
            measures={"yield": values[at]},
            prior=name,
            is_hint=True,
        )
        for at in map(int, order)
    )


def played(
    here: Sequence[float], known: tuple[Trial, ...], budget: int, seed: int
) -> tuple[list[float], Suggestion]:
    """What a campaign measures, one at a time, and the suggestion after that."""
    problem = PROBLEM if known else replace(PROBLEM, hints=())
    trials = known
    found: list[float] = []
    while True:
        (next_,) = EnsemblePlanner().suggest(problem, trials, 1, seed)
        if len(found) == budget:
            return found, next_
        found.append(here[POINTS.index(dict(next_.inputs))])
        new = Trial(inputs=next_.inputs, status="measured", measures={"yield": found[-1]})
        trials = (*trials, new)


def firsts(values: Sequence[float], known: tuple[Trial, ...], seed: int) -> int:
    """Experiments until one of the three best, of 31 where 30 do not find it."""
    good = sorted(values)[-3]
    found, _ = played(values, known, 30, seed)
    return next((at for at, value in enumerate(found, start=1) if value >= good), 31)


def substrate(seed: int) -> list[float]:
    return list(yields(seed).values())


def test_a_source_guides_the_first_point_and_halves_the_experiments() -> None:
    """Another scale, another level and a disturbance of its own do not hide what is alike."""
    cold, warm = [], []
    for seed in (1, 5):
        here = substrate(seed)
        other = np.random.default_rng([seed, 77]).normal(size=len(here))
        there = [0.4 * value + 3.0 + 1.5 * o for value, o in zip(here, other, strict=True)]
        known = hints(there)
        (first,) = EnsemblePlanner().suggest(PROBLEM, known, 1, seed)
        assert first.origin == "sources"
        assert here[POINTS.index(dict(first.inputs))] > np.quantile(here, 0.8), f"seed {seed}"
        cold.append(firsts(here, (), seed))
        warm.append(firsts(here, known, seed))
    assert sum(warm) <= 0.5 * sum(cold), f"{warm} with, {cold} without"


def shares(here: Sequence[float], known: tuple[Trial, ...], count: int, seed: int) -> list[float]:
    """Weights of the models after so many measurements drawn by chance: without hints, with."""
    order = map(int, np.random.default_rng([seed, 3]).permutation(len(POINTS))[:count])
    own = tuple(
        Trial(inputs=POINTS[at], status="measured", measures={"yield": here[at]}) for at in order
    )
    (found,) = EnsemblePlanner().suggest(PROBLEM, (*known, *own), 1, seed)
    assert found.reason is not None
    return list(found.reason.surrogates["yield"].values())


def test_what_is_left_out_here_decides_whether_a_source_is_followed() -> None:
    """Half the weight is where nothing speaks for or against it."""
    true, untrue = [], []
    for seed in range(4):
        here = substrate(seed)
        true.append(shares(here, hints([0.4 * value + 3.0 for value in here]), 14, seed)[1])
        untrue.append(shares(here, hints(substrate(seed + 50)), 25, seed)[1])
    assert min(true) > 0.9, f"{true}"
    assert float(np.mean(untrue)) < 0.4, f"{untrue}"


def test_one_source_of_two_is_followed() -> None:
    here = substrate(1)
    known = (*hints(substrate(60), "else"), *hints([0.4 * value for value in here], "alike"))
    alone, other, alike, _ = shares(here, known, 14, 1)
    assert alike > 0.3
    assert alone + other < 0.1


def test_a_point_that_a_hint_has_measured_can_be_tried_and_no_point_comes_twice() -> None:
    here = substrate(2)
    known = hints(here)
    best = max(known, key=lambda trial: trial.measures["yield"])
    found = EnsemblePlanner().suggest(PROBLEM, known, 6, 1)
    assert dict(best.inputs) in [dict(one.inputs) for one in found]
    assert len({tuple(one.inputs.values()) for one in found}) == 6
    assert {one.origin for one in found} == {"sources"}
    again = EnsemblePlanner().suggest(PROBLEM, known, 6, 1)
    assert again == found


def test_where_hits_have_two_ends_most_of_the_first_points_are_between_them() -> None:
    within = []
    for seed in range(4):
        here = substrate(seed)
        low, high = np.quantile(here, [0.5, 0.7])
        hits = Objective(measure="yield", goal="hits", at_least=float(low), at_most=float(high))
        found = EnsemblePlanner().suggest(replace(PROBLEM, objective=hits), hints(here), 2, seed)
        values = [here[POINTS.index(dict(one.inputs))] for one in found]
        within += [low <= value <= high for value in values]
    assert sum(within) >= 6, f"{within}: a fifth of all points are"


def test_a_source_that_is_left_out_has_no_part_in_whether_a_limit_is_kept() -> None:
    columns = columns_of(POINTS, list(OPTIONS))
    axes = axes_of(columns, list(OPTIONS))
    coded, here = axes.coded(columns, len(POINTS)), np.array(substrate(1))
    sources = Sources.of(axes, {"yield": Sense()}, [Source("else", coded, {"yield": -here})])
    told = sources.told(coded)
    seen = np.random.default_rng(1).permutation(len(POINTS))[:12]
    both = sources.learner("yield", 1).ensemble(Evidence(told.take(seen), here[seen]))
    own = replace(both, weights=np.array([1.0, 0.0]))
    alone = replace(own.only(list(range(DRAWS))), weights=np.ones(1))
    limits = [Limit(one, 40.0, np.inf) for one in (both, own, alone)]
    chances = [Keeping([one], told, 0, 0).log_probability() for one in limits]
    # A part of the processes looks in single precision.
    assert chances[1] == pytest.approx(chances[2], rel=1e-3)
    assert chances[0] != pytest.approx(chances[2], rel=1e-3)


def test_hints_that_say_nothing_leave_all_as_without_them() -> None:
    (cold,) = EnsemblePlanner().suggest(replace(PROBLEM, hints=()), (), 1, 3)
    constant = hints([7.0] * len(POINTS))
    assert EnsemblePlanner().suggest(PROBLEM, constant, 1, 3) == (cold,)
    failed = tuple(replace(trial, status="failed", measures={}) for trial in constant)
    assert EnsemblePlanner().suggest(PROBLEM, failed, 1, 3) == (cold,)


@pytest.mark.parametrize("target", [False, True])
def test_values_keep_their_order_on_the_scale_of_the_sources(target: bool) -> None:
    scale = Scale.of_sources(np.array([3.0, -1.0, 8.0, 2.5, 2.5]), target=target)
    values = np.linspace(-4.0, 12.0, 50)
    outputs = scale.of(values)
    assert (np.diff(outputs) > 0.0).all()
    assert scale.back.value(outputs) == pytest.approx(values)
    if target:
        assert scale.of(np.zeros(1)) == pytest.approx([0.0])


def test_of_many_sources_the_largest_are_used_in_their_order() -> None:
    columns = columns_of(POINTS, list(OPTIONS))
    axes = axes_of(columns, list(OPTIONS))
    coded = axes.coded(columns, len(POINTS))
    sizes = (30, 5, 40, 20, 6, 50)
    given = [
        Source(str(size), coded.take(slice(size)), {"yield": np.arange(float(size))})
        for size in sizes
    ]
    kept = Sources.of(axes, {"yield": Sense()}, given).every
    assert [one.name for one in kept] == ["30", "40", "20", "50"]
    assert len(kept) == MOST
