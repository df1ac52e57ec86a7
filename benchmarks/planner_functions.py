"""Our planner beside Ax's on functions of real numbers: how near to the best after 30 experiments.

Each function is searched from the first point on, one experiment after the other and without noise;
told is the regret, which is what the best point found is worse than the best that there is, in
spreads of the function (of its values at random points). What is nearer than a thousandth of the
spread counts as that near. The functions are Branin (2 inputs), Hartmann (6), Ackley (4), Hartmann
(3) below a plane, a mixture of four parts with two peaks, and Branin beside two other formulations
of it, of which a name is chosen. An Ax suggestion takes seconds: ``--keep FILE`` keeps each
campaign as a line, and one that stands there is not run again.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common import arguments, machine, say, write_json
from sdl.model.campaign import (
    ChoiceParameter,
    LinearConstraint,
    Objective,
    Parameter,
    RangeParameter,
)
from sdl.model.data import Trial
from sdl.model.planning import Problem
from sdl.planner.server import load

NEAREST = 1e-3
"""Of a spread; what is nearer than this no laboratory tells apart."""

PLANNERS = ("ensemble", "ax")
Point = Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True)
class Function:
    """Something to be minimised."""

    name: str
    problem: Problem
    value: Callable[[Sequence[float], str], float]
    """Of the real inputs in their order, and of the name that is chosen."""
    best: float
    """Its least value in the space."""
    spread: float
    """Standard deviation of its values at random points."""

    def at(self, inputs: Point) -> float:
        """The value at a point."""
        real = [float(value) for value in inputs.values() if not isinstance(value, str)]
        chosen = [value for value in inputs.values() if isinstance(value, str)]
        return self.value(real, *chosen) if chosen else self.value(real, "")


def branin(x: Sequence[float], _: str = "") -> float:
    """With three equal minima."""
    bent = x[1] - 5.1 / (4.0 * math.pi**2) * x[0] ** 2 + 5.0 / math.pi * x[0] - 6.0
    return bent**2 + 10.0 * (1.0 - 1.0 / (8.0 * math.pi)) * math.cos(x[0]) + 10.0


def formulated(x: Sequence[float], kind: str) -> float:
    """Branin, moved and lifted where it is not the first of three formulations."""
    shift, lift = {"a": (0.0, 0.0), "b": (1.0, 5.0), "c": (-2.0, 15.0)}[kind]
    return branin([x[0] + shift, x[1]]) + lift


def ackley(x: Sequence[float], _: str = "") -> float:
    """Rough everywhere, with one minimum at zero."""
    squares = sum(one * one for one in x) / len(x)
    waves = sum(math.cos(2.0 * math.pi * one) for one in x) / len(x)
    return -20.0 * math.exp(-0.2 * math.sqrt(squares)) - math.exp(waves) + 20.0 + math.e


ALPHA = (1.0, 1.2, 3.0, 3.2)
SIX = (
    ((10, 3, 17, 3.5, 1.7, 8), (1312, 1696, 5569, 124, 8283, 5886)),
    ((0.05, 10, 17, 0.1, 8, 14), (2329, 4135, 8307, 3736, 1004, 9991)),
    ((3, 3.5, 1.7, 10, 17, 8), (2348, 1451, 3522, 2883, 3047, 6650)),
    ((17, 8, 0.05, 10, 0.1, 14), (4047, 8828, 8732, 5743, 1091, 381)),
)
THREE = (
    ((3, 10, 30), (3689, 1170, 2673)),
    ((0.1, 10, 35), (4699, 4387, 7470)),
    ((3, 10, 30), (1091, 8732, 5547)),
    ((0.1, 10, 35), (381, 5743, 8828)),
)


def hartmann(x: Sequence[float], _: str = "") -> float:
    """Of three or of six inputs; four wells of different depth."""
    total = 0.0
    for alpha, (steep, centre) in zip(
        ALPHA, SIX if len(x) == len(SIX[0][0]) else THREE, strict=True
    ):
        away = (a * (one - p / 1e4) ** 2 for a, one, p in zip(steep, x, centre, strict=True))
        total -= alpha * math.exp(-sum(away))
    return total


def peaks(x: Sequence[float], _: str = "") -> float:
    """A broad good recipe, and a better one that is narrow."""
    broad = sum((one - c) ** 2 for one, c in zip(x, (0.1, 0.2, 0.2, 0.5), strict=True))
    narrow = sum((one - c) ** 2 for one, c in zip(x, (0.45, 0.35, 0.15, 0.05), strict=True))
    return -0.7 * math.exp(-broad / 0.15) - math.exp(-narrow / 0.05)


def functions() -> tuple[Function, ...]:
    """All of them; the least values of the fourth and the fifth are those of 200 local searches."""
    plane = LinearConstraint(weights={"x0": 1.0, "x1": 1.0, "x2": 1.0}, at_most=1.3)
    whole = LinearConstraint(
        weights={f"x{n}": 1.0 for n in range(4)}, at_least=1.0, at_most=1.0, is_mixture=True
    )
    flat = (_range(0, -5.0, 10.0), _range(1, 0.0, 15.0))
    wide = tuple(_range(n, -5.0, 10.0) for n in range(4))
    cube = tuple(_range(n, 0.0, 1.0) for n in range(6))
    named = (*flat, ChoiceParameter(name="kind", options=("a", "b", "c")))
    return (
        Function("branin", _problem(flat), branin, 0.397887, 51.8),
        Function("hartmann6", _problem(cube), hartmann, -3.322368, 0.387),
        Function("ackley4", _problem(wide), ackley, 0.0, 2.38),
        Function("below a plane", _problem(cube[:3], plane), hartmann, -3.582714, 0.426),
        Function("mixture", _problem(cube[:4], whole), peaks, -1.071804, 0.217),
        Function("formulated", _problem(named), formulated, 0.397887, 65.1),
    )


def _range(number: int, low: float, high: float) -> RangeParameter:
    return RangeParameter(name=f"x{number}", low=low, high=high)


def _problem(space: tuple[Parameter, ...], *constraints: LinearConstraint) -> Problem:
    aim = Objective(measure="y", goal="minimise")
    return Problem(space=space, objective=aim, constraints=constraints)


def main(words: Sequence[str] | None = None) -> int:
    """The command line. 1 if the first planner is behind the second."""
    parser = arguments(__doc__)
    parser.add_argument("--planners", default=",".join(PLANNERS), help="names with commas")
    parser.add_argument("--functions", default="", help="names with commas (all)")
    parser.add_argument("--seeds", type=int, default=5, help="campaigns on each function (5)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--runs", type=int, default=30, help="experiments of each (30)")
    parser.add_argument("--keep", type=Path, help="file of campaigns, as lines of JSON")
    given = parser.parse_args(words)
    found = _all(given)
    means = {name: _mean(one for (who, _), some in found.items() if who == name for one in some)
             for name in given.planners.split(",")}  # fmt: skip
    if given.json:
        rows = [{"planner": p, "function": f, "regrets": some} for (p, f), some in found.items()]
        write_json({"machine": machine(), "runs": given.runs, "rows": rows, "means": means})
    else:
        _print(found, means, given)
    first, *others = means.values()
    return int(any(first > other for other in others))


def _all(given: Namespace) -> dict[tuple[str, str], list[float]]:
    """Regrets by planner and function, one for each seed, those of the file among them."""
    known = dict(_kept(given.keep))
    wanted = [one for one in given.functions.split(",") if one]
    found: dict[tuple[str, str], list[float]] = {}
    for seed in range(given.first, given.first + given.seeds):
        for function in functions():
            if wanted and function.name not in wanted:
                continue
            for planner in given.planners.split(","):
                key = (planner, function.name, seed)
                values = known.get(key, [])
                if len(values) < given.runs:
                    values = _campaign(planner, function, seed, given)
                regret = (min(values[: given.runs]) - function.best) / function.spread
                found.setdefault(key[:2], []).append(max(regret, NEAREST))
    return found


def _campaign(planner: str, function: Function, seed: int, given: Namespace) -> list[float]:
    """Its values in their order, which are kept where that is wanted."""
    start, trials = time.process_time(), list[Trial]()
    while len(trials) < given.runs:
        (one,) = load(planner).suggest(function.problem, tuple(trials), 1, seed)
        measures = {"y": function.at(one.inputs)}
        trials.append(Trial(inputs=one.inputs, status="measured", measures=measures))
    values = [trial.measures["y"] for trial in trials]
    each = (time.process_time() - start) / len(trials)
    say(f"{planner}, {function.name}, seed {seed}: {min(values):.4g}; {each:.2f} s a suggestion")
    if given.keep is not None:
        line = {"planner": planner, "function": function.name, "seed": seed, "values": values}
        with given.keep.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "seconds": round(each, 3)}) + "\n")
    return values


def _kept(file: Path | None) -> Iterator[tuple[tuple[str, str, int], list[float]]]:
    for line in file.read_text("utf-8").splitlines() if file and file.exists() else ():
        one = json.loads(line)
        yield (one["planner"], one["function"], one["seed"]), one["values"]


def _mean(regrets: Iterable[float]) -> float:
    """Geometric."""
    return math.exp(statistics.fmean(map(math.log, regrets)))


def _print(
    found: Mapping[tuple[str, str], Sequence[float]], means: Mapping[str, float], given: Namespace
) -> None:
    print(f"{machine()}\n\nregret after {given.runs} experiments in spreads, {given.seeds} seeds:")
    print(f"{'':<16}" + "".join(f"{name:>28}" for name in means))
    for function in dict.fromkeys(name for _, name in found):
        cells = [_cell(found[name, function]) for name in means]
        print(f"{function:<16}" + "".join(f"{cell:>28}" for cell in cells))
    print(f"{'geometric mean':<16}" + "".join(f"{mean:>28.4f}" for mean in means.values()))


def _cell(some: Sequence[float]) -> str:
    return f"{_mean(some):.4f} ({min(some):.4f}-{max(some):.4f})"


if __name__ == "__main__":
    sys.exit(main())
