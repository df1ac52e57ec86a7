"""What a table of descriptors tells a model of options, and what a table of noise costs it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from sdl.errors import PlannerFault
from sdl.model.campaign import ChoiceParameter, Objective
from sdl.model.descriptors import Descriptors
from sdl.model.planning import Problem, asked_of
from sdl.planner.axes import Axes, Axis, Coded, Codes, Floats
from sdl.planner.bench import factory
from sdl.planner.components import components, with_descriptors
from sdl.planner.ensemble import Evidence, Learner
from sdl.planner.hyper import Hyper, Prior
from sdl.planner.listing import listed
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.process import CONSTANT, VARIANCE, covariance, kernel

LIGANDS = tuple(f"L{place:02}" for place in range(20))
BASES = ("a", "b", "c")
PLAIN = Axes((), (Axis(name="base", options=BASES), Axis(name="ligand", options=LIGANDS)))
PAIRS = list(itertools.product(BASES, LIGANDS))
POINTS = PLAIN.coded({"base": [b for b, _ in PAIRS], "ligand": [one for _, one in PAIRS]}, 60)


def _table(seed: int) -> Floats:
    """Two descriptors that matter and two that do not."""
    return np.random.default_rng(seed).standard_normal((len(LIGANDS), 4))


def _axes(table: Floats) -> Axes:
    rows = {one: tuple(row) for one, row in zip(LIGANDS, table.tolist(), strict=True)}
    return with_descriptors(PLAIN, {"ligand": rows})


def _yields(table: Floats) -> Floats:
    bend = np.cos(table[:, 0]) + np.sin(0.8 * table[:, 1])
    return np.concatenate([bend, 0.8 * bend + 0.3, 1.1 * bend - 0.2])


def _error(axes: Axes, values: Floats, measured: Codes, seed: int) -> float:
    """Mean square of what the model is out by where nothing was measured, times the variance."""
    rest = np.setdiff1d(np.arange(len(values)), measured)
    evidence = Evidence(POINTS.take(measured), values[measured])
    found = Learner(axes, seed).ensemble(evidence)
    outputs, _ = found.processes.posterior(POINTS.take(rest))
    told = found.backs[0].value(outputs.mean(axis=0))
    return float(np.mean((told - values[rest]) ** 2) / np.var(values))


def _drawn(axes: Axes, seed: int, count: int = 4) -> Hyper:
    prior = Prior(axes)
    return prior.hyper(np.random.default_rng(seed).standard_normal((count, prior.size)))


def test_components_are_equally_wide_and_options_one_apart_on_average() -> None:
    table = _table(1) * [1.0, 100.0, 1e-3, 1.0] + [0.0, 1e4, 0.0, 0.0]
    found: Floats = np.array(components(table.tolist()))
    apart = ((found[:, None] - found) ** 2).sum(axis=2)
    assert apart[np.triu_indices(len(LIGANDS), 1)].mean() == pytest.approx(1.0)
    assert np.ptp(found.std(axis=0)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_descriptors_that_have_nothing_in_common_have_a_component_each(seed: int) -> None:
    table = _table(seed)
    found: Floats = np.array(components(table.tolist()))
    alike = np.abs(np.corrcoef(found.T, table.T)[:4, 4:])
    assert (alike.max(axis=0) > 0.99).all(), f"seed {seed}"
    assert sorted(alike.argmax(axis=0)) == [0, 1, 2, 3], f"seed {seed}"


def test_a_descriptor_that_is_told_twice_counts_once_and_a_constant_one_not_at_all() -> None:
    one = np.random.default_rng(2).standard_normal((8, 1))
    found: Floats = np.array(
        components(np.hstack([one, -3.0 * one + 5.0, np.full((8, 1), 0.1)]).tolist())
    )
    assert found.shape == (8, 1)
    assert abs(np.corrcoef(found[:, 0], one[:, 0])[0, 1]) == pytest.approx(1.0)
    assert components([(2.0, 0.1)] * 3) == ()


def test_options_without_descriptors_leave_the_draws_as_they_are() -> None:
    constant = with_descriptors(PLAIN, {"ligand": dict.fromkeys(LIGANDS, (7.0,))})
    assert constant == PLAIN
    assert Prior(_axes(_table(1))).size == Prior(PLAIN).size + 2 + 4
    assert _drawn(PLAIN, 3).described is None


@pytest.mark.parametrize("seed", range(3))
def test_covariances_are_those_of_the_long_way_round(seed: int) -> None:
    axes = _axes(_table(seed))
    hyper, some = _drawn(axes, seed), POINTS.take(np.array([0, 7, 25, 41, 59]))
    found = kernel(hyper, POINTS, some)
    for at, one in itertools.product(range(len(POINTS)), range(len(some))):
        expected = _long(axes, hyper, POINTS.take(np.array([at])), some.take(np.array([one])))
        assert found[:, at, one] == pytest.approx(expected, abs=1e-6), f"seed {seed}"


def _long(axes: Axes, hyper: Hyper, here: Coded, there: Coded) -> Floats:
    by = hyper.described
    assert by is not None
    (base, ligand), (other_base, other_ligand) = here.code[0], there.code[0]
    table = np.array(axes.names[1].components)
    step = table[ligand - len(BASES)] - table[other_ligand - len(BASES)]
    far = ((by.inverse * step) ** 2).sum(axis=1)
    (share,) = by.share.T
    squared = share * far
    for one, two in ((base, other_base), (ligand, other_ligand)):
        squared = squared + (one != two) * (hyper.option[:, one] + hyper.option[:, two])
    alike = (1.0 - share) * (ligand == other_ligand) + share * _matern(far)
    effects = hyper.effect[:, base] * (base == other_base) + hyper.effect[:, ligand] * alike
    return np.asarray((1.0 - hyper.blend) * _matern(squared) + hyper.blend * effects + CONSTANT)


def _matern(squared: Floats) -> Floats:
    far = np.sqrt(5.0 * squared)
    return np.asarray((1.0 + far + far**2 / 3.0) * np.exp(-far))


@pytest.mark.parametrize("seed", range(3))
def test_the_variance_is_that_of_names_and_no_covariance_is_impossible(seed: int) -> None:
    hyper = _drawn(_axes(_table(seed)), seed)
    found = covariance(hyper, POINTS)
    assert np.diagonal(found, axis1=1, axis2=2) == pytest.approx(
        np.broadcast_to(VARIANCE + hyper.noise[:, None], (4, len(POINTS)))
    )
    assert (np.linalg.eigvalsh(found) > 0.0).all(), f"seed {seed}"


def test_a_table_that_tells_of_the_yield_lessens_the_error_and_noise_costs_little() -> None:
    plain, told, shuffled = [], [], []
    for seed in range(4):
        table, chance = _table(seed), np.random.default_rng(seed + 50)
        values, measured = _yields(table), np.sort(chance.permutation(60)[:20])
        plain.append(_error(PLAIN, values, measured, seed))
        told.append(_error(_axes(table), values, measured, seed))
        shuffled.append(_error(_axes(chance.permutation(table)), values, measured, seed))
    said = f"{np.mean(plain):.3f} without, {np.mean(told):.3f} with, {np.mean(shuffled):.3f} noise"
    assert np.mean(told) < 0.8 * np.mean(plain), said
    assert np.mean(shuffled) < 1.1 * np.mean(plain), said


def _ligand() -> ChoiceParameter:
    said = Descriptors(names=("pka",), rows=((3.0,), (1.0,), (2.0,)), source="by hand")
    return ChoiceParameter(name="ligand", options=("L3", "L1", "L2"), descriptors=said)


def test_a_campaigns_table_goes_by_option_and_not_by_place() -> None:
    problem = Problem(space=(_ligand(),), objective=Objective(measure="y", goal="maximise"))
    (axis,) = listed(problem).axes.names
    assert axis.options == ("L1", "L2", "L3")
    one, two, three = (row[0] for row in axis.components)
    assert two - one == pytest.approx(three - two)
    assert asked_of(problem) >= {"descriptors"}
    assert asked_of(problem) <= EnsemblePlanner().abilities()
    bare = replace(problem, space=(replace(_ligand(), descriptors=None),))
    assert listed(bare).axes.names == (replace(axis, components=()),)


def test_a_space_for_the_benchmark_says_where_a_descriptor_is_missing() -> None:
    space = {
        "parameters": [
            {
                "name": "base",
                "type": "categorical",
                "options": ["a", "b"],
                "descriptors": {"a": {"pka": 3.0, "size": 1.0}, "b": {"pka": 4.0}},
            }
        ],
        "objectives": [{"name": "yield", "goal": "maximize"}],
    }
    with pytest.raises(PlannerFault, match="the descriptors of base are not all numbers at b"):
        factory(space, None, 1)
