"""A journal read again: the same engine, and each command compared with the one on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias, cast

from sdl.core import events as ev
from sdl.core.commands import CloseLab, Command, Conclude, Dispose, EndRun
from sdl.core.engine import Engine, Scripts
from sdl.errors import Bug, RecordMismatch

_EVENTS = frozenset(ev.EVENTS)
Lines: TypeAlias = Iterable[ev.Event | Command]


def fold(scripts: Scripts, lines: Lines) -> Engine:
    """Replay a journal. RecordMismatch if the code now decides otherwise than the record says."""
    engine = Engine(scripts)
    follow(engine, lines)
    return engine


def follow(engine: Engine, lines: Lines, after: int = 0) -> int:
    """Replay more lines of a journal, from the one after number ``after`` on; number of the last.

    RecordMismatch as with ``fold``.
    """
    expected: Sequence[Command] = ()
    place, number, handle = 0, after, engine.handle
    for line in lines:
        number += 1
        if type(line) in _EVENTS:
            if place < len(expected):
                _refuse(number, "nothing more", expected[place])
            expected, place = handle(cast("ev.Event", line)), 0
        elif place == len(expected):
            _refuse(number, line, "nothing more")
        else:
            decided = expected[place]
            place += 1
            if decided != line and _comparable(decided, line) != _comparable(line, line):
                _refuse(number, line, decided)
    if place < len(expected):
        raise Bug("the journal ends between an event and its commands; it was not written whole")
    return number


def _comparable(line: object, recorded: object) -> object:
    """The decision without its reason in words, and without what the one on record cannot have.

    Those words may quote what a protocol raised, and such a text can hold an address in memory or
    the order of a set, which differ in each process. Older journals hold no account of usage.
    """
    if isinstance(line, Conclude | CloseLab) and line.usage:
        is_older = isinstance(recorded, Conclude | CloseLab) and not recorded.usage
        line = replace(line, usage=() if is_older else line.usage)
    if isinstance(line, EndRun):
        samples = tuple(replace(each, reason="") for each in line.samples)
        return replace(line, reason="", samples=samples)
    return replace(line, reason="") if isinstance(line, Dispose | Conclude) else line


def _refuse(number: int, recorded: object, decided: object) -> None:
    raise RecordMismatch(
        f"line {number} of the journal does not follow from the lines before it.\n"
        f"  on record: {recorded}\n  now:       {decided}\n"
        "The protocol or the runtime has changed since. Put the old protocol file back, "
        "or start a new campaign."
    )
