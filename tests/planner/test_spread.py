"""Start points: far apart in a lattice, amid the others where a list has clumps and outliers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sdl.model.campaign import Objective
from sdl.model.planning import Problem
from sdl.planner.axes import Floats
from sdl.planner.candidates import Candidates, listed
from sdl.planner.proposals import Campaign
from sdl.planner.spread import START, amid, are_clumped

SEEDS = range(5)
MOST = Problem(space=(), objective=Objective(measure="y", goal="maximise"))


def _list(rows: Floats) -> Candidates:
    columns = dict(zip("abcdef"[: rows.shape[1]], rows.T.tolist(), strict=True))
    return listed(columns, [], [])


def _clumps(seed: int) -> Candidates:
    """Sixty points in two clumps, and the eight corners of the cube far from both."""
    chance = np.random.default_rng(seed)
    centres = np.repeat([[0.3, 0.3, 0.4], [0.7, 0.6, 0.5]], 30, axis=0)
    corners = np.array(list(itertools.product((0.0, 1.0), repeat=3)))
    return _list(np.concatenate([centres + chance.normal(0.0, 0.03, (60, 3)), corners]))


def test_lattices_and_points_strewn_by_chance_are_no_clumps() -> None:
    lattice = np.array(list(itertools.product(range(4), range(3), range(9))), dtype=float)
    assert not are_clumped(_list(lattice).coded)
    for seed in SEEDS:
        for inputs in (2, 3, 6):
            strewn = np.random.default_rng(seed).random((150, inputs))
            assert not are_clumped(_list(strewn).coded), f"seed {seed}, {inputs} inputs"


def test_a_list_of_one_point_or_two_is_no_clump() -> None:
    assert not are_clumped(_list(np.array([[1.0, 2.0]])).coded)
    assert not are_clumped(_list(np.array([[1.0, 2.0], [3.0, 2.0]])).coded)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_start_in_a_list_with_clumps_is_amid_each_of_them(seed: int) -> None:
    every = _clumps(seed)
    assert every.clumped, f"seed {seed}"
    found = Campaign(MOST, every, seed).proposals([], [], START)
    assert {one.origin for one in found} == {"medoid"}
    places = [every.places[tuple(one.inputs[name] for name in "abc")][0] for one in found]
    assert {0, 1} <= {place // 30 for place in places}, f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_medoids_are_free_and_different_however_many_are_wanted(seed: int) -> None:
    every, chance = _clumps(seed), np.random.default_rng(seed)
    free = chance.random(68) < 0.5
    taken = every.coded.take(np.flatnonzero(~free))
    found = amid(every.coded, free, taken, 68, chance)
    assert sorted(found) == np.flatnonzero(free).tolist(), f"seed {seed}"


def test_of_a_long_list_some_stand_for_all() -> None:
    rows = np.random.default_rng(3).random((3_000, 2))
    every = _list(rows)
    chance = np.random.default_rng(0)
    found = amid(every.coded, np.ones(3_000, dtype=bool), every.coded.take(slice(0)), 1_200, chance)
    assert len(set(found)) == 1_200
