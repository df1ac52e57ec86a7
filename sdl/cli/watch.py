"""What is seen while a campaign runs: a live screen on a terminal, else a line per change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from sdl.cli.best import SOUGHT, in_a_line, in_short, label
from sdl.cli.console import screen, tell
from sdl.cli.questions import idle, kept_open, short_step, sought, stands, way_out
from sdl.cli.words import count, duration, point, spent
from sdl.core.view import View

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.table import Table

COLOURS = {
    "idle": "green",
    "busy": "yellow",
    "held": "magenta",
    "paused": "blue",
    "stopped": "red",
    "offline": "red",
}
REFRESH_S = 0.1
"""The live screen is drawn at most so often, in wall seconds."""
_PAUSE = ""
"""Stands for the whole campaign among what waits for a person."""


class Watch(Protocol):
    """Is shown the campaign whenever it has changed."""

    def __call__(self, view: View) -> None:
        """Show it; returns at once."""
        ...


@contextmanager
def watching() -> Iterator[Watch]:
    """A live screen where stderr is a terminal, plain lines where it is a file or a pipe."""
    console = screen()
    if not console.is_terminal or console.is_dumb_terminal:
        yield PlainLines()
        return
    from rich.live import Live

    with Live("starting ...", console=console, auto_refresh=False, transient=True) as live:
        shown = LiveScreen(live, console)
        try:
            yield shown
        finally:
            shown.close()


class LiveScreen:
    """Draws the last view it was shown, from a thread of its own, when there is a new one.

    So a burst of changes costs one drawing, and the last of them is not left out.
    """

    def __init__(self, live: Live, console: Console) -> None:
        self._live = live
        self._console = console
        self._lock = threading.Lock()
        self._latest: View | None = None  # not drawn yet
        self._timer: threading.Timer | None = None

    def __call__(self, view: View) -> None:
        with self._lock:
            is_due, self._latest = self._latest is not None, view
            if not is_due:
                self._timer = threading.Timer(REFRESH_S, self._draw)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Draw no more."""
        with self._lock:
            self._latest = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _draw(self) -> None:
        with self._lock:
            view, self._latest = self._latest, None
        if view is not None:
            self._live.update(picture(view, self._console), refresh=True)


class PlainLines:
    """A line for each thing that has changed since the last view."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._online: set[str] = set()
        self._waits: dict[str, str] = {}
        """What waits for a person, as it was told."""
        self._ended = 0
        self._failures = 0

    def __call__(self, view: View) -> None:
        for run in view.in_flight:
            self._once(f"{run.run} began")
        self._attention(view)
        for instrument in view.instruments:
            if instrument.state != "offline":
                self._online.add(instrument.name)
            elif instrument.name in self._online:
                self._online.remove(instrument.name)
                tell(f"{instrument.name} went offline: {instrument.note}")
        if view.runs_ended != self._ended:
            self._ended = view.runs_ended
            tell(f"{_progress(view)}; {label(view)}{_best(view)}")
        if view.failures != self._failures:
            self._failures = view.failures
            tell(view.last_failure)
        is_closing = any(one.who == view.campaign for one in view.waits)
        if is_closing and kept_open(view):
            self._once(kept_open(view))

    def _attention(self, view: View) -> None:
        """What waits for a person, when it begins and when it is over."""
        now: dict[str, str] = {}
        if view.paused:
            now[_PAUSE] = f"{view.paused}; go on with: sdl resume"
        for question in view.questions:
            step = short_step(question)
            now[question.step] = f"{step}: {question.asks} Look, then see: sdl resolve"
        now |= {one.carry: one.asks for one in view.carries if not one.carrier}
        now |= {one.id: f"plate wanted: {one.reason}" for one in view.plates}
        now |= {one.labware: sought(one) for one in view.astray}
        for one in view.instruments:
            if one.state in ("held", "paused", "stopped"):
                now[one.name] = f"{idle(one)}; {way_out(view, one.name, one.state)}"
        for what, line in now.items():
            if self._waits.get(what) != line:
                tell(line)
        instruments = {one.name for one in view.instruments}
        for what in self._waits.keys() - now.keys():
            over = "is answered" if "/" in what else "is found"
            over = "is free again" if what in instruments else over
            tell("goes on" if what == _PAUSE else f"{what} {over}")
        self._waits = now

    def _once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            tell(line)


def _progress(view: View) -> str:
    failed = f", {view.failures} of them failed" if view.failures else ""
    if view.unknown:
        failed = f", {view.failures - view.unknown} failed, {view.unknown} unknown"
    if view.abandoned:
        failed += f", {view.abandoned} abandoned"
    if view.broken_windows:
        failed += f", {count(view.broken_windows, 'window')} broken"
    paid = "" if view.spent is None else f"; spent {spent(view.spent, view.spent_max)}"
    return f"{view.runs_ended} of at most {count(view.runs_max, view.counted)} ended{failed}{paid}"


def _best(view: View) -> str:
    return in_a_line(view)


def _evidence(view: View) -> str:
    if view.evidence is None:
        return "none yet"
    found = view.evidence
    return (
        f"posterior {found.posterior:.2f}, e-value for {found.e_for:.3g}, "
        f"against {found.e_against:.3g}"
    )


def picture(view: View, console: Console) -> RenderableType:
    """The live screen: how far, the best point, the instruments, and what is in flight.

    Every line is cut at the width of the screen; one that wrapped would make the rest jump.
    """
    from rich.console import Group
    from rich.progress_bar import ProgressBar

    head = _grid()
    width = max(8, min(40, console.width - len(view.campaign) - len(_progress(view)) - 6))
    bar = ProgressBar(total=view.runs_max, completed=view.runs_ended, width=width)
    head.add_row(f"[bold]{view.campaign}[/]", bar, _progress(view))
    parts = [head, _facts(view), _instruments(view), _in_flight(view)]
    attention = stands(view)
    return Group(*parts, _attention(attention)) if attention else Group(*parts)


def _attention(lines: list[str]) -> RenderableType:
    from rich.text import Text

    shown = [Text(line, "bold magenta", no_wrap=True, overflow="ellipsis") for line in lines]
    return Text("\n", no_wrap=True, overflow="ellipsis").join(shown)


def _grid(*headings: str) -> Table:
    """A table without lines whose cells are cut, never wrapped."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=bool(headings))
    for heading in headings or ("", "", ""):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    return table


def _facts(view: View) -> RenderableType:
    from rich.markup import escape

    facts = _grid()
    best = None if view.goal in SOUGHT else view.best
    value = in_short(view, "none yet")
    place = "" if best is None or view.front is not None else f" ({best.where})"
    facts.add_row("best", f"[bold green]{value}{place}[/]")
    facts.add_row("  at", "" if best is None else escape(point(best.inputs)))
    facts.add_row("evidence", _evidence(view))
    facts.add_row("planner", escape(f"{view.planner_state}, {view.suggestions_ready} ready"))
    facts.add_row("lab time", duration(view.at - view.started_at))
    return facts


def _instruments(view: View) -> RenderableType:
    from rich.markup import escape

    table = _grid("instrument", "state", "")
    for one in view.instruments:
        badge = "simulated" if one.simulated else "real"
        colour = COLOURS[one.state]
        state = f"[{colour}]{one.state}[/]"
        table.add_row(one.name, state, f"[dim]{badge}[/] {escape(one.note)}")
    return table


def _in_flight(view: View) -> RenderableType:
    table = _grid("run", "step", "")
    for run in view.in_flight:
        where = f"on {run.instrument}" if run.instrument else ""
        table.add_row(run.run, run.step.removeprefix(f"{run.run}/"), f"{run.state} {where}")
    return table
