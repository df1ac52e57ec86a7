"""What hints of other campaigns are worth to our planner: experiments against a cold start.

The coupling of product A with three aryl halides is cut into three campaigns of 264 conditions
each; the two others are hints. Counted are experiments until one of the best 1 % of a halide's
conditions, one at a time; a campaign that finds none in 40 counts 41. Beside the full tables:
forty of their conditions each, as an earlier campaign leaves them; and tables whose yields were
shuffled, which say nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from common import arguments, machine, say, write_json
from planner_campaign import BUDGET
from planner_figures import TOP, best, first_hit, share_of
from planner_sets import DATA, Floats, MeasuredSet, read_set
from sdl.model.campaign import ChoiceParameter, Objective
from sdl.model.data import Inputs, Trial
from sdl.model.planning import Problem
from sdl.planner.mixture import EnsemblePlanner

SPLIT = "aryl_halide"
MEASURE = "yield"
EARLIER = 40
"""Conditions that an earlier campaign has measured."""

Hints: TypeAlias = Literal["cold", "full", "forty", "shuffled"]
TOLD: Mapping[Hints, str] = {
    "cold": "no hints",
    "full": "all conditions with the two others",
    "forty": f"{EARLIER} conditions with each of them",
    "shuffled": "all, their yields shuffled",
}


class Halide:
    """The conditions with one aryl halide, and the yields that they give."""

    def __init__(self, data: MeasuredSet, name: str) -> None:
        rows = np.flatnonzero(data.pool[SPLIT] == name)
        self.name = name
        self.points: list[Inputs] = [
            {key: value for key, value in data.points[row].items() if key != SPLIT} for row in rows
        ]
        self.yields: Floats = data.values[rows, 0]

    def trials(self, rows: Sequence[int], yields: Floats) -> tuple[Trial, ...]:
        """As hints for another one."""
        return tuple(
            Trial(
                inputs=self.points[row],
                status="measured",
                measures={MEASURE: float(yields[row])},
                prior=self.name,
                is_hint=True,
            )
            for row in rows
        )


def hints_of(others: Sequence[Halide], hints: Hints, seed: int) -> tuple[Trial, ...]:
    """What a campaign is told of the others."""
    if hints == "cold":
        return ()
    found: tuple[Trial, ...] = ()
    for other in others:
        order = np.random.default_rng([seed, 264]).permutation(len(other.points))
        yields = other.yields[order] if hints == "shuffled" else other.yields
        found += other.trials(
            list(map(int, order[: EARLIER if hints == "forty" else None])), yields
        )
    return found


def experiments(halide: Halide, known: tuple[Trial, ...], seed: int) -> int:
    """Until one of the best."""
    options = {name: sorted({str(one[name]) for one in halide.points}) for name in halide.points[0]}
    problem = Problem(
        space=tuple(ChoiceParameter(name=n, options=tuple(each)) for n, each in options.items()),
        objective=Objective(measure=MEASURE, goal="maximise"),
        hints=tuple(dict.fromkeys(trial.prior for trial in known)),
    )
    places = {tuple(point.values()): at for at, point in enumerate(halide.points)}
    good = best(halide.yields, share_of(len(halide.points), TOP))
    order: list[int] = []
    trials = known
    while len(order) < BUDGET and not (order and good[order[-1]]):
        (next_,) = EnsemblePlanner().suggest(problem, trials, 1, seed)
        order.append(places[tuple(next_.inputs[name] for name in halide.points[0])])
        measures = {MEASURE: float(halide.yields[order[-1]])}
        trials = (*trials, Trial(inputs=next_.inputs, status="measured", measures=measures))
    return first_hit(order, good, BUDGET)


def table(found: Mapping[Hints, Floats], halides: Sequence[Halide]) -> list[str]:
    """Lines: means by halide, and over all with the ratio to the cold start and its error."""
    lines = [f"{'hints':34} " + " ".join(f"{one.name[-6:]:>12}" for one in halides) + "    all"]
    for hints, each in found.items():
        cells = " ".join(f"{m:5.1f} ± {s:4.1f}" for m, s in zip(*spread(each), strict=True))
        ratio = each.mean() / found["cold"].mean()
        drawn = resampled(each, found["cold"], lambda one, cold: one.mean() / cold.mean())
        low, high = np.quantile(drawn, (0.05, 0.95))
        share = f"{ratio:.2f} ({low:.2f}-{high:.2f}) of a cold start"
        lines.append(f"{TOLD[hints]:34} {cells}  {each.mean():5.1f}   {share}")
    return lines


def spread(each: Floats) -> tuple[Floats, Floats]:
    """Means over seeds (halides,), and their standard errors."""
    return each.mean(axis=1), each.std(axis=1, ddof=1) / np.sqrt(each.shape[1])


def resampled(
    one: Floats, other: Floats, figure: Callable[[Floats, Floats], float], times: int = 2000
) -> Floats:
    """A figure of both over seeds drawn anew, halide by halide, for its spread."""
    chance = np.random.default_rng(0)
    found = []
    for _ in range(times):
        rows = chance.integers(one.shape[1], size=one.shape)
        found.append(figure(np.take_along_axis(one, rows, 1), np.take_along_axis(other, rows, 1)))
    return np.array(found)


def main(words: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="campaigns of each kind (20)")
    given = parser.parse_args(words)
    data = read_set(DATA / "buchwald_a")
    halides = [Halide(data, name) for name in sorted(set(data.pool[SPLIT]))]
    found: dict[Hints, Floats] = {}
    for hints in TOLD:
        say(f"{TOLD[hints]} ...")
        found[hints] = np.array(
            [
                [
                    experiments(one, hints_of([o for o in halides if o is not one], hints, s), s)
                    for s in range(given.seeds)
                ]
                for one in halides
            ],
            dtype=float,
        )
    if given.json:
        write_json({hints: each.tolist() for hints, each in found.items()})
    else:
        print(machine(), *table(found, halides), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
