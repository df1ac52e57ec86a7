"""Suggestions that wait for their run, asked for anew when results have come meanwhile.

They stay usable until the answer is there, so that nobody waits for it: a run that can begin takes
what is ready, and the answer is then about what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sdl.core.campaign import CampaignState, results, wanted_suggestions
from sdl.model.data import Suggestion
from sdl.model.planning import Problem
from sdl.model.space import Point, point


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What an answer makes of the suggestions that were ready."""

    withdrawn: tuple[str, ...]
    """As many of the new ones, the first, take their places."""
    new: tuple[Suggestion, ...]
    """What is suggested again is not among them: the former suggestion stands."""


def replaceable(state: CampaignState) -> tuple[str, ...]:
    """Suggestions that wait for their first run: always the last ones that were accepted."""
    return tuple(one for one in state.ready if one not in state.requeued)


def outdated(state: CampaignState) -> tuple[str, ...]:
    """Those to ask for anew; none where the planner knew all results, or where it is not wanted."""
    if not state.spec.planner.refresh or state.closing or state.open_ask or state.dry:
        return ()
    return replaceable(state) if results(state) > state.informed else ()


def revision(
    state: CampaignState, problem: Problem, replaces: Sequence[str], points: Sequence[Suggestion]
) -> Revision:
    """What is to be done with an answer. ``replaces``: what was ready when it was asked for.

    Where a run took one of them meanwhile, its point is not taken twice, and there is an answer
    more than places.
    """
    ready = replaceable(state)
    waiting = [one for one in replaces if one in ready]
    begun = [_at(problem, state, one) for one in replaces if one not in waiting]
    fresh = [one for one in points if point(problem.space, one.inputs) not in begun]
    again = {point(problem.space, one.inputs) for one in fresh}
    places = [one for one in waiting if _at(problem, state, one) not in again]
    there = {_at(problem, state, one) for one in waiting}
    new = [one for one in fresh if point(problem.space, one.inputs) not in there]
    new = new[: len(places) + wanted_suggestions(state)]
    return Revision(withdrawn=tuple(places[: len(new)]), new=tuple(new))


def _at(problem: Problem, state: CampaignState, suggestion: str) -> Point:
    return point(problem.space, state.trials[suggestion].inputs)
