"""Problems for the tests: small random ones of every kind, and an exhaustive judge of tiny ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

from sdl.scheduling.check import broken
from sdl.scheduling.cost import plan_of
from sdl.scheduling.model import (
    Activity,
    Change,
    Demand,
    Fixed,
    Group,
    Hold,
    Lag,
    Mode,
    Placed,
    Plan,
    Problem,
    Reservoir,
    Resource,
    Weights,
)


def shop(seed: int, jobs: int = 4, machines: int = 3, *, flexible: bool = False) -> Problem:
    """A random job shop; in a flexible one an operation has one or two machines."""
    chance = random.Random(seed)
    activities, lags = [], []
    for job in range(jobs):
        for op, first in enumerate(chance.sample(range(machines), machines)):
            choice = {first, chance.randrange(machines)} if flexible else {first}
            modes = tuple(
                Mode(duration_s=chance.randint(0, 9), demands=(Demand(resource=f"m{machine}"),))
                for machine in sorted(choice)
            )
            activities.append(Activity(name=f"{job}.{op}", group=str(job), modes=modes))
            if op:
                lags.append(Lag(before=f"{job}.{op - 1}", after=f"{job}.{op}"))
    return Problem(
        name=f"shop {seed}",
        resources=tuple(Resource(name=f"m{machine}") for machine in range(machines)),
        activities=tuple(activities),
        lags=tuple(lags),
        groups=tuple(Group(name=str(job)) for job in range(jobs)),
    )


def cell(seed: int, plates: int = 4, weights: Weights | None = None) -> Problem:
    """A random workcell: an arm, places with one or two slots, windows on some of the stays."""
    chance = random.Random(seed)
    places = {"washer": 1, "reader": 1, "incubator": 2}
    activities, lags, holds = [], [], []
    move = Mode(duration_s=2, demands=(Demand(resource="arm"),))
    for plate in range(plates):
        route = [chance.choice(list(places)) for _ in range(chance.randint(1, 3))]
        route = [at for at, before in zip(route, ["", *route], strict=False) if at != before]
        activities += [
            Activity(name=f"{plate}#{step}", group=str(plate), modes=(move,))
            for step in range(len(route) + 1)
        ]
        for step, place in enumerate(route):
            least_s = chance.randint(1, 9)
            most_s = least_s + chance.randint(0, 6) if chance.random() < 0.6 else None
            one, other = f"{plate}#{step}", f"{plate}#{step + 1}"
            lags.append(Lag(before=one, after=other, minimum_s=least_s, maximum_s=most_s))
            holds.append(Hold(resource=place, first=one, last=other))
    return Problem(
        name=f"cell {seed}",
        resources=(
            Resource(name="arm"),
            *(Resource(name=name, capacity=slots) for name, slots in places.items()),
        ),
        activities=tuple(activities),
        lags=tuple(lags),
        holds=tuple(holds),
        groups=tuple(Group(name=str(plate), weight=plate + 1) for plate in range(plates)),
        weights=weights or Weights(),
    )


def project(seed: int, activities: int = 8) -> Problem:
    """A random project: lags with minima and maxima of any start to another, two resources.

    All its lags can be kept; its resources may not allow it.
    """
    chance = random.Random(seed)
    lengths = [chance.randint(0, 4) for _ in range(activities)]
    lags = []
    at_s = [chance.randint(0, 2 * activities) for _ in range(activities)]
    for one, other in product(range(activities), repeat=2):
        gap_s = at_s[other] - at_s[one]
        if one != other and gap_s >= 0 and chance.random() < 0.3:
            most_s = gap_s + chance.randint(0, 5) if chance.random() < 0.4 else None
            lags.append(
                Lag(
                    before=f"a{one}",
                    before_point="start",
                    after=f"a{other}",
                    minimum_s=gap_s - chance.randint(0, 2),
                    maximum_s=most_s,
                )
            )
    return Problem(
        name=f"project {seed}",
        resources=(Resource(name="hands", capacity=3), Resource(name="hood")),
        activities=tuple(
            Activity(
                name=f"a{at}",
                group="project",
                release_s=chance.choice([0, 0, 3]),
                modes=(
                    Mode(
                        duration_s=length,
                        demands=(
                            Demand(resource="hands", amount=chance.randint(0, 2)),
                            *([Demand(resource="hood")] if chance.random() < 0.3 else []),
                        ),
                    ),
                ),
                fixed=Fixed(mode=0, start_s=-1, end_s=2) if at == 0 and seed % 3 == 0 else None,
            )
            for at, length in enumerate(lengths)
        ),
        lags=tuple(lags),
    )


def tiny(seed: int) -> Problem:
    """Three or four short activities with a bit of everything."""
    chance = random.Random(seed)
    names = [f"a{at}" for at in range(chance.randint(3, 4))]
    activities = [
        Activity(
            name=name,
            group=chance.choice("xy"),
            modes=tuple(
                Mode(
                    duration_s=chance.randint(1, 3),
                    demands=(Demand(resource="r", amount=chance.randint(1, 2)),),
                )
                for _ in range(chance.randint(1, 2))
            ),
            release_s=chance.randint(0, 2),
            optional=chance.random() < 0.15,
        )
        for name in names
    ]
    if chance.random() < 0.3:
        took_s = activities[0].modes[0].duration_s
        activities[0] = Activity(
            name=names[0],
            group="x",
            modes=activities[0].modes,
            fixed=Fixed(mode=0, start_s=-1, end_s=max(0, took_s - 1) + chance.randint(0, 1)),
        )
    return Problem(
        name=f"tiny {seed}",
        resources=(Resource(name="r", capacity=chance.randint(2, 3)), Resource(name="nest")),
        reservoirs=(Reservoir(name="tips", level=chance.randint(0, 2), capacity=3),),
        activities=tuple(activities),
        lags=tuple(_lags(chance, names)),
        holds=tuple(_holds(chance, names)),
        changes=(
            Change(reservoir="tips", activity=names[1], amount=-1),
            Change(reservoir="tips", activity=names[2], amount=chance.choice([-1, 1, 2])),
        ),
        groups=(Group(name="x", weight=2), Group(name="y", release_s=1)),
        weights=Weights(
            makespan=chance.choice([0, 1, 3]),
            flow=chance.choice([0, 1]),
            moved=chance.choice([0, 1]),
            rerouted=chance.choice([0, 2]),
        ),
        current=(Placed(activity=names[1], mode=0, start_s=3, end_s=5),),
    )


def _lags(chance: random.Random, names: list[str]) -> Iterator[Lag]:
    for at in range(len(names) - 1):
        if chance.random() < 0.7:
            least_s = chance.randint(-1, 2)
            yield Lag(
                before=names[at],
                before_point=chance.choice(["start", "end"]),
                after=names[at + 1],
                after_point=chance.choice(["start", "end"]),
                minimum_s=least_s,
                maximum_s=chance.choice([None, least_s + chance.randint(0, 3)]),
                cost_per_s=chance.choice([None, None, 2]),
            )


def _holds(chance: random.Random, names: list[str]) -> Iterator[Hold]:
    """Places, from one activity to a later one; one of them hangs on a mode."""
    yield Hold(resource="nest", first=names[0], last=names[0])
    if chance.random() < 0.7:
        yield Hold(resource="nest", first=names[1], last=names[1], activity=names[1], mode=0)
    if chance.random() < 0.5:
        yield Hold(resource="r", first=names[2], last=names[2])


def every_plan(problem: Problem, until_s: int) -> Iterator[Plan]:
    """Every valid plan whose activities end by a time. Only for tiny problems."""
    choices = []
    for activity in problem.activities:
        if activity.fixed is not None:
            one = activity.fixed
            choices.append([(one.mode, one.start_s, one.end_s)])
            continue
        each: list[tuple[int, int, int]] = [
            (mode, start_s, start_s + way.duration_s)
            for mode, way in enumerate(activity.modes)
            for start_s in range(activity.release_s, until_s - way.duration_s + 1)
        ]
        choices.append([*each, (-1, 0, 0)] if activity.optional else each)
    for combination in product(*choices):
        placed = [
            Placed(activity=activity.name, mode=mode, start_s=start_s, end_s=end_s)
            for activity, (mode, start_s, end_s) in zip(
                problem.activities, combination, strict=True
            )
            if mode >= 0
        ]
        plan = plan_of(problem, placed)
        if not broken(problem, plan):
            yield plan
