"""A node's journal that lives as long as the object does: for virtual time.

It survives its node, which a simulation kills and builds anew over the same journal, and it can be
put back to an older state as a file can.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

from sdl.shell.node_journal import (
    UNFINISHED,
    Booted,
    CommandId,
    Entry,
    EpochSeen,
    Noted,
    Pruned,
    Recalled,
    RecalledDevice,
    Remembered,
    Renewed,
    Stopped,
    Taken,
    Word,
)
from sdl.shell.node_journal_prune import horizon, old_until


@dataclass(slots=True)
class _Content:
    """What a file would hold."""

    name: str
    number: int = 0
    """Of the last commit."""
    epoch: int = 0
    stopped: dict[str, Stopped] = field(default_factory=dict)
    commands: dict[tuple[str, CommandId], Remembered] = field(default_factory=dict)
    words: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    """By device and name of the journal, in order; the first has number 1. Empty: forgotten."""
    changed: dict[tuple[str, CommandId], int] = field(default_factory=dict)
    """Unfinished commands, and the number of the word that each had last."""


class JournalCopy:
    """The state of a journal at one moment."""

    def __init__(self, content: _Content) -> None:
        self.content = content


class MemoryJournal:
    """A ``NodeJournal`` without a file. Its commits take no time and never fail.

    A simulation of faults overrides ``commit``, the one way in: await first to be slow, raise
    RecordFault to fail; what is cancelled before it calls ``super().commit`` is lost.
    """

    def __init__(self, name: str = "memory") -> None:
        """``name``: its first name; those after a loss count on from it."""
        self._name = name
        self._names = 1
        self._content = _Content(name)
        self._mark = 0
        """Number of the last commit; kept apart, so a copy that is put back gives itself away."""

    @property
    def memory(self) -> str:
        return self._content.name

    @property
    def commits(self) -> int:
        """How many there were."""
        return self._content.number

    def copy(self) -> JournalCopy:
        """Its state now, for ``put_back``."""
        return JournalCopy(deepcopy(self._content))

    def put_back(self, copy: JournalCopy) -> None:
        """Be as it was when the copy was made; the next node over it notices."""
        self._content = deepcopy(copy.content)

    def lose(self) -> None:
        """Forget everything, as when the file is deleted."""
        self._content = _Content(self._next_name())
        self._mark = 0

    def recall(self, devices: Sequence[str]) -> Recalled:
        known = self._content
        return Recalled(
            put_back=known.number < self._mark,
            epoch=known.epoch,
            devices={device: self._device(device) for device in devices},
        )

    async def commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._write(entry)
        self._content.number += 1
        self._mark = max(self._mark, self._content.number)

    def find(self, device: str, command: CommandId) -> Remembered | None:
        return self._content.commands.get((device, command))

    def words(self, device: str, from_seq: int) -> Sequence[bytes]:
        told = self._content.words.get((device, self._content.name), [])
        return tuple(word for word in told[max(0, from_seq - 1) :] if word)

    def _device(self, device: str) -> RecalledDevice:
        known = self._content
        stopped = known.stopped.get(device, Stopped(device=device, why=""))
        return RecalledDevice(
            seq=len(known.words.get((device, known.name), ())),
            stopped=stopped.why,
            orders=stopped.orders,
            unfinished=self._unfinished(device),
        )

    def _unfinished(self, device: str) -> tuple[Remembered, ...]:
        known = self._content
        keys = [key for key in known.changed if key[0] == device]
        found = (known.commands[key] for key in sorted(keys, key=known.changed.__getitem__))
        return tuple(each for each in found if each.memory == known.name)

    def _write(self, entry: Entry) -> None:
        known = self._content
        match entry:
            case Taken():
                known.commands.setdefault((entry.device, entry.id), _remembered(entry))
            case Word():
                self._tell(entry)
            case Noted():
                key = (entry.device, entry.id)
                known.commands[key] = replace(known.commands[key], noted=entry.value)
            case EpochSeen():
                known.epoch = max(known.epoch, entry.epoch)
            case Stopped():
                known.stopped[entry.device] = entry
            case Renewed():
                known.name = self._next_name()
                known.number = max(known.number, self._mark)
            case Pruned():
                self._prune(entry)
            case Booted():
                pass

    def _tell(self, word: Word) -> None:
        known, key = self._content, (word.device, word.id)
        told = known.words.setdefault((word.device, word.memory), [])
        if told[word.seq - 1 : word.seq] == [word.payload]:
            return  # it stands there already: a commit that failed may have been durable
        assert word.seq == len(told) + 1, f"word {word.seq} of {word.device} leaves a gap"
        told.append(word.payload)
        known.commands[key] = replace(known.commands[key], stage=word.stage, last=word.payload)
        known.changed.pop(key, None)
        if word.stage in UNFINISHED:
            known.changed[key] = word.seq

    def _prune(self, entry: Pruned) -> None:
        known = self._content
        present = known.words.get((entry.device, known.name))
        before = horizon(entry.now, present[-1] if present else None)
        for (device, memory), told in known.words.items():
            if device != entry.device:
                continue
            until = old_until(((n, word) for n, word in enumerate(told, 1) if word), before)
            old = frozenset(told[:until])
            for key, command in tuple(known.commands.items()):
                is_of_this = key[0] == device and command.memory == memory
                if is_of_this and command.stage not in UNFINISHED and command.last in old:
                    del known.commands[key]
            kept = {each.last for key, each in known.commands.items() if key[0] == device}
            told[:until] = [word if word in kept else b"" for word in told[:until]]

    def _next_name(self) -> str:
        self._names += 1
        return f"{self._name}-{self._names}"


def _remembered(taken: Taken) -> Remembered:
    return Remembered(
        id=taken.id,
        memory=taken.memory,
        args_sha256=taken.args_sha256,
        command=taken.command,
        stage="accepted",
        last=b"",
        deadline=taken.deadline,
    )
