"""How often the intervals of our planner's reasons hold what is measured: they promise 90 %.

On each of the measured sets, after 20 random points and after 20 that the planner chose itself, all
other points (or some of them by chance) are asked for, and the interval that stands in the reason
of each suggestion is held against the measured value. Told are the share that lies within, by set
and for each seed the least and the greatest, the share below and above, and the width of the
intervals in spreads of the set. The aim is 80 to 97 % on every set.
"""

from __future__ import annotations

import random
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from common import arguments, machine, say, write_json
from planner_sets import DATA, MeasuredSet, sets_in
from sdl.errors import UserMistake
from sdl.model.campaign import ChoiceParameter, Objective, Parameter, RangeParameter
from sdl.model.candidates import packed
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import Problem
from sdl.planner.mixture import EnsemblePlanner

KNOWN = 20
AIM = (0.80, 0.97)
WAYS = ("random", "chosen")


@dataclass(slots=True, kw_only=True)
class Coverage:
    """Of one set, known in one way."""

    shares: list[float] = field(default_factory=list)
    """Of values within their interval, one for each seed."""
    below: list[float] = field(default_factory=list)
    above: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    """Medians of the intervals' widths, in standard deviations of the whole set."""

    @property
    def share(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.shares))


def main(words: Sequence[str] | None = None) -> int:
    """The command line. 1 if a set is outside of the aim, 2 if a word or a file is wrong."""
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of data (those here)")
    parser.add_argument("--sets", default="", help="names with commas, main, further (all)")
    parser.add_argument("--seeds", type=int, default=10, help="campaigns on each set (10)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--known", type=int, default=KNOWN, help=f"points measured ({KNOWN})")
    parser.add_argument("--points", type=int, default=150, help="others looked at (150)")
    given = parser.parse_args(words)
    try:
        data = sets_in(given.data, [name for name in given.sets.split(",") if name])
    except UserMistake as mistake:
        say(str(mistake))
        return 2
    with threadpool_limits(1):
        found = {one.name: {way: _looked(one, way, given) for way in WAYS} for one in data}
    if given.json:
        write_json({"machine": machine(), "known": given.known, "sets": _as_data(found)})
    else:
        _print(found, given)
    everything = [one.share for ways in found.values() for one in ways.values()]
    return int(not all(AIM[0] <= share <= AIM[1] for share in everything))


def _looked(data: MeasuredSet, way: str, given: Namespace) -> Coverage:
    coverage = Coverage()
    problem = _problem(data)
    spread = float(data.values[:, 0].std()) or 1.0
    for seed in range(given.first, given.first + given.seeds):
        known = min(given.known, len(data.pool) - 5)
        order = random.Random(f"{data.name} {seed}").sample(range(len(data.pool)), len(data.pool))
        places = order[:known] if way == "random" else _chosen(data, problem, known, seed)
        others = [at for at in order if at not in places][: given.points]
        trials = [_trial(data, problem, at) for at in places]
        found = _of(data, problem, others, trials, len(others), seed)
        at_point = {_key(data.points[at]): float(data.values[at, 0]) for at in others}
        low, high, value = np.transpose([_bounds(one, problem, at_point) for one in found])
        coverage.below.append(float(np.mean(value < low)))
        coverage.above.append(float(np.mean(value > high)))
        coverage.shares.append(1.0 - coverage.below[-1] - coverage.above[-1])
        coverage.widths.append(float(np.median(high - low)) / spread)
    say(f"{data.name}, {way}: {coverage.share:.2f}")
    return coverage


def _problem(data: MeasuredSet) -> Problem:
    first = data.space["objectives"][0]
    goal = "maximise" if str(first["goal"]).startswith("max") else "minimise"
    return Problem(
        space=tuple(_parameter(one) for one in data.space["parameters"]),
        objective=Objective(measure=str(first["name"]), goal=goal),  # type: ignore[arg-type]
    )


def _parameter(one: dict[str, object]) -> Parameter:
    name = str(one["name"])
    for key in ("options", "levels"):
        values = one.get(key)
        if isinstance(values, list):
            options = tuple(map(str, values)) if key == "options" else tuple(map(float, values))
            return ChoiceParameter(name=name, options=options)
    low, high = one["low"], one["high"]
    assert isinstance(low, (int, float))
    assert isinstance(high, (int, float))
    return RangeParameter(name=name, low=float(low), high=float(high), log=bool(one.get("log")))


def _of(
    data: MeasuredSet,
    problem: Problem,
    places: Sequence[int],
    trials: Sequence[Trial],
    count: int,
    seed: int,
) -> tuple[Suggestion, ...]:
    """So many of these points, as the planner suggests them after those trials."""
    rows = [tuple(data.points[at].values()) for at in places]
    candidates = packed(data.name, f"{seed} {len(rows)}", rows, len(problem.space))
    return EnsemblePlanner().suggest(
        replace(problem, candidates=candidates), tuple(trials), count, seed
    )


def _chosen(data: MeasuredSet, problem: Problem, known: int, seed: int) -> list[int]:
    """Places of the points that the planner takes when it is asked for one after the other."""
    there = {_key(point): at for at, point in enumerate(data.points)}
    found: list[int] = []
    while len(found) < known:
        trials = [_trial(data, problem, at) for at in found]
        (one,) = _of(data, problem, range(len(data.pool)), trials, 1, seed)
        found.append(there[_key(one.inputs)])
    return found


def _trial(data: MeasuredSet, problem: Problem, at: int) -> Trial:
    value = float(data.values[at, 0])
    measures = {problem.objective.measure: value}
    return Trial(inputs=data.points[at], status="measured", measures=measures)


def _key(inputs: object) -> tuple[object, ...]:
    assert isinstance(inputs, dict)
    return tuple(inputs.values())


def _bounds(
    one: Suggestion, problem: Problem, values: dict[tuple[object, ...], float]
) -> tuple[float, float, float]:
    """Ends of the interval of a suggestion, and what is measured there."""
    assert one.reason is not None
    expected = one.reason.expected[problem.objective.measure]
    return expected.low, expected.high, values[_key(one.inputs)]


def _as_data(found: dict[str, dict[str, Coverage]]) -> dict[str, object]:
    return {
        name: {way: {"share": one.share, "shares": one.shares} for way, one in ways.items()}
        for name, ways in found.items()
    }


def _print(found: dict[str, dict[str, Coverage]], given: Namespace) -> None:
    print(
        f"{machine()}\n\nafter {given.known} points, {given.seeds} seeds: % of other points within"
    )
    print(f"{'':<16}" + "".join(f"  {way:<38}" for way in WAYS))
    heads = "mean (least-most)  below above  width"
    print(f"{'':<16}" + f"  {heads:<38}" * len(WAYS))
    for name, ways in found.items():
        print(f"{name:<16}" + "".join(f"  {_cell(ways[way]):<38}" for way in WAYS))
    for way in WAYS:
        shares = [ways[way].share for ways in found.values()]
        met = sum(AIM[0] <= share <= AIM[1] for share in shares)
        print(f"{way}: {met} of {len(shares)} sets within the aim of 80 to 97 %")


def _cell(one: Coverage) -> str:
    low, high = 100.0 * min(one.shares), 100.0 * max(one.shares)
    mark = "" if AIM[0] <= one.share <= AIM[1] else " *"
    ends = f"{100.0 * np.mean(one.below):4.0f}  {100.0 * np.mean(one.above):4.0f}"
    width = float(np.mean(one.widths))
    return f"{100.0 * one.share:3.0f} ({low:.0f}-{high:.0f}){mark:<3} {ends}  {width:5.2f}"


if __name__ == "__main__":
    sys.exit(main())
