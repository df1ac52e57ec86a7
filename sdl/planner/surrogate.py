"""What both model-based ways share: the scale that models learn on, the objective, the digest."""

from __future__ import annotations

import hashlib
import math
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from botorch.models import SingleTaskGP
from botorch.models.model import Model
from torch import Tensor

from sdl.model.campaign import Objective
from sdl.model.data import Prediction, Trial
from sdl.model.reason import NEAREST, Expected, Near, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A linear map from the measure to what models learn: more is better, or zero is the target."""

    measure: str
    centre: float
    unit: float
    """Spread of the measured values; negative where less is better."""

    @classmethod
    def of(cls, objective: Objective, trials: Sequence[Trial]) -> Scale:
        """The scale that suits the measured trials. KeyError if one lacks the measure."""
        values = [t.measures[objective.measure] for t in trials if t.status == "measured"]
        spread = statistics.pstdev(values) or 1.0
        centre = statistics.fmean(values) if objective.target is None else objective.target
        return cls(
            measure=objective.measure,
            centre=centre,
            unit=-spread if objective.goal == "minimise" else spread,
        )

    def into(self, trial: Trial) -> float:
        """The measured value as the model sees it."""
        return (trial.measures[self.measure] - self.centre) / self.unit

    def back(self, mean: float, variance: float) -> dict[str, Prediction]:
        """A model's expectation in the measure's own unit."""
        sd = abs(self.unit) * math.sqrt(max(variance, 0.0))
        return {self.measure: Prediction(mean=self.centre + self.unit * float(mean), sd=sd)}


def closeness(samples: Tensor, X: Tensor | None = None) -> Tensor:  # noqa: N803 - BoTorch's name
    """Minus the distance to the target, which lies at zero on the model's scale."""
    del X
    return -samples[..., 0].abs()


def reason_of(
    model: Model, predicted: Mapping[str, Prediction], acquisition: float | None
) -> Reason:
    """What a single process has to say for a point. ``acquisition``: log expected improvement."""
    return Reason(
        expected={name: Expected.of_normal(one.mean, one.sd) for name, one in predicted.items()},
        surrogates={name: {type(model).__name__: 1.0} for name in predicted},
        log_gain=acquisition,
    )


def nearest(
    model: SingleTaskGP, here: Tensor, rows: Tensor, trials: Sequence[Trial]
) -> tuple[Near, ...]:
    """The measured trials that a process relates most to a point.

    ``here``: (1, d) the point, ``rows``: (n, d) the measured ones in their order, as the kernel
    sees them.
    """
    with torch.no_grad():
        covariance = model.covar_module(here, torch.cat([here, rows])).to_dense()[0]
    related = (covariance[1:] / covariance[0]).tolist()
    measured = [trial for trial in trials if trial.status == "measured"]
    pairs = sorted(zip(related, measured, strict=True), key=lambda pair: -pair[0])
    return tuple(
        Near(inputs=trial.inputs, measures=trial.measures, correlation=correlation)
        for correlation, trial in pairs[:NEAREST]
    )


def digest(model: Model) -> str:
    """SHA-256 over the names and exact bytes of a fitted model's hyperparameters."""
    total = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        total.update(name.encode())
        total.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()


@contextmanager
def one_seeded_thread(seed: int) -> Iterator[None]:
    """Make torch and numpy repeatable.

    One thread, because sums in several threads may differ in the last digit from run to run, and
    small matrices are quicker that way. All settings are put back afterwards.
    """
    threads = torch.get_num_threads()
    native, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 - what Ax draws from
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(native)
            np.random.set_state(legacy)  # noqa: NPY002
            torch.set_num_threads(threads)
