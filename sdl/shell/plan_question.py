"""From the outlook of a bench to a question for the scheduler, and from its answer to an event.

Nothing here touches an engine, so that another thread may do it: forecasts of a busy bench take
tenths of a second.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TypedDict

from sdl.core.forecast import Forecast, ForecastStep, MaximumLag, forecast
from sdl.core.outlook import Outlook, RunAhead
from sdl.core.plan import PlanArrived, Planned
from sdl.core.predicting import Predictor
from sdl.core.timetable import TIGHT_S
from sdl.scheduling.check import broken
from sdl.scheduling.model import (
    Activity,
    Answer,
    Demand,
    Fixed,
    Group,
    Lag,
    Mode,
    Placed,
    Plan,
    Problem,
    Resource,
    Weights,
)
from sdl.shell.plan_carries import ABSENT_S, Carries
from sdl.shell.plan_outings import Foreseen

NOW = "now"
"""The activity that stands for the present moment, for windows that are open already."""
STEPS_MAX = 200
"""Steps of one run that are planned."""
QUANTILE = 1.28
"""Standard deviations over the mean for which steps are planned: enough for nine of ten. One that
runs over makes others late that have a window, whether or not it has one."""
QUICK = 0.5
"""Standard deviations under its mean before which a step is not taken to end."""
UNUSED = 0.1
"""Share of each window that no plan counts on, once the carry is taken off."""
LEFT_S = 10
"""Lab seconds of a window that a plan may count on in any case."""
LATE = 1.645
"""Standard deviations over its mean beyond which a step is later than 95 % of its kind."""
BUSY_S = 60
"""The same for one that is busy with nobody knows what."""
LENIENCES = (0, 1, 2)
"""In this order until there is a plan."""
LATE_COST = 50_000
"""What a second costs by which a window is missed: rather the whole bench a minute later."""
RESERVE = 0.3
"""Share of each window of a run that has entered, once the carry is taken off, that a plan had
better leave for what takes longer than it was to, ..."""
RESERVE_COST = 5_000
"""... and what each second of it costs that is planned for all the same: as much as a second by
which a step is put off that would begin at once."""
ROOM_S = 30.0
"""Lab seconds for which a step may be put off that would begin at once, ..."""
PUT_OFF_COST = 5_000
"""... and what each second more costs."""
WEIGHTS = Weights(makespan=1000, flow=1)
"""The whole bench first; the flow of runs, by claims of their campaigns, settles ties."""


class Closing(TypedDict, total=False):
    """What a planned step says of its window: lab time, or seconds from the end of a step."""

    opens: float
    closes: float
    opened_by: str
    least_s: float
    most_s: float


@dataclass(frozen=True)
class Draft:
    """A question in words of the engine, and what is needed to read the answer."""

    outlook: Outlook
    forecasts: Mapping[str, Forecast]
    """By run."""
    lenience: int = 0
    """Which windows only cost where they are not kept: those that are open by now; with 1, all of
    runs that have entered the bench; with 2, all."""

    @cached_property
    def steps(self) -> dict[str, Foreseen]:
        """All that are not done, by id."""
        busy_with = {seat.busy_with for seat in self.outlook.seats}
        found = {}
        for run in self.outlook.runs:
            for step in self.forecasts[run.run].left:
                if step.instrument in self._names:
                    name = f"{run.run}/step-{step.path}"
                    is_fixed = step.state == "under_way" and name in busy_with
                    release_s = self._release_s(run, step)
                    found[name] = Foreseen(name, step, run, _length_s(step), release_s, is_fixed)
        return found

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(seat.name for seat in self.outlook.seats)

    @cached_property
    def carries(self) -> Carries:
        """What has to be carried for them."""
        return Carries.of(self.outlook, self.steps, NOW)

    @property
    def has_windows(self) -> bool:
        """Whether any step has a window to keep: else there is little that a plan could better."""
        return any(each.step.windows for each in self.steps.values())

    @cached_property
    def problem(self) -> Problem:
        """What the scheduler is asked. Time 0 is that of the outlook."""
        activities = [self._activity(each) for each in self.steps.values()]
        activities += self._blocks()
        activities += self.carries.activities
        activities.append(Activity(name=NOW, modes=(Mode(duration_s=0),), fixed=_fixed(0, 0)))
        return Problem(
            name="bench",
            activities=tuple(activities),
            resources=(
                *(Resource(name=name) for name in sorted(self._names)),
                *self.carries.resources,
            ),
            holds=tuple(self.carries.holds),
            lags=(*self._lags(), *self._at_once(), *self.carries.lags),
            groups=tuple(self._groups()),
            weights=WEIGHTS,
            current=tuple(self._current()),
        )

    def _group(self, run: str) -> str:
        return self.carries.groups.get(run, run)

    def _groups(self) -> Iterator[Group]:
        """Runs, and of those that share a plate one for all."""
        weights: dict[str, float] = defaultdict(float)
        for run in self.outlook.runs:
            weights[self._group(run.run)] += max(1, 10 + run.priority) * run.weight
        for name, weight in weights.items():
            yield Group(name=name, weight=max(1, round(weight)))

    def _activity(self, each: Foreseen) -> Activity:
        step, at = each.step, self.outlook.at
        modes = tuple(
            Mode(duration_s=each.length_s, demands=(Demand(resource=name),), name=name)
            for name in self._players(each)
        )
        fixed = None
        if each.is_fixed:
            start_s = min(0, math.floor(step.start_s - at))
            fixed = _fixed(start_s, self._end_s(step))
        return Activity(
            name=each.id,
            modes=modes,
            group=self._group(each.run.run),
            release_s=each.release_s,
            fixed=fixed,
        )

    def _players(self, each: Foreseen) -> tuple[str, ...]:
        """The instruments that a step may be planned at, one for each of its modes."""
        return self.carries.choices.get(each.id, (each.step.instrument,))

    def _release_s(self, run: RunAhead, step: ForecastStep) -> int:
        release = [
            self._over(run, after.step) + after.lag_s - self.outlook.at
            for after in step.after
            if self._over(run, after.step) > 0.0
        ]
        return max(0, math.ceil(max(release, default=0.0)))

    def _end_s(self, step: ForecastStep) -> int:
        """When a step under way ends: of one that is late, nobody knows."""
        end_s = math.ceil(step.start_s + step.duration_s - self.outlook.at)
        if end_s <= 0:
            end_s = math.ceil(max(10.0, step.spread_s))
        seat = next(one for one in self.outlook.seats if one.name == step.instrument)
        return end_s if seat.is_able else max(end_s, ABSENT_S)

    def _over(self, run: RunAhead, path: str) -> float:
        """Lab time at which what a step waits for was over; 0 if it is not, or does not bind."""
        found = self.forecasts[run.run]
        if not path:
            return found.began_s if run.so_far is not None else 0.0
        done = self._done[run.run].get(path)
        return 0.0 if done is None else done

    @cached_property
    def _ends(self) -> dict[str, dict[str, float]]:
        """By run and path of a step: when it ends, as forecast."""
        return {
            name: {step.path: step.end_s for step in found.steps}
            for name, found in self.forecasts.items()
        }

    @cached_property
    def _done(self) -> dict[str, dict[str, float]]:
        return {
            name: {step.path: step.end_s for step in found.steps if step.state == "done"}
            for name, found in self.forecasts.items()
        }

    def _blocks(self) -> Iterator[Activity]:
        """Instruments that are out of use, or busy with what no forecast knows of."""
        known = {each.step.instrument for each in self.steps.values() if each.is_fixed}
        known |= self.carries.busy
        for seat in self.outlook.seats:
            if seat.name in known or (seat.is_able and not seat.busy_with):
                continue
            until_s = BUSY_S if seat.is_able else ABSENT_S
            mode = Mode(duration_s=until_s, demands=(Demand(resource=seat.name),))
            yield Activity(name=f"{seat.name} is out", modes=(mode,), fixed=_fixed(0, until_s))

    def _lags(self) -> Iterator[Lag]:
        for each in self.steps.values():
            for after in each.step.after:
                before = self._id(each, after.step)
                if before in self.steps and not each.is_fixed:
                    least_s = math.ceil(after.lag_s)
                    carries = [self.carries.brings, self.carries.asides]
                    for name in (each.id, *chain(*(one.get(each.id, ()) for one in carries))):
                        yield Lag(before=before, after=name, minimum_s=least_s)
            if each.is_fixed:
                continue
            for window in each.step.windows:
                opener, lag_s = self._opener(each, window)
                spare_s = self._spare_s(each, opener, window.within_s)
                most_s = math.floor(lag_s + window.within_s - spare_s)
                if opener in self.steps:
                    lenient = self.lenience > (0 if each.run.has_entered else 1)
                    is_open = self.steps[opener].is_fixed or lenient
                    cost = LATE_COST if is_open else None
                    yield _within(opener, each, most_s, cost)
                elif each.step.not_after is not None and each.run.so_far is not None:
                    opener = NOW
                    most_s = math.floor(each.step.not_after - self.outlook.at - spare_s)
                    yield _within(opener, each, most_s, LATE_COST)
                else:
                    continue
                reserve_s = round(RESERVE * (window.within_s - self._carry_s(each)) - spare_s)
                if each.run.has_entered and reserve_s > 0:
                    yield _within(opener, each, most_s - reserve_s, RESERVE_COST)

    def _at_once(self) -> Iterator[Lag]:
        """What nobody keeps waiting once it could begin: plans that put it off would not hold."""
        opening = {
            self._opener(each, window)[0]
            for each in self.steps.values()
            for window in each.step.windows
            if self._opener(each, window)[1] + window.within_s <= TIGHT_S
        }
        for each in self.steps.values():
            before = [self._id(each, after.step) for after in each.step.after]
            open_ones = [one for one in before if one in self.steps]
            is_next = each.run.has_entered and all(self.steps[one].is_fixed for one in open_ones)
            if each.is_fixed or each.step.windows or each.id in opening or not is_next:
                continue
            room_s = math.ceil(ROOM_S + self._carry_s(each))
            for one in open_ones or [NOW]:
                lag_s = each.release_s if one == NOW else each.step.after[before.index(one)].lag_s
                yield Lag(
                    before=one,
                    after=each.id,
                    minimum_s=None,
                    maximum_s=math.ceil(lag_s) + room_s,
                    cost_per_s=PUT_OFF_COST,
                )

    def _spare_s(self, each: Foreseen, opener: str, within_s: float) -> float:
        """How much of a window is left unused.

        What opens it may end early, and by then all has to be ready that is planned for later.
        """
        carry_s = self._carry_s(each)
        first = self.steps.get(opener)
        spare_s = 0.0 if first is None else self._early_s(first)
        if first is None or not each.run.has_entered:  # else the plan in force would be upset
            spare_s = max(spare_s, UNUSED * max(0.0, within_s - carry_s))
        return min(spare_s, max(0.0, within_s - carry_s - LEFT_S))

    def _early_s(self, each: Foreseen) -> float:
        """By how much a step may end earlier than it is planned to."""
        quick_s = _quick_s(each.step)
        if not each.is_fixed:
            return each.length_s - quick_s
        at = self.outlook.at
        return max(0.0, self._end_s(each.step) - max(0.0, each.step.start_s + quick_s - at))

    def _opener(self, each: Foreseen, window: MaximumLag) -> tuple[str, float]:
        """The step whose end opens a window, and by how much later; the last of several."""
        by_path = self._ends[each.run.run]
        last = max(window.opened, key=lambda one: by_path.get(one.step, 0.0) + one.lag_s)
        return self._id(each, last.step), last.lag_s

    def _id(self, each: Foreseen, path: str) -> str:
        return f"{each.run.run}/step-{path}"

    def _current(self) -> Iterator[Placed]:
        plan = self.outlook.plan
        steps = {one.step: one for one in plan.steps} if plan is not None else {}
        other = {  # a window that was missed, say, gives all steps behind it other numbers
            each.run.run
            for name, each in self.steps.items()
            if name not in steps or steps[name].instrument not in self._players(each)
        }
        for one in steps.values():
            each = self.steps.get(one.step)
            if each is None or each.run.run in other:
                continue
            start_s = round(one.start - self.outlook.at)  # overdue ones keep their turns
            away_s = start_s + each.length_s + round(one.away_s or 0.0)
            by, carries = dict(one.carriers), self.carries
            if not each.is_fixed:
                mode = self._players(each).index(one.instrument)
                yield _placed(one.step, start_s, each.length_s, mode)
                for name in carries.brings.get(one.step, ()):
                    yield carries.placed(name, start_s - round(one.bring_s), by.get(name, ""))
                for name in carries.asides.get(one.step, ()):
                    yield carries.placed(name, 0, by.get(name, ""))
            for name in carries.away.get(one.step, ()):
                if one.away_s is not None:
                    yield carries.placed(name, away_s, by.get(name, ""))

    # Back.

    def event(self, answer: Answer, plan: Plan, *, basis: int, cause: str) -> PlanArrived:
        """The plan of an answer as an event; when it arrives is for the caller to say."""
        at = self.outlook.at
        placed = {one.activity: one for one in plan.placed}
        steps = [
            self._planned(each, placed[name], placed)
            for name, each in self.steps.items()
            if name in placed
        ]
        ends: dict[str, float] = defaultdict(float)
        for name, each in self.steps.items():
            if name in placed:
                ends[each.run.run] = max(ends[each.run.run], at + placed[name].end_s)
        late = {one.step: None for one in steps if self._is_late(one, placed)}
        return PlanArrived(
            at=at,
            basis=basis,
            asked_at=at,
            status="optimal" if answer.status == "optimal" else "feasible",
            cause=cause,
            steps=tuple(sorted(steps, key=lambda one: (one.start, one.step))),
            ends=tuple(ends.items()),
            breaks=tuple(late),
            found_by=answer.found_by,
            seconds=round(answer.seconds, 3),
        )

    def _is_late(self, one: Planned, placed: Mapping[str, Placed]) -> bool:
        """Whether a step is planned for after its window has closed."""
        if one.closes is not None:
            return one.start > one.closes
        opener = placed.get(one.opened_by)
        return opener is not None and one.start > self.outlook.at + opener.end_s + one.most_s

    def _planned(self, each: Foreseen, placed: Placed, every: Mapping[str, Placed]) -> Planned:
        start, length_s = self.outlook.at + placed.start_s, placed.end_s - placed.start_s
        if each.is_fixed:  # the plan counts on its mean; who goes by the plan, on time to spare
            start, length_s = each.step.start_s, max(length_s, each.length_s)
        brings = self.carries.brings.get(each.id, ())
        return Planned(
            step=each.id,
            instrument=self._players(each)[placed.mode],
            start=round(start, 3),
            duration_s=float(length_s),
            quick_s=float(_quick_s(each.step)),
            bring_s=self._bring_s(each, placed, every),
            carry_s=float(sum(every[name].end_s - every[name].start_s for name in brings)),
            away_s=self._away_s(each, placed, every),
            carriers=tuple(self._carriers(each, every)),
            **self._closing(each),
        )

    def _closing(self, each: Foreseen) -> Closing:
        """The window of a step that closes first."""
        chains = [(*self._opener(each, window), window.within_s) for window in each.step.windows]
        to_open = [one for one in chains if one[0] in self.steps]
        if to_open:
            opener, lag_s, within_s = min(to_open, key=lambda one: one[1] + one[2])
            return {"opened_by": opener, "least_s": lag_s, "most_s": lag_s + within_s}
        if each.is_fixed or each.step.not_after is None:
            return {}
        return {"opens": self.outlook.at + each.release_s, "closes": each.step.not_after}

    def _bring_s(self, each: Foreseen, placed: Placed, every: Mapping[str, Placed]) -> float:
        """How long before its start a step's labware is fetched."""
        starts = [every[name].start_s for name in self.carries.brings.get(each.id, ())]
        return float(placed.start_s - min(starts, default=placed.start_s))

    def _carriers(self, each: Foreseen, every: Mapping[str, Placed]) -> Iterator[tuple[str, str]]:
        """Who is to do its carries, of several who could."""
        for name in self.carries.around(each.id):
            carrier = self.carries.carrier(name, every[name].mode)
            if carrier:
                yield name, carrier

    def _carry_s(self, each: Foreseen) -> float:
        brings = self.carries.brings.get(each.id, ())
        return float(sum(self.carries.length_s(name) for name in brings))

    def _away_s(self, each: Foreseen, placed: Placed, every: Mapping[str, Placed]) -> float | None:
        """How long after its end what a step needed last is put away."""
        starts = [every[name].start_s for name in self.carries.away.get(each.id, ())]
        return float(min(starts) - placed.end_s) if starts else None

    def objections(self, plan: Plan) -> tuple[str, ...]:
        """What the independent checker says against a plan; empty if it is valid."""
        return broken(self.problem, plan)

    @cached_property
    def patience_s(self) -> dict[str, float]:
        """By step: lab seconds that it takes at most in 95 % of all cases."""
        return {
            name: each.step.duration_s + LATE * each.step.spread_s
            for name, each in self.steps.items()
        }


def draft(outlook: Outlook, predictors: Sequence[Predictor]) -> Draft:
    """Forecast all runs of an outlook."""
    found = {
        run.run: forecast(
            run.script,
            run.inputs,
            run.wells,
            run.players,
            predictors,
            at=outlook.at,
            so_far=run.so_far,
            steps_max=STEPS_MAX,
        )
        for run in outlook.runs
    }
    return Draft(outlook, found)


def _within(opener: str, each: Foreseen, most_s: int, cost: int | None) -> Lag:
    """A step starts so many seconds after the end of what opens its window at most."""
    return Lag(before=opener, after=each.id, minimum_s=None, maximum_s=most_s, cost_per_s=cost)


def _length_s(step: ForecastStep) -> int:
    """With time to spare."""
    return max(1, math.ceil(step.duration_s + QUANTILE * step.spread_s))


def _quick_s(step: ForecastStep) -> int:
    """How long it takes where it is quick."""
    return max(1, math.floor(step.duration_s - QUICK * step.spread_s))


def _fixed(start_s: int, end_s: int) -> Fixed:
    return Fixed(mode=0, start_s=start_s, end_s=end_s)


def _placed(name: str, start_s: int, length_s: int, mode: int) -> Placed:
    return Placed(activity=name, mode=mode, start_s=start_s, end_s=start_s + length_s)
