"""Expected improvement in closed form, as a logarithm that holds far out in the tail."""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, ndtr  # type: ignore[import-untyped]

from sdl.planner.axes import Floats

_LOG_ROOT = 0.5 * np.log(2.0 * np.pi)
_FAR = -1.0


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


def log_approach(mean: Floats, sd: Floats, reach: Floats) -> Floats:
    """Logarithm of E[max(reach - |Y|, 0)] for normal Y: coming nearer to zero than ``reach``.

    A tent is the sum of three ramps, each of which has its expectation in closed form.
    """
    found = _ramp(mean + reach, sd) - 2.0 * _ramp(mean, sd) + _ramp(mean - reach, sd)
    return np.asarray(np.log(np.maximum(found, 1e-300)))


def _ramp(mean: Floats, sd: Floats) -> Floats:
    away = mean / sd
    return np.asarray(mean * ndtr(away) + sd * np.exp(-0.5 * away**2 - _LOG_ROOT))
