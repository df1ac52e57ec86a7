"""What the bench has for runs at candidates: how long they take, and what they leave of stocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sdl.model.bench import Amount, BenchState
from sdl.model.reason import Draw
from sdl.planner.axes import Bools, Codes, Floats, Values

HOUR_S = 3600.0
NEED = 0.5
"""Actions on an instrument from which on a run needs it."""


@dataclass(frozen=True)
class Supplies:
    """Of N candidates, and S sources that they draw from."""

    hours: Floats
    """(N,) lab time that a run is told to last, and waits for instruments that others do not."""
    draws_ul: Floats
    """(S, N)"""
    left_ul: Floats
    """(S,)"""
    sources: tuple[str, ...]
    unclear: tuple[str, ...]
    """What follows from the inputs in no simple way, and does not count."""
    runs: int
    """That the budget has still to give after the next one, 0 or more."""

    def take(self, places: Codes) -> Supplies:
        """Of some of the candidates."""
        return replace(self, hours=self.hours[places], draws_ul=self.draws_ul[:, places])

    @property
    def short(self) -> Bools:
        """(N,) of which candidates there is too little for a run."""
        return np.asarray((self.draws_ul > self.left_ul[:, None]).any(axis=0))

    @property
    def log_drain(self) -> Floats:
        """(N,) by how much a run is dearer for what it takes from those after it, 0 or more.

        A run that takes a share of what is left takes that share of all later runs, and so costs
        as many runs more; of several sources the logarithms are summed. Where there is plenty, or
        nothing comes after it, that is nothing.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(self.draws_ul > 0.0, self.draws_ul / self.left_ul[:, None], 0.0)
        return np.asarray(np.log1p(self.runs * np.minimum(shares, 1.0)).sum(axis=0))

    def after(self, place: int) -> Supplies:
        """Once a run of that candidate has begun."""
        left_ul = np.maximum(self.left_ul - self.draws_ul[:, place], 0.0)
        return replace(self, left_ul=left_ul, runs=max(self.runs - 1, 0))

    def drawn(self, place: int) -> tuple[Draw, ...]:
        """What a run of that candidate draws."""
        rows = zip(self.sources, self.draws_ul[:, place], self.left_ul, strict=True)
        return tuple(
            Draw(source=source, volume_ul=float(volume), left_ul=float(left))
            for source, volume, left in rows
            if volume > 0.0
        )

    def lacking(self, places: Bools) -> dict[str, float]:
        """Sources of which there is too little for some of these candidates, and what is left."""
        short: Bools = np.any(self.draws_ul[:, places] > self.left_ul[:, None], axis=1)
        rows = zip(self.sources, self.left_ul, short, strict=True)
        return {source: float(left_ul) for source, left_ul, is_short in rows if is_short}


def supplies_of(
    bench: BenchState, columns: Mapping[str, Values], count: int, runs: int
) -> Supplies:
    """Of ``count`` candidates that are given as a column for each input.

    ``runs``: that the budget has still to give, the next one included.
    """
    arrays = _Arrays(columns, count)
    seconds = np.maximum(arrays.amount(bench.duration_s), 0.0)
    for queue in bench.queues:
        seconds = seconds + queue.wait_s * (arrays.amount(queue.steps) >= NEED)
    draws = [np.maximum(arrays.amount(one.draws_ul), 0.0) for one in bench.stocks]
    return Supplies(
        hours=seconds / HOUR_S,
        draws_ul=np.array(draws).reshape(len(draws), count),
        left_ul=np.array([one.left_ul for one in bench.stocks], dtype=float),
        sources=tuple(one.source for one in bench.stocks),
        unclear=bench.unclear,
        runs=max(runs - 1, 0),
    )


class _Arrays:
    """Columns as numbers and as text, each made once."""

    def __init__(self, columns: Mapping[str, Values], count: int) -> None:
        self._columns, self._count = columns, count
        self._numbers: dict[str, Floats] = {}
        self._texts: dict[str, Sequence[str]] = {}

    def amount(self, terms: Amount) -> Floats:
        """At each candidate, (N,)."""
        total = np.zeros(self._count)
        for term in terms:
            part = np.full(self._count, term.weight)
            for name in term.numbers:
                part *= self._number(name)
            for name, option in term.options.items():
                part *= [text == option for text in self._text(name)]
            total += part
        return total

    def _number(self, name: str) -> Floats:
        if name not in self._numbers:
            self._numbers[name] = np.array(self._columns[name], dtype=float)
        return self._numbers[name]

    def _text(self, name: str) -> Sequence[str]:
        if name not in self._texts:
            self._texts[name] = [str(value) for value in self._columns[name]]
        return self._texts[name]
