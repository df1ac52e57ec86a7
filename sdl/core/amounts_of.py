"""How amounts follow from a point's inputs, found out by asking at some points.

An amount is taken for a sum of products of three inputs at most: a constant, what each number or
option adds, and what two or three of them add together. That is exact for volumes that are shares
of a total, of the liquid that is chosen. Other points show whether it holds; where it does not, the
amount is given up rather than told wrongly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sdl.model.bench import Amount, Term, amount
from sdl.model.campaign import ChoiceParameter, Parameter
from sdl.model.candidates import rows_of
from sdl.model.data import Inputs, InputValue
from sdl.model.planning import Problem
from sdl.model.space import (
    all_met,
    equalities,
    feasible,
    is_searched,
    levels,
    named,
    number,
    settled,
)

STEP = 0.05
"""Share of a range by which a number is changed to see what it does."""
DUST = 1e-3
"""What changes an amount by less than this share of its largest, over a whole range, is rounding
of volumes to picolitres, and left out."""
CANCELLED = 1e-5
"""The same share of what is left over where terms cancel."""
OFF = 0.05
"""Share of its largest by which an amount may be off at points that had no part in it."""
CHECKS = 16
"""Points that show whether it holds."""
PAIR = 2
DRAWS = 512
"""Points that are made at most to find so many that keep the constraints."""
MOST = 600
"""Times that is asked about one step, about two and about three: each takes about a fifth of a
millisecond, in the turn in which the first question is asked."""

_GOLDEN = 0.618_033_988_749_894_9

Amounts: TypeAlias = Mapping[str, float]
"""By name, at one point; 0 of what is not named."""
_Product: TypeAlias = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]
"""Numbers, and options by input."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One input at another value than at the reference."""

    name: str
    value: InputValue
    since: float | None
    """The number at the reference; None of an option."""
    width: float
    """Steps of that size in the whole range, 1 or more; 1 of an option."""


_Steps: TypeAlias = tuple[_Step, ...]
"""Of different inputs."""


def amounts_of(
    problem: Problem, at: Callable[[Inputs], Amounts]
) -> tuple[dict[str, Amount], tuple[str, ...]]:
    """Each amount by name, and the names of those that cannot be told so.

    ``at``: the amounts at one point; ValueError where they are not to be had, and then nothing is
    told. ValueError as well where the space is too wide for that, or has no point.
    """
    points = list(itertools.islice(spread(problem), CHECKS + 1))
    if not points:
        raise ValueError("no point keeps the constraints")
    reference, *checks = points
    steps = [step for parameter in problem.space for step in _steps(parameter, reference)]
    found = _Found(lambda moved: at(_moved(reference, *moved)), _widest(problem.space))
    found.look([(one,) for one in steps])
    pairs = itertools.combinations([one for one in steps if found.is_active((one,))], 2)
    found.look([pair for pair in pairs if _apart(pair)])
    found.look(list(found.triples()))
    seen = [(point, at(point)) for point in checks]
    names = sorted({name for _, there in seen for name in there} | set(found.largest))
    told = {name: found.terms(name) for name in names}
    wrong = tuple(name for name in names if not _holds(told[name], name, seen))
    return {name: terms for name, terms in told.items() if name not in wrong}, wrong


def spread(problem: Problem) -> Iterator[Inputs]:
    """Points all over the space that keep its constraints, the same for the same problem."""
    if problem.candidates is not None:
        rows = rows_of(problem.candidates)
        stride = max(1, round(len(rows) * _GOLDEN) | 1)
        while math.gcd(stride, len(rows)) > 1:
            stride += 1
        for place in range(min(len(rows), DRAWS)):
            yield named(problem.space, rows[place * stride % len(rows)])
        return
    sums, space = equalities(problem), problem.space
    for turn in range(1, DRAWS + 1):
        units = [(0.5 + turn * _GOLDEN ** (place + 1)) % 1.0 for place in range(len(space))]
        drawn = tuple(_level(p, unit) for p, unit in zip(space, units, strict=True))
        values = all_met(sums, drawn, units)
        if values is None:
            continue
        inputs = named(space, settled(space, values))
        if feasible(problem, inputs):
            yield inputs


def _level(parameter: Parameter, unit: float) -> InputValue:
    if isinstance(parameter, ChoiceParameter) or parameter.integer:
        every = levels(parameter)
        return every[int(unit * len(every))]
    return parameter.low + unit * (parameter.high - parameter.low)


def _steps(parameter: Parameter, reference: Inputs) -> Iterator[_Step]:
    """What an input could be in place of what it is; nothing where it is not searched."""
    here = reference[parameter.name]
    if not is_searched(parameter, reference):
        return
    if isinstance(parameter, ChoiceParameter) and not parameter.ordered:
        for option in levels(parameter):
            if option != here:
                yield _Step(parameter.name, option, None, 1.0)
        return
    since = number(here)
    if isinstance(parameter, ChoiceParameter) or parameter.integer:
        every = sorted(map(number, levels(parameter)))
        low, high, place = every[0], every[-1], every.index(since)
        if len(every) == 1:
            return
        value = every[place + 1] if place + 1 < len(every) else every[place - 1]
    else:
        low, high = parameter.low, parameter.high
        if low == high:
            return
        step = STEP * (high - low)
        value = since + step if since + step <= high else since - step
    is_whole = isinstance(here, int)
    width = (high - low) / abs(value - since)
    yield _Step(parameter.name, int(value) if is_whole else value, since, width)


def _moved(reference: Inputs, *steps: _Step) -> dict[str, InputValue]:
    return {**reference, **{step.name: step.value for step in steps}}


def _apart(steps: _Steps) -> bool:
    return len({step.name for step in steps}) == len(steps)


def _widest(space: Sequence[Parameter]) -> dict[str, float]:
    """The largest that each number can be, without its sign."""
    ends: dict[str, tuple[InputValue, ...]] = {
        p.name: p.options if isinstance(p, ChoiceParameter) else (p.low, p.high) for p in space
    }
    return {
        name: max(abs(number(one)) for one in values)
        for name, values in ends.items()
        if not any(isinstance(one, str) for one in values)
    }


class _Found:
    """What steps change, alone and together, looked for only where fewer of them change much."""

    def __init__(self, at: Callable[[_Steps], Amounts], widest: Mapping[str, float]) -> None:
        """``at``: the amounts after some steps."""
        self._at, self._widest = at, widest
        self._there: dict[_Steps, Amounts] = {(): at(())}
        self.largest = {name: abs(value) for name, value in self._there[()].items()}
        """Of each amount, as far as it was seen."""

    def look(self, every: Sequence[_Steps]) -> None:
        """Ask about these. ValueError if they are too many."""
        if len(every) > MOST:
            raise ValueError(f"{len(every)} inputs and options together are too many to ask about")
        for steps in every:
            self._there[steps] = self._at(steps)
            for name, value in self._there[steps].items():
                self.largest[name] = max(self.largest.get(name, 0.0), abs(value))

    def triples(self) -> Iterator[_Steps]:
        """Three steps of which two pairs change more together than each alone."""
        pairs = [steps for steps in self._there if len(steps) == PAIR and self.is_active(steps)]
        order = [steps[0] for steps in self._there if len(steps) == 1]
        joined = (
            tuple(sorted({*one, *other}, key=order.index))
            for one, other in itertools.combinations(pairs, 2)
            if set(one) & set(other)
        )
        yield from (steps for steps in dict.fromkeys(joined) if _apart(steps))

    def is_active(self, steps: _Steps) -> bool:
        """Whether they change any amount, beyond what fewer of them do."""
        return any(self._matters(self._gain(name, steps), name, steps) for name in self.largest)

    def _matters(self, gain: float, name: str, steps: _Steps) -> bool:
        return abs(gain) * math.prod(s.width for s in steps) > DUST * self.largest[name]

    def _gain(self, name: str, steps: _Steps) -> float:
        """Of an amount, beyond what fewer of them give."""
        return math.fsum(
            (-1) ** (len(steps) - size) * self._there[part].get(name, 0.0)
            for size in range(len(steps) + 1)
            for part in itertools.combinations(steps, size)
        )

    def terms(self, name: str) -> Amount:
        """One amount as a sum, without what makes no difference."""
        total: dict[_Product, float] = {}
        for steps in self._there:
            gain = self._gain(name, steps)
            if self._matters(gain, name, steps):
                for weight, product in _expanded(gain, steps):
                    total[product] = total.get(product, 0.0) + weight
        return tuple(
            Term(weight=float(f"{weight:.9g}"), numbers=numbers, options=dict(options))
            for (numbers, options), weight in sorted(total.items())
            if abs(weight) * math.prod(self._widest[n] for n in numbers)
            > CANCELLED * self.largest[name]
        )


def _expanded(gain: float, steps: _Steps) -> Iterator[tuple[float, _Product]]:
    """``gain`` times how far along each step a point is, as products of inputs themselves."""
    options = tuple((s.name, str(s.value)) for s in steps if s.since is None)
    moved = [(s, number(s.value) - s.since) for s in steps if s.since is not None]
    for taken in itertools.product((True, False), repeat=len(moved)):
        weight, numbers = gain, []
        for (step, width), is_taken in zip(moved, taken, strict=True):
            assert step.since is not None
            weight *= (1.0 if is_taken else -step.since) / width
            if is_taken:
                numbers.append(step.name)
        yield weight, (tuple(numbers), options)


def _holds(terms: Amount, name: str, seen: Sequence[tuple[Inputs, Amounts]]) -> bool:
    """Whether it is as it should be at points that it was not made from."""
    largest = max((abs(there.get(name, 0.0)) for _, there in seen), default=0.0)
    off = (abs(amount(terms, point) - there.get(name, 0.0)) for point, there in seen)
    return all(one <= OFF * largest for one in off)
