"""The best of a campaign in words: one point, or of several objectives the front."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from sdl.cli.words import count, point, quantity
from sdl.core.rivals import doubt, in_words
from sdl.core.view import FrontPoint, View
from sdl.model.campaign import Goal

SOUGHT: AbstractSet[Goal] = {"hits", "level", "novelty", "discriminate"}
"""Goals of which the best point alone says little."""

SHOWN = 12
"""Points of a front that are told one by one."""


def in_short(view: View, none: str) -> str:
    """In a few words; ``none``: what is said while there is nothing."""
    if view.goal in SOUGHT:
        return sought(view) or none
    if view.front is not None:
        return on_front(len(view.front)) if view.front else none
    return none if view.best is None else quantity(view.measure, view.best.value)


def label(view: View) -> str:
    """What goes before the words of ``in_short``, a space with it: of one point, *best*."""
    return "" if view.front or (view.goal in SOUGHT and sought(view)) else "best "


def sought(view: View) -> str:
    """What was found of hits, the sides of a level, what is new, or rivals; else nothing."""
    tally, measure = view.tally, view.measure
    total = tally.below + tally.within + tally.above
    if not total or tally.least is None or tally.most is None:
        return ""
    match view.goal:
        case "hits":
            return f"{count(tally.within, 'hit')} of {total} measured"
        case "level":
            there = f", {tally.within} on it" if tally.within else ""
            return f"{tally.below} below the level, {tally.above} above{there}"
        case "novelty":
            ends = f"{tally.least:.4g} to {quantity(measure, tally.most)}"
            return f"{total} measured, {measure} from {ends}"
        case "discriminate":
            return in_words(view.rivals)
        case _:
            return ""


def on_front(points: int) -> str:
    """How many points no other one beats."""
    return f"{count(points, 'point')} on the front"


def in_a_line(view: View) -> str:
    """In a line, with what it was measured at."""
    if view.front:
        names = ", ".join(_short(one) for one in view.front[-SHOWN:])
        return f"{on_front(len(view.front))} ({names})"
    if view.best is None or view.goal in SOUGHT:
        return in_short(view, "none yet")
    return f"{in_short(view, '')} at {point(view.best.inputs)} ({view.best.where})"


def told(view: View) -> Iterator[tuple[str, str]]:
    """Heading and line for each thing to be told at the end."""
    if view.goal in SOUGHT:
        yield _heading(view), sought(view) or _none(view)
    if view.rivals and (why := doubt(view.rivals, view.runs_measured)):
        yield "mind", why
    if view.front is not None:
        yield from _front(view.front, view)
    elif view.best is None:
        if view.goal in SOUGHT:
            return
        yield "best", _none(view)
    else:
        value = quantity(view.measure, view.best.value)
        first = view.goal == "hits" and view.tally.within
        heading = "first" if first else "nearest" if view.goal in SOUGHT else "best"
        yield heading, f"{view.measure} = {value}  ({view.best.where})"
    if view.best is not None and view.best.expected is not None:
        expected = quantity(view.measure, view.best.expected, view.best.sd)
        measure = "" if view.front is None else f"{view.measure} = "
        yield "expected", f"{measure}{expected} by the planner before the run"
    if view.best is not None and view.front is None:
        yield "at", point(view.best.inputs)


def _heading(view: View) -> str:
    return "rivals" if view.goal == "discriminate" else view.goal


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
