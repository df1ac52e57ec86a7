"""Points by chance: what every other planner has to be better than."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sdl.errors import PlannerFault
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import NEEDED, Ability, Problem
from sdl.model.space import (
    Point,
    free_points,
    is_enumerable,
    is_hardly_endless,
    taken,
)
from sdl.planner.design import designed
from sdl.planner.sobol import BLOCK, MAX_DRAWS, points_at


class RandomPlanner:
    """Any point that keeps the constraints is as likely as another, of a list each once."""

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        """``count`` points. PlannerFault if the space is used up, or too few keep constraints."""
        # By the number of trials, or the same points would be drawn again at the next question.
        chance = random.Random(f"{seed}/{len(trials)}")
        if is_enumerable(problem):
            free = free_points(problem, trials)
            found = chance.sample(free, min(count, len(free)))
        else:
            found = _drawn(problem, trials, count, _sequence(problem, chance, seed))
        if not found:
            raise PlannerFault(
                "every feasible point of the space is measured or pending; "
                "there is nothing left to suggest, so widen the space or end the campaign"
            )
        return tuple(
            designed(problem, values, "random", seed, number)
            for number, values in enumerate(found, start=len(trials) + 1)
        )

    def options(self) -> frozenset[str]:
        """It reads none."""
        return frozenset()

    def abilities(self) -> frozenset[Ability]:
        """All that can be done without a look at results."""
        return NEEDED

    def versions(self) -> Mapping[str, str]:
        """Nothing but this package has a part in it."""
        return {}


def _drawn(
    problem: Problem, trials: Sequence[Trial], count: int, points: Iterable[Point]
) -> list[Point]:
    used = taken(problem, trials, failed=True)
    found: dict[Point, None] = {}
    for values in points:
        if values not in used:
            found[values] = None
        if len(found) == count:
            return list(found)
    if found and is_hardly_endless(problem):
        return list(found)
    raise PlannerFault(
        f"of {MAX_DRAWS} points by chance only {len(found)} keep the constraints and are new, "
        f"{count} are wanted; loosen the constraints or narrow the ranges around them"
    )


def _sequence(problem: Problem, chance: random.Random, seed: int) -> Iterator[Point]:
    blocks = (
        [[chance.random() for _ in problem.space] for _ in range(BLOCK)]
        for _ in range(MAX_DRAWS // BLOCK)
    )
    return points_at(problem, blocks, seed)
