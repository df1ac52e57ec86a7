"""How long our planner takes, and how much memory, beside one product of matrices as a baseline.

Asked as a worker is asked, bytes in and bytes out, of a list that comes with each question: one
point after the other around 120 measured ones, from 20,000 and from 100,000 candidates, and once
for a plate of 96. Told are wall and processor seconds (of this process alone: other work on the
machine counts in the first, but little in the second) and the latter in products of two matrices
of 1,000 x 1,000, one of which is made after each question, so that a slow or busy machine shows in
both. Memory is that of the process at its highest. Last, what `import sdl` loads.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from common import arguments, beside, machine, percentile, say, write_json
from sdl.model.campaign import ChoiceParameter, Objective, Parameter, RangeParameter
from sdl.model.candidates import packed
from sdl.model.data import InputValue, Trial
from sdl.model.planning import Answer, Ask, Problem
from sdl.planner.server import answer
from sdl.wire.mqtt import decode_ask, encode_answer, encode_ask

SPACE: tuple[Parameter, ...] = (
    *(RangeParameter(name=f"x{index}", low=0.0, high=1.0) for index in range(4)),
    ChoiceParameter(name="base", options=tuple("abcdefghijkl")),
    ChoiceParameter(name="salt", options=tuple("wxyz")),
)
HEAVY = ("numpy", "scipy", "torch", "ax", "botorch", "pandas", "sqlalchemy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of question, with what is aimed at, in seconds of wall time on an idle machine."""

    name: str
    candidates: int
    count: int
    aims: dict[int, float]
    """By percentile."""
    questions: int = 1


CASES = (
    Case(name="one of 20,000", candidates=20_000, count=1, aims={50: 0.10, 95: 0.30}, questions=30),
    Case(name="one of 100,000", candidates=100_000, count=1, aims={95: 1.0}, questions=8),
    Case(name="96 of 100,000", candidates=100_000, count=96, aims={95: 10.0}),
)
MEASURED = 120
MEMORY_MB = 600.0


@dataclass(slots=True, kw_only=True)
class Times:
    """Of all questions of one case, in seconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    reading: list[float] = field(default_factory=list)
    """Wall time to turn the bytes of the question into values, which is within ``wall``."""
    products: list[float] = field(default_factory=list)
    """Processor seconds of the baseline, one after each question."""


def main(words: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = arguments(__doc__)
    parser.add_argument("--measured", type=int, default=MEASURED, help=f"points ({MEASURED})")
    parser.add_argument("--seed", type=int, default=0, help="of candidates and values (0)")
    given = parser.parse_args(words)
    loaded = _loaded_with_sdl()
    with threadpool_limits(1):  # as in a worker
        found = {case.name: _asked(case, given) for case in CASES}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024.0 if _is_linux() else 2.0**20)
    told = {case.name: _told(found[case.name]) for case in CASES}
    if given.json:
        write_json({"machine": machine(), "cases": told, "peak_mb": peak, "import": loaded})
        return 0
    print(f"{machine()}, {given.measured} points measured\n")
    for case in CASES:
        _print(case, told[case.name])
    print(f"memory at its highest  {peak:.0f} MB {beside(peak, 'at most', MEMORY_MB)}")
    print(f"`import sdl` loads     {', '.join(loaded) or 'none of ' + ', '.join(HEAVY)}")
    return 0


def _is_linux() -> bool:
    return sys.platform.startswith("linux")


def _loaded_with_sdl() -> list[str]:
    code = f"import sdl, sys; print(*(one for one in {HEAVY!r} if one in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def _asked(case: Case, given: Namespace) -> Times:
    chance = random.Random(given.seed)
    rows = list(dict.fromkeys(_row(chance) for _ in range(case.candidates)))
    problem = Problem(
        space=SPACE,
        objective=Objective(measure="yield", goal="maximise"),
        candidates=packed("list.csv", str(case.candidates), rows, len(SPACE)),
    )
    first = given.measured - case.questions // 2
    trials = [_measured(row, chance) for row in rows[:first]]
    _question(problem, trials, case.count)  # cold: draws follow all results from the first on
    times = Times()
    for number in range(case.questions):
        wall, cpu = time.perf_counter(), time.process_time()
        reading, found = _question(problem, trials, case.count)
        times.wall.append(time.perf_counter() - wall)
        times.cpu.append(time.process_time() - cpu)
        times.reading.append(reading)
        times.products.append(_product())
        points = [tuple(one.inputs[p.name] for p in SPACE) for one in found.suggestions]
        trials += [_measured(point, chance) for point in points[:1]]
        say(f"{case.name}: {number + 1} of {case.questions}, {times.cpu[-1]:.3f} s of processor")
    return times


def _question(problem: Problem, trials: Sequence[Trial], count: int) -> tuple[float, Answer]:
    """Seconds to read the question, and the answer, as in a worker."""
    ask = Ask(
        id="c/ask-1", planner="ensemble", problem=problem, trials=tuple(trials), count=count, seed=1
    )
    payload = encode_ask(ask)
    began = time.perf_counter()
    read = decode_ask(payload)
    reading = time.perf_counter() - began
    found = answer(read)
    encode_answer(found)
    assert len(found.suggestions) == count, found.error
    return reading, found


def _product() -> float:
    one = np.full((1000, 1000), 1.5)
    began = time.process_time()
    one @ one
    return time.process_time() - began


def _row(chance: random.Random) -> tuple[InputValue, ...]:
    numbers = [round(chance.random(), 4) for _ in range(4)]
    return (*numbers, chance.choice("abcdefghijkl"), chance.choice("wxyz"))


def _measured(row: tuple[InputValue, ...], chance: random.Random) -> Trial:
    first, second = float(row[0]), float(row[1])
    value = 2.0 * first - (second - 0.3) ** 2 + (row[4] in {"a", "b", "c"}) + chance.gauss(0.0, 0.1)
    inputs = {p.name: value for p, value in zip(SPACE, row, strict=True)}
    return Trial(inputs=inputs, status="measured", measures={"yield": value})


def _told(times: Times) -> dict[str, dict[str, float]]:
    unit = percentile(times.products, 50)
    return {
        f"p{percent}": {
            "wall_s": percentile(times.wall, percent),
            "cpu_s": percentile(times.cpu, percent),
            "products": percentile(times.cpu, percent) / unit,
            "reading_s": percentile(times.reading, percent),
        }
        for percent in (50, 95)
    }


def _print(case: Case, told: dict[str, dict[str, float]]) -> None:
    for name, one in told.items():
        aim = case.aims.get(int(name[1:]))
        judged = "" if aim is None else beside(one["cpu_s"], "at most", aim)
        print(
            f"{case.name:<15} {name}  {one['cpu_s']:.3f} s of processor {judged}\n"
            f"{'':<20} {one['wall_s']:.3f} s of wall, {one['products']:.1f} products; "
            f"{one['reading_s']:.3f} s to read the question"
        )


if __name__ == "__main__":
    sys.exit(main())
