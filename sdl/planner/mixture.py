"""The ensemble as a planner of campaigns: points from lists, products and samples, in one process.

Needs neither torch nor Ax, and answers in milliseconds where the space is a list.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib.metadata import version

from sdl.errors import PlannerFault
from sdl.model.campaign import Parameter
from sdl.model.data import InputValue, Prediction, Suggestion, Trial
from sdl.model.planning import Ability, Problem
from sdl.model.reason import Left
from sdl.model.space import Point, free_points, is_enumerable, levels, number, taken
from sdl.planner.ax import candidates, no_model
from sdl.planner.axes import LEVELS as MANY
from sdl.planner.axes import Axes, Axis
from sdl.planner.candidates import Candidates
from sdl.planner.chains import LEAST
from sdl.planner.ensemble import Learner
from sdl.planner.hints import hinted, sources_of
from sdl.planner.neighbours import REACHES, neighbours
from sdl.planner.proposals import Campaign, Observed, Proposal
from sdl.planner.sources import Sources
from sdl.planner.spread import START


class EnsemblePlanner:
    """Spread points first, then the weighted gain of several kinds of Gaussian process.

    Where inputs are real, the neighbourhood of the best candidate is searched as well.
    """

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        """The next ``count`` points, best first. PlannerFault if no free point is left."""
        problem = _asked_for(problem)
        tried = [trial for trial in trials if trial.status != "abandoned"]
        listed = is_enumerable(problem)
        points = free_points(problem, trials) if listed else _free(problem, trials, seed)
        if not points:
            raise PlannerFault(
                "no free point is left that keeps every constraint; "
                "widen the space, loosen the constraints or end the campaign"
            )
        if listed:
            found = _asked(problem, tried, points, (), count, seed)
        else:
            found = list(_polished(problem, tried, points, count, seed))
        own = [trial for trial in tried if not trial.is_hint]
        measured = sum(trial.status == "measured" for trial in own)
        due = len(own) >= START and measured < LEAST
        fall_back = no_model(own) if due else ""
        return tuple(_suggestion(one, seed, fall_back) for one in found)

    def options(self) -> frozenset[str]:
        """``costs``: false where they are not to count; they do if nothing is said."""
        return frozenset({"costs"})

    def abilities(self) -> frozenset[Ability]:
        """All goals, limits and costs; real sums, lists of points and hints."""
        return frozenset(
            {
                "several_objectives",
                "range",
                "hits",
                "level",
                "novelty",
                "outcome_constraints",
                "costs",
                "real_sums",
                "candidates",
                "hints",
                "left",
            }
        )

    def versions(self) -> Mapping[str, str]:
        """Of numpy and scipy."""
        return {name: version(name) for name in ("numpy", "scipy")}


def _asked_for(problem: Problem) -> Problem:
    """Without costs where they are not to count. PlannerFault if the option is no yes or no."""
    said = problem.options.get("costs", True)
    if not isinstance(said, bool):
        raise PlannerFault(f"the option costs is {said!r}; it has to be true or false")
    return problem if said else replace(problem, costs=None)


def _asked(
    problem: Problem,
    trials: Sequence[Trial],
    points: Sequence[Point],
    flying: Sequence[Mapping[str, InputValue]],
    count: int,
    seed: int,
) -> list[Proposal]:
    """The best of the points, with those of the trials and some more under way."""
    observed = [
        Observed(one.inputs, one.measures if problem.measures <= one.measures.keys() else None)
        for one in trials
        if one.status in {"measured", "failed"} and not one.is_hint
    ]
    pending = [trial.inputs for trial in trials if trial.status == "pending"]
    axes = _axes(problem.space)
    columns = {p.name: [row[at] for row in points] for at, p in enumerate(problem.space)}
    every = Candidates(columns, axes, len(points))
    sources = sources_of(axes, problem, trials)
    campaign = Campaign(problem, every, seed, partial(_learner, sources, seed), sources)
    own = [trial.inputs for trial in trials if not trial.prior]
    last = next(reversed([*own, *flying]), None)
    return campaign.proposals(observed, [*pending, *flying], count, last)


def _free(problem: Problem, trials: Sequence[Trial], seed: int) -> list[Point]:
    """Free points of a space that cannot be listed, those of hints among them."""
    used = taken(problem, trials, failed=True)
    hints = [one for one in hinted(problem, trials) if one not in used]
    return [*hints, *candidates(problem, trials, seed)]


@lru_cache(maxsize=32)
def _learner(sources: Sources, seed: int, measure: str) -> Learner:
    """One for each measure of each campaign that this process serves; it only saves time."""
    return sources.learner(measure, seed)


def _polished(
    problem: Problem, trials: Sequence[Trial], points: Sequence[Point], count: int, seed: int
) -> Iterator[Proposal]:
    """One after the other, each the best of the sample and then of its own neighbourhood."""
    chance = random.Random(seed)
    flying: list[Mapping[str, InputValue]] = []
    for _ in range(count):
        (found,) = _asked(problem, trials, points, flying, 1, seed)
        if found.origin == "ensemble":
            centre = tuple(found.inputs[p.name] for p in problem.space)
            near = [centre]
            for reach in REACHES:
                near += neighbours(problem, centre, reach, chance)
            first = found.reason.left
            (found,) = _asked(problem, trials, near, flying, 1, seed)
            reason = replace(found.reason, left=_larger(first, found.reason.left))
            found = replace(found, reason=reason)
        flying.append(found.inputs)
        yield found


def _larger(one: Left | None, other: Left | None) -> Left | None:
    """What is left in the sample, and in the neighbourhood of its best point."""
    if one is None or other is None:
        return one or other
    return Left(gain=max(one.gain, other.gain), chance=max(one.chance, other.chance))


def _axes(space: Sequence[Parameter]) -> Axes:
    """What the space says, not what a sample of it happens to hold; single values are left out."""
    names = tuple(
        Axis(name=p.name, options=tuple(sorted({str(option) for option in p.options})))
        for p in space
        if p.kind == "choice" and not p.ordered and len(set(map(str, p.options))) > 1
    )
    numbers = tuple(
        Axis(name=p.name, levels=steps, log=p.kind == "range" and p.log)
        for p in space
        if (p.kind == "range" or p.ordered) and len(steps := _steps(p)) > 1
    )
    return Axes(numbers, names)


def _steps(parameter: Parameter) -> tuple[float, ...]:
    """Ascending levels; of a real number, or of very many, the two ends."""
    if parameter.kind == "range" and not parameter.integer:
        return tuple(dict.fromkeys((parameter.low, parameter.high)))
    every = sorted(number(level) for level in levels(parameter))
    return tuple(every) if len(every) <= MANY else (every[0], every[-1])


def _suggestion(one: Proposal, seed: int, fall_back: str) -> Suggestion:
    return Suggestion(
        inputs=one.inputs,
        origin=one.origin,
        predicted={
            measure: Prediction(mean=each.median, sd=each.sd)
            for measure, each in one.reason.expected.items()
        },
        acquisition=one.reason.acquisition,
        seed=seed,
        model_digest=one.model_digest,
        fall_back=fall_back,
        reason=one.reason,
    )
