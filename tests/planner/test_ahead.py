"""What a run tells of where the hits are is worth the hits of the runs after it, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm  # type: ignore[import-untyped]

from sdl.model.campaign import ChoiceParameter, Objective
from sdl.model.data import Inputs, Trial
from sdl.model.planning import Problem
from sdl.planner.ahead import FEW, Ahead
from sdl.planner.axes import Floats
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.process import Conditioning, Processes
from tests.planner.points import drawn, hyper, outputs

SHARES = np.array([0.1, 0.4, 0.3, 0.2])
ENDS = (np.full((4, 1), 0.4), np.full((4, 1), np.inf))
FINE = (np.arange(2000) + 0.5) / 2000.0


def processes(seed: int) -> Processes:
    points = drawn(6, seed)
    return Processes(hyper(4, seed), points, outputs(4, 6, seed))


def state_of(seed: int, taken: Sequence[int] = ()) -> Conditioning:
    state = Conditioning(processes(seed), drawn(12, seed + 50), 12)
    for place in taken:
        state.add(place)
    return state


def later(state: Conditioning, place: int, runs: int) -> float:
    """Hits of the best others after a measurement there, by going through all its values."""
    others = np.delete(np.arange(state.mean.shape[1]), place)
    pull = state.shared(place, others) / state.measured_sd[:, [place]]
    noise = state.measured_sd[:, others] ** 2 - state.variance[:, others]
    sd = np.sqrt(state.variance[:, others] - pull**2 + noise)
    both: dict[bool, Floats] = {True: np.zeros(len(others)), False: np.zeros(len(others))}
    for row, share in enumerate(SHARES):
        away = norm.ppf(FINE)
        values = state.mean[row, place] + state.measured_sd[row, place] * away
        mean = state.mean[row, others] + pull[row] * away[:, None]
        chance = norm.sf(ENDS[0][row], mean, sd[row])
        for is_hit in both:
            which = (values >= ENDS[0][row]) == is_hit
            both[is_hit] += share * chance[which].sum(axis=0) / len(FINE)
    return sum(float(np.sort(each)[::-1][:runs].sum()) for each in both.values())


@pytest.mark.parametrize("seed", range(4))
def test_the_gain_is_that_of_going_through_all_that_could_be_measured(seed: int) -> None:
    state, runs = state_of(seed), 4
    found = np.exp(Ahead(state, SHARES, ENDS, runs).log_gain())
    assert (found == found[0]).all(), "all processes together say one thing"
    chance = SHARES @ norm.sf(ENDS[0], state.mean, state.measured_sd)
    usual = float(np.sort(chance)[::-1][:runs].sum())
    expected = [chance[c] + later(state, c, runs) - usual for c in range(len(chance))]
    # A hit leaves no normal distribution, but one of its mean and variance stands for it.
    assert found[0] == pytest.approx(expected, abs=0.02), f"seed {seed}"


@pytest.mark.parametrize("seed", range(4))
def test_what_is_taken_is_no_run_of_later(seed: int) -> None:
    ahead, state = Ahead(state_of(seed), SHARES, ENDS, 3), state_of(seed, [5])
    ahead.add(5, np.ones(4, dtype=bool))
    found = np.exp(ahead.log_gain())[0]
    chance = SHARES @ norm.sf(ENDS[0], state.mean, state.measured_sd)
    assert found[5] == pytest.approx(chance[5]), "nor is anything told by it twice"


@pytest.mark.parametrize("seed", range(4))
def test_the_last_run_goes_by_its_own_chance(seed: int) -> None:
    state = state_of(seed)
    found = np.exp(Ahead(state, SHARES, ENDS, 0).log_gain())[0]
    assert found == pytest.approx(SHARES @ norm.sf(ENDS[0], state.mean, state.measured_sd))


LISTED = Problem(
    space=tuple(ChoiceParameter(name=n, options=tuple(k / 11 for k in range(12))) for n in "xz"),
    objective=Objective(measure="y", goal="hits", at_least=0.8),
)


def suggested(runs: int | None) -> Inputs:
    """After five runs, none of which is a hit."""
    points = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (5 / 11, 5 / 11), (1.0, 1.0))
    trials = tuple(
        Trial(inputs={"x": x, "z": z}, status="measured", measures={"y": 0.5 * x * z})
        for x, z in points
    )
    (found,) = EnsemblePlanner().suggest(replace(LISTED, runs=runs), trials, 1, 3)
    return found.inputs


def test_only_a_short_campaign_has_later_runs_in_view() -> None:
    plain = suggested(None)
    assert suggested(6) == plain, "the last one"
    assert suggested(FEW + 1) == plain
    assert suggested(FEW) != plain
