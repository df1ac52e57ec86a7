"""Why a point was suggested, as data that can be recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sdl.model.data import InputValue

Origin: TypeAlias = Literal["maximin", "sources", "ensemble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A measured point near a suggested one."""

    inputs: Mapping[str, InputValue]
    value: float
    """In the measure's unit."""
    correlation: float
    """Between the two, by the mean of the weighted processes; 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why this point. All but origin and digest of the data is empty where no model had a part."""

    origin: Origin
    data_digest: str
    """SHA-256 over points and values in the order of arrival."""
    model_digest: str = ""
    """SHA-256 over the draws of the hyperparameters."""
    median: float | None = None
    low: float | None = None
    high: float | None = None
    """Median and 90 % interval of a measurement there, in the measure's unit."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Of the kinds of model; they sum to one."""
    log_gain: float | None = None
    """Logarithm of the expected improvement, relative to the best candidate before pending ones."""
    log_feasible: float | None = None
    """Logarithm of the probability that a run there does not fail; 0 while none failed."""
    nearest: tuple[Near, ...] = ()
    """The measured points that tell most about it, most related first."""
    scored: int = 0
    """How many candidates were compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A suggested point with its reason."""

    inputs: Mapping[str, InputValue]
    reason: Reason
