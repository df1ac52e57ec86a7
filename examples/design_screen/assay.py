"""The simulated assay: a design binds as `truth.csv` says, which nobody else reads; with noise."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from sdl.errors import DriverFault
from sdl.model.data import InputValue
from sdl.sim import Bench, FaultOptions, Prediction

TRUTH = Path(__file__).with_name("truth.csv")


def truth() -> dict[str, float]:
    """Per cent bound without noise, by design."""
    with TRUTH.open(newline="", encoding="utf-8") as file:
        return {row["design"]: float(row["bound_percent"]) for row in csv.DictReader(file)}


class BindingAssay:
    """Expresses one design and measures how much of it binds."""

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        noise_percent: float = 4.0,
        seconds_per_run: float = 240.0,
        faults: FaultOptions = (),
    ) -> None:
        """``noise_percent``: standard deviation of one measurement."""
        self._name, self._bench = name, bench
        self._noise, self._seconds = noise_percent, seconds_per_run
        self._truth = truth()
        bench.plan_faults(name, ("make",), faults)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """The design under way is lost."""
        self._bench.stop(self._name)

    async def make(self, recipe: Mapping[str, InputValue]) -> Mapping[str, float]:
        design = str(recipe["design"])
        if design not in self._truth:
            raise DriverFault(f"{self._name}: there is no design {design!r}; name one of the list")
        call = await self._bench.work(self._name, "make", self._seconds)
        noise = self._noise * self._bench.random(self._name).gauss()
        return {"bound_percent": call.reading(self._truth[design] + noise)}

    def predict_make(self, recipe: Mapping[str, InputValue]) -> Prediction:  # noqa: ARG002
        """Only how long it takes: what it gives is what the campaign is about."""
        unknown = dict.fromkeys(("bound_percent",), 0.0)
        return Prediction(duration_s=self._seconds, result=unknown)
