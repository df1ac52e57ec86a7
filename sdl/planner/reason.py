"""Why a point was suggested, as data that can be recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sdl.model.data import InputValue

Origin: TypeAlias = Literal["maximin", "sources", "ensemble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a measurement at the point is expected to give, in the measure's unit."""

    median: float
    low: float
    high: float
    """Ends of the interval that holds a measurement with 90 %: noise is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A measured point near a suggested one."""

    inputs: Mapping[str, InputValue]
    measures: Mapping[str, float]
    correlation: float
    """Between the two, by the mean of the weighted processes; 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why this point. All but the digest of the data is empty where no model had a part."""

    expected: Mapping[str, Expected] = field(default_factory=dict)
    """By measure."""
    surrogates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By measure: the kinds of model and their weights, which sum to one."""
    log_gain: float | None = None
    """Logarithm of what is gained, relative to the best candidate before pending ones."""
    log_feasible: float | None = None
    """Logarithm of the probability that a run there counts; 0 while nothing speaks against it."""
    log_cost: float | None = None
    """Logarithm of what a run there costs. The acquisition is gain and feasibility less this."""
    nearest: tuple[Near, ...] = ()
    """The measured points that tell most about it, most related first."""
    scored: int = 0
    """How many candidates were compared."""
    data_digest: str = ""
    """SHA-256 over points and values, as the models saw them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A suggested point with its reason."""

    inputs: Mapping[str, InputValue]
    origin: Origin
    reason: Reason
    model_digest: str = ""
    """SHA-256 over the draws of the hyperparameters; empty where no model had a part."""
