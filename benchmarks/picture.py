"""Draws the first campaign, run in virtual time, as the README shows it.

    python benchmarks/picture.py [--seed 7]

Everything in the picture is read back from the record: what each run measured and when each step
was on its instrument.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from sdl.shell.record import Record, RunDetail
from sdl.shell.svg import FAINT as RULE
from sdl.shell.svg import box, line, text
from sdl.sim.simulate import simulate

ROOT = Path(__file__).resolve().parents[1]
CAMPAIGN = ROOT / "examples" / "first_campaign" / "campaign.toml"
PICTURE = ROOT / "docs" / "run.svg"

WIDTH, HEIGHT = 900, 430
LEFT, RIGHT = 90, 880
TOP, FLOOR = 50, 280
LANES = {"handler": 320, "reader": 355}
INK, FAINT, STRONG, OK = "#333333", "#c9ced6", "#2f6db5", "#3a8f5c"

FONT = f'font-family="sans-serif" fill="{INK}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What the record holds, ready to be drawn."""

    name: str
    measure: str
    target: float
    runs: Sequence[RunDetail]
    best: str | None

    @property
    def end_s(self) -> float:
        """Lab time at which the last run ended."""
        return max(detail.run.ended_at or 0.0 for detail in self.runs)

    def points(self) -> list[tuple[str, float, float]]:
        """Run, lab time of its end in s, and measured value, in the order of their ends."""
        found = [
            (detail.run.run, detail.run.ended_at, seen.value)
            for detail in self.runs
            for seen in detail.observations
            if seen.measure == self.measure and detail.run.ended_at is not None
        ]
        return sorted(found, key=lambda point: point[1])


def drawn(seed: int | None) -> Drawn:
    """Simulate the first campaign and read its record."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.sqlite"
        simulate(CAMPAIGN, seed=seed, record=path)
        record = Record.open(f"sqlite:///{path}", create=False)
        try:
            (summary,) = record.campaigns()
            row = summary.campaign
            runs = [record.run(run.run) for run in record.runs(row.campaign)]
        finally:
            record.close()
    return Drawn(
        name=row.campaign,
        measure=row.measure,
        target=row.target or 0.0,
        runs=runs,
        best=row.best_run,
    )


def values(data: Drawn, x: Callable[[float], float], highest: float) -> Iterator[str]:
    """The upper half: every measurement, and the best so far."""

    def y(value: float) -> float:
        return FLOOR - (FLOOR - TOP) * value / highest

    for tick in range(int(highest / 0.5) + 1):
        yield line(LEFT, y(tick * 0.5), RIGHT, y(tick * 0.5), RULE)
        yield text(LEFT - 8, y(tick * 0.5) + 4, f"{tick * 0.5:.1f}", anchor="end")
    yield line(LEFT, y(data.target), RIGHT, y(data.target), OK, dashed=True)
    yield text(LEFT + 6, y(data.target) + 16, f"target {data.target:g} AU", size=11)
    points = data.points()
    best, path = points[0], ""
    for run, at, value in points:
        if abs(value - data.target) < abs(best[2] - data.target):
            best = (run, at, value)
        path += f"H{x(at):.1f} V{y(best[2]):.1f} " if path else f"M{x(at):.1f} {y(value):.1f} "
    yield f'<path d="{path}H{RIGHT}" fill="none" stroke="{STRONG}" stroke-width="2"/>'
    for run, at, value in points:
        colour = OK if run == data.best else "white"
        yield (
            f'<circle cx="{x(at):.1f}" cy="{y(value):.1f}" r="5" fill="{colour}" '
            f'stroke="{INK}"><title>{escape(run)}: {value:.4f} AU</title></circle>'
        )
        yield text(x(at) + 8, y(value) - 7, run.rpartition("-")[2], size=11)


def lanes(data: Drawn, x: Callable[[float], float]) -> Iterator[str]:
    """The lower half: which run each instrument worked for, and when."""
    for instrument, top in LANES.items():
        yield text(LEFT - 8, top + 16, instrument, anchor="end")
        yield line(LEFT, top + 22, RIGHT, top + 22, RULE)
    for detail in data.runs:
        for step in detail.steps:
            top = LANES[step.instrument]
            begin, end = step.started_at or 0.0, step.ended_at or 0.0
            middle = x((begin + end) / 2)
            number = detail.run.run.rpartition("-")[2]
            yield box(x(begin), top, x(end) - x(begin), 22, FAINT, stroke="white", title=step.cid)
            yield text(middle, top + 16, number, anchor="middle", size=11)


def picture(data: Drawn) -> str:
    """The whole drawing as SVG."""

    def x(at: float) -> float:
        return LEFT + (RIGHT - LEFT - 40) * at / data.end_s

    highest = 0.5 * (1 + int(2 * max(value for _, _, value in data.points())))
    minutes = range(int(data.end_s / 60) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        box(0, 0, WIDTH, HEIGHT, "white"),
        text(LEFT, 26, f"{data.name}: absorbance of each run (AU), and the best so far", size=15),
        *values(data, x, highest),
        *lanes(data, x),
        *(text(x(60.0 * m), 398, str(m), anchor="middle") for m in minutes),
        text((LEFT + RIGHT) / 2, 420, "lab time (min)", anchor="middle"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, help="in place of the campaign's and the lab's")
    data = drawn(parser.parse_args().seed)
    PICTURE.write_text(picture(data), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {len(data.runs)} runs, {data.end_s / 60:.1f} lab minutes")


if __name__ == "__main__":
    main()
