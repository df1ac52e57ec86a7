"""Several kinds of process, each with draws of its hyperparameters, weighted within a campaign."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri  # type: ignore[import-untyped]

from sdl.planner.axes import Axes, Coded, Codes, Floats
from sdl.planner.chains import due, moved, steps
from sdl.planner.hyper import Prior
from sdl.planner.outputs import Back, Shape
from sdl.planner.process import Processes, log_likelihood

PLAIN = Shape()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is fixed of a process; everything else is drawn."""

    name: str
    shape: Shape = PLAIN


KINDS = (Kind(name="pooled lengths"),)
"""What is used where there is nothing to weigh against it (record 0018)."""

DRAWS = 12
"""Sets of hyperparameters of each kind."""

STEPS = ndtri((np.arange(64) + 0.5) / 64)
"""A normal distribution as so many equally likely values."""

TEMPER = 0.5
"""Power of the leave-one-out density in the weights: its terms are not independent."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is measured: n points in the order of their results, and their values."""

    points: Coded
    values: Floats
    """(n,) in the measure's unit; more is better, or zero is the target."""
    target: bool = False

    def first(self, count: int) -> Evidence:
        """The first of them."""
        return Evidence(self.points.take(slice(count)), self.values[:count], self.target)

    def outputs(self, kind: Kind) -> Floats:
        """The values as a kind sees them. With a target, scaled only, and zero stays zero."""
        return self.values / self.scale if self.target else kind.shape.of(self.values)

    @property
    def scale(self) -> float:
        """What is one of the outputs' units where zero is the target."""
        return float(np.sqrt(np.mean(self.values**2))) or 1.0

    @property
    def digest(self) -> str:
        """SHA-256 over the exact bytes of points and values."""
        total = hashlib.sha256()
        for part in (self.points.value, self.points.rank, self.points.code, self.values):
            total.update(np.ascontiguousarray(part).tobytes())
        return total.hexdigest()


@dataclass(frozen=True)
class Ensemble:
    """S = kinds x draws processes that have seen the same measurements."""

    processes: Processes
    evidence: Evidence
    weights: Floats
    """(kinds,), which sum to one."""
    kinds: tuple[Kind, ...]
    digest: str
    """SHA-256 over the draws."""

    def only(self, rows: list[int]) -> Ensemble:
        """Some of the processes, for a first look; the weights stay."""
        return replace(self, processes=self.processes.only(rows))

    @property
    def shared(self) -> dict[str, float]:
        """Names of the kinds with their weights."""
        return {kind.name: float(w) for kind, w in zip(self.kinds, self.weights, strict=True)}

    @property
    def shares(self) -> Floats:
        """Weights of the processes, (S,), which sum to one."""
        return np.repeat(self.weights / DRAWS, DRAWS)

    def output(self, value: float) -> Floats:
        """What a value, in the unit of the evidence, is to each process, (S, 1)."""
        values = self.evidence.values
        found = [Back.of(row, values).output(value) for row in self.processes.outputs]
        return np.array(found)[:, None]

    def predicted(self, point: Coded) -> tuple[float, float, float]:
        """Median and 90 % interval of a measurement at one point, in the unit of the values."""
        mean, variance = self.processes.posterior(point)
        sd = np.sqrt(variance[:, 0] + self.processes.hyper.noise)
        kinds = len(self.weights)
        outputs = mean[:, 0, None] + sd[:, None] * STEPS
        values = np.concatenate(
            [
                Back.of(self.processes.outputs[k * DRAWS], self.evidence.values).value(
                    outputs[k * DRAWS : (k + 1) * DRAWS].ravel()
                )
                for k in range(kinds)
            ]
        )
        share = np.repeat(self.shares, len(STEPS)) / len(STEPS)
        order = np.argsort(values, kind="stable")
        below = np.cumsum(share[order]) - 0.5 * share[order]
        low, middle, high = np.interp((0.05, 0.5, 0.95), below, values[order])
        return float(middle), float(low), float(high)


def weights_of(densities: Floats, kinds: Sequence[Kind]) -> Floats:
    """Weights of the kinds from log densities (S, n) of left-out measurements; they sum to one."""
    total = TEMPER * densities.sum(axis=1).reshape(len(kinds), -1).mean(axis=1)
    found = np.exp(total - total.max())
    return np.asarray(found / found.sum())


class Learner:
    """Follows a campaign: keeps the draws after each measurement, and goes on from there.

    It answers as if it had begun anew; what is kept only saves time.
    """

    def __init__(self, axes: Axes, seed: int, kinds: Sequence[Kind] = KINDS) -> None:
        self._prior, self._seed = Prior(axes), seed
        self.kinds = tuple(kinds)
        self._kept: dict[int, tuple[str, Floats]] = {}

    def ensemble(self, evidence: Evidence) -> Ensemble:
        """What is believed after the evidence, of at least ``chains.LEAST`` measurements."""
        draws = self._drawn(evidence)
        processes = Processes(self._prior.hyper(draws), evidence.points, self._outputs(evidence))
        # Densities are comparable on common outputs only, so each kernel is judged on the first's.
        common = np.broadcast_to(evidence.outputs(self.kinds[0]), processes.outputs.shape)
        judged = processes.seeing(common).leave_one_out()
        weights = weights_of(judged, self.kinds)
        digest = hashlib.sha256(draws.tobytes()).hexdigest()
        return Ensemble(processes, evidence, weights, self.kinds, digest)

    def _outputs(self, evidence: Evidence) -> Floats:
        return np.repeat([evidence.outputs(kind) for kind in self.kinds], DRAWS, axis=0)

    def _drawn(self, evidence: Evidence) -> Floats:
        shape = (DRAWS * len(self.kinds), self._prior.size)
        draws = np.random.default_rng([self._seed, 0]).standard_normal(shape)
        for count in due(len(evidence.values)):
            seen = evidence.first(count)
            kept = self._kept.get(count)
            if kept is not None and kept[0] == seen.digest:
                draws = kept[1]
                continue
            draws = self._moved(draws, seen, count)
            self._kept[count] = (seen.digest, draws)
        return draws

    def _moved(self, draws: Floats, seen: Evidence, count: int) -> Floats:
        outputs = self._outputs(seen)

        def of(new: Floats, rows: Codes) -> Floats:
            return log_likelihood(self._prior.hyper(new), seen.points, outputs[rows])

        return moved(draws, of, steps(count), np.random.default_rng([self._seed, count]))
