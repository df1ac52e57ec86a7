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
from sdl.model.data import InputValue, Prediction, Suggestion, Trial
from sdl.model.planning import Ability, Problem
from sdl.model.reason import Left, Reason
from sdl.model.space import (
    Point,
    free_points,
    is_enumerable,
    is_hardly_endless,
    taken,
)
from sdl.planner.candidates import Candidates
from sdl.planner.chains import LEAST
from sdl.planner.ensemble import Learner
from sdl.planner.hints import hinted, sources_of
from sdl.planner.listing import listed, made_of
from sdl.planner.looks import Looks, at, names_of
from sdl.planner.neighbours import REACHES, neighbours
from sdl.planner.proposals import Campaign, Observed, Proposal
from sdl.planner.sample import candidates
from sdl.planner.sources import Sources
from sdl.planner.spread import START
from sdl.planner.start import measured, no_model, start_points

CENTRES = 4
"""Good points of a sample, each as if those before were pending, that are improved together."""

EACH = 64
"""Points that are drawn around each of them, for each reach ..."""

NEAREST = 0.003
"""... of which this is the last, in widths of the ranges."""

LEAST_RIVALS = 2


class EnsemblePlanner:
    """Spread points first, then the weighted gain of several kinds of Gaussian process.

    Where inputs are real, the neighbourhood of the best candidate is searched as well.
    """

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        """The next ``count`` points, best first. PlannerFault if no free point is left."""
        problem = _asked_for(problem)
        if problem.fidelity is None:
            found = proposed(problem, trials, count, seed)
        else:
            looks = Looks(problem, problem.fidelity, trials)
            found = _with_looks(looks, count, seed)
            trials = looks.at_target
        if not found:
            raise PlannerFault(
                "no free point is left that keeps every constraint; "
                "widen the space, loosen the constraints or end the campaign"
            )
        own = [one for one in trials if one.status != "abandoned" and not one.is_hint]
        due = len(own) >= START and measured(own) < LEAST
        fall_back = no_model(own) if due else ""
        return tuple(_suggestion(one, seed, fall_back) for one in found)

    def options(self) -> frozenset[str]:
        """``costs``: false where they are not to count; they do if nothing is said."""
        return frozenset({"costs"})

    def abilities(self) -> frozenset[Ability]:
        """All there is: each goal, limit, cost and kind of space, and hints of other campaigns."""
        return frozenset(
            {
                "several_objectives",
                "range",
                "hits",
                "level",
                "novelty",
                "discriminate",
                "outcome_constraints",
                "costs",
                "descriptors",
                "real_sums",
                "candidates",
                "conditions",
                "fidelity",
                "hints",
                "left",
                "bench",
            }
        )

    def versions(self) -> Mapping[str, str]:
        """Of numpy and scipy."""
        return {name: version(name) for name in ("numpy", "scipy")}


def _asked_for(problem: Problem) -> Problem:
    """Without costs where they are not to count.

    PlannerFault if the option is no yes or no, or if there are no rivals to be told apart.
    """
    said = problem.options.get("costs", True)
    if not isinstance(said, bool):
        raise PlannerFault(f"the option costs is {said!r}; it has to be true or false")
    if problem.objective.goal == "discriminate" and len(problem.rivals) < LEAST_RIVALS:
        raise PlannerFault(
            f"{len(problem.rivals)} rivals were given to be told apart; give two at least"
        )
    return problem if said else replace(problem, costs=None)


def proposed(problem: Problem, trials: Sequence[Trial], count: int, seed: int) -> list[Proposal]:
    """The next points, best first, where fidelities have no part.

    Fewer, or none, where a space that can be listed ends. PlannerFault if fewer than ``count`` that
    keep the constraints are found in another one.
    """
    tried = [trial for trial in trials if trial.status != "abandoned"]
    if is_enumerable(problem):
        return _asked(problem, tried, listed(problem), (), count, seed)
    if _begins(problem, tried):
        return [
            Proposal(inputs=one.inputs, origin=one.origin, reason=one.reason or Reason())
            for one in start_points(problem, trials, count, seed)
        ]
    points = _sample(problem, trials, count, seed)
    return list(_polished(problem, tried, points, count, seed))


def _begins(problem: Problem, tried: Sequence[Trial]) -> bool:
    """Whether nothing but the space itself says where to begin."""
    own = [one for one in tried if not one.is_hint]
    knows = bool(problem.rivals) or len(own) < len(tried)
    return not knows and (len(own) < START or measured(own) < LEAST)


def _with_looks(looks: Looks, count: int, seed: int) -> list[Proposal]:
    """Runs that open cheaper fidelities, then the best points, each at the one that pays."""
    found: list[Proposal] = []
    for option, due in looks.opening():
        found += _opened(looks, option, min(due, count - len(found)), seed)
    found += _at_target(looks, looks.at_target, found, count - len(found), seed)
    if not found and is_enumerable(looks.problem):
        # Where nothing else is left, a point whose cheaper run is under way waits no longer.
        found += _at_target(looks, looks.without_waiting, (), count, seed)
    return [*found, *_left_over(looks, found, count - len(found), seed)]


def _at_target(
    looks: Looks, known: Sequence[Trial], before: Sequence[Proposal], count: int, seed: int
) -> list[Proposal]:
    """The best points at the target beside those before, each at the fidelity that pays."""
    if count < 1 or not looks.has_target:
        return []
    flying = [
        Trial(inputs=looks.point_at_target(one.inputs), status="pending", measures={})
        for one in before
    ]
    problem = at(looks.problem, looks.fidelity, looks.fidelity.target)
    return list(looks.chosen(proposed(problem, (*known, *flying), count, seed), before))


def _opened(looks: Looks, option: str, count: int, seed: int) -> list[Proposal]:
    """Points of a cheaper fidelity that are far from each other."""
    if count < 1:
        return []
    problem = replace(at(looks.problem, looks.fidelity, option), costs=None)
    every = (
        listed(problem)
        if is_enumerable(problem)
        else made_of(problem, _sample(problem, (), count, seed))
    )
    found = Campaign(problem, every, seed).proposals((), looks.tried_at(option), count)
    return [looks.with_look(one, option, "opening") for one in found]


def _left_over(
    looks: Looks, found: Sequence[Proposal], count: int, seed: int
) -> Iterator[Proposal]:
    """What there is when every point is measured at the target: no gain, but sound points."""
    flying = [Trial(inputs=one.inputs, status="pending", measures={}) for one in found]
    trials = (*looks.trials, *flying)
    free = free_points(looks.problem, trials) if count and is_enumerable(looks.problem) else []
    if found:  # what failed does not come again beside others
        failed = taken(looks.problem, trials, failed=True)
        free = [one for one in free if one not in failed]
    count = min(count, len(free))
    if not count:
        return
    for one in start_points(looks.problem, trials, count, seed):
        reason = one.reason or Reason()
        spread = Proposal(inputs=one.inputs, origin="maximin", reason=reason)
        option = str(one.inputs[looks.fidelity.input])
        yield looks.with_look(spread, option, "left over")


def _asked(
    problem: Problem,
    trials: Sequence[Trial],
    every: Candidates,
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
    sources = sources_of(every.axes, problem, trials)
    ours = {"", *names_of(problem.fidelity)}
    own = [trial.inputs for trial in trials if trial.prior in ours]
    runs = max(1, (problem.runs or 1) - len(own) - len(flying))
    campaign = Campaign(problem, every, seed, partial(_learner, sources, seed), sources, runs)
    last = next(reversed([*own, *flying]), None)
    return campaign.proposals(observed, [*pending, *flying], count, last)


@lru_cache(maxsize=32)
def _learner(sources: Sources, seed: int, measure: str) -> Learner:
    """One for each measure of each campaign that this process serves; it only saves time."""
    return sources.learner(measure, seed)


def _sample(problem: Problem, trials: Sequence[Trial], count: int, seed: int) -> list[Point]:
    """Free points of a space that cannot be listed. PlannerFault if they are fewer than wanted.

    Where nobody can say how many there are (``is_hardly_endless``), one is enough.
    """
    used = taken(problem, trials, failed=True)
    hints = [one for one in hinted(problem, trials) if one not in used]
    points = [*hints, *candidates(problem, trials, seed)]
    if len(points) < (1 if is_hardly_endless(problem) else count):
        raise PlannerFault(
            f"only {len(points)} free points that keep every constraint were found, {count} are "
            "wanted; loosen the constraints or narrow the ranges around them"
        )
    return points


def _polished(
    problem: Problem, trials: Sequence[Trial], points: Sequence[Point], count: int, seed: int
) -> Iterator[Proposal]:
    """One after the other, each the best of the sample and then of its own neighbourhood."""
    chance = random.Random(seed)
    flying: list[Mapping[str, InputValue]] = []
    sample = made_of(problem, points)
    for _ in range(count):
        found = _asked(problem, trials, sample, flying, CENTRES, seed)
        if not found:
            return
        best = found[0]
        if best.origin in ("ensemble", "rivals"):
            best = _around(problem, trials, found, flying, seed, chance)
        flying.append(best.inputs)
        yield best


def _around(
    problem: Problem,
    trials: Sequence[Trial],
    found: Sequence[Proposal],
    flying: Sequence[Mapping[str, InputValue]],
    seed: int,
    chance: random.Random,
) -> Proposal:
    """The best that there is around some points, of which the first is the best one."""
    first = found[0].reason.left
    for reach in (*REACHES, NEAREST):
        centres = [tuple(one.inputs[p.name] for p in problem.space) for one in found]
        near = dict.fromkeys(centres)
        for centre in centres:
            near |= dict.fromkeys(neighbours(problem, centre, reach, chance, EACH))
        # What is left is looked at twice: in the sample, and in the last neighbourhood.
        asked = problem if reach == NEAREST else replace(problem, left=False)
        found = _asked(asked, trials, made_of(problem, list(near)), flying, CENTRES, seed)
    return replace(
        found[0], reason=replace(found[0].reason, left=_larger(first, found[0].reason.left))
    )


def _larger(one: Left | None, other: Left | None) -> Left | None:
    """What is left in the sample, and in the neighbourhood of its best point."""
    if one is None or other is None:
        return one or other
    return Left(gain=max(one.gain, other.gain), chance=max(one.chance, other.chance))


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
