"""Journal lines: one event or command as canonical JSON, chained by SHA-256.

The hash covers the previous hash and the exact bytes that stand in the database, so that anyone
can verify a chain with ten lines of any language and without knowing our types.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from pydantic import TypeAdapter

from sdl.core.commands import COMMANDS, Command
from sdl.core.events import EVENTS, CampaignStarted, Event
from sdl.errors import RecordFault
from sdl.wire.labware_kinds import labware_kind

GENESIS = "0" * 64
"""What stands before the first line."""

_ADAPTERS: dict[type, TypeAdapter[Any]] = {}
_READERS: dict[str, Callable[[str], Event | Command]] = {}
"""By name of the class: a journal is read with millions of calls."""
_KINDS: dict[str, type] = {kind.__name__: kind for kind in (*EVENTS, *COMMANDS)}
_EVENT_NAMES = frozenset(kind.__name__ for kind in EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the journal."""

    campaign: str
    seq: int
    """1, 2, 3 ... without a gap within a campaign."""
    at: float
    """Lab time, seconds since 1970 (UTC); a command has the time of the event that caused it."""
    kind: Literal["event", "command"]
    type: str
    """Class name of the event or command."""
    body: str
    """JSON object of its fields, exactly as hashed."""
    hash: str

    def expected_hash(self, previous: str) -> str:
        """What ``hash`` must be, given the hash of the line before."""
        return chain(previous, self.campaign, self.seq, self.at, self.type, self.body)


def chain(previous: str, campaign: str, seq: int, at: float, type_name: str, body: str) -> str:
    """SHA-256 (hex) over the previous hash and the fields of a line, joined by newlines."""
    text = "\n".join((previous, campaign, str(seq), repr(at), type_name, body))
    return hashlib.sha256(text.encode()).hexdigest()


def adapter(kind: type) -> TypeAdapter[Any]:
    """The codec of one class, built on first use."""
    found = _ADAPTERS.get(kind)
    if found is None:
        found = _ADAPTERS[kind] = TypeAdapter(kind)
    return found


def dump(value: Event | Command) -> str:
    """The JSON body of an event or command."""
    return adapter(type(value)).dump_json(value).decode()


def load(type_name: str, body: str) -> Event | Command:
    """The inverse of ``dump``. RecordFault if the line cannot be read."""
    read = _READERS.get(type_name)
    if read is not None:
        try:
            return read(body)
        except ValueError as error:
            raise RecordFault(
                f"a journal line of type {type_name} cannot be read: {error}"
            ) from error
    kind = _KINDS.get(type_name)
    if kind is None:
        raise RecordFault(
            f"the journal holds a line of type {type_name!r}, which this version does not know; "
            "open it with the version that wrote it, or a later one"
        )
    _READERS[type_name] = _read_head if kind is CampaignStarted else _validator(kind)
    return load(type_name, body)


def _validator(kind: type) -> Callable[[str], Event | Command]:
    return adapter(kind).validator.validate_json


def _read_head(body: str) -> CampaignStarted:
    """A head; one of version 0.1.0 names kinds of plates, whose geometry stood in its code."""
    try:
        return cast("CampaignStarted", _validator(CampaignStarted)(body))
    except ValueError:
        older = json.loads(body)
        for piece in older["lab"]["labware"]:
            if not isinstance(piece["kind"], str):
                raise
            piece["kind"] = dataclasses.asdict(labware_kind(piece["kind"]))
        return cast("CampaignStarted", _validator(CampaignStarted)(json.dumps(older)))


def load_all(lines: Iterable[tuple[int, str, str]]) -> Iterator[Event | Command]:
    """What many lines hold, given as number, type and body. RecordFault as with ``load``."""
    for _, type_name, body in lines:
        try:
            value = _READERS[type_name](body)
        except (KeyError, ValueError):  # not read before, or not to be read at all
            value = load(type_name, body)
        yield value


class Chain:
    """The growing end of one campaign's journal."""

    def __init__(self, campaign: str, last: Line | None = None, origin: str = "") -> None:
        """``last``: the line to go on from. ``origin``: hash of the first one."""
        self.campaign = campaign
        self.seq = last.seq if last else 0
        self.head = last.hash if last else GENESIS
        self.origin = origin
        """Names this very journal: another one of the same campaign begins with another hash."""

    def add(self, value: Event | Command, at: float) -> Line:
        """Make the next line."""
        self.seq += 1
        name = type(value).__name__
        body = dump(value)
        self.head = chain(self.head, self.campaign, self.seq, at, name, body)
        self.origin = self.origin or self.head
        return Line(
            campaign=self.campaign,
            seq=self.seq,
            at=at,
            kind="event" if name in _EVENT_NAMES else "command",
            type=name,
            body=body,
            hash=self.head,
        )
