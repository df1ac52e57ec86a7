"""Closed forms of the process against the long way round."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from scipy.integrate import quad  # type: ignore[import-untyped]
from scipy.stats import multivariate_normal, norm  # type: ignore[import-untyped]

from sdl.planner.axes import joined
from sdl.planner.hyper import Hyper
from sdl.planner.improvement import log_approach, log_improvement
from sdl.planner.process import (
    VARIANCE,
    Conditioning,
    Processes,
    covariance,
    kernel,
    level,
    log_likelihood,
    variance,
)
from tests.planner.points import drawn, hyper, outputs, tied

SEEDS = range(5)
Draw: TypeAlias = Callable[[int, int], Hyper]


@pytest.mark.parametrize("of", [hyper, tied])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("noisy", [False, True])
def test_leaving_one_out_in_closed_form_equals_leaving_each_one_out(
    seed: int, of: Draw, *, noisy: bool
) -> None:
    points, count = drawn(9, seed), 9
    extra = np.random.default_rng(seed).choice([0.0, 4.0], (4, count)) if noisy else None
    processes = Processes(of(4, seed), points, outputs(4, count, seed), extra)
    off, variance = processes.left_out
    for out in range(count):
        rest = np.delete(np.arange(count), out)
        more = None if extra is None else extra[:, rest]
        others = Processes(processes.hyper, points.take(rest), processes.outputs[:, rest], more)
        mean, known = others.posterior(points.take(slice(out, out + 1)))
        expected = processes.outputs[:, out] - mean[:, 0]
        assert off[:, out] == pytest.approx(expected, rel=1e-6, abs=1e-6), f"seed {seed}"
        sure = known[:, 0] + processes.hyper.noise
        assert variance[:, out] == pytest.approx(sure, rel=1e-6, abs=1e-6), f"seed {seed}"


@pytest.mark.parametrize("of", [hyper, tied])
@pytest.mark.parametrize("seed", SEEDS)
def test_pending_points_count_as_if_they_had_given_what_is_believed_of_them(
    seed: int, of: Draw
) -> None:
    points, candidates = drawn(8, seed), drawn(30, seed + 100)
    processes = Processes(of(4, seed), points, outputs(4, 8, seed))
    best = np.array([1, 3, 0, 7])
    state = Conditioning(processes, candidates, 3, best)
    for place in (4, 17, 9):
        state.add(place)
    pending = candidates.take(np.array([4, 17, 9]))
    believed = processes.posterior(pending)[0]
    again = Processes(
        processes.hyper,
        joined([points, pending]),
        np.concatenate([processes.outputs, believed], axis=1),
    )
    mean, variance = again.posterior(candidates)
    assert state.mean == pytest.approx(mean, abs=1e-7), f"seed {seed}"
    assert state.variance == pytest.approx(variance, abs=1e-7), f"seed {seed}"
    # The difference of two points is twice their covariance short of the sum of their variances.
    every = joined([candidates, points])
    prior = kernel(again.hyper, every, every)
    cross = kernel(again.hyper, every, again.points)
    whole = prior - cross @ again.inverse @ cross.transpose(0, 2, 1)
    for process, place in enumerate(best + 30):
        own = np.diagonal(whole[process])
        expected = own[:30] + own[place] - 2.0 * whole[process, :30, place]
        assert state.gap[process] == pytest.approx(expected, abs=1e-6), f"seed {seed}"


@pytest.mark.parametrize("of", [hyper, tied])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_likelihood_is_that_of_a_normal_distribution(seed: int, of: Draw) -> None:
    points, values, drawn_hyper = drawn(7, seed), outputs(3, 7, seed), of(3, seed)
    matrices, means = covariance(drawn_hyper, points), level(drawn_hyper, points)
    expected = [
        multivariate_normal.logpdf(y, mean=m, cov=k) + 3.5 * np.log(2.0 * np.pi)
        for y, m, k in zip(values, means, matrices, strict=True)
    ]
    assert log_likelihood(drawn_hyper, points, values) == pytest.approx(expected, rel=1e-6)


def test_a_kernel_does_not_depend_on_which_side_a_point_stands() -> None:
    one, other, drawn_hyper = drawn(6, 1), drawn(5, 2), tied(4, 3)
    there, back = kernel(drawn_hyper, one, other), kernel(drawn_hyper, other, one)
    assert there == pytest.approx(back.transpose(0, 2, 1), abs=1e-12)


def test_what_a_source_explains_and_the_rest_make_up_the_variance_of_two_tied_tasks() -> None:
    points, drawn_hyper = drawn(6, 1), tied(4, 3)
    ties = drawn_hyper.ties
    assert ties is not None
    free = 1.0 - ties.strength[:, None] ** 2 * (ties.share @ points.known.T)
    expected = VARIANCE * ties.scale[:, None] ** 2 * free + ties.offset[:, None]
    assert variance(drawn_hyper, points) == pytest.approx(expected)
    whole = covariance(drawn_hyper, points)
    assert (np.linalg.eigvalsh(whole) > 0.0).all()
    alone = kernel(drawn_hyper.untied, points, points)[3] * ties.scale[3] ** 2
    beside = kernel(drawn_hyper, points, points)[3]
    assert beside == pytest.approx(alone), "one that follows none has its own scale, and no more"


@pytest.mark.parametrize("mean, sd, best", [(0.3, 0.5, 0.1), (-1.0, 0.7, 1.0), (0.0, 1.0, 4.0)])
def test_improvement_is_the_integral_that_it_stands_for(
    mean: float, sd: float, best: float
) -> None:
    expected, _ = quad(lambda y: (y - best) * norm.pdf(y, mean, sd), best, best + 12.0)
    found = log_improvement(np.array([mean]), np.array([sd]), np.array([best]))
    assert np.exp(found) == pytest.approx([expected], rel=1e-6)


def test_improvement_falls_without_end_far_below_the_best() -> None:
    away = -np.logspace(0.0, 8.0, 60)
    found = log_improvement(away, np.ones(60), np.zeros(1))
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0.0).all()


@pytest.mark.parametrize("mean, sd, reach", [(0.3, 0.5, 0.4), (-1.0, 0.7, 0.2)])
def test_approach_to_a_target_is_the_integral_that_it_stands_for(
    mean: float, sd: float, reach: float
) -> None:
    expected, _ = quad(lambda y: (reach - abs(y)) * norm.pdf(y, mean, sd), -reach, reach)
    found = log_approach(np.array([mean]), np.array([sd]), np.array([reach]), np.zeros(1))
    assert np.exp(found) == pytest.approx([expected], rel=1e-6)
