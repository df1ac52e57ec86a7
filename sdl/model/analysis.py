"""What a model says of a campaign as a whole, after the fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sdl.model.data import Inputs, Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPlace:
    """A measured point that no other one beats."""

    inputs: Inputs
    measures: Measures
    trial: int
    """Its place among the trials that the question told, from 0."""
    beyond: tuple[str, ...] = ()
    """Measures on the wrong side of their threshold: of no use, whatever the others are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Under the campaign's own names."""

    measured: int
    failed: int
    abandoned: int
    pending: int
    fit: Mapping[str, float]
    """By measure the coefficient of determination of predictions with that point left out, at
    most 1; 0 or less is no better than the mean."""
    sensitivity: Mapping[str, Mapping[str, float]]
    """By measure, by input: its share in the variance that the model explains, largest first; they
    sum to one. Interactions count for each input that has a part in them."""
    front: Sequence[FrontPlace]
    """Of several objectives the points that no other one beats."""
    not_told: Sequence[str]
    """What the campaign says and Ax has no word for."""
    not_made: Mapping[str, str]
    """Analyses that Ax could not make, and why."""
    files: tuple[str, ...]
