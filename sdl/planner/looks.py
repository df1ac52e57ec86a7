"""Fidelities: a campaign at its target, to which cheaper ones are sources that can be measured.

The best point at the target is looked at by a cheaper fidelity first where that tells more of it
for what it costs, while leave-one-out says that the cheaper one tells something (record 0025).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal

from sdl.model.campaign import ChoiceParameter
from sdl.model.candidates import Candidates, packed, rows_of
from sdl.model.costs import Fidelity
from sdl.model.data import Inputs, InputValue, Trial
from sdl.model.planning import Problem
from sdl.model.reason import Look
from sdl.model.space import Point, feasible, point
from sdl.planner.proposals import Proposal
from sdl.planner.spending import prices_of
from sdl.planner.spread import START

FIRST = 10
"""Runs that open a cheaper fidelity at most; all openings together cost one run at the target."""

TRUSTED = 0.5
"""Weight of the models that follow a fidelity, below which it is not used."""


def name_of(fidelity: Fidelity, option: str) -> str:
    """Of a cheaper fidelity as a source."""
    return f"{fidelity.input} = {option}"


def names_of(fidelity: Fidelity | None) -> list[str]:
    """Of all of them."""
    return [] if fidelity is None else [name_of(fidelity, option) for option in fidelity.costs]


def at(problem: Problem, fidelity: Fidelity, option: str) -> Problem:
    """The same at one fidelity only, what it costs added to all runs."""
    place = [one.name for one in problem.space].index(fidelity.input)
    space = list(problem.space)
    space[place] = ChoiceParameter(name=fidelity.input, options=(option,))
    listed, costs = problem.candidates, problem.costs
    if costs is not None:
        costs = replace(costs, per_run=costs.per_run + fidelity.costs.get(option, 0.0))
    return replace(
        problem,
        space=tuple(space),
        candidates=listed and _rows_at(listed, place, option),
        costs=costs,
    )


@lru_cache(maxsize=4)
def _rows_at(listed: Candidates, place: int, option: str) -> Candidates:
    rows = [row for row in rows_of(listed) if str(row[place]) == option]
    width = len(listed.columns)
    return packed(f"{listed.source}, {option}", f"{listed.sha256}{option}", rows, width)


@dataclass(frozen=True)
class Looks:
    """A campaign with fidelities, after some trials."""

    problem: Problem
    fidelity: Fidelity
    trials: Sequence[Trial]

    @cached_property
    def at_target(self) -> tuple[Trial, ...]:
        """The trials as the target sees them.

        What a cheaper fidelity measured is a hint, and what it is about to measure is waited for.
        """
        return tuple(self._seen())

    @cached_property
    def without_waiting(self) -> tuple[Trial, ...]:
        """The same, in which cheaper runs that are under way have no part."""
        return tuple(self._seen(waits=False))

    def _seen(self, *, waits: bool = True) -> Iterator[Trial]:
        for trial in self.trials:
            option = self._option(trial.inputs)
            there = replace(trial, inputs=self.point_at_target(trial.inputs))
            waited = waits and trial.status == "pending"
            if trial.is_hint or option == self.fidelity.target or waited:
                yield there
            elif trial.status == "measured" and self.problem.measures <= trial.measures.keys():
                yield replace(there, prior=name_of(self.fidelity, option), is_hint=True)

    @property
    def has_target(self) -> bool:
        """Whether a list of points has one at the target."""
        listed = at(self.problem, self.fidelity, self.fidelity.target).candidates
        return listed is None or bool(rows_of(listed))

    def point_at_target(self, inputs: Inputs) -> dict[str, InputValue]:
        """The same point, looked at as closely as is wanted."""
        return {**inputs, self.fidelity.input: self.fidelity.target}

    def tried_at(self, option: str) -> list[Inputs]:
        """Points that were tried at a fidelity, or are under way."""
        return [
            one.inputs
            for one in self.trials
            if self._option(one.inputs) == option and one.status != "abandoned" and not one.is_hint
        ]

    def opening(self) -> Iterator[tuple[str, int]]:
        """Cheaper fidelities, and how many runs each still needs before it can be judged.

        None of one that is too dear for as many runs as a campaign begins with, and none where
        rivals are told apart, for these follow no source.
        """
        every = [] if self.problem.objective.goal == "discriminate" else self._cheaper()
        for option in every:
            price = len(every) * self._price(option)
            whole = self._price(self.fidelity.target)
            runs = FIRST if price * FIRST <= whole else int(whole / price)
            due = runs - len(self.tried_at(option))
            if runs >= START and due > 0:
                yield option, due

    def chosen(
        self, proposals: Sequence[Proposal], before: Sequence[Proposal]
    ) -> Iterator[Proposal]:
        """The proposals, best first, each at the fidelity that tells most for what it costs.

        ``before``: others that are made at the same time.
        """
        runs = [one.inputs for one in self.trials if not one.prior and one.status != "abandoned"]
        runs += [one.inputs for one in before]
        used = {point(self.problem.space, one) for one in runs}
        used |= {self._place(one) for option in self._cheaper() for one in self.tried_at(option)}
        for one in proposals:
            best = self._best(one, self._since(runs), used)
            runs.append(best.inputs)
            used.add(self._place(best.inputs))
            yield best

    def with_look(
        self, proposal: Proposal, option: str, why: Literal["opening", "target", "left over"]
    ) -> Proposal:
        """At that fidelity, where no model compared it with others."""
        look = Look(option=option, why=why, cost=self._price(option, proposal.inputs))
        return replace(proposal, reason=replace(proposal.reason, look=look))

    def _best(self, proposal: Proposal, since: float, used: set[Point]) -> Proposal:
        """``since``: what runs of cheaper fidelities have cost since the last one at the target."""
        whole = self._price(self.fidelity.target, proposal.inputs)
        best = self.with_look(proposal, self.fidelity.target, "target")
        most = 1.0 / whole if whole > 0.0 else math.inf
        for option in self._cheaper():
            told = proposal.told.get(name_of(self.fidelity, option))
            inputs = {**proposal.inputs, self.fidelity.input: option}
            if told is None or told.weight < TRUSTED or self._place(inputs) in used:
                continue
            price = self._price(option, inputs)
            affordable = since + price <= told.weight * whole
            if affordable and told.share / price > most and feasible(self.problem, inputs):
                look = Look(
                    option=option, why="pays", tells=told.share, weight=told.weight, cost=price
                )
                best, most = _looked(proposal, inputs, look), told.share / price
        return best

    def _since(self, runs: Sequence[Inputs]) -> float:
        total = 0.0
        for one in runs:
            option = self._option(one)
            total = 0.0 if option == self.fidelity.target else total + self._price(option, one)
        return total

    def _cheaper(self) -> list[str]:
        """Other fidelities of which it is known what they cost, the cheapest first."""
        costs = {name: cost for name, cost in self.fidelity.costs.items() if cost > 0.0}
        (parameter,) = (one for one in self.problem.space if one.name == self.fidelity.input)
        options = {str(one) for one in parameter.options} if parameter.kind == "choice" else set()
        whole = costs.get(self.fidelity.target, 0.0)
        cheaper = [one for one in costs if one in options and costs[one] < whole]
        return sorted(cheaper, key=lambda one: costs[one])

    def _price(self, option: str, inputs: Inputs | None = None) -> float:
        """Of a run at a fidelity, what has to be changed left out; at no point its least part."""
        price, costs = self.fidelity.costs.get(option, 0.0), self.problem.costs
        if costs is None:
            return price
        if inputs is None:
            return price + costs.per_run
        return price + float(prices_of(costs, {name: [v] for name, v in inputs.items()}).each[0])

    def _option(self, inputs: Inputs) -> str:
        return str(inputs[self.fidelity.input])

    def _place(self, inputs: Inputs) -> Point:
        return point(self.problem.space, inputs)


def _looked(proposal: Proposal, inputs: Inputs, look: Look) -> Proposal:
    """The same at a cheaper fidelity: what it will measure is another thing, and not foretold."""
    gain = proposal.reason.log_gain
    reason = replace(
        proposal.reason,
        expected={},
        look=look,
        log_gain=None if gain is None else gain + math.log(look.tells),
        log_cost=math.log(look.cost),
    )
    return replace(proposal, inputs=inputs, reason=reason)
