"""A problem as a model of OR-Tools' CP-SAT. The one module that knows that library's model.

Every activity is an interval, every place a second one of variable length from the start of the
move that brings something to the end of the move that takes it away. So blocking, swaps and nest
deadlock are ordinary capacity constraints, and a complete plan cannot lock up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ortools.sat.python.cp_model import CpModel, IntervalVar, IntVar, LinearExpr

from sdl.scheduling.index import Edge, Indexed, Stay
from sdl.scheduling.twins import twin_groups

Term = LinearExpr | int
"""Something with a value in a solution, or a constant."""


@dataclass(slots=True, kw_only=True)
class _Use:
    intervals: list[IntervalVar]
    amounts: list[int]


class CpPlan:
    """The model, and the variables in which its solutions are read."""

    def __init__(
        self,
        index: Indexed,
        *,
        horizon_s: int,
        symmetric: bool = False,
        least_cost: int = 0,
    ) -> None:
        """``horizon_s``: everything ends by then.

        ``symmetric``: groups that are alike come in their order, which loses no optimum but
        may lose a plan that is given as a hint. ``least_cost``: no plan is cheaper.
        """
        self.index = index
        self.horizon_s = horizon_s
        self.model = CpModel()
        self.starts: list[Term] = []
        self.ends: list[Term] = []
        self.chosen: list[list[IntVar | int]] = []
        self.present: list[IntVar | int] = []
        self._uses: dict[int, _Use] = defaultdict(lambda: _Use(intervals=[], amounts=[]))
        for activity in range(index.count):
            self._add_activity(activity)
        for stay in index.stays:
            self._add_stay(stay)
        for edge in index.hard:
            self._add_edge(edge)
        self._add_capacities()
        self._add_reservoirs()
        if symmetric:
            self._add_order_of_twins()
        self._add_objective(least_cost)

    # Activities.

    def _add_activity(self, activity: int) -> None:
        index = self.index
        fixed = index.fixed[activity]
        if fixed is not None:
            self._add_constant(activity, fixed.start_s, fixed.mode)
        else:
            self._add_free(activity)

    def _add_constant(self, activity: int, start_s: int, mode: int) -> None:
        index = self.index
        length = index.length(activity, mode)
        self.starts.append(start_s)
        self.ends.append(start_s + length)
        self.chosen.append([int(one == mode) for one in range(len(index.duration[activity]))])
        self.present.append(1)
        if length:
            interval = self.model.new_fixed_size_interval_var(start_s, length, f"f{activity}")
            self._use(index.demands[activity][mode], interval)

    def _add_free(self, activity: int) -> None:
        index, model = self.index, self.model
        durations = index.duration[activity]
        release_s = index.release[activity]
        latest_s = self.horizon_s - min(durations)
        optional = index.problem.activities[activity].optional
        if latest_s < release_s and not optional:
            model.add_bool_or([])  # it cannot end in time
        start = model.new_int_var(release_s, max(release_s, latest_s), f"s{activity}")
        present: IntVar | int = model.new_bool_var(f"p{activity}") if optional else 1
        chosen: list[IntVar | int] = [present]
        end: Term = start + durations[0]
        if len(durations) > 1:
            literals = [model.new_bool_var(f"m{activity}.{at}") for at in range(len(durations))]
            chosen = list(literals)
            model.add(sum(literals) == present)
            if len(set(durations)) > 1:
                end = model.new_int_var(
                    0, max(release_s, latest_s) + max(durations), f"e{activity}"
                )
                model.add(end <= max(self.horizon_s, release_s + min(durations)))
                model.add(end == start + LinearExpr.weighted_sum(literals, durations))
        self.starts.append(start)
        self.ends.append(end)
        self.chosen.append(chosen)
        self.present.append(present)
        for mode, literal in enumerate(chosen):
            if not durations[mode] or not index.demands[activity][mode]:
                continue
            interval = model.new_optional_fixed_size_interval_var(
                start, durations[mode], literal, f"i{activity}.{mode}"
            )
            self._use(index.demands[activity][mode], interval)

    def _use(self, needs: Sequence[tuple[int, int]], interval: IntervalVar) -> None:
        for resource, amount in needs:
            self._uses[resource].intervals.append(interval)
            self._uses[resource].amounts.append(amount)

    def _point(self, activity: int, *, end: bool) -> Term:
        return self.ends[activity] if end else self.starts[activity]

    def _add_stay(self, stay: Stay) -> None:
        model, at = self.model, len(self._uses[stay.resource].intervals)
        literals = [
            literal
            for literal in (
                self.present[stay.first],
                self.present[stay.last],
                self.chosen[stay.chooser][stay.mode] if stay.chooser >= 0 else 1,
            )
            if not isinstance(literal, int) or not literal
        ]
        if any(isinstance(literal, int) for literal in literals):
            return
        start, end = self.starts[stay.first], self.ends[stay.last]
        name = f"h{stay.resource}.{at}"
        low = self.index.problem.now_s if isinstance(start, IntVar) else start
        size: Term
        if isinstance(start, int) and isinstance(end, int):
            size = end - start
        else:
            assert isinstance(low, int)
            size = model.new_int_var(0, max(0, self.horizon_s - low), f"z{name}")
        if not literals:
            interval = model.new_interval_var(start, size, end, name)
        else:
            literal = model.new_bool_var(f"l{name}")
            model.add_min_equality(literal, literals)
            interval = model.new_optional_interval_var(start, size, end, literal, name)
        self._use(((stay.resource, stay.amount),), interval)

    # Constraints.

    def _add_edge(self, edge: Edge) -> None:
        target = self._point(edge.target, end=edge.target_end)
        source = self._point(edge.source, end=edge.source_end)
        if isinstance(target, int) and isinstance(source, int):
            if target < source + edge.least_s:
                self.model.add_bool_or([])
            return
        posted = self.model.add(target - source >= edge.least_s)
        literals = [
            literal
            for literal in (self.present[edge.source], self.present[edge.target])
            if isinstance(literal, IntVar)
        ]
        if literals:
            posted.only_enforce_if(literals)

    def _add_capacities(self) -> None:
        for resource, use in sorted(self._uses.items()):
            capacity = self.index.capacity[resource]
            if capacity == 1 and set(use.amounts) == {1}:
                self.model.add_no_overlap(use.intervals)
            elif sum(use.amounts) > capacity:
                self.model.add_cumulative(use.intervals, use.amounts, capacity)

    def _add_reservoirs(self) -> None:
        problem = self.index.problem
        for reservoir in problem.reservoirs:
            changes = [one for one in problem.changes if one.reservoir == reservoir.name]
            numbers = [self.index.number[one.activity] for one in changes]
            if changes:
                self.model.add_reservoir_constraint_with_active(
                    [
                        self._point(at, end=one.point == "end")
                        for at, one in zip(numbers, changes, strict=True)
                    ],
                    [one.amount for one in changes],
                    [self.present[at] for at in numbers],
                    -reservoir.level,
                    reservoir.capacity - reservoir.level,
                )

    def _add_order_of_twins(self) -> None:
        for groups in twin_groups(self.index):
            for one, other in pairwise(groups):
                self.model.add(self.starts[one[0]] <= self.starts[other[0]])

    # What is wanted.

    def _add_objective(self, least_cost: int) -> None:
        weights = self.index.problem.weights
        terms: list[Term] = []
        if weights.makespan:
            terms.append(weights.makespan * self._last_end(range(self.index.count), "makespan"))
        if weights.flow:
            for at, group in enumerate(self.index.problem.groups):
                members = self._group(group.name)
                if members and group.weight:
                    flow = self._last_end(members, f"flow{at}", since_s=group.release_s)
                    terms.append(weights.flow * group.weight * flow)
        terms += self._lateness()
        terms += self._moves()
        cost = sum(terms)
        if isinstance(cost, int):
            return
        if least_cost:
            self.model.add(cost >= least_cost)
        self.model.minimize(cost)

    def _group(self, name: str) -> list[int]:
        activities = self.index.problem.activities
        return [at for at, one in enumerate(activities) if one.group == name]

    def _last_end(self, members: Sequence[int], name: str, since_s: int = 0) -> IntVar:
        """A variable for the last end of some activities, counted from a time; at least 0."""
        last = self.model.new_int_var(0, max(0, self._latest_end() - since_s), name)
        for at in members:
            posted = self.model.add(last >= self.ends[at] - since_s)
            present = self.present[at]
            if isinstance(present, IntVar):
                posted.only_enforce_if(present)
        return last

    def _latest_end(self) -> int:
        longest = max((max(modes) for modes in self.index.duration), default=0)
        fixed = max((one.end_s for one in self.index.fixed if one is not None), default=0)
        return max(self.horizon_s, fixed) + longest

    def _lateness(self) -> list[Term]:
        """The cost of soft lags that are not kept."""
        terms: list[Term] = []
        for at, lag in enumerate(self.index.problem.lags):
            if not lag.cost_per_s:
                continue
            before, after = self.index.number[lag.before], self.index.number[lag.after]
            gap = self._point(after, end=lag.after_point == "end") - self._point(
                before, end=lag.before_point == "end"
            )
            late = self.model.new_int_var(0, 4 * self._latest_end() + 1, f"late{at}")
            for bound in (
                [] if lag.maximum_s is None else [gap - lag.maximum_s],
                [] if lag.minimum_s is None else [lag.minimum_s - gap],
            ):
                for excess in bound:
                    posted = self.model.add(late >= excess)
                    literals = [
                        literal
                        for literal in (self.present[before], self.present[after])
                        if isinstance(literal, IntVar)
                    ]
                    if literals:
                        posted.only_enforce_if(literals)
            terms.append(lag.cost_per_s * late)
        return terms

    def _moves(self) -> list[Term]:
        """The cost of what differs from the current plan."""
        weights, terms = self.index.problem.weights, list[Term]()
        if not weights.moved and not weights.rerouted:
            return terms
        for old in self.index.problem.current:
            at = self.index.number.get(old.activity)
            if at is None:
                continue
            if weights.moved:
                moved = self.model.new_int_var(0, 2 * self._latest_end() + 1, f"moved{at}")
                self.model.add(moved >= self.starts[at] - old.start_s).only_enforce_if(
                    self.present[at]
                )
                self.model.add(moved >= old.start_s - self.starts[at]).only_enforce_if(
                    self.present[at]
                )
                terms.append(weights.moved * moved)
            if weights.rerouted and 0 <= old.mode < len(self.chosen[at]):
                terms.append(weights.rerouted * (self.present[at] - self.chosen[at][old.mode]))
        return terms

    # Hints.

    def hint(self, starts: Sequence[int], modes: Sequence[int]) -> None:
        """Where to begin: a whole plan, by number of activity."""
        for at, (start_s, mode) in enumerate(zip(starts, modes, strict=True)):
            start, present = self.starts[at], self.present[at]
            if isinstance(present, IntVar):
                self.model.add_hint(present, int(mode >= 0))
            if isinstance(start, IntVar):
                self.model.add_hint(start, start_s)
            if len(self.chosen[at]) > 1:
                for one, literal in enumerate(self.chosen[at]):
                    if isinstance(literal, IntVar):
                        self.model.add_hint(literal, int(one == mode))
