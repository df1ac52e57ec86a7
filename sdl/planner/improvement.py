"""Expected gains in closed form, as logarithms that hold far out in the tail."""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr  # type: ignore[import-untyped]

from sdl.planner.axes import Floats

_LOG_ROOT = 0.5 * np.log(2.0 * np.pi)
_FAR = -1.0
_LEAST = 1e-300

NEVER = -1e300
"""In place of the logarithm of 0: differences of it are still numbers."""


def log_improvement(mean: Floats, sd: Floats, best: Floats) -> Floats:
    """Logarithm of E[max(Y - best, 0)] for normal Y, elementwise.

    Far below the best by the scaled complementary error function; see Ament et al., Unexpected
    Improvements to Expected Improvement, NeurIPS 2023, equation 9.
    """
    away = (mean - best) / sd
    near = np.maximum(away, _FAR)
    height = np.log(near * ndtr(near) + np.exp(-0.5 * near**2 - _LOG_ROOT))
    far = np.minimum(away, _FAR)
    # phi(z) * (1 - |z| * Mills' ratio), of which the second factor falls as 1 / z^2.
    ratio = erfcx(-far / np.sqrt(2.0)) * np.sqrt(np.pi / 2.0) * far
    tail = np.log(np.maximum(1.0 + ratio, 1e-3 / far**2)) - 0.5 * far**2 - _LOG_ROOT
    return np.asarray(np.log(sd) + np.where(away > _FAR, height, tail))


def log_approach(mean: Floats, sd: Floats, reach: Floats, half: Floats) -> Floats:
    """Logarithm of E[max(reach - D, 0)], D how far normal Y lies outside of ``-half`` to ``half``.

    ``reach`` above 0: as near as one was. A trapezoid is the sum of four ramps, each of which has
    its expectation in closed form; all are seen from the side of the mean, the largest first.
    """
    below, out = -np.abs(mean), reach + half
    first = log_improvement(below, sd, -out)
    rest = -np.exp(log_improvement(below, sd, -half) - first)
    rest -= np.exp(log_improvement(below, sd, half) - first)
    rest += np.exp(log_improvement(below, sd, out) - first)
    return np.asarray(first + np.log(np.maximum(1.0 + rest, _LEAST)))


def log_between(mean: Floats, sd: Floats, low: Floats, high: Floats) -> Floats:
    """Logarithm of the probability of ``low <= Y <= high`` for normal Y; ends may be infinite."""
    left, right = (low - mean) / sd, (high - mean) / sd
    turned = left > 0.0
    left, right = np.where(turned, -right, left), np.where(turned, -left, right)
    most = log_ndtr(right)
    return np.asarray(most + log_less(most, log_ndtr(left)))


def log_less(one: Floats, other: Floats) -> Floats:
    """``log(1 - exp(other - one))``, where ``other`` is the smaller one."""
    return np.asarray(np.log(np.maximum(-np.expm1(np.minimum(other - one, 0.0)), _LEAST)))


def log_sum(logs: Floats) -> Floats:
    """Logarithm of the sum of each row, (M, B) to (M,).

    In a fourth of the time that scipy's takes, which minds infinities and weights as well.
    """
    most = logs.max(axis=1)
    return np.asarray(most + np.log(np.exp(logs - most[:, None]).sum(axis=1)))
