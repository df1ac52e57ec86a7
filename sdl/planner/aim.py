"""From what a campaign asks for to models of its measures, and to an acquisition."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sdl.model.campaign import Objective, OutcomeConstraint
from sdl.model.data import Measures
from sdl.model.planning import Problem
from sdl.model.space import is_enumerable
from sdl.planner.acquisition import Acquisition
from sdl.planner.ahead import FEW
from sdl.planner.axes import Bools, Coded, Floats
from sdl.planner.belief import PLAIN, Belief, Sense, sense_of
from sdl.planner.ensemble import Ensemble, Learner
from sdl.planner.feasible import Limit
from sdl.planner.front import Front
from sdl.planner.goals import (
    Anything,
    Boundary,
    Discrimination,
    Goal,
    Hits,
    Interval,
    Maximum,
    Novelty,
)
from sdl.planner.worth import Rising, Within, Worth

SCORE = "weighted score"
"""The learner of several objectives in one; no measure has such a name."""


@dataclass(frozen=True)
class Aim:
    """What a campaign asks for, after some measurements: n of them."""

    problem: Problem
    points: Coded
    measures: Sequence[Measures]
    """(n,) of all measures that the problem speaks of."""
    learner: Callable[[str], Learner]
    """By measure."""
    told: Callable[[Coded], Floats] | None = None
    """Log of what points tell of the rivals, (M,), where these are to be told apart."""
    runs: int = 1
    """That the budget has still to give, the next one included."""

    def beliefs(self) -> dict[str, Belief]:
        """Of each measure, the first objective's first."""
        senses = senses_of(self.problem)
        return {measure: self._belief(measure, sense) for measure, sense in senses.items()}

    def _belief(self, measure: str, sense: Sense) -> Belief:
        values = np.array([one[measure] for one in self.measures], dtype=float)
        evidence = sense.evidence(self.points, values)
        return Belief(sense, self.learner(measure).ensemble(evidence))

    def acquisition(self, beliefs: Mapping[str, Belief], failed: Coded) -> Acquisition:
        """What candidates are worth; ``failed``: where runs failed."""
        limits = tuple(_limit(one, beliefs[one.measure]) for one in self._limits())
        return Acquisition(self._goal(beliefs), failed, limits)

    def _limits(self) -> tuple[OutcomeConstraint, ...]:
        """Of a front, the thresholds are its reference point; of a score, they are limits."""
        if not self.problem.is_weighted:
            return self.problem.outcomes
        given = [one for one in self.problem.objectives if one.threshold is not None]
        return (*self.problem.outcomes, *map(_threshold, given))

    def counted(self) -> Bools:
        """(n,) which measured points keep the limits."""
        limits = self._limits()
        return np.array(
            [all(one.kept(seen[one.measure]) for one in limits) for seen in self.measures]
        )

    def _goal(self, beliefs: Mapping[str, Belief]) -> Goal:
        counted, objectives = self.counted(), self.problem.objectives
        if len(objectives) == 1:
            endless = not is_enumerable(self.problem)
            belief = beliefs[objectives[0].measure]
            if self.told is not None:
                return Discrimination(belief.ensemble, self.told)
            few = self.problem.runs is not None and self.problem.runs <= FEW
            runs = self.runs if few else 1
            return _goal_of_one(objectives[0], belief, counted, runs, apart=endless)
        if self.problem.is_weighted:
            score = self._score()
            return Maximum(score, counted) if counted.any() else Anything(score)
        each = [beliefs[one.measure] for one in objectives]
        if not counted.any():
            return Anything(each[0].ensemble)
        pairs = list(zip(objectives, each, strict=True))
        thresholds = tuple(
            None if one.threshold is None else belief.sense.turned(one.threshold)
            for one, belief in pairs
        )
        worths = tuple(_worth(one, belief.ensemble) for one, belief in pairs)
        return Front(tuple(belief.ensemble for belief in each), worths, thresholds, counted)

    def _score(self) -> Ensemble:
        """Of the sum of weighted losses, turned."""
        objectives = self.problem.objectives
        totals = [score_of(objectives, seen) for seen in self.measures]
        return self.learner(SCORE).ensemble(PLAIN.evidence(self.points, np.array(totals)))


def score_of(objectives: Sequence[Objective], seen: Measures) -> float:
    """The sum of weighted losses, turned."""
    return -math.fsum((one.weight or 0.0) * one.loss(seen[one.measure]) for one in objectives)


def senses_of(problem: Problem) -> dict[str, Sense]:
    """How each measure is turned, the first objective's first.

    Of a front, volume is what counts, and that is counted in values, not in ranks.
    """
    senses = {one.measure: sense_of(one) for one in problem.objectives}
    if problem.further and not problem.is_weighted:
        senses = {measure: replace(one, is_plain=True) for measure, one in senses.items()}
    for limit in problem.outcomes:
        senses.setdefault(limit.measure, PLAIN)
    return senses


def _goal_of_one(
    objective: Objective, belief: Belief, counted: Bools, runs: int, *, apart: bool
) -> Goal:
    """What is looked for of one measure; ``runs``: that are in view.

    ``apart``: whether there is no end of points, so that likes of a good one are no gain.
    """
    ensemble, sense = belief.ensemble, belief.sense
    if objective.goal == "novelty":
        return Novelty(ensemble)
    if objective.goal == "level":
        assert objective.level is not None
        return Boundary(ensemble, sense.turned(objective.level))
    if objective.goal == "hits":
        ends = sense.ends(objective.at_least, objective.at_most)
        return Hits(ensemble, *ends, apart, runs)
    if not counted.any():
        return Anything(ensemble)
    if objective.goal in ("target", "range"):
        return Interval(ensemble, counted, _half(objective, ensemble), apart)
    return Maximum(ensemble, counted)


def _worth(objective: Objective, ensemble: Ensemble) -> Worth:
    if objective.goal in ("target", "range"):
        return Within(_half(objective, ensemble))
    return Rising()


def _half(objective: Objective, ensemble: Ensemble) -> float:
    """Half of what is wanted, in the unit of the outputs; of a target nothing."""
    if objective.low is None or objective.high is None:
        return 0.0
    return 0.5 * (objective.high - objective.low) / ensemble.evidence.scale


def _limit(constraint: OutcomeConstraint, belief: Belief) -> Limit:
    return Limit(belief.ensemble, *belief.sense.ends(constraint.at_least, constraint.at_most))


def _threshold(objective: Objective) -> OutcomeConstraint:
    if objective.goal == "minimise":
        return OutcomeConstraint(measure=objective.measure, at_most=objective.threshold)
    return OutcomeConstraint(measure=objective.measure, at_least=objective.threshold)
