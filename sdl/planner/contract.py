"""What a planner is: a pure function from a problem and its trials to the next points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sdl.model.data import Suggestion, Trial
from sdl.model.planning import Ability, Problem
from sdl.model.space import exhausted, feasible, free_points, violations

__all__ = ["Planner", "exhausted", "feasible", "free_points", "violations"]


class Planner(Protocol):
    """An entry point of ``sdl.planners`` is a class of this shape that is made without arguments.

    ``sdl.testing.planner_contract`` checks any planner against all that is said here.
    """

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        """The next ``count`` points (1 or more), depending on nothing but the arguments.

        ``trials``: those of before the campaign (``Trial.prior``), and then its own: measured,
        failed, abandoned and pending ones in the order in which they were planned. A failed one has
        no measures, and an abandoned one is as good as not tried; a pending one will have measures
        later, so do not propose it again. ``broke_window`` of a measured one says that it was
        measured late, of a failed one that lateness was the reason; ours make no difference between
        these and others.
        A hint (``Trial.is_hint``) was measured on something like it: its point is as good as not
        tried. Where ``Problem.left`` asks for it, reasons say what is left to be gained.
        ``seed``: the only source of chance. Inputs stay within their bounds and options, keep every
        constraint, are in the list of points if there is one, and are at ``otherwise`` where they
        are not searched (``sdl.model.space.settled``). In an enumerable space (``sdl.model.space``)
        no measured or pending point comes again, and fewer than ``count`` points are right where
        fewer are left; also where each real range is searched at some values of others only.

        ``Suggestion.reason`` says why this point, as far as there is something to be said.

        PlannerFault if no point can be given, with a message that says why and what to do next.
        """
        ...

    def versions(self) -> Mapping[str, str]:
        """Packages that have a part in the answers, to their versions."""
        ...

    def options(self) -> frozenset[str]:
        """Keys under ``[planner]`` that it reads from ``Problem.options``; others are refused.

        ``kind``, ``timeout_s`` and ``fall_back`` are the runtime's own and are not among them.
        """
        ...

    def abilities(self) -> frozenset[Ability]:
        """What it can do of all that a problem may ask for, besides one plain objective.

        A campaign that needs more is refused; what it has and the planner does not use is told.
        """
        ...
