"""Disks of a simulated lab, the record of the orchestrator and the journals of the nodes on them.

Both hold real lines and real words; only the medium is memory. A commit takes its time, is durable
at its beginning or its end, and is lost or kept as a whole where its process dies.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Literal, TypeAlias

from sdl.errors import Bug, RecordAway, RecordFault
from sdl.shell.leases import Held, lost
from sdl.shell.node_journal import Entry
from sdl.shell.node_journal_memory import JournalCopy, MemoryJournal
from sdl.wire.journal import GENESIS, Line

Health: TypeAlias = Literal["good", "full", "failing", "slow", "mute"]
COMMIT_S = (0.0002, 0.002)
TICK_S = 1e-6
EARLY = 0.5
"""Chance that a commit is durable at its beginning, and its answer takes time; else at its end."""
MUTE = 0.5
"""Chance that the answer to a commit gets lost where some do: it is durable, and in an error."""
SLOW_S = 0.5
"""What a commit takes on a disk that is slow."""


AGAIN_S, AWAY_TRIES = 1.0, 60


class Disk:
    """A medium that may be slow, full or broken for a while."""

    def __init__(self, chance: random.Random) -> None:
        self.health: Health = "good"
        self.lost = 0
        """Answers to commits that got lost."""
        self._chance = chance
        self._last = 0.0
        """When the last commit was, or will be, durable: they keep their order."""

    async def write(self, what: str, commit: Callable[[], None]) -> None:
        """Let a commit happen.

        RecordAway if the disk is full, or the answer gets lost; RecordFault if it fails.
        """
        chance, now = self._chance, asyncio.get_running_loop().time()
        took_s = SLOW_S if self.health == "slow" else chance.uniform(*COMMIT_S)
        is_early = chance.random() < EARLY
        self._last = max(now + (0.0 if is_early else took_s), self._last + TICK_S)
        if self._last > now:
            await asyncio.sleep(self._last - now)
        if self.health == "full":
            raise RecordAway(f"{what}: no space is left on the device")
        if self.health == "failing":
            raise RecordFault(f"{what}: fsync failed, input/output error")
        commit()
        if is_early:
            await asyncio.sleep(took_s)
        if self.health == "mute" and chance.random() < MUTE:
            self.lost += 1
            raise RecordAway(f"{what}: the connection broke before the commit was answered")


class SimRecord:
    """The record of the lab's orchestrators, with its leases."""

    def __init__(self, disk: Disk, kept: Callable[[Sequence[Line]], None]) -> None:
        """``kept`` is told of each group of lines the moment it is durable."""
        self.disk = disk
        self.leases = SimLeases(disk)
        self._kept = kept
        self._journals: dict[str, list[Line]] = {}
        """By campaign."""

    def head(self, campaign: str) -> tuple[int, str]:
        """Number and hash of the last line of a journal; 0 and GENESIS where there is none."""
        lines = self._journals.get(campaign)
        return (len(lines), lines[-1].hash) if lines else (0, GENESIS)

    def lines(self, campaign: str, after: int = 0) -> Iterator[Line]:
        """The journal of one campaign, from the line after ``after`` on."""
        return iter(self._journals.get(campaign, [])[after:])

    def bodies(self, campaign: str, after: int = 0) -> Iterator[tuple[int, str, str]]:
        """The same lines as number, type and body."""
        return ((line.seq, line.type, line.body) for line in self.lines(campaign, after))

    async def append(
        self, lines: Sequence[Line], lab: str, epoch: int, is_away: Callable[[], bool]
    ) -> None:
        """Write lines as the holder of a lease. LeaseLost if it is another's.

        A full disk, a lost answer, or a database that ``is_away``, is tried again for a while, as
        by the writer of a real record.
        """
        for _ in range(AWAY_TRIES):
            with suppress(RecordAway):
                if not is_away():
                    await self.disk.write("the record", lambda: self._write(lines, lab, epoch))
                    return
            await asyncio.sleep(AGAIN_S)
        raise RecordFault("the record cannot be written: no space is left on the device")

    def _write(self, lines: Sequence[Line], lab: str, epoch: int) -> None:
        if not self.leases.renew(lab, epoch):
            raise lost(lab, epoch, self.leases.held(lab))
        lines = self._missing(lines)
        if not lines:
            return
        seq, head = self.head(lines[0].campaign)
        for line in lines:
            seq += 1
            if line.seq != seq or line.hash != line.expected_hash(head):
                raise Bug(f"journal line {line.seq} does not continue the chain at {seq - 1}")
            head = line.hash
        self._journals.setdefault(lines[0].campaign, []).extend(lines)
        self._kept(lines)

    def _missing(self, lines: Sequence[Line]) -> Sequence[Line]:
        """Nothing of a group that stands here already, as the answer to its commit got lost."""
        there = self._journals.get(lines[0].campaign, []) if lines else []
        is_there = bool(lines) and there[-len(lines) :] == list(lines)
        return () if is_there else lines


class SimLeases:
    """The rows of leases, as a database keeps them."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._rows: dict[str, Held] = {}

    def held(self, lab: str) -> Held | None:
        """The row of a lab; None if nobody has ever led it."""
        return self._rows.get(lab)

    def swap(self, lab: str, holder: str, epoch: int, former: Held | None) -> bool:
        """Make the lease ours if the row is still as it was seen."""
        self._check()
        if self._rows.get(lab) != former:
            return False
        beat = 0 if former is None else former.beat + 1
        self._rows[lab] = Held(epoch=epoch, holder=holder, beat=beat)
        return True

    def renew(self, lab: str, epoch: int) -> bool:
        """Say that we are alive; False if the lease is another's."""
        self._check()
        row = self._rows.get(lab)
        if row is None or row.epoch != epoch:
            return False
        self._rows[lab] = replace(row, beat=row.beat + 1)
        return True

    def release(self, lab: str, epoch: int) -> bool:
        """Give it back; False if it was another's already."""
        if not self.renew(lab, epoch):
            return False
        self._rows[lab] = replace(self._rows[lab], holder="")
        return True

    def _check(self) -> None:
        if self._disk.health in ("full", "failing"):
            raise RecordAway("the record cannot be written: the disk is full or broken")


class SimJournal(MemoryJournal):
    """A node's journal on a disk."""

    def __init__(self, name: str, disk: Disk) -> None:
        super().__init__(name)
        self.disk = disk
        self.kept: Callable[[Sequence[Entry]], None] = lambda _entries: None
        """Is told of each commit the moment it is durable."""
        self.failed: Callable[[Sequence[Entry]], None] = lambda _entries: None

    def put_back(self, copy: JournalCopy) -> None:
        """Be as it was when the copy was made; its mark tells, also where it was deleted since."""
        is_another = copy.content.name != self.memory
        super().put_back(copy)
        if is_another:
            self._mark = self._content.number + 1

    def copied(self, disk: Disk) -> SimJournal:
        """As it is in a copy of its folder, with its mark, which tells that it lies elsewhere."""
        copy = SimJournal(f"{self._name}-copy", disk)
        copy._content = deepcopy(self._content)
        copy._mark = self._content.number + 1
        return copy

    def contradicts(self, copy: SimJournal, devices: Sequence[str]) -> bool:
        """Whether one number stands for one word here, and for another one there."""
        return any(
            mine != theirs
            for device in devices
            for mine, theirs in zip(self.words(device, 1), copy.words(device, 1), strict=False)
        )

    async def commit(self, entries: Sequence[Entry]) -> None:
        try:
            await self.disk.write(f"journal {self.memory}", lambda: self._commit_now(entries))
        except RecordFault:
            self.failed(entries)
            raise

    def _commit_now(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._write(entry)
        self._content.number += 1
        self._mark = max(self._mark, self._content.number)
        self.kept(entries)
