"""The best of a campaign in words: one point, or of several objectives the front."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sdl.cli.words import count, point, quantity
from sdl.core.view import FrontPoint, View

SHOWN = 12
"""Points of a front that are told one by one."""


def in_short(view: View, none: str) -> str:
    """In a few words; ``none``: what is said while there is nothing."""
    if view.front is not None:
        return on_front(len(view.front)) if view.front else none
    return none if view.best is None else quantity(view.measure, view.best.value)


def on_front(points: int) -> str:
    """How many points no other one beats."""
    return f"{count(points, 'point')} on the front"


def in_a_line(view: View) -> str:
    """In a line, with what it was measured at."""
    if view.front:
        names = ", ".join(_short(one) for one in view.front[-SHOWN:])
        return f"{on_front(len(view.front))} ({names})"
    if view.best is None:
        return "none yet"
    return f"{in_short(view, '')} at {point(view.best.inputs)} ({view.best.where})"


def told(view: View) -> Iterator[tuple[str, str]]:
    """Heading and line for each thing to be told at the end."""
    if view.front is not None:
        yield from _front(view.front, view)
    elif view.best is None:
        yield "best", _none(view)
    else:
        yield "best", f"{view.measure} = {in_short(view, '')}  ({view.best.where})"
    if view.best is not None and view.best.expected is not None:
        expected = quantity(view.measure, view.best.expected, view.best.sd)
        measure = "" if view.front is None else f"{view.measure} = "
        yield "expected", f"{measure}{expected} by the planner before the run"
    if view.best is not None and view.front is None:
        yield "at", point(view.best.inputs)


def _short(one: FrontPoint) -> str:
    """Where it was measured, without the campaign's name."""
    return one.where.partition("/")[2]


def _none(view: View) -> str:
    if view.runs_measured:
        return f"none: of {count(view.runs_measured, view.counted)} measured, none keeps all limits"
    return "none: no run was measured"


def _front(points: Sequence[FrontPoint], view: View) -> Iterator[tuple[str, str]]:
    if not points:
        yield "front", _none(view)
        return
    yield "front", f"{count(len(points), 'point')} that no other one beats in all objectives"
    for one in points[:SHOWN]:
        best = view.best is not None and view.best.suggestion == one.suggestion
        mark = ", the best by weight" if best else ""
        yield "", f"{_short(one)}: {point(one.measures)}{mark}"
        yield "", f"  at {point(one.inputs)}"
    if len(points) > SHOWN:
        yield "", f"and {len(points) - SHOWN} more: --json has them all"
