"""Trials that were measured on something like it, as sources of a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from sdl.model.data import Measures, Trial
from sdl.model.planning import Problem
from sdl.model.space import Point, feasible, point
from sdl.planner.aim import SCORE, score_of, senses_of
from sdl.planner.axes import Axes, columns_of
from sdl.planner.belief import PLAIN, Sense
from sdl.planner.sources import Source, Sources

Rows: TypeAlias = tuple[tuple[Point, tuple[float, ...]], ...]
"""Points and their measures, in the order of the senses."""


def sources_of(axes: Axes, problem: Problem, trials: Sequence[Trial]) -> Sources:
    """What the hints among the trials say: a source for each place that they come from.

    Those that failed say nothing.
    """
    senses = senses_of(problem)
    if problem.further and problem.is_weighted:
        senses = {SCORE: PLAIN, **senses}
    found: dict[str, list[tuple[Point, tuple[float, ...]]]] = {}
    for trial in _measured(problem, trials):
        values = tuple(_value(problem, name, trial.measures) for name in senses)
        found.setdefault(trial.prior, []).append((point(problem.space, trial.inputs), values))
    return _sources(
        axes,
        tuple(parameter.name for parameter in problem.space),
        tuple(senses.items()),
        tuple((name, tuple(rows)) for name, rows in found.items()),
    )


def _value(problem: Problem, name: str, seen: Measures) -> float:
    return score_of(problem.objectives, seen) if name == SCORE else seen[name]


def hinted(problem: Problem, trials: Sequence[Trial]) -> list[Point]:
    """Points of hints that may be tried here, each once."""
    every = dict.fromkeys(
        point(problem.space, trial.inputs)
        for trial in _measured(problem, trials)
        if feasible(problem, trial.inputs)
    )
    return list(every)


def _measured(problem: Problem, trials: Sequence[Trial]) -> list[Trial]:
    return [one for one in trials if one.is_hint and problem.measures <= one.measures.keys()]


@lru_cache(maxsize=16)
def _sources(
    axes: Axes,
    inputs: tuple[str, ...],
    senses: tuple[tuple[str, Sense], ...],
    hints: tuple[tuple[str, Rows], ...],
) -> Sources:
    """Kept, for models of sources are dear and do not change; equal ones are one value."""
    every = []
    for name, rows in hints:
        points = [dict(zip(inputs, values, strict=True)) for values, _ in rows]
        coded = axes.coded(columns_of(points, inputs), len(points))
        measured = np.array([values for _, values in rows], dtype=float)
        values = {sense[0]: measured[:, at] for at, sense in enumerate(senses)}
        every.append(Source(name, coded, values))
    return Sources.of(axes, dict(senses), every)
