"""A hypothesis: written and hashed before the first run, judged by evidence from each run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["supported", "refuted", "undecided", "abandoned"]
Scope = Literal["best", "typical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The claim in structured form: ``quantity`` at ``at`` is above or below ``threshold``."""

    quantity: str
    """A measure or a searched numeric input, in the unit of its suffix."""
    at: Scope
    """*best*: of the best point (an input), or anywhere in the space (a measure).
    *typical*: in more than half of the runs that the planner chooses (a measure)."""
    direction: Literal["exceeds", "below"]
    threshold: float
    noise_sd: float | None = None
    """Standard deviation of one measurement, in its unit; needed for a measure at *best*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A claim that can fail."""

    claim: str
    """In a scientist's words."""
    predicts: Prediction
    prior: float = 0.5
    """Probability of the claim before the first run, strictly between 0 and 1."""
    error_level: float = 0.05
    """The verdict errs with at most this probability: an e-value of its inverse decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What all runs so far say about the claim."""

    runs: int
    e_for: float
    """Anytime-valid e-value against "the claim is false"; support at ``1 / error_level``."""
    e_against: float
    """Anytime-valid e-value against "the claim is true"; refutation at ``1 / error_level``."""
    posterior: float
    """Probability of the claim given prior and runs, under the model named in the record."""
