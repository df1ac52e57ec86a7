"""Points and hyperparameters drawn by a seed, for tests of processes."""

from __future__ import annotations

import numpy as np

from sdl.planner.axes import Axes, Axis, Coded, Floats
from sdl.planner.hyper import Hyper, Prior

AXES = Axes(
    (Axis(name="heat_c", levels=(20.0, 40.0, 60.0, 100.0)), Axis(name="dose", levels=(0.1, 9.0))),
    (Axis(name="base", options=("a", "b", "c")), Axis(name="salt", options=("x", "y"))),
)


def drawn(count: int, seed: int) -> Coded:
    """Points of ``AXES``."""
    chance = np.random.default_rng(seed)
    return AXES.coded(
        {
            "heat_c": chance.choice(AXES.numbers[0].levels, count).tolist(),
            "dose": chance.uniform(0.1, 9.0, count).tolist(),
            "base": chance.choice(list("abc"), count).tolist(),
            "salt": chance.choice(list("xy"), count).tolist(),
        },
        count,
    )


def hyper(processes: int, seed: int) -> Hyper:
    """Hyperparameters from the prior."""
    prior = Prior(AXES)
    draws = np.random.default_rng(seed).standard_normal((processes, prior.size))
    return prior.hyper(draws)


def outputs(processes: int, count: int, seed: int) -> Floats:
    """Something to explain."""
    return np.random.default_rng(seed + 1).standard_normal((processes, count))
