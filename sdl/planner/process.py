"""Gaussian processes, several at once: likelihood, posterior, leave-one-out, conditioning.

The kernel of each is ``(1 - blend) * Matern(5/2) + blend * main effects of names + CONSTANT``.
Descriptors have a share in how far two names are apart, in both. The constant stands for the
unknown mean. Ties to sources scale it, and give a mean. See Rasmussen and Williams, Gaussian
Processes for Machine Learning, chapters 2, 4.2 and 5.4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from sdl.planner.axes import Coded, Codes, Floats
from sdl.planner.described import Described
from sdl.planner.hyper import Hyper
from sdl.planner.matern import ROOT, matern

CONSTANT = 0.3

VARIANCE = 1.0 + CONSTANT
"""Of every process before any measurement, everywhere."""

Precision: TypeAlias = type[float] | type[np.float32]
"""Single precision, of seven digits, takes less than half of the time: enough for a first look."""


def kernel(hyper: Hyper, points: Coded, others: Coded, precision: Precision = float) -> Floats:
    """Covariances of N points with n others, (S, N, n)."""
    # Where one-hot columns of the others are all zero, nothing is added to the products below.
    used = np.unique(others.code)
    here, there = _one_hot(points, used), _one_hot(others, used)
    one, two = _numbers(hyper, points), _numbers(hyper, others)
    option = 5.0 * hyper.option[:, None, used] * there
    # |a - b|^2 = |a|^2 - 2 ab + |b|^2 as one product of matrices.
    left = np.concatenate(
        [one, _each(here, len(one)), _norm(hyper, points, one), _ones(one)], axis=2
    )
    right = np.concatenate(
        [-2.0 * two, -2.0 * option, _ones(two), _norm(hyper, others, two)], axis=2
    )
    found = matern(_product(left, right.transpose(0, 2, 1), precision))
    found *= (1.0 - hyper.blend)[:, None, None]
    if hyper.blend.any():
        effect = there * (hyper.effect[:, used] * hyper.blend[:, None])[:, None, :]
        common = here if hyper.described is None else _in_common(hyper.described, points, used)
        found += _product(common, effect.transpose(0, 2, 1), precision)
    found += CONSTANT
    if hyper.ties is not None:
        found *= hyper.ties.spread(points)[:, :, None]
        found *= hyper.ties.spread(others)[:, None, :]
        found += hyper.ties.offset[:, None, None]
    return found


def _product(left: Floats, right: Floats, precision: Precision) -> Floats:
    """Of matrices, both of them rounded to that precision first."""
    found: Floats = np.matmul(left, right, dtype=precision, casting="same_kind")
    return found


def level(hyper: Hyper, points: Coded) -> Floats:
    """Means before any measurement, (S, N)."""
    if hyper.ties is None:
        return np.zeros((len(hyper.noise), len(points)))
    return hyper.ties.level(points)


def variance(hyper: Hyper, points: Coded) -> Floats:
    """Variances before any measurement, without noise, (S, N)."""
    alone = np.full((len(hyper.noise), len(points)), VARIANCE)
    if hyper.ties is None:
        return alone
    return alone * hyper.ties.spread(points) ** 2 + hyper.ties.offset[:, None]


def _numbers(hyper: Hyper, points: Coded) -> Floats:
    """Positions, also by descriptors, in length scales times the root of 5, (S, N, q)."""
    shift = points.rank - points.value
    place = points.value + hyper.warp[:, None, :] * shift
    place = np.asarray(place * (ROOT * hyper.number[:, None, :]))
    if hyper.described is None:
        return place
    return np.concatenate([place, hyper.described.positions(points)], axis=2)


def _in_common(described: Described, points: Coded, used: Codes) -> Floats:
    """What the options of each point have in common with those used, (S, N, used)."""
    these, at = np.unique(points.code, return_inverse=True)
    alike = described.alike(these, used)
    # Its shape is that of the codes, or flat, by the version of numpy.
    first, *others = at.reshape(points.code.shape).T
    found = alike[:, first]
    for column in others:
        found += alike[:, column]
    return found


def _one_hot(points: Coded, used: Codes) -> Floats:
    found = np.zeros((len(points), len(used)))
    for column in points.code.T:
        found += column[:, None] == used
    return found


def _each(one: Floats, count: int) -> Floats:
    return np.asarray(np.broadcast_to(one, (count, *one.shape)))


def _ones(place: Floats) -> Floats:
    return np.ones((*place.shape[:2], 1))


def _norm(hyper: Hyper, points: Coded, place: Floats) -> Floats:
    """Squared length of the coordinates, times 5, (S, N, 1)."""
    found = np.einsum("snq,snq->sn", place, place)
    for column in points.code.T:
        found += 5.0 * hyper.option[:, column]
    return np.asarray(found[:, :, None])


def covariance(hyper: Hyper, points: Coded, extra: Floats | None = None) -> Floats:
    """Covariances of measurements at the points, noise included, (S, n, n).

    ``extra``: variance that the noise of each has beside that of all, (S, n).
    """
    found = kernel(hyper, points, points)
    places = np.arange(len(points))
    # Exact where rounding in the distance of a point to itself is not.
    found[:, places, places] = variance(hyper, points) + hyper.noise[:, None]
    if extra is not None:
        found[:, places, places] += extra
    return found


def log_likelihood(
    hyper: Hyper, points: Coded, outputs: Floats, extra: Floats | None = None
) -> Floats:
    """Log density of outputs (S, n), without its constant, (S,).

    One Cholesky factor does all: the last row of that of ``[[K, y], [y', c]]`` is ``L^-1 y``.
    """
    count = outputs.shape[1]
    whole = np.empty((len(outputs), count + 1, count + 1))
    whole[:, :count, :count] = covariance(hyper, points, extra)
    rest = outputs - level(hyper, points)
    whole[:, count, :count] = whole[:, :count, count] = rest
    whole[:, count, count] = 1.0 + (rest**2).sum(axis=1) / hyper.noise
    factor = np.linalg.cholesky(whole)
    diagonal = np.diagonal(factor, axis1=1, axis2=2)[:, :count]
    fit = (factor[:, count, :count] ** 2).sum(axis=1)
    return np.asarray(-0.5 * fit - np.log(diagonal).sum(axis=1))


@dataclass(frozen=True)
class Processes:
    """S processes that have seen n measurements."""

    hyper: Hyper
    points: Coded
    outputs: Floats
    """(S, n)"""
    extra: Floats | None = None
    """(S, n) variance that the noise of each measurement has beside that of all; None: none."""
    precision: Precision = float
    """With which candidates are looked at."""

    @property
    def count(self) -> int:
        """How many they are, S."""
        return len(self.outputs)

    @cached_property
    def noise(self) -> Floats:
        """Variance of that of each measurement, (S, n)."""
        every = np.repeat(self.hyper.noise[:, None], self.outputs.shape[1], axis=1)
        return every if self.extra is None else every + self.extra

    @cached_property
    def inverse(self) -> Floats:
        """Of the covariance of the measurements, (S, n, n)."""
        return np.asarray(
            np.linalg.inv(covariance(self.hyper, self.points, self.extra)), dtype=float
        )

    @cached_property
    def weights(self) -> Floats:
        """Inverse times what outputs lie above the level, (S, n)."""
        rest = self.outputs - level(self.hyper, self.points)
        return np.asarray((self.inverse @ rest[:, :, None])[:, :, 0])

    def only(self, rows: list[int]) -> Processes:
        """Some of the processes, for a first look."""
        extra = None if self.extra is None else self.extra[rows]
        hyper, outputs = self.hyper.only(rows), self.outputs[rows]
        found = Processes(hyper, self.points, outputs, extra, np.float32)
        found.__dict__["inverse"] = self.inverse[rows]
        return found

    def seeing(self, outputs: Floats) -> Processes:
        """The same processes with other outputs (S, n) at the same points."""
        found = Processes(self.hyper, self.points, outputs, self.extra)
        found.__dict__["inverse"] = self.inverse
        return found

    def allowing(self, extra: Floats) -> Processes:
        """The same processes with more noise at some measurements."""
        return Processes(self.hyper, self.points, self.outputs, extra)

    def posterior(self, points: Coded) -> tuple[Floats, Floats]:
        """Mean and variance, without noise, at N points; (S, N) each."""
        cross = kernel(self.hyper, points, self.points)
        mean = level(self.hyper, points) + (cross @ self.weights[:, :, None])[:, :, 0]
        known = np.einsum("snm,snm->sn", cross @ self.inverse, cross)
        return mean, np.maximum(variance(self.hyper, points) - known, 1e-10)

    @cached_property
    def believed(self) -> Floats:
        """Means at the measured points, noise taken off, (S, n)."""
        return np.asarray(self.outputs - self.noise * self.weights)

    @property
    def left_out(self) -> tuple[Floats, Floats]:
        """How far each output lies off what all others say of it, and the variance, (S, n) each.

        In the variance is the noise of all, and none that a measurement has beside it.
        """
        precision = np.diagonal(self.inverse, axis1=1, axis2=2)
        variance = 1.0 / precision
        if self.extra is not None:
            variance = np.maximum(variance - self.extra, self.hyper.noise[:, None])
        return np.asarray(self.weights / precision), np.asarray(variance)

    def leave_one_out(self) -> Floats:
        """Log density of each output given all others, if it is sound, (S, n), in closed form."""
        off, variance = self.left_out
        return np.asarray(-0.5 * (off**2 / variance + np.log(2.0 * np.pi * variance)))


class Conditioning:
    """Means and variances at M points while some of them are taken for measured.

    Each of these is taken to give what is believed of it, so no mean changes and only variances
    shrink: one more row of a Cholesky factor for each, S x M numbers.
    """

    def __init__(
        self, processes: Processes, points: Coded, room: int, best: Codes | None = None
    ) -> None:
        """``room``: how many points will be added at most.

        ``best``: (S,) which measured point each process holds for the best; for ``gap`` alone.
        """
        self._hyper, self._points = processes.hyper, points
        precision = processes.precision
        self._cross = kernel(processes.hyper, points, processes.points, precision)
        self._known = _product(self._cross, processes.inverse, precision)
        rest = (self._cross @ processes.weights[:, :, None])[:, :, 0]
        self.mean = level(processes.hyper, points) + rest
        """(S, M)"""
        known = np.einsum("snm,snm->sn", self._known, self._cross)
        self._before = variance(processes.hyper, points)
        self.variance = np.maximum(self._before - known, 1e-10)
        """(S, M), without noise."""
        self._rows = np.empty((len(self.mean), room, len(points)))
        self._count = 0
        # Of a measured point the covariances that are left are those that noise has left.
        every = np.arange(len(self.mean))
        best = np.zeros(len(every), dtype=np.int64) if best is None else best
        noise = processes.noise[every, best]
        self._shared = noise[:, None] * self._known[every, :, best]
        self._own = noise - noise**2 * processes.inverse[every, best, best]

    @property
    def gap(self) -> Floats:
        """Variance of the difference to the best measured point, (S, M).

        It goes to zero beside that point, for what is unknown of both is the same there.
        """
        found = self.variance + self._own[:, None] - 2.0 * self._shared
        return np.asarray(np.maximum(found, 1e-10))

    @property
    def noise_sd(self) -> Floats:
        """Of a measurement at a known point, (S, 1)."""
        return np.asarray(np.sqrt(self._hyper.noise))[:, None]

    @property
    def measured_sd(self) -> Floats:
        """Standard deviation of a measurement, with its noise, (S, M)."""
        return np.asarray(np.sqrt(self.variance + self._hyper.noise[:, None]))

    @property
    def log_open(self) -> Floats:
        """Logarithm of the share of the spread that is still unknown, (S, M); 0 at most."""
        return np.asarray(0.5 * np.log(self.variance / self._before))

    def shared(self, place: int, others: Codes | slice) -> Floats:
        """Covariances of what is still unknown of one point with that of others, (S, others)."""
        rows = self._rows[:, : self._count]
        one = self._points.take(slice(place, place + 1))
        found = kernel(self._hyper, self._points.take(others), one)[:, :, 0]
        found = found - np.einsum("snm,sm->sn", self._known[:, others], self._cross[:, place])
        found -= np.einsum("srn,sr->sn", rows[:, :, others], rows[:, :, place])
        return np.asarray(found)

    def add(self, place: int) -> None:
        """Take the point at that place for measured, with noise."""
        row = self.shared(place, slice(None))
        scale = np.sqrt(self.variance[:, place] + self._hyper.noise)
        row /= scale[:, None]
        of_best = self._shared[:, place] / scale
        self._rows[:, self._count] = row
        self._count += 1
        self.variance = np.maximum(self.variance - row**2, 1e-10)
        self._shared = self._shared - of_best[:, None] * row
        self._own = self._own - of_best**2
