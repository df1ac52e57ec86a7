"""A drawing for each way of running: which share of campaigns has found something very good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from planner_figures import Figures, random_miss
from planner_table import Part
from sdl.shell.svg import line, text

COLUMNS = 6
WIDTH, HEIGHT = 150, 100
"""Of one panel."""

GAP_X, GAP_Y = 24, 46
LEFT, TOP = 44, 70
COLOURS = ("#2f6db5", "#c2542d", "#3a8f5c", "#8a5bb0", "#b08a00", "#5b6470")
FAINT, INK = "#c9ced6", "#333333"


def draw(part: Part, path: Path, budget: int) -> None:
    """Write the drawing of one part as SVG."""
    names = list(dict.fromkeys(name for one in part.planners.values() for name in one))
    rows = -(-len(names) // COLUMNS)
    columns = min(COLUMNS, max(4, len(names)))
    width = LEFT + columns * (WIDTH + GAP_X)
    height = TOP + rows * (HEIGHT + GAP_Y)
    font = f'font-family="sans-serif" fill="{INK}"'
    body: list[str] = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {font}>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        text(LEFT, 22, f"Campaigns that have found one of the best 1 %: {part.title}", size=14),
        *_legend([*part.planners]),
    ]
    for number, name in enumerate(names):
        left = LEFT + (number % COLUMNS) * (WIDTH + GAP_X)
        top = TOP + (number // COLUMNS) * (HEIGHT + GAP_Y)
        some = {planner: one[name] for planner, one in part.planners.items() if name in one}
        body += _panel(name, some, [*part.planners], left, top, budget)
    body.append(text(width / 2, height - 10, "experiments", anchor="middle", size=12))
    path.write_text("\n".join([*body, "</svg>"]) + "\n", encoding="utf-8")


def _legend(planners: Sequence[str]) -> Iterator[str]:
    x = LEFT
    for number, planner in enumerate([*planners, "exact random search"]):
        random = number == len(planners)
        colour = FAINT if random else COLOURS[number % len(COLOURS)]
        yield line(x, 40, x + 22, 40, colour)
        yield text(x + 27, 44, planner, size=12)
        x += 50 + 7 * len(planner)


def _panel(
    name: str,
    some: Mapping[str, Figures],
    planners: Sequence[str],
    left: float,
    top: float,
    budget: int,
) -> Iterator[str]:
    one = next(iter(some.values()))
    chance = [1 - random_miss(one.points, one.top.good, n) for n in range(budget + 1)]
    yield text(left, top - 6, name, size=12)
    for share in (0.0, 0.5, 1.0):
        y = top + HEIGHT * (1 - share)
        yield line(left, y, left + WIDTH, y, "#eef0f3")
        if left == LEFT:
            yield text(left - 6, y + 4, f"{share:.0%}", anchor="end", size=10)
    for experiments in range(0, budget + 1, 10):
        x = left + WIDTH * experiments / budget
        yield text(x, top + HEIGHT + 13, str(experiments), anchor="middle", size=10)
    yield _path(chance, left, top, FAINT)
    for planner, figures in some.items():
        firsts = list(figures.top.firsts.values())
        shares = [sum(first <= n for first in firsts) / len(firsts) for n in range(budget + 1)]
        yield _path(shares, left, top, COLOURS[planners.index(planner) % len(COLOURS)])


def _path(shares: Sequence[float], left: float, top: float, colour: str) -> str:
    points = " ".join(
        f"{left + WIDTH * n / (len(shares) - 1):.1f},{top + HEIGHT * (1 - share):.1f}"
        for n, share in enumerate(shares)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
