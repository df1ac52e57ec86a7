"""Several kinds of process, each with draws of its hyperparameters, weighted within a campaign."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri  # type: ignore[import-untyped]

from sdl.planner.axes import Axes, Bools, Coded, Codes, Floats
from sdl.planner.chains import due, moved, steps
from sdl.planner.hyper import Hyper, Prior
from sdl.planner.outliers import drawn, extra
from sdl.planner.outputs import Back, Shape
from sdl.planner.process import Processes, log_likelihood
from sdl.planner.scale import Scale
from sdl.planner.ties import size_of, ties_of

PLAIN = Shape()

LEAST_SPREAD = 0.05
"""Of outputs on the scale of the sources; what lies closer together is taken to be as wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is fixed of a process; everything else is drawn."""

    name: str
    shape: Shape = PLAIN
    sources: tuple[int, ...] = ()
    """Places of the sources that it follows."""


KINDS = (Kind(name="pooled lengths"),)
"""What is used where there is nothing to weigh against it (record 0018)."""

DRAWS = 12
"""Sets of hyperparameters of each kind."""

STEPS = ndtri((np.arange(64) + 0.5) / 64)
"""A normal distribution as so many equally likely values."""

TEMPER = 0.5
"""Power of the leave-one-out density in the weights: its terms are not independent."""

DROPPED = 0.05
"""A kind that follows sources and has less weight than this is left out."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is measured: n points in the order of their results, and their values."""

    points: Coded
    values: Floats
    """(n,) in the measure's unit; more is better, or zero is the target."""
    target: bool = False
    is_plain: bool = False
    """Whether ranks have no part in the outputs: a step is worth as much wherever it is made."""
    unit: float | None = None
    """With a target, what one of the outputs' units is; None: their own spread about it."""

    def first(self, count: int) -> Evidence:
        """The first of them."""
        return self.take(slice(count))

    def take(self, rows: Codes | slice) -> Evidence:
        """Some of them."""
        return replace(self, points=self.points.take(rows), values=self.values[rows])

    def outputs(self, kind: Kind) -> Floats:
        """The values as a kind sees them. With a target, scaled only, and zero stays zero."""
        if self.target:
            return self.values / self.scale
        shape = replace(kind.shape, rank=0.0) if self.is_plain else kind.shape
        return shape.of(self.values)

    @property
    def scale(self) -> float:
        """What is one of the outputs' units where zero is the target."""
        return self.unit or float(np.sqrt(np.mean(self.values**2))) or 1.0

    @property
    def digest(self) -> str:
        """SHA-256 over the exact bytes of points and values, and how these are seen."""
        total = hashlib.sha256(self.target * b"target" + self.is_plain * b"plain")
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
    backs: tuple[Back, ...]
    """(S,) ways back from outputs to values."""

    def only(self, rows: list[int]) -> Ensemble:
        """Some of the processes, for a first look; the weights stay."""
        backs = tuple(self.backs[row] for row in rows)
        return replace(self, processes=self.processes.only(rows), backs=backs)

    @property
    def doubts(self) -> Floats:
        """Probability that each measurement is an outlier, (n,)."""
        noise, every = self.processes.extra, self.processes.outputs
        return self.shares @ (np.zeros(every.shape) if noise is None else noise > 0.0)

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
        return np.array([back.output(value) for back in self.backs])[:, None]

    def predicted(self, point: Coded) -> tuple[float, float, float]:
        """Median and 90 % interval of a measurement at one point, in the unit of the values."""
        mean, variance = self.processes.posterior(point)
        sd = np.sqrt(variance[:, 0] + self.processes.hyper.noise)
        outputs = mean[:, 0, None] + sd[:, None] * STEPS
        values = np.concatenate(
            [
                self.backs[first].value(outputs[first : first + DRAWS].ravel())
                for first in range(0, len(outputs), DRAWS)
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
    found /= found.sum()
    follows = np.array([bool(kind.sources) for kind in kinds])
    kept = np.where(follows & (found < DROPPED), 0.0, found)
    return np.asarray(kept / kept.sum())


class Learner:
    """Follows a campaign: keeps the draws after each measurement, and goes on from there.

    It answers as if it had begun anew; what is kept only saves time.
    """

    def __init__(
        self,
        axes: Axes,
        seed: int,
        kinds: Sequence[Kind] = KINDS,
        scale: Scale | None = None,
        told: int = 0,
    ) -> None:
        """``scale``: of kinds that follow sources, and of these; ``told``: columns these fill."""
        self._prior, self._seed, self._scale = Prior(axes), seed, scale
        self.kinds = tuple(kinds)
        uses = np.array([np.isin(np.arange(told), kind.sources) for kind in self.kinds])
        self._uses = np.repeat(uses.astype(float), DRAWS, axis=0)
        self._kept: dict[int, tuple[str, Floats, Bools]] = {}

    def ensemble(self, evidence: Evidence) -> Ensemble:
        """What is believed after the evidence, of at least ``chains.LEAST`` measurements."""
        if evidence.target and self._scale is not None:
            # One unit for all, so that what is near enough is the same to each.
            evidence = replace(evidence, unit=self._scale.back.slope)
        draws, outliers = self._drawn(evidence)
        processes = Processes(
            self._hyper(draws, np.arange(len(draws))),
            evidence.points,
            self._outputs(evidence),
            extra(outliers),
        )
        weights = weights_of(self._judged(processes, evidence), self.kinds)
        digest = hashlib.sha256(draws.tobytes() + outliers.tobytes()).hexdigest()
        return Ensemble(
            processes, evidence, weights, self.kinds, digest, self._backs(processes, evidence)
        )

    def _backs(self, processes: Processes, evidence: Evidence) -> tuple[Back, ...]:
        each = [
            self._scale.back
            if kind.sources and self._scale is not None
            else Back.of(processes.outputs[at * DRAWS], evidence.values)
            for at, kind in enumerate(self.kinds)
        ]
        return tuple(back for back in each for _ in range(DRAWS))

    def _judged(self, processes: Processes, evidence: Evidence) -> Floats:
        """Log densities of left-out measurements, (S, n).

        They are comparable on common outputs only: those of the first kind, or of the sources, on
        which all that follow none see them standardised.
        """
        if self._scale is None:
            common = np.broadcast_to(evidence.outputs(self.kinds[0]), processes.outputs.shape)
            return processes.seeing(common).leave_one_out()
        outputs = self._scale.of(evidence.values)
        middle = 0.0 if evidence.target else outputs.mean()
        spread = max(float(np.sqrt(np.mean((outputs - middle) ** 2))), LEAST_SPREAD)
        follows = self._uses.max(axis=1, keepdims=True) > 0.0
        common = np.where(follows, outputs, (outputs - middle) / spread)
        return processes.seeing(common).leave_one_out() - np.where(follows, 0.0, np.log(spread))

    def _hyper(self, draws: Floats, rows: Codes) -> Hyper:
        cut = self._prior.size
        found = self._prior.hyper(draws[:, :cut])
        if self._scale is None:
            return found
        return replace(found, ties=ties_of(draws[:, cut:], self._uses[rows]))

    def _outputs(self, evidence: Evidence) -> Floats:
        seen = [
            self._scale.of(evidence.values)
            if kind.sources and self._scale is not None
            else evidence.outputs(kind)
            for kind in self.kinds
        ]
        return np.repeat(seen, DRAWS, axis=0)

    def _drawn(self, evidence: Evidence) -> tuple[Floats, Bools]:
        """Draws of the hyperparameters, and of which measurements are outliers."""
        shape = (len(self._uses), self._prior.size + size_of(self._uses.shape[1]))
        draws = np.random.default_rng([self._seed, 0]).standard_normal(shape)
        outliers = np.zeros((len(draws), 0), dtype=bool)
        for count in due(len(evidence.values)):
            seen = evidence.first(count)
            kept = self._kept.get(count)
            if kept is not None and kept[0] == seen.digest:
                _, draws, outliers = kept
                continue
            draws, outliers = self._moved(draws, _with_new(outliers, count), seen)
            self._kept[count] = seen.digest, draws, outliers
        return draws, _with_new(outliers, len(evidence.values))

    def _moved(self, draws: Floats, outliers: Bools, seen: Evidence) -> tuple[Floats, Bools]:
        outputs, count = self._outputs(seen), len(seen.values)
        chance = np.random.default_rng([self._seed, count])
        hyper = self._hyper(draws, np.arange(len(draws)))
        outliers = drawn(Processes(hyper, seen.points, outputs), outliers, chance)
        more = extra(outliers)

        def of(new: Floats, rows: Codes) -> Floats:
            return log_likelihood(self._hyper(new, rows), seen.points, outputs[rows], more[rows])

        return moved(draws, of, steps(count), chance), outliers


def _with_new(outliers: Bools, count: int) -> Bools:
    """With further measurements, which are taken for sound at first."""
    return np.pad(outliers, ((0, 0), (0, count - outliers.shape[1])))
