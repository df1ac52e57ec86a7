"""What a node keeps in mind over its own death: what it was sent, began, ended, and was told.

Every write goes through ``NodeJournal.commit``, and is durable when that returns; until then the
node acts on nothing of it and tells nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

from sdl.model.data import JsonValue

JournalledStage: TypeAlias = Literal["accepted", "started", "done", "failed", "unknown"]
"""What a journal holds about a command, each as a numbered word."""
UNFINISHED: tuple[JournalledStage, ...] = ("accepted", "started")
"""Stages after which another one must follow."""


class CommandId(NamedTuple):
    """What makes a command one: campaigns in two journals may have the same name, so equal cids."""

    journal: str
    """Of the orchestrator."""
    cid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A command came in; stands in one commit with its first word."""

    device: str
    id: CommandId
    memory: str
    args_sha256: str
    command: bytes
    """As it was received, or what could be read of it."""
    deadline: float | None = None
    """Lab time by the node's clock after which it must not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Something to be told about a command, and to be told again to whoever asks."""

    device: str
    id: CommandId
    memory: str
    seq: int
    """1, 2, 3 ... per device and memory, without a gap."""
    stage: JournalledStage
    payload: bytes
    """The message, as it is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What a driver put down about the action under way, for its probe."""

    device: str
    id: CommandId
    value: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochSeen:
    """An orchestrator's epoch; the highest is kept, and a lower one changes nothing."""

    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """An instrument was stopped, or released where ``why`` is empty."""

    device: str
    why: str
    orders: tuple[str, ...] = ()
    """Ids of all the orders to stop that stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booted:
    """A node took this journal up."""

    boot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """From here on the journal has another name: what was known under the old one has a hole.

    Everything known stays known, so that no command is done again; numbers begin at 1.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """Commands of an instrument that ended long ago are forgotten; numbers go on rising.

    Those that ended less than ``KEPT_S`` before its last word, or before ``now``, are kept.
    """

    device: str
    now: float
    """Lab time by the node's clock."""


Entry: TypeAlias = Taken | Word | Noted | EpochSeen | Stopped | Booted | Renewed | Pruned


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A command that stands in the journal."""

    id: CommandId
    memory: str
    """The journal's name when it came in."""
    args_sha256: str
    command: bytes
    stage: JournalledStage
    """Of the last word."""
    last: bytes
    """The last word, as it is published."""
    noted: JsonValue = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledDevice:
    """What is known of one instrument when its node starts."""

    seq: int = 0
    """Of the last word under the journal's present name."""
    stopped: str = ""
    """Why it was stopped; empty if it was not, or was released since."""
    orders: tuple[str, ...] = ()
    """Ids of the orders to stop that stand."""
    unfinished: tuple[Remembered, ...] = ()
    """Commands under the journal's present name that have no end, in the order of their last
    words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What is known when a node starts."""

    put_back: bool = False
    """The journal is older than it should be: commit ``Renewed`` before anything else."""
    epoch: int = 0
    """The highest that was seen."""
    devices: Mapping[str, RecalledDevice] = field(default_factory=dict)


class NodeJournal(Protocol):
    """A node's journal. The node's loop calls it, and nobody else."""

    @property
    def memory(self) -> str:
        """Its name: random, and another one after it was lost, or put back to an older state."""
        ...

    def recall(self, devices: Sequence[str]) -> Recalled:
        """What a node needs to know when it starts. RecordFault if it cannot be read."""
        ...

    async def commit(self, entries: Sequence[Entry]) -> None:
        """Write all or nothing, durable on return. RecordFault: nothing is written.

        Calls that overlap share the cost. A call that is cancelled may have written or not.
        """
        ...

    def find(self, device: str, command: CommandId) -> Remembered | None:
        """What is known of a command, under whatever name of the journal; only what is durable."""
        ...

    def words(self, device: str, from_seq: int) -> Sequence[bytes]:
        """The words about a device with this number or a higher one, in order, as published.

        Of the journal's present name only.
        """
        ...
