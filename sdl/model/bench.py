"""What the bench has to say of points while a planner chooses: time, what is left, and queues."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sdl.model.data import Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A part of an amount: ``weight`` times these inputs, at points that have these options."""

    weight: float
    numbers: tuple[str, ...] = ()
    """Searched numbers that it is multiplied by; one may come twice."""
    options: Mapping[str, str] = field(default_factory=dict)
    """By searched input: it counts only where the point has this option, as text."""


Amount: TypeAlias = tuple[Term, ...]
"""Something that follows from a point's inputs: the sum of its terms; nothing without any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A source of an instrument, and what a run at a point draws from it."""

    source: str
    """``handler/buffer``."""
    left_ul: float
    """What may still be drawn: without what is kept for runs, or will be for those that wait for
    theirs; 0 where the lot is out of date."""
    draws_ul: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """An instrument that some points' runs need and others' do not, and which is not free."""

    instrument: str
    wait_s: float
    """Lab seconds that what is at work on it, or waits for it, was told to last."""
    steps: Amount
    """Actions of a run there; half a one or more is a need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchState:
    """The bench at one moment, as far as it makes a difference between points."""

    duration_s: Amount = ()
    """Lab seconds that a run's pauses and its actions with a ``duration_s`` are told to last, if
    no instrument is waited for; an action that is not told how long to last counts for nothing."""
    stocks: tuple[Stock, ...] = ()
    """Those that the lab's file declares and a run of the campaign draws from."""
    queues: tuple[Queue, ...] = ()
    unclear: tuple[str, ...] = ()
    """What follows from the inputs in no way that sums of products say, and so does not count:
    sources, instruments, or ``duration_s``; or ``protocol``, if it cannot be told beforehand."""


def amount(terms: Amount, inputs: Inputs) -> float:
    """At one point. KeyError if it lacks an input that a term names."""
    return math.fsum(
        term.weight * math.prod(float(inputs[name]) for name in term.numbers)
        for term in terms
        if all(str(inputs[name]) == option for name, option in term.options.items())
    )
