"""Trials that were measured on something like it, as sources of a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from sdl.model.data import Trial
from sdl.model.planning import Problem
from sdl.model.space import Point, feasible, point
from sdl.planner.axes import Axes, columns_of
from sdl.planner.belief import Sense, sense_of
from sdl.planner.sources import Source, Sources

Rows: TypeAlias = tuple[tuple[Point, tuple[float, ...]], ...]
"""Points and their measures, in the order of the senses."""


def sources_of(axes: Axes, problem: Problem, trials: Sequence[Trial]) -> Sources:
    """What the hints among the trials say: a source for each place that they come from.

    Those that failed say nothing.
    """
    found: dict[str, list[tuple[Point, tuple[float, ...]]]] = {}
    for trial in _measured(trials):
        values = tuple(trial.measures[one.measure] for one in problem.objectives)
        found.setdefault(trial.prior, []).append((point(problem.space, trial.inputs), values))
    return _sources(
        axes,
        tuple(parameter.name for parameter in problem.space),
        tuple((one.measure, sense_of(one)) for one in problem.objectives),
        tuple((name, tuple(rows)) for name, rows in found.items()),
    )


def hinted(problem: Problem, trials: Sequence[Trial]) -> list[Point]:
    """Points of hints that may be tried here, each once."""
    every = dict.fromkeys(
        point(problem.space, trial.inputs)
        for trial in _measured(trials)
        if feasible(problem, trial.inputs)
    )
    return list(every)


def _measured(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.is_hint and trial.status == "measured"]


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
