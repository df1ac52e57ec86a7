"""The pen of one instrument: its words get their number, are made durable, and then are told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sdl.errors import RecordFault
from sdl.model.data import JsonValue
from sdl.shell.action_call import Outcome
from sdl.shell.clock import Clock
from sdl.shell.crash import crash_point
from sdl.shell.job import Job, fitting
from sdl.shell.node_journal import (
    CommandId,
    Entry,
    EpochSeen,
    JournalledStage,
    NodeJournal,
    Noted,
    RecalledDevice,
    Word,
)
from sdl.wire.mqtt import CID_CAP, EventError, EventMessage, Stage, encode

RETRY_S = 1.0
"""Loop seconds until a commit that failed is tried again."""

_LOG = logging.getLogger("sdl.node")


@dataclass(slots=True)
class Epoch:
    """The highest epoch of an orchestrator that this node has heard of."""

    seen: int = 0
    durable: int = 0

    def is_stale(self, epoch: int, *, remember: bool = False) -> bool:
        """Whether whoever sent this was taken over from.

        ``remember`` a higher one: of a command or a greeting, which nobody sends who does not lead.
        """
        if remember:
            self.seen = max(self.seen, epoch)
        return epoch < self.seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What is to be said about commands, the same about each."""

    stage: JournalledStage
    result: JsonValue = None
    duration_s: float | None = None
    error: EventError | None = None

    @classmethod
    def of(cls, outcome: Outcome, duration_s: float | None) -> Say:
        """How an action ended."""
        if outcome.st == "done":
            return cls(stage="done", duration_s=duration_s, result=outcome.result)
        why = EventError(phase=outcome.phase, kind=outcome.kind, reason=fitting(outcome.reason))
        return cls(stage=outcome.st, duration_s=duration_s, error=why)


class Pen:
    """Writes all that is said about one instrument: in order, numbered without a gap.

    While the journal cannot be written nothing is told and nothing begins: a refusal that is not
    durable would be forgotten, and the command, delivered once more, be done after all.
    """

    def __init__(
        self,
        *,
        device: str,
        boot: str,
        journal: NodeJournal,
        epoch: Epoch,
        clock: Clock,
        publish: Callable[[bytes], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        """``publish`` sends an event; ``changed`` is called when ``stuck`` has changed."""
        self._device = device
        self._boot = boot
        self._journal = journal
        self._epoch = epoch
        self._clock = clock
        self._publish = publish
        self._changed = changed
        self._seqs: dict[str, int] = {}
        self._turn = asyncio.Lock()
        self.stuck = ""
        """Why the journal cannot be written now; empty if it can."""
        self.dead = False
        """Its node was killed: nothing may leave it any more."""

    @property
    def seq(self) -> int:
        """Number of the last durable word under the journal's present name."""
        return self._seqs.get(self._journal.memory, 0)

    def take_up(self, recalled: RecalledDevice) -> None:
        """Count on from what stands in the journal."""
        self._seqs[self._journal.memory] = recalled.seq

    async def write(
        self,
        jobs: Sequence[Job] | Callable[[], Sequence[Job]],
        say: Say,
        *,
        also: Sequence[Entry] = (),
        committed: Sequence[str] = (),
    ) -> None:
        """Make a word about each job durable in one commit, pass the crash points, and publish.

        ``jobs``: or what gives them, asked when it is their turn. ``also``: goes into the same
        commit. Tries until it works; then the jobs are acknowledged.
        Unreadable, and nothing is written, if a word is too large.
        """
        async with self._turn:
            if callable(jobs):
                jobs = jobs()
            if not jobs and not also:
                return
            words = self._numbered(jobs, say)
            entries: list[Entry] = [*also]
            for job, word in zip(jobs, words, strict=True):
                taken = job.taken(self._device)
                entries += [word] if taken is None else [taken, word]
            await self._commit(entries)
            for job, word in zip(jobs, words, strict=True):
                self._seqs[word.memory] = word.seq
                job.stage, job.last = word.stage, word.payload
            for point in committed:
                crash_point(point)
            for word in words:
                await self.say_again(word.payload)
        for job in jobs:
            job.ack()

    async def keep(self, *entries: Entry) -> None:
        """Make something durable that nobody is told."""
        await self._commit(entries)

    async def note(self, command: CommandId, value: JsonValue) -> None:
        """Keep what a driver puts down about the action under way; durable on return."""
        await self._commit([Noted(device=self._device, id=command, value=value)])

    async def keep_epoch(self) -> None:
        """Make the highest epoch durable; on return it is."""
        if self._epoch.durable < self._epoch.seen:
            await self._commit([])

    async def replay(self, from_seq: int) -> bool:
        """Publish all words from a number on. False: the journal should hold more than it does."""
        async with self._turn:
            if from_seq - 1 > self.seq:
                return False
            for payload in self._journal.words(self._device, from_seq):
                await self.say_again(payload)
            return True

    async def mention(
        self,
        command: CommandId,
        stage: Stage,
        error: EventError | None = None,
        *,
        answers: str = "",
    ) -> None:
        """Publish what does not stand in the journal. ``answers``: id of an order to stop."""
        event = EventMessage(
            journal=command.journal,
            cid=command.cid,
            dev=self._device,
            boot=self._boot,
            memory=self._journal.memory,
            epoch=self._epoch.seen,
            seq=0,
            st=stage,
            at=self._clock.now(),
            error=error,
            answers=answers[:CID_CAP],
        )
        await self.say_again(encode(event))

    async def say_again(self, payload: bytes) -> None:
        """Publish a word as it is."""
        self._check_alive()
        await self._publish(payload)

    def _numbered(self, jobs: Sequence[Job], say: Say) -> list[Word]:
        seqs = dict(self._seqs)
        words: list[Word] = []
        for job in jobs:
            seq = seqs[job.memory] = seqs.get(job.memory, 0) + 1
            event = self._event(job.id, job.memory, seq, say)
            words.append(
                Word(
                    device=self._device,
                    id=job.id,
                    memory=job.memory,
                    seq=seq,
                    stage=say.stage,
                    payload=encode(event),
                )
            )
        return words

    def _event(self, command: CommandId, memory: str, seq: int, say: Say) -> EventMessage:
        return EventMessage(
            journal=command.journal,
            cid=command.cid,
            dev=self._device,
            boot=self._boot,
            memory=memory,
            epoch=self._epoch.seen,
            seq=seq,
            st=say.stage,
            at=self._clock.now(),
            duration_s=say.duration_s,
            result=say.result,
            error=say.error,
        )

    async def _commit(self, entries: Sequence[Entry]) -> None:
        """Until it works, however long that takes."""
        while True:
            self._check_alive()
            epoch = self._epoch.seen
            new = () if epoch == self._epoch.durable else (EpochSeen(epoch=epoch),)
            try:
                await self._journal.commit((*new, *entries))
            except RecordFault as fault:
                self._stick(str(fault))
                await asyncio.sleep(RETRY_S)
            else:
                self._check_alive()
                self._epoch.durable = max(self._epoch.durable, epoch)
                self._stick("")
                return

    def _stick(self, why: str) -> None:
        if bool(why) == bool(self.stuck):
            return
        self.stuck = why
        if why:
            _LOG.error("%s: nothing is started until this is mended: %s", self._device, why)
        else:
            _LOG.warning("%s: the node's journal can be written again", self._device)
        self._changed()

    def _check_alive(self) -> None:
        if self.dead:
            raise asyncio.CancelledError
