"""The open steps of all runs, by what they wait for and by what they need.

A lab may have a thousand of them, and a turn concerns a few. Whoever decides looks up here which
these are, so that no decision takes longer because many others wait. Nothing of it is written
down: it follows from the runs, and from where their labware stands.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from operator import itemgetter
from typing import TypeAlias

from sdl.core.ids import campaign_of
from sdl.core.lab_state import LabState, PieceState
from sdl.core.run import Run, Step, labware_of
from sdl.model.lab import place_of

Entry: TypeAlias = tuple[Run, Step]
Lane: TypeAlias = tuple[str, str, str]
"""Instrument, place at which a piece stands or to which it is on its way, campaign."""
Lack: TypeAlias = tuple[float, float, int, int, Run, Step]
"""End of the window, beginning of the run, order of asking, place of a piece among those that the
step needs. Within one lane, the least is the most urgent."""


class OpenSteps:
    """Of one lab. Only ``Work`` enters and removes steps, and only ``Transport`` moves labware."""

    def __init__(self, lab: LabState) -> None:
        self._lab = lab
        self.waiting: dict[str, dict[str, Entry]] = {name: {} for name in lab.instruments}
        """By instrument and id: those that only wait for it, in order of having begun to."""
        self.in_window: dict[str, dict[str, Entry]] = {name: {} for name in lab.instruments}
        """Of those, the ones whose window closes some time."""
        self.leading: dict[str, dict[str, Entry]] = {name: {} for name in lab.instruments}
        """Of those, the ones that something must follow soon."""
        self.at_work: dict[str, Entry] = {}
        """Those that do not wait for an instrument: sent, settling, at a person, and so on."""
        self.naming: dict[str, dict[str, Entry]] = {name: {} for name in lab.pieces}
        """By piece: those that need it, whatever they wait for."""
        self.lanes: dict[Lane, list[Lack]] = {}
        """Those that wait and need labware, once for each piece, the most urgent first."""
        self.too_many: dict[str, Entry] = {}
        """Those that wait for an instrument which has fewer sites than they need pieces."""
        self.runs_on: dict[str, dict[str, Run]] = {name: {} for name in lab.pieces}
        """By piece: runs in flight whose labware it is."""
        self.recast: dict[str, None] = {}
        """Pieces whose runs have begun, ended or changed hands since ``Claims`` looked last."""
        self.moved: dict[str, None] = {}
        """Pieces that have moved since ``Deck`` looked last."""
        self.pieces_at: dict[str, dict[str, None]] = {}
        """By instrument or place: what stands there, is on its way there, or was lost there."""
        self.lost: dict[str, None] = {}
        """Pieces of which nobody knows where they are."""
        self._bare: dict[str, dict[str, Entry]] = {name: {} for name in lab.instruments}
        """Those that wait and need no labware, by instrument."""
        self._count = count()
        self._turn: dict[str, int] = {}
        """Of those that wait: grows with each one that begins to."""
        self._place: dict[str, str] = {}
        """By piece, as it is entered in ``pieces_at``."""
        for piece in lab.pieces.values():
            self.move(piece)

    def know(self, piece: PieceState) -> None:
        """There is one more piece."""
        self.naming[piece.name], self.runs_on[piece.name] = {}, {}
        self.move(piece)

    # Steps.

    def enter(self, run: Run, step: Step) -> None:
        """A step is open that does not wait for an instrument, or not any more."""
        self.leave_queue(step)
        self.at_work[step.id] = run, step
        self._name(run, step)

    def wait(self, run: Run, step: Step) -> None:
        """A step waits for its instrument; one that does already keeps its turn."""
        entry, name = (run, step), step.instrument
        self.at_work.pop(step.id, None)
        if step.id in self.waiting[name]:
            return
        self._turn[step.id] = next(self._count)
        self.waiting[name][step.id] = entry
        if step.not_after is not None:
            self.in_window[name][step.id] = entry
        if run.chains.get(step.path):
            self.leading[name][step.id] = entry
        self._name(run, step)
        if not step.labware:
            self._bare[name][step.id] = entry
        elif len(step.labware) > self._lab.sites.get(name, 0):
            self.too_many[step.id] = entry
        for piece in step.labware:
            self._join_lane(self._place[piece], piece, run, step)

    def hurry(self, step: Step, not_after: float | None) -> None:
        """A step that waits and needs no labware gets another end of its window."""
        entry = self.waiting[step.instrument].get(step.id)
        step.not_after = not_after
        if entry is not None and not_after is not None:
            self.in_window[step.instrument][step.id] = entry

    def drop(self, step: Step) -> None:
        """A step is open no more."""
        self.leave_queue(step)
        self.at_work.pop(step.id, None)
        for piece in step.labware:
            self.naming[piece].pop(step.id, None)

    def leave_queue(self, step: Step) -> None:
        """A step does not wait, or is about to wait for another instrument."""
        name = step.instrument
        if self._turn.pop(step.id, None) is None:
            return
        run, _ = self.waiting[name].pop(step.id)
        for book in (self.in_window, self.leading, self._bare):
            book[name].pop(step.id, None)
        self.too_many.pop(step.id, None)
        for piece in step.labware:
            self._leave_lane(self._place[piece], piece, run, step)

    # Runs.

    def begin(self, run: Run) -> None:
        """A run is in flight."""
        for piece in self._pieces_of(run):
            self.runs_on[piece][run.id] = run
        self.change_hands(run)

    def end(self, run: Run) -> None:
        """A run is over."""
        self.change_hands(run)
        for piece in self._pieces_of(run):
            del self.runs_on[piece][run.id]

    def change_hands(self, run: Run) -> None:
        """Another instrument plays one of its roles."""
        self.recast.update(dict.fromkeys(self._pieces_of(run)))

    def _pieces_of(self, run: Run) -> Iterator[str]:
        return (piece for piece in labware_of(run) if piece in self.runs_on)

    # Labware.

    def move(self, piece: PieceState) -> None:
        """A piece stands elsewhere, is on its way, was lost or was found."""
        name, place, before = piece.name, place_of(piece.site), self._place.get(piece.name)
        self.moved[name] = None
        if piece.lost:
            self.lost[name] = None
        else:
            self.lost.pop(name, None)
        if place == before:
            return
        self.pieces_at.setdefault(place, {})[name] = None
        self._place[name] = place
        if before is None:
            return
        del self.pieces_at[before][name]
        for run, step in self._waiting_for(name):
            self._leave_lane(before, name, run, step)
            self._join_lane(place, name, run, step)

    # Looked up.

    def is_waiting(self, step: Step) -> bool:
        """Whether a step only waits for its instrument."""
        return step.id in self._turn

    def with_labware(self, instrument: str, there: Iterable[str]) -> list[Entry]:
        """What waits for an instrument and needs no other pieces, in order of having begun to."""
        at_hand = set(there)
        if not at_hand:
            return list(self._bare[instrument].values())
        queue = self.waiting[instrument]
        found = self._bare[instrument] | {
            name: entry
            for piece in at_hand
            for name, entry in self.naming[piece].items()
            if name in queue and at_hand.issuperset(entry[1].labware)
        }
        return [found[name] for name in sorted(found, key=self._turn.__getitem__)]

    def in_lanes(self) -> list[tuple[Lane, list[Lack]]]:
        """The lanes, by name: their order says nothing of how they came about."""
        return sorted(self.lanes.items(), key=itemgetter(0))

    def lacking(self, piece: str) -> list[Entry]:
        """What waits for an instrument and needs a piece, in order of asking."""
        return sorted(self._waiting_for(piece), key=lambda entry: entry[1].order)

    def _waiting_for(self, piece: str) -> Iterator[Entry]:
        return (entry for entry in self.naming[piece].values() if entry[1].id in self._turn)

    def content(self) -> dict[str, Mapping[str, object] | Mapping[Lane, object]]:
        """All books by name; equal for the same runs, whatever became of them before."""
        return {
            "waiting": self.waiting,
            "in_window": self.in_window,
            "leading": self.leading,
            "at_work": self.at_work,
            "naming": self.naming,
            "lanes": self.lanes,
            "too_many": self.too_many,
            "runs_on": self.runs_on,
            "pieces_at": {place: pieces for place, pieces in self.pieces_at.items() if pieces},
            "lost": self.lost,
            "bare": self._bare,
        }

    def _name(self, run: Run, step: Step) -> None:
        for piece in step.labware:
            self.naming[piece][step.id] = run, step

    def _join_lane(self, place: str, piece: str, run: Run, step: Step) -> None:
        lane = step.instrument, place, campaign_of(run.id)
        insort(self.lanes.setdefault(lane, []), _lack(piece, run, step))

    def _leave_lane(self, place: str, piece: str, run: Run, step: Step) -> None:
        lane = step.instrument, place, campaign_of(run.id)
        lacks = self.lanes[lane]
        del lacks[bisect_left(lacks, _lack(piece, run, step))]
        if not lacks:
            del self.lanes[lane]


def _lack(piece: str, run: Run, step: Step) -> Lack:
    due = math.inf if step.not_after is None else step.not_after
    return due, run.began, step.order, step.labware.index(piece), run, step
