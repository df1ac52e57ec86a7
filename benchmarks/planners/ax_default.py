"""Ax as it comes: the Client with the strategy that it chooses by itself.

What its users have to know is done for it. Names never reach it, for it parses them as Python;
levels are ordered choices; of a mixture one part is left out and bounded, for the Client refuses
an equality. Where a proposal was moved, the trial is marked failed (an abandoned one would stay
pending for ever) and the point that was measured is attached in its place. With several
objectives its default is qLogNEHVI.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

from planner_contract import Observation, Point, Space
from planners.coding import single_valued

SUM = re.compile(r"\s*(\w+(?:\s*\+\s*\w+)+)\s*==\s*([\d.]+)\s*")
"""The one kind of equality that the data sets have: parts that add up."""

SLACK = 1e-6
"""By how much bounds on the parts of a mixture are widened, for rows are rounded."""


class AxDefault:
    """Keeps one Ax experiment and tells it of results as they arrive."""

    def __init__(self, space: Space, pool: pd.DataFrame | None, seed: int) -> None:
        assert pool is not None, f"{space.get('title')}: the range of a mixture is read from a list"
        self._objectives = [str(one["name"]) for one in space["objectives"]]
        self._fixed = single_valued(pool)
        self._parts, self._total = _mixture(space)
        left_out = {*self._fixed, *self._parts[-1:]}
        self._safe = {name: f"p{k}" for k, name in enumerate(pool) if name not in left_out}
        self._trials: dict[tuple[float | str, ...], int] = {}
        self._open: dict[int, tuple[float | str, ...]] = {}
        self._told = 0
        with _quiet():
            self._client = Client(random_seed=seed)
            self._client.configure_experiment(
                parameters=[
                    _parameter(one, self._safe[str(one["name"])])
                    for one in space["parameters"]
                    if str(one["name"]) in self._safe
                ],
                parameter_constraints=self._bounds(pool),
            )
            self._client.configure_optimization(
                objective=", ".join(
                    f"{'-' if one['goal'] == 'minimize' else ''}m{k}"
                    for k, one in enumerate(space["objectives"])
                )
            )

    def _bounds(self, pool: pd.DataFrame) -> list[str]:
        """What the part that is left out allows the others to add up to."""
        others = [name for name in self._parts[:-1] if name in self._safe]
        if not others:
            return []
        total = " + ".join(self._safe[name] for name in others)
        sums = pool[others].sum(axis=1)
        bounds = [f"{total} <= {float(sums.max()) + SLACK!r}"]
        if sums.min() > pool[others].min().sum() + SLACK:  # else it follows from the ranges
            bounds.append(f"{total} >= {float(sums.min()) - SLACK!r}")
        return bounds

    def suggest(
        self, observations: Sequence[Observation], pending: Sequence[Point], n: int
    ) -> Sequence[Point]:
        with _quiet():
            self._tell(observations, pending)
            found = self._client.get_next_trials(max_trials=n)
        proposals = []
        for index, values in found.items():
            proposal: Point = dict(self._fixed)
            for name, safe in self._safe.items():
                value = values[safe]
                proposal[name] = value if isinstance(value, str) else float(value or 0.0)
            if self._parts:
                rest = (float(proposal[name]) for name in self._parts[:-1])
                proposal[self._parts[-1]] = self._total - sum(rest)
            self._open[index] = self._key(proposal)
            proposals.append(proposal)
        return proposals

    def _tell(self, observations: Sequence[Observation], pending: Sequence[Point]) -> None:
        """Bring the trials in step with what was measured and what is under way."""
        new = observations[self._told :]
        self._told = len(observations)
        real = {self._key(point): point for point in (*(point for point, _ in new), *pending)}
        for index, key in self._open.items():
            if key in real and key not in self._trials:
                self._trials[key] = index
            else:
                self._client.mark_trial_failed(index, "another point was measured in its place")
        self._open = {}
        for key, point in real.items():
            if key not in self._trials:
                values = {safe: point[name] for name, safe in self._safe.items()}
                self._trials[key] = self._client.attach_trial(values)
        for point, seen in new:
            data = {f"m{k}": seen[name] for k, name in enumerate(self._objectives)}
            self._client.complete_trial(self._trials[self._key(point)], data)

    def _key(self, point: Point) -> tuple[float | str, ...]:
        return tuple(point[name] for name in self._safe)


def _parameter(one: dict[str, Any], safe: str) -> RangeParameterConfig | ChoiceParameterConfig:
    match one:
        case {"type": "categorical", "options": [*options]}:
            names = [str(option) for option in options]
            return ChoiceParameterConfig(safe, names, "str", is_ordered=False)
        case {"type": "discrete", "levels": [*levels]}:
            numbers = [float(level) for level in levels]
            return ChoiceParameterConfig(safe, numbers, "float", is_ordered=True)
        case {"low": float() | int() as low, "high": float() | int() as high}:
            return RangeParameterConfig(safe, (float(low), float(high)), "float")
    raise AssertionError(f"no range, levels or options: {one}")


def _mixture(space: Space) -> tuple[list[str], float]:
    """The parts that add up to a total; none if the space has no such constraint."""
    for constraint in space.get("constraints", ()):
        found = SUM.fullmatch(constraint)
        if found:
            return [part.strip() for part in found[1].split("+")], float(found[2])
    return [], 0.0


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Ax says about each trial off the screen."""
    former = logging.root.manager.disable
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.disable(former)
