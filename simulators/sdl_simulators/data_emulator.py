"""An emulator of measured data: a workstation that answers what a real experiment has answered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sdl.capabilities import Workstation
from sdl.errors import DriverFault, UserMistake
from sdl.model.data import InputValue
from sdl.sim import Bench, FaultOptions, Prediction
from sdl_simulators.measured_data import MeasuredData, Point, read_data

ACTIONS = ("make",)
TREES = 100
NO_NOISE: Mapping[str, float] = MappingProxyType({})


class DataEmulator:
    """Makes and measures samples out of a data set.

    *lookup*: answers for measured points only; of a point's repeats it draws one by the seed.
    *model*: answers for any point within the data's range, by extremely randomised trees fitted to
    the data (Geurts et al., Mach. Learn. 63, 3, 2006), the same for every seed.
    """

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        dataset: str,
        objectives: tuple[str, ...] | list[str] = (),
        mode: Literal["lookup", "model"] = "lookup",
        noise_sd: Mapping[str, float] = NO_NOISE,
        seconds_per_run: float = 3600.0,
        faults: FaultOptions = (),
    ) -> None:
        """``dataset``: a name such as ``lnp3``, or a folder with ``data.csv`` and ``space.json``.

        ``objectives``: what it measures, all if empty. ``noise_sd``: objective to the standard
        deviation of normal noise to add, in its unit. UserMistake if an option makes no sense.
        """
        self._name = name
        self._bench = bench
        self._data = read_data(dataset)
        offered = [outcome.name for outcome in self._data.space.objectives]
        self._objectives = tuple(objectives) or tuple(offered)
        for objective in (*self._objectives, *noise_sd):
            if objective not in offered:
                raise UserMistake(
                    f"{name}: data set {dataset!r} has no {objective!r}; "
                    f"it has: {', '.join(offered)}"
                )
        if mode not in ("lookup", "model"):
            raise UserMistake(f"{name}: mode = {mode!r}: choose 'lookup' or 'model'")
        for option, value in {**noise_sd, "seconds_per_run": seconds_per_run}.items():
            if not 0.0 <= value < math.inf:
                raise UserMistake(f"{name}: {option} = {value}: give a number, 0 or more")
        self._mode = mode
        self._noise_sd = noise_sd
        self._seconds_per_run = seconds_per_run
        bench.plan_faults(name, ACTIONS, faults)

    async def connect(self) -> None:
        """Fit the model, if that is what answers."""
        if self._mode == "model":
            _ = self._model

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """The sample under way is lost."""
        self._bench.stop(self._name)

    async def make(self, recipe: Mapping[str, InputValue]) -> Mapping[str, float]:
        point = self._data.point(recipe)
        if self._mode == "lookup" and point not in self._data.rows:
            nearest = self._data.described(self._data.nearest(point))
            raise DriverFault(
                f"{self._name}: {self._data.described(point)} was never measured; the nearest "
                f"measured point is {nearest}"
            )
        call = await self._bench.work(self._name, "make", self._seconds_per_run)
        chance = self._bench.random(self._name)
        if self._mode == "lookup":
            found = chance.choice(self._data.rows[point])
        else:
            found = self._model.predict(point)
        return {
            objective: call.reading(
                found[objective] + self._noise_sd.get(objective, 0.0) * chance.gauss()
            )
            for objective in self._objectives
        }

    def predict_make(self, recipe: Mapping[str, InputValue]) -> Prediction:
        """The mean of a point's repeats, or what the model gives; no noise."""
        point = self._data.point(recipe)
        repeats = [self._model.predict(point)] if self._mode == "model" else self._data.rows[point]
        means = {
            name: sum(row[name] for row in repeats) / len(repeats) for name in self._objectives
        }
        return Prediction(duration_s=self._seconds_per_run, result=means)

    @cached_property
    def _model(self) -> FittedModel:
        return fit(self._data)


@dataclass(frozen=True, slots=True)
class FittedModel:
    """One regressor for all objectives of a data set."""

    data: MeasuredData
    trees: Regressor

    def predict(self, point: Point) -> dict[str, float]:
        """The expected value of each objective."""
        values = np.atleast_1d(self.trees.predict(np.array([_encoded(self.data, point)]))[0])
        names = [outcome.name for outcome in self.data.space.objectives]
        return {name: float(value) for name, value in zip(names, values, strict=True)}


class Regressor:
    """Extremely randomised trees, imported on first use: scikit-learn takes a second to load."""

    def __init__(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        from sklearn.ensemble import (  # type: ignore[import-untyped]  # noqa: PLC0415
            ExtraTreesRegressor,
        )

        # Leaves of two soften the steps between measured levels and average repeats.
        self._trees = ExtraTreesRegressor(n_estimators=TREES, min_samples_leaf=2, random_state=0)
        self._trees.fit(x, y)

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """One row for each row of ``x``."""
        return np.asarray(self._trees.predict(x), dtype=np.float64)


def fit(data: MeasuredData) -> FittedModel:
    """Fit all objectives of a data set over its encoded parameters."""
    measured = [(point, row) for point, repeats in data.rows.items() for row in repeats]
    names = [outcome.name for outcome in data.space.objectives]
    x = np.array([_encoded(data, point) for point, _ in measured])
    y = np.array([[row[name] for name in names] for _, row in measured])
    return FittedModel(data, Regressor(x, y if len(names) > 1 else y[:, 0]))


def _encoded(data: MeasuredData, point: Point) -> list[float]:
    """Numbers as they are, options one-hot."""
    encoded: list[float] = []
    for column, value in zip(data.space.parameters, point, strict=True):
        if isinstance(value, str):
            encoded.extend(float(value == option) for option in column.options)
        else:
            encoded.append(value)
    return encoded


_: type[Workstation] = DataEmulator
