"""How exactly a suggestion that was made again agrees with the one on record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeAlias

from sdl.model.data import Suggestion

Grade: TypeAlias = Literal["identical", "equal", "same point", "different"]
"""*identical*: to the last bit. *equal*: each number within ``TOLERANCE``, digests aside. *same
point*: the inputs are equal, what is said of them is not. *different*: another point, or none."""

GRADES: tuple[Grade, ...] = ("identical", "equal", "same point", "different")
"""From the best to the worst."""

TOLERANCE = 1e-9
"""Relative, and absolute around zero."""

DIGESTS = ("model_digest", "reason.data_digest")
"""Over exact bytes, so that they differ as soon as one bit does."""

_Leaf: TypeAlias = float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not the same to the last bit."""

    what: str
    """Such as ``inputs.x`` or ``predicted.yield.mean``."""
    recorded: _Leaf
    now: _Leaf
    """None on either side: there is nothing of the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The grade, and all that differs, inputs first."""

    grade: Grade
    differences: tuple[Difference, ...] = ()


def agreement(recorded: Suggestion, now: Suggestion | None) -> Agreement:
    """Compare two; None: the planner gives no such point any more.

    Where the one on record has no reason, as in older journals, none is compared.
    """
    if now is not None and recorded.reason is None:
        now = replace(now, reason=None)
    there = dict(_leaves("", asdict(recorded)))
    here = {} if now is None else dict(_leaves("", asdict(now)))
    found = tuple(
        Difference(what=what, recorded=there.get(what), now=here.get(what))
        for what in dict.fromkeys((*there, *here))
        if repr(there.get(what)) != repr(here.get(what))
    )
    return Agreement(grade=_grade(found), differences=found)


def _grade(differences: Sequence[Difference]) -> Grade:
    if not differences:
        return "identical"
    far = [one.what for one in differences if one.what not in DIGESTS and not _close(one)]
    if not far:
        return "equal"
    return "different" if any(what.startswith("inputs.") for what in far) else "same point"


def _close(one: Difference) -> bool:
    if not (_is_number(one.recorded) and _is_number(one.now)):
        return False
    return math.isclose(
        float(one.recorded or 0.0), float(one.now or 0.0), rel_tol=TOLERANCE, abs_tol=TOLERANCE
    )


def _is_number(leaf: _Leaf) -> bool:
    return isinstance(leaf, (int, float)) and not isinstance(leaf, bool)


def _leaves(name: str, value: object) -> Iterator[tuple[str, _Leaf]]:
    """Everything in a nested value that is no list or table itself, by where it stands."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(f"{name}.{key}" if name else str(key), each)
    elif isinstance(value, (tuple, list)):
        for place, each in enumerate(value, start=1):
            yield from _leaves(f"{name}.{place}", each)
    elif value is None or isinstance(value, (int, float, str)):
        yield name, value
