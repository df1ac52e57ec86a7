"""All books of a drill compared: what happened, what the nodes kept, what the record says."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.invariants import Watch
from sdl.errors import Bug
from sdl.shell.preflight import prepare
from sdl.shell.record import Record
from sdl.wire.journal import load
from tests.scenario.drill_person import effects_of
from tests.scenario.drill_place import Place

SAID_MAX = 20
"""Lines of one kind of mistake that are told."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a drill gave; several can be added up."""

    rounds: int = 1
    kills: Counter[str] = field(default_factory=Counter)
    """By role."""
    crashes: Counter[str] = field(default_factory=Counter)
    """Of these, by the named point at which a process killed itself."""
    others: Counter[str] = field(default_factory=Counter)
    """Faults that are no kills, by kind."""
    ends: Counter[str] = field(default_factory=Counter)
    """Processes that ended by themselves, by role and exit code."""
    commands: int = 0
    actions: int = 0
    """Commands of which the driver took the first step."""
    unknown: int = 0
    """*once* commands of which nobody could say what became of them."""
    had_happened: int = 0
    half: int = 0
    """Of the unknown: begun, and the effect is not there."""
    had_not_happened: int = 0
    resolved: int = 0
    """Answers of the person on record."""
    refusals: list[str] = field(default_factory=list)
    """Answers of the person that were objected to."""
    doubles: list[str] = field(default_factory=list)
    """Commands that were acted on twice, and *once* steps whose effect is there twice."""
    lost: list[str] = field(default_factory=list)
    """Results that a node keeps and the record has not, or has otherwise."""
    broken: list[str] = field(default_factory=list)
    """Everything else that must not be."""
    wall_s: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Nothing twice, nothing lost, nothing broken."""
        return not (self.doubles or self.lost or self.broken)

    def add(self, other: Tally) -> None:
        """Put another drill's tally on top."""
        self.rounds += other.rounds
        for mine, more in (
            (self.kills, other.kills),
            (self.crashes, other.crashes),
            (self.others, other.others),
            (self.ends, other.ends),
        ):
            mine.update(more)
        self.commands += other.commands
        self.actions += other.actions
        self.unknown += other.unknown
        self.had_happened += other.had_happened
        self.half += other.half
        self.had_not_happened += other.had_not_happened
        self.resolved += other.resolved
        self.refusals += other.refusals
        self.doubles += other.doubles
        self.lost += other.lost
        self.broken += other.broken
        self.wall_s += other.wall_s

    def said(self) -> str:
        """It in words, with what is wrong first."""
        wrong = [
            f"{kind}: {line}"
            for kind, lines in (
                ("twice", self.doubles),
                ("lost", self.lost),
                ("broken", self.broken),
            )
            for line in lines[:SAID_MAX]
        ]
        return "\n".join((*wrong, repr(self)))


def compare(place: Place, dead: Collection[int] | None = None) -> Tally:
    """The tally of a drill that has come to rest.

    ``dead``: ids of all processes that were killed; None where that is not known.
    """
    books = _Books(place)
    tally = Tally(commands=len(books.performed), actions=len(books.begins))
    books.count_unknown(tally)
    books.find_doubles(tally.doubles)
    books.find_lost(tally.lost)
    books.find_open(tally.broken)
    for journal in books.journals.values():
        tally.broken += _replayed(place, journal)
    tally.broken += _tracebacks(place)
    if dead is not None:
        books.find_unfounded(dead, tally.broken)
    return tally


class _Books:
    """What the record, the nodes and the world say, by command."""

    def __init__(self, place: Place) -> None:
        record = Record.open(place.record_url, create=False)
        self.journals = {
            each.campaign.campaign: [
                load(line.type, line.body) for line in record.lines(each.campaign.campaign)
            ]
            for each in record.campaigns()
        }
        self.wrong = [str(broken) for broken in (record.verify(),) if broken is not None]
        self.wrong += record.rebuild(check=True)
        record.close()
        values = [value for journal in self.journals.values() for value in journal]
        self.performed = {v.cid: v for v in values if isinstance(v, do.Perform)}
        self.done = {v.cid: v.result for v in values if isinstance(v, ev.CommandDone)}
        self.unknown = {v.cid for v in values if isinstance(v, ev.CommandUnknown)}
        self.failed = {v.cid for v in values if isinstance(v, ev.CommandFailed)}
        self.resolved = Counter(v.step for v in values if isinstance(v, ev.StepResolved))
        self.begins: dict[str, int] = {}
        self.began_in: dict[str, int] = {}
        self.effects: dict[str, list[int]] = {}
        for key, written in effects_of(place.effects).items():
            cid = self._cid(key)
            if cid:
                begun_in = [int(value) for word, value in written if word == "begin"]
                self.begins[cid], self.began_in[cid] = len(begun_in), begun_in[-1]
                self.effects[cid] = [int(value) for word, value in written if word == "end"]
        with closing(sqlite3.connect(place.node_journal)) as connection:
            self.kept = dict(connection.execute("SELECT cid, stage FROM command").fetchall())

    def _cid(self, key: str) -> str:
        """The command that an action's key names: ``JOURNAL:CID``; empty where it is about none."""
        return key.partition(":")[2]

    def count_unknown(self, tally: Tally) -> None:
        """The *once* commands whose outcome nobody knew, by what had really happened."""
        once = [cid for cid in self.unknown if self.performed[cid].effect == "once"]
        tally.unknown = len(once)
        tally.had_happened = sum(bool(self.effects.get(cid)) for cid in once)
        tally.half = sum(cid in self.begins and not self.effects[cid] for cid in once)
        tally.had_not_happened = len(once) - tally.had_happened
        tally.resolved = self.resolved.total()

    def find_unfounded(self, dead: Collection[int], found: list[str]) -> None:
        """Outcomes that are unknown although the node that began the action lived on."""
        found += [
            f"{cid} is unknown, and process {process} was never killed"
            for cid, process in self.began_in.items()
            if cid in self.unknown and process not in dead
        ]

    def find_doubles(self, found: list[str]) -> None:
        """Commands begun twice, and *once* steps that are twice in the world."""
        found += [f"{cid} begun {count} times" for cid, count in self.begins.items() if count > 1]
        by_step: dict[str, int] = {}
        for cid, ends in self.effects.items():
            known = self.performed.get(cid)
            if known is not None and known.effect == "once":
                by_step[known.step] = by_step.get(known.step, 0) + len(ends)
        found += [f"{step} happened {count} times" for step, count in by_step.items() if count > 1]

    def find_lost(self, found: list[str]) -> None:
        """Results that did not arrive, or not as they were."""
        for cid, stage in self.kept.items():
            if stage == "done" and cid not in self.done and cid in self.performed:
                found.append(f"{cid} is done at its node, and not on record")
        for cid, result in self.done.items():
            if self.effects.get(cid, []) != [result]:
                found.append(f"{cid} is {result} on record, and {self.effects.get(cid)} in truth")

    def find_open(self, found: list[str]) -> None:
        """Commands without an end, effects without an intent, and what the record says of itself.

        Every unknown *once* command was resolved by a person.
        """
        found += self.wrong
        ended = self.done.keys() | self.failed | self.unknown
        for cid, perform in self.performed.items():
            if cid not in ended and not self.resolved[perform.step]:
                found.append(f"{cid} has no end")
            if cid in self.unknown and perform.effect == "once" and not self.resolved[perform.step]:
                found.append(f"{cid} is unknown, and nobody was asked")
        found += [f"{cid} was never intended" for cid in self.begins if cid not in self.performed]
        found += [
            f"{cid} is {stage} at its node for ever"
            for cid, stage in self.kept.items()
            if stage in {"accepted", "started"}
        ]


def _replayed(place: Place, values: list[ev.Event | do.Command]) -> list[str]:
    """What the invariants of the engine say to the journal as it was written."""
    engine, watch, broken = Engine(prepare(place.campaign).script), Watch(), list[str]()
    for value in values:
        if not isinstance(value, ev.EVENTS):
            continue
        event = cast("ev.Event", value)
        try:
            watch.see(engine, event, engine.handle(event))
        except Bug as bug:
            broken.append(str(bug))
    return broken


def _tracebacks(place: Place) -> list[str]:
    """Errors that nobody expected, by the log that holds them."""
    found = []
    logs = [*place.logs.glob("*.log"), *place.folder.glob("sdl-error.log")]
    for log in [*logs, *(place.folder / ".sdl").glob("*/*.log")]:
        text = log.read_text(encoding="utf-8", errors="replace")
        for part in text.split("Traceback (most recent call last)")[1:]:
            lines = [line for line in part.splitlines() if line and not line.startswith(" ")]
            found.append(f"{log.name}: {lines[0] if lines else part[:200]}")
    return found
