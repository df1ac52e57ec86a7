"""Draws a timetable as SVG: instruments against lab time; planned, predicted and actual.

One lane for each instrument. A bar is one command, in the colour of its run, or of its campaign
where there are several; the thin bar beneath is as long as it was expected to take, and the outline
below that begins when the plan had it begin, if there was one. What stays blank is idle. The same
timetable gives the same bytes.
"""

from __future__ import annotations

import colorsys
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sdl.shell.svg import FAINT, box, line, text
from sdl.shell.timetable import Bar, Missed, Timetable

LANE, BAR, THIN, PLAN = 40, 20, 6, 5
"""Heights: of a lane, of a bar, of what was expected, of what was planned."""
HEAD, FOOT, RIGHT = 74, 46, 30
LETTER = 7.5
"""Width of a letter of the names, rather too much."""
WIDTH_MIN, WIDTH_MAX = 900.0, 8000.0
"""Of all lanes."""
BAR_WIDTH, ROOM = 24.0, 60.0
"""Of a bar of middle length, and of what is at most spent for each bar of the busiest lane: so that
the number of its run can be read."""
TICK_WIDTH = 95
TICKS_S = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    21600,
    43200,
    86400,
)
DAY_S, HOUR_S, MINUTE_S = 86400, 3600, 60
INK, RULE, EXPECTED, WRONG, DOUBT = "#333333", "#c9ced6", "#8a94a3", "#c0392b", "#d98e04"
CARRIES, CARRIED = "labware carried", "#dfe3e8"
PLANNED = "none"
"""Of what was planned there is an outline only."""
GOLDEN = 0.381966
"""Of the colour circle: neighbours in number are far from each other in colour."""


def svg(table: Timetable) -> str:
    """The whole drawing."""
    return "\n".join(_Drawing(table).parts()) + "\n"


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A timetable with its measures."""

    table: Timetable

    @property
    def left(self) -> float:
        """Where time begins."""
        return 24.0 + LETTER * max((len(name) for name in self.table.instruments), default=0)

    @property
    def width(self) -> float:
        """Of the lanes."""
        bars = self.table.bars
        counts = Counter(bar.instrument for bar in bars)
        lengths_s = sorted(bar.end - bar.begin for bar in bars if bar.end is not None)
        middle_s = lengths_s[len(lengths_s) // 2] if lengths_s else self.span_s
        wanted = BAR_WIDTH * self.span_s / max(middle_s, 1e-3)
        room = ROOM * max(counts.values(), default=0)
        return max(WIDTH_MIN, min(wanted, room, WIDTH_MAX))

    @property
    def floor(self) -> float:
        """Below the last lane."""
        return float(HEAD + LANE * len(self.table.instruments))

    @property
    def span_s(self) -> float:
        """Of all that is drawn; never nothing."""
        return max(1.0, self.table.end - self.table.begin)

    def x(self, at: float) -> float:
        """Where a moment is."""
        share = (at - self.table.begin) / self.span_s
        return self.left + self.width * min(1.0, max(0.0, share))

    def parts(self) -> Iterator[str]:
        """The document, line by line."""
        width, height = self.left + self.width + RIGHT, self.floor + FOOT
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" font-family="sans-serif" fill="{INK}">'
        )
        yield from PATTERNS
        yield box(0, 0, width, height, "white")
        yield text(self.left, 24, f"{self.table.name}: what each instrument did", size=15)
        colours = _colours(self.table)
        yield from self._legend(colours)
        yield from self._grid()
        lanes = {name: HEAD + LANE * n for n, name in enumerate(self.table.instruments)}
        for name, top in lanes.items():
            yield text(self.left - 8, top + BAR, name, anchor="end")
            yield line(self.left, top + LANE, self.left + self.width, top + LANE, FAINT)
        for bar in self.table.bars:
            if bar.instrument in lanes:
                yield from self._bar(bar, lanes[bar.instrument], colours)
        for missed in self.table.missed:
            yield self._missed(missed, lanes.get(missed.instrument, HEAD - 6))
        yield "</svg>"

    def _bar(self, bar: Bar, top: float, colours: Mapping[str, str]) -> Iterator[str]:
        end = self.table.end if bar.end is None else bar.end
        x, width = self.x(bar.begin), max(0.6, self.x(end) - self.x(bar.begin))
        said = "\n".join(said_of(bar, self.table))
        colour = colours[_group(bar, self.table)]
        yield box(x, top + 4, width, BAR, colour, stroke="white", title=said)
        mark = {"failed": "url(#failed)", "unknown": "url(#unknown)"}.get(bar.outcome)
        if mark:
            yield box(x, top + 4, max(width, 4.0), BAR, mark, stroke=WRONG, title=said)
        number = "" if bar.is_carry else bar.run.rpartition("-")[2]
        if number and width > LETTER * len(number) + 4:
            yield text(x + width / 2, top + BAR - 1, number, anchor="middle", size=11, title=said)
        if bar.expected_s is not None:
            thin = max(0.6, self.x(bar.begin + bar.expected_s) - x)
            yield box(x, top + 5 + BAR, thin, THIN, EXPECTED, title=said)
        if bar.planned is not None:
            begin = self.x(bar.planned.start)
            long = max(2.0, self.x(bar.planned.start + bar.planned.duration_s) - begin)
            yield box(begin, top + 7 + BAR + THIN, long, PLAN, PLANNED, stroke=INK, title=said)

    def _missed(self, missed: Missed, top: float) -> str:
        closed = _clock(missed.at, self.table, whole=True)
        said = f"{missed.step}: its window closed at {closed}\n{missed.said}"
        x = self.x(missed.at)
        return text(x, top + BAR, "✕", anchor="middle", size=15, colour=WRONG, title=said)

    def _legend(self, colours: Mapping[str, str]) -> Iterator[str]:
        """What colours and marks mean."""
        several = len(self.table.campaigns) > 1
        carries = any(bar.is_carry for bar in self.table.bars)
        alone = {"a colour for each run, with its number": RULE, CARRIES: CARRIED}
        shown = dict(colours if several else alone)
        if not carries:
            del shown[CARRIES]
        is_planned = any(bar.planned is not None for bar in self.table.bars)
        marks = {
            "expected": EXPECTED,
            **({"planned, when it was sent": PLANNED} if is_planned else {}),
            "failed": "url(#failed)",
            "outcome unknown": "url(#unknown)",
        }
        x = self.left
        for said, fill in {**shown, **marks}.items():
            is_plan = fill == PLANNED
            height = {EXPECTED: THIN, PLANNED: PLAN}.get(fill, 12)
            yield box(x, 44 if is_plan else 40, 14, height, fill, stroke=INK if is_plan else "")
            yield text(x + 19, 51, said, size=11)
            x += 40 + 6.2 * len(said)
        yield text(x, 51, "✕", size=13, colour=WRONG)
        yield text(x + 19, 51, "window missed", size=11)

    def _grid(self) -> Iterator[str]:
        step = next(
            (s for s in TICKS_S if self.width * s / self.span_s >= TICK_WIDTH),
            DAY_S * math.ceil(self.span_s * TICK_WIDTH / self.width / DAY_S),
        )
        origin = self.table.begin if self.table.is_virtual else 0.0
        first = math.ceil((self.table.begin - origin) / step)
        last = math.floor((self.table.end - origin) / step)
        for tick in range(first, last + 1):
            at = origin + tick * step
            yield line(self.x(at), HEAD, self.x(at), self.floor, FAINT)
            said = _clock(at, self.table, whole=step < MINUTE_S)
            yield text(self.x(at), self.floor + 18, said, anchor="middle", size=11)
        unit = "since the start, virtual time"
        if not self.table.is_virtual:
            unit = f"lab time (UTC), from {datetime.fromtimestamp(self.table.begin, UTC):%Y-%m-%d}"
        middle = self.left + self.width / 2
        yield text(middle, self.floor + 38, unit, anchor="middle", size=12)


DOTS, HATCH = (
    f'<circle cx="3" cy="3" r="1.6" fill="{DOUBT}"/>',
    f'<path d="M0 6L6 0" stroke="{WRONG}" stroke-width="2"/>',
)
PATTERNS = tuple(
    f'<defs><pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse">'
    f"{shape}</pattern></defs>"
    for name, shape in (("failed", HATCH), ("unknown", DOTS))
)


def said_of(bar: Bar, table: Timetable) -> list[str]:
    """What is told of a bar to whoever points at it."""
    again = f", attempt {bar.attempt}" if bar.attempt > 1 else ""
    end = "now" if bar.end is None else _clock(bar.end, table, whole=True)
    took = "" if bar.end is None else f", {bar.end - bar.begin:.1f} s"
    return [
        f"{bar.step}{again}",
        f"{bar.operation} on {bar.instrument} for {bar.run}",
        f"from {_clock(bar.begin, table, whole=True)} to {end}{took}",
        "expected: " + ("nobody knew" if bar.expected_s is None else f"{bar.expected_s:.1f} s"),
        *([f"planned: {planned_of(bar, table)}"] if bar.planned is not None else []),
        f"{bar.outcome}: {bar.reason}" if bar.reason else bar.outcome,
    ]


def planned_of(bar: Bar, table: Timetable) -> str:
    """When, and where, the plan had a bar begin, and by how much that was missed; else nothing."""
    if bar.planned is None:
        return ""
    late_s = bar.begin - bar.planned.start
    off = f"begun {abs(late_s):.1f} s {'later' if late_s >= 0.0 else 'earlier'}"
    elsewhere = bar.planned.instrument != bar.instrument
    where = f" on {bar.planned.instrument}" if elsewhere else ""
    return f"{_clock(bar.planned.start, table, whole=True)}{where}, {off}"


def moment(at: float, table: Timetable) -> str:
    """A moment as the drawing tells it, to the second."""
    return _clock(at, table, whole=True)


def _clock(at: float, table: Timetable, *, whole: bool) -> str:
    """Hours and minutes, of the day or since the start; ``whole``: with the seconds."""
    seconds = round(at - table.begin) if table.is_virtual else round(at) % DAY_S
    hours, rest = divmod(seconds, HOUR_S)
    said = (
        f"{hours}:{rest // MINUTE_S:02d}" if table.is_virtual else f"{hours:02d}:{rest // 60:02d}"
    )
    return f"{said}:{rest % MINUTE_S:02d}" if whole else said


def _group(bar: Bar, table: Timetable) -> str:
    """What gives a bar its colour."""
    if bar.is_carry:
        return CARRIES
    return bar.campaign if len(table.campaigns) > 1 else bar.run


def _colours(table: Timetable) -> dict[str, str]:
    """By run, or by campaign where there are several."""
    groups = dict.fromkeys(_group(bar, table) for bar in table.bars)
    groups.pop(CARRIES, None)
    return {**{group: _colour(n) for n, group in enumerate(groups)}, CARRIES: CARRIED}


def _colour(number: int) -> str:
    red, green, blue = colorsys.hls_to_rgb((0.58 + GOLDEN * number) % 1.0, 0.72, 0.55)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
