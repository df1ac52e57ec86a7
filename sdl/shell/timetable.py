"""When each instrument did what, and what had been expected and planned: read from a journal.

What an action was expected to take is what the simulator of its instrument says, or else what the
journal had taught until then: a prediction that was made before the action, never after it. What
was planned is what the plan said that was in force when the action was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.agenda import STALE_S
from sdl.core.commons import CARRY
from sdl.core.durations import Durations
from sdl.core.ids import campaign_of, run_of
from sdl.core.plan import PlanArrived, Planned
from sdl.core.predicting import Follower, Predictor, foreseen
from sdl.model.lab import Lab
from sdl.shell.foresight import Simulators
from sdl.shell.record import Record
from sdl.wire.journal import Line, load

TOLD = frozenset(
    kind.__name__
    for kind in (
        do.BreakWindow,
        do.Halt,
        do.Perform,
        ev.CommandStarted,
        ev.CommandDone,
        ev.CommandFailed,
        ev.CommandUnknown,
        PlanArrived,
    )
)
"""Lines that say something of it."""
Outcome = Literal["done", "failed", "unknown", "under way"]


@dataclass(slots=True, kw_only=True)
class Bar:
    """One attempt of one step; times are lab time."""

    instrument: str
    run: str
    step: str
    attempt: int
    operation: str
    begin: float
    """When the driver was told; before that is known, when the command was sent."""
    end: float | None
    """None while it is under way."""
    outcome: Outcome
    expected_s: float | None
    """Lab seconds that it was expected to take; None where nobody knew."""
    reason: str = ""
    planned: Planned | None = None
    """Where the plan in force put it when it was sent; None where none knew it."""

    @property
    def campaign(self) -> str:
        """That it was done for."""
        return campaign_of(self.step)

    @property
    def is_carry(self) -> bool:
        """Whether it carries labware, for the lab itself."""
        return CARRY in self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A step that did not start within its maximum lag."""

    step: str
    at: float
    """When its window closed."""
    instrument: str
    remedy: str
    """What was done about it."""
    late_s: float | None = None
    """By how much it started late; None where it did not."""

    @property
    def said(self) -> str:
        """What became of it."""
        late = "" if self.late_s is None else f", {self.late_s:.1f} s late"
        return f"window missed ({self.remedy}{late})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """What there is to draw of a campaign, or of a lab's session."""

    name: str
    begin: float
    end: float
    is_virtual: bool
    instruments: tuple[str, ...]
    """In the order of the lab's file."""
    bars: tuple[Bar, ...]
    """In order of their commands."""
    missed: tuple[Missed, ...]

    @property
    def campaigns(self) -> tuple[str, ...]:
        """Of its bars, in order of their first ones."""
        return tuple(dict.fromkeys(bar.campaign for bar in self.bars if not bar.is_carry))


def timetable(record: Record, name: str, folder: Path) -> Timetable:
    """Of the campaign or session of this name. RecordFault if there is none.

    ``folder``: of the lab's file, for simulators that are given by path.
    """
    journal = record.journal_of(name)
    lines = record.lines(journal)
    head = load(*_parts(next(lines)))
    assert isinstance(head, ev.CampaignStarted | ev.LabOpened)
    reading = _Reading(head.lab, folder)
    for line in lines:
        reading.take(line)
    is_part = journal != name
    return Timetable(
        name=name,
        begin=record.campaign(name).campaign.started_at if is_part else head.at,
        end=reading.at,
        is_virtual=head.origin.clock == "virtual",
        instruments=tuple(one.name for one in head.lab.instruments),
        bars=tuple(bar for bar in reading.bars.values() if not is_part or bar.campaign == name),
        missed=tuple(
            one for one in reading.missed.values() if not is_part or campaign_of(one.step) == name
        ),
    )


def _parts(line: Line) -> tuple[str, str]:
    return line.type, line.body


class _Reading:
    """One pass through a journal."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.at = 0.0
        self.bars: dict[str, Bar] = {}
        """By command."""
        self._past = Durations()
        simulators = Simulators(lab, folder)
        self._predictors: Sequence[Predictor] = (simulators, self._past)
        self._followers: Sequence[Follower] = (simulators, self._past)
        self.missed: dict[str, Missed] = {}
        """By step."""
        self._plan: PlanArrived | None = None
        """The last one that had steps, ..."""
        self._planned: dict[str, Planned] = {}
        """... and these by name."""

    def take(self, line: Line) -> None:
        """The next line."""
        self.at = max(self.at, line.at)
        if line.type not in TOLD:
            return
        value = load(*_parts(line))
        match value:
            case do.BreakWindow(step=step):
                self.missed[step] = Missed(
                    step=step,
                    at=value.due,
                    instrument=value.instrument,
                    remedy=value.remedy,
                    late_s=value.late_s,
                )
            case do.Perform():
                self._begin(value, line.at)
            case ev.CommandStarted(cid=cid, at=at) if cid in self.bars:
                self.bars[cid].begin = at
            case ev.CommandDone(cid=cid):
                self._end(cid, line.at, "done", "")
            case ev.CommandFailed(cid=cid, reason=reason):
                self._end(cid, line.at, "failed", reason)
            case ev.CommandUnknown(cid=cid, reason=reason):
                self._end(cid, line.at, "unknown", reason)
            case PlanArrived(steps=steps) if steps:
                self._plan, self._planned = value, {one.step: one for one in steps}
            case _:
                pass
        for each in self._followers:
            each.take(value)

    def _begin(self, perform: do.Perform, at: float) -> None:
        said = foreseen(self._predictors, perform.instrument, perform.operation, perform.args)
        bar = Bar(
            instrument=perform.instrument,
            run=run_of(perform.step),
            step=perform.step,
            attempt=perform.attempt,
            operation=perform.operation,
            begin=at,
            end=None,
            outcome="under way",
            expected_s=None if said is None else said.duration_s,
            planned=self._planned.get(perform.step) if self._is_in_force(at) else None,
        )
        self.bars[perform.cid] = bar

    def _is_in_force(self, at: float) -> bool:
        return self._plan is not None and at - self._plan.asked_at <= STALE_S

    def _end(self, cid: str, at: float, outcome: Outcome, reason: str) -> None:
        bar = self.bars.get(cid)
        if bar is not None and bar.end is None:  # a later word of it changes nothing
            bar.end, bar.outcome, bar.reason = at, outcome, reason
