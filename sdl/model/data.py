"""What goes in and out of a run: inputs, measures, suggestions, trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import JsonValue

from sdl.model.reason import Reason

__all__ = [
    "Arguments",
    "Disposition",
    "InputValue",
    "Inputs",
    "JsonValue",
    "Measures",
    "Prediction",
    "RunOutcome",
    "Suggestion",
    "Trial",
]

InputValue: TypeAlias = float | int | str
"""One searched input: a number in the unit of its name's suffix, or the name of an option."""

Inputs: TypeAlias = Mapping[str, InputValue]
Arguments: TypeAlias = Mapping[str, InputValue | tuple[Inputs, ...]]
"""What a protocol is called with: its inputs, and in a batch protocol those of each sample."""
Measures: TypeAlias = Mapping[str, float]
"""Finite numbers by measure name; the unit is the suffix of the name."""

Disposition = Literal[
    "measured", "failed", "unknown", "abandoned", "refused", "unused", "withdrawn"
]
"""How a suggestion ended; each has exactly one, once its campaign has ended. *withdrawn*: before
its run began, another one took its place in view of newer results."""

RunOutcome = Literal["measured", "failed", "unknown", "abandoned"]
"""How a run ended. *unknown*: nobody knows what happened; the sample is not trusted. *abandoned*:
a person, or the error policy, gave it up for a reason that says nothing about the point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the planner expects of one measure, in the measure's own unit."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One point that a planner asks the lab to try, and why."""

    inputs: Inputs
    origin: str
    """The method that made this very point: ``sobol``, ``botorch``, ``grid`` ..."""
    predicted: Mapping[str, Prediction]
    """By measure; empty where the method makes no prediction (start designs)."""
    acquisition: float | None = None
    """Acquisition value on the planner's own scale; None where there is none."""
    seed: int = 0
    model_digest: str = ""
    """SHA-256 over the fitted model's hyperparameters; empty where there is no model."""
    fall_back: str = ""
    """Why something else than the planner's own method made this point; empty if nothing did."""
    reason: Reason | None = None
    """None from a planner that gives none, and in journals of before there were any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One point as the planner sees it: what was tried and what came of it."""

    inputs: Inputs
    status: Literal["measured", "failed", "abandoned", "pending"]
    """*failed*: the point itself may be at fault. *abandoned*: it is as good as not tried."""
    measures: Measures
    """Empty unless measured."""
    broke_window: bool = False
    """Whether a step of its run missed its maximum lag: *measured*, but late; or *failed*, and the
    lag may be at fault, not the point. Where a point was tried again, its last run counts."""
    prior: str = ""
    """Where it was measured, if not in this campaign: a file, or an earlier campaign."""
    is_hint: bool = False
    """Measured there on something like it only, such as another substance: it tells something of
    this point, which is as good as not tried."""
