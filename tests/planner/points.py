"""Points and hyperparameters drawn by a seed, for tests of processes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sdl.planner.axes import Axes, Axis, Coded, Floats
from sdl.planner.hyper import Hyper, Prior
from sdl.planner.ties import size_of, ties_of

AXES = Axes(
    (Axis(name="heat_c", levels=(20.0, 40.0, 60.0, 100.0)), Axis(name="dose", levels=(0.1, 9.0))),
    (Axis(name="base", options=("a", "b", "c")), Axis(name="salt", options=("x", "y"))),
)


def drawn(count: int, seed: int) -> Coded:
    """Points of ``AXES``, with what two sources say of them."""
    chance = np.random.default_rng(seed)
    coded = AXES.coded(
        {
            "heat_c": chance.choice(AXES.numbers[0].levels, count).tolist(),
            "dose": chance.uniform(0.1, 9.0, count).tolist(),
            "base": chance.choice(list("abc"), count).tolist(),
            "salt": chance.choice(list("xy"), count).tolist(),
        },
        count,
    )
    told, known = chance.standard_normal((count, 2)), chance.random((count, 2))
    return replace(coded, told=told, known=known)


def tied(processes: int, seed: int) -> Hyper:
    """The same with ties: to one source, to the other, to both and to none, by turns."""
    uses = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])[np.arange(processes) % 4]
    draws = np.random.default_rng(seed + 2).standard_normal((processes, size_of(2)))
    return replace(hyper(processes, seed), ties=ties_of(draws, uses))


def hyper(processes: int, seed: int) -> Hyper:
    """Hyperparameters from the prior."""
    prior = Prior(AXES)
    draws = np.random.default_rng(seed).standard_normal((processes, prior.size))
    return prior.hyper(draws)


def outputs(processes: int, count: int, seed: int) -> Floats:
    """Something to explain."""
    return np.random.default_rng(seed + 1).standard_normal((processes, count))
