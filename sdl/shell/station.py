"""One instrument at its node: commands in, one action at a time, events out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from sdl.capabilities import Device
from sdl.core.events import FaultKind
from sdl.model.action import Operation
from sdl.model.lab import Instrument
from sdl.shell.acting import LAST_WORDS_S, Acting
from sdl.shell.action_call import Outcome, make_safe
from sdl.shell.batch import Batch
from sdl.shell.clock import Clock
from sdl.shell.crash import crash_point
from sdl.shell.interrupted import find_out
from sdl.shell.job import Job, fitting, nobody_waits
from sdl.shell.node_journal import CommandId, NodeJournal, RecalledDevice, Remembered, Stopped
from sdl.shell.node_journal_pen import Epoch, Pen, Say
from sdl.shell.safety import Safety, Spawn
from sdl.wire.mqtt import CommandMessage, EventError, Stage, State, Unreadable, decode

QUEUE = 100
"""Commands that may wait at one instrument; the orchestrator sends one ahead."""

NODE_FAILED = "the node failed while it handled the action; see its log"
SUPERSEDED = "another orchestrator has taken over from the one that sent it"
STILL_GOING = "what was given up on may still be going on"

_LOG = logging.getLogger("sdl.node")


class Station:
    """Holds one driver, and acts on each command at most once, whatever dies in between."""

    def __init__(
        self,
        *,
        instrument: Instrument,
        device: Device,
        operations: Mapping[str, Operation],
        clock: Clock,
        boot: str,
        journal: NodeJournal,
        epoch: Epoch,
        pen: Pen,
        settled: Callable[[], None],
        changed: Callable[[], None],
        spawn: Spawn,
    ) -> None:
        """``settled`` is called when an action has ended, ``changed`` at a new status to be told.

        ``spawn`` starts a task that the node owns.
        """
        self.instrument = instrument
        self.device = device
        self.operations = operations
        self.pen = pen
        self._clock = clock
        self._boot = boot
        self._journal = journal
        self._epoch = epoch
        self._settled = settled
        self._changed = changed
        self._spawn = spawn
        self._live: dict[CommandId, Job] = {}
        """Commands without a durable end."""
        self._queue: deque[Job] = deque()
        self._batch = Batch(pen, spawn)
        self._current: Job | None = None
        self._worker: asyncio.Task[None] | None = None
        self._acting = Acting(lambda: self.device, clock, pen)
        self._recovered = True
        self._greeted = self._leaves = False
        self._greeter = ("", 0)
        """Journal and epoch of the last orchestrator that greeted us."""
        self._meetings = 0
        """Greetings that began, and those of others; what was begun before the last is void."""
        self.safety = Safety(
            instrument.name,
            make_safe=lambda: make_safe(instrument.name, self.device),
            is_acting=lambda: self._acting.is_going or self._is_stuck,
            end_action=lambda: self._acting.end(self._worker),
            pen=pen,
            spawn=spawn,
            free=self._free,
        )

    @property
    def memory(self) -> str:
        """Name of the journal that commands must be meant for."""
        return self._journal.memory

    @property
    def state(self) -> State:
        """What it is doing now."""
        return State(
            boot=self._boot,
            status=self.status,
            cid=self._current.id.cid if self._current is not None else None,
            queued=len(self._queue),
            seq=self.pen.seq,
            at=self._clock.now(),
            stops=self.safety.orders,
        )

    @property
    def status(self) -> Literal["waiting", "idle", "busy", "attention", "stopped"]:
        """What it is doing now, in a word."""
        if self.safety.stopped:
            return "stopped"
        if self._is_stuck or self.pen.stuck:
            return "attention"
        if self._current is not None:
            return "busy"
        return "idle" if self.is_open else "waiting"

    @property
    def is_open(self) -> bool:
        """Whether it may start something."""
        is_bound = self.safety.stopped or self.safety.is_making
        return self._greeted and self._recovered and not is_bound

    @property
    def _is_stuck(self) -> bool:
        return self._acting.is_left or self.safety.is_stuck

    def take_up(self, recalled: RecalledDevice) -> None:
        """Go on where the journal ends; ``recover`` says what became of what is unfinished."""
        self.pen.take_up(recalled)
        self.safety.take_up(recalled.stopped, recalled.orders)
        self._recovered = not recalled.unfinished

    async def recover(self, unfinished: Sequence[Remembered]) -> None:
        """Give each command from before the node's death its end, or its turn."""
        for known in unfinished:
            job = self._live[known.id] = Job.again(known)
            try:
                await self._recover_one(job)
            except Exception:  # noqa: BLE001 -- one command must not hold up the others
                _LOG.exception("%s: %s could not be recovered", self.instrument.name, job.id.cid)
                await self._fail_at(job)
        self._recovered = True
        self._changed()
        self._go()

    def command(
        self,
        message: CommandMessage,
        payload: bytes,
        *,
        ack: Callable[[], None] = nobody_waits,
        age_s: float = 0.0,
    ) -> None:
        """Take a command in, and do it now or in turn; a known one gets its last event again.

        ``payload``: as it was received. ``age_s``: lab seconds that it is known to have been on
        its way. ``ack`` is called once nothing more can be lost of it. Returns at once.
        """
        command = CommandId(message.journal, message.cid)
        if self._epoch.is_stale(message.epoch, remember=True):
            self._mention(command, "stale", ack)
        elif message.memory != self._journal.memory:
            self._mention(command, "not_seen", ack)
        elif not self._again(command, message.args_sha256, ack):
            deadline = None if message.ttl_s is None else self._clock.now() + message.ttl_s - age_s
            self._begin(message, Job.of(message, payload, deadline, ack))

    def drop(
        self, command: CommandId, payload: bytes, why: str, ack: Callable[[], None] = nobody_waits
    ) -> None:
        """Refuse what is no proper command, once and for all, unless it is known already."""
        if self._known(command) is not None:
            ack()
            return
        job = Job(id=command, memory=self._journal.memory, args_sha256="", command=payload, ack=ack)
        self._live[command] = job
        self._spawn(self._refuse(job, why=why))

    def query(self, command: CommandId) -> None:
        """Say again what was last said about a command."""
        known = self._known(command)
        if known is None or known.memory != self._journal.memory:
            self._mention(command, "not_seen")
        elif known.last:  # else its first word is on its way
            self._spawn(self.pen.say_again(known.last))

    def cancel(self, command: CommandId) -> None:
        """Take a command back that waits; one that does not is told as with ``query``."""
        for job in self._queue:
            if job.id == command:
                self._queue.remove(job)
                self._spawn(self._refuse(job, why="it was cancelled before it started"))
                return
        self.query(command)

    def meet(self, journal: str, epoch: int) -> int:
        """An orchestrator greets us: what waits of another one, from before, never starts.

        Gives the number of this meeting.
        """
        self._meetings += 1
        self._greeter = journal, epoch
        old = [job for job in self._queue if self._is_superseded(job)]
        for job in old:
            self._queue.remove(job)
        if old:
            self._spawn(self._refuse(*old, why=SUPERSEDED))
        return self._meetings

    def pass_over(self) -> None:
        """An orchestrator greets another node in our place."""
        self._meetings += 1
        if self._greeted:
            _LOG.error("%s has another node; this one starts nothing more", self.instrument.name)
            self.rest()

    async def greet(self, from_seq: int | None, meeting: int) -> bool:
        """An orchestrator takes up with us: tell it what it has not heard, and begin.

        False, and nothing begins, if it has heard more than the journal knows of.
        """
        if from_seq is not None and not await self.pen.replay(from_seq):
            return False
        if meeting == self._meetings and not self._leaves:
            self._greeted = True
            self._free()
        return True

    def halt(
        self, why: str, *, journal: str = "", answers: str = "", lasting: bool = True
    ) -> asyncio.Task[None]:
        """Start nothing that waits, make the instrument safe, and say how that ended.

        ``answers``: id of the order, and ``journal`` whose it is. ``lasting``: nothing starts until
        ``release``, not even after a restart of the node.
        """
        stopped = self.safety.stop(why, answers, journal)
        waiting, self._queue = tuple(self._queue), deque()
        self._batch.clear()
        also = (stopped,) if lasting else ()
        noting = self._spawn(self._refuse(*waiting, why=why, kind="lab", also=also))
        self.safety.note(noting)
        about = (CommandId(journal, ""), answers) if lasting else None
        return self._spawn(self._make_safe(noting, about))

    async def _make_safe(
        self, noting: asyncio.Task[None], about: tuple[CommandId, str] | None
    ) -> None:
        wrong = await self.safety.make_safe()
        loop = asyncio.get_running_loop()
        until = loop.time() + LAST_WORDS_S
        for words in (noting, self._worker):
            if words is not None:
                await asyncio.wait((words,), timeout=max(0.0, until - loop.time()))
        crash_point("node.halted")
        if self._is_stuck:
            wrong = "; ".join(part for part in (wrong, STILL_GOING) if part)
        error = EventError(phase="after", kind="driver", reason=fitting(wrong)) if wrong else None
        if about is not None:
            await self.pen.mention(about[0], "made_safe", error, answers=about[1])
            self._changed()

    def rest(self) -> None:
        """Nobody leads us any more: finish what runs, then be safe until the next greeting."""
        self._greeted = False
        self._changed()
        self._spawn(self._rest())

    async def _rest(self) -> None:
        while self._worker is not None and not self._greeted:
            await asyncio.wait((self._worker,))
        if not self._greeted:
            await self.safety.make_safe()

    async def finish(self) -> None:
        """Begin nothing more, whoever greets us, and return when nothing is in hand."""
        self._leaves, self._greeted = True, False
        self._changed()
        while self._worker is not None:
            await asyncio.wait((self._worker,))

    def _free(self) -> None:
        self._changed()
        self._go()

    def forget_waiting(self) -> None:
        """The journal has a new name: what waits was meant for the old one, and never starts."""
        self._meetings += 1  # a greeting that is not through was meant for the old one, too
        self._greeted = False
        self._batch.clear()
        for job in self._queue:
            del self._live[job.id]
            job.ack()
        self._queue.clear()

    async def close(self) -> None:
        """Make safe, let the action under way end if it does so soon, close the driver's line."""
        await self.halt("the node was stopped", lasting=False)
        if self._worker is not None:  # its journal cannot be written
            self._worker.cancel()
            await asyncio.wait((self._worker,))
        try:
            await self.device.disconnect()
        except Exception:  # noqa: BLE001 -- a driver may raise anything, the node goes on
            _LOG.exception("%s: disconnect failed", self.instrument.name)

    def _mention(
        self, command: CommandId, stage: Stage, ack: Callable[[], None] = nobody_waits
    ) -> None:
        self._spawn(self.pen.mention(command, stage))
        ack()

    def _known(self, command: CommandId) -> Job | Remembered | None:
        return self._live.get(command) or self._journal.find(self.instrument.name, command)

    def _again(self, command: CommandId, args_sha256: str, ack: Callable[[], None]) -> bool:
        """Whether it was known, and is answered from memory."""
        known = self._known(command)
        if known is None:
            return False
        ack()
        if known.args_sha256 != args_sha256:
            reason = f"{command.cid} was sent before with other arguments"
            why = EventError(phase="before_start", kind="refused", reason=reason)
            self._spawn(self.pen.mention(command, "conflict", why))
        elif known.last:  # else its first word is on its way
            self._spawn(self.pen.say_again(known.last))
        return True

    def _begin(self, message: CommandMessage, job: Job) -> None:
        crash_point("node.command.received")
        self._live[job.id] = job
        why, kind = self._refusal(message, job)
        if why:
            self._spawn(self._refuse(job, why=why, kind=kind))
            return
        self._queue.append(job)
        if self.is_open and self._current is None:
            self._go()
        else:
            self._batch.add(job)

    def _refusal(self, message: CommandMessage, job: Job) -> tuple[str, FaultKind]:
        """Why a command cannot be done, as ``_hindrance``; it is understood, if it can."""
        if len(self._queue) >= QUEUE:
            return f"{QUEUE} commands wait at {self.instrument.name} already", "lab"
        wrong = job.understand(message, self.instrument, self.operations)
        return (wrong, "refused") if wrong else self._hindrance(job)

    def _hindrance(self, job: Job) -> tuple[str, FaultKind]:
        """Why a command must not start now, and will not later; empty if it may.

        With *lab* where another attempt at the same may be let in one day.
        """
        if self.safety.refuses:
            return f"{self.instrument.name} is stopped: {self.safety.stopped}", "lab"
        if self._is_superseded(job):
            return SUPERSEDED, "refused"
        if self._is_stuck:
            return f"{self.instrument.name} needs attention: {STILL_GOING}", "lab"
        if job.deadline is not None and self._clock.now() >= job.deadline:
            return "its deadline passed before it could start", "refused"
        return "", "lab"

    def _is_superseded(self, job: Job) -> bool:
        """Whether it is of a journal that another one has taken over from."""
        journal, epoch = self._greeter
        return journal not in ("", job.id.journal) and job.epoch < epoch

    def _go(self) -> None:
        """Begin to do what waits, if that may be."""
        if self._queue and self.is_open and self._current is None:
            self._current = self._queue[0]
            self._worker = self._spawn(self._work())

    async def _work(self) -> None:
        """Do what waits, in order, until nothing does or may."""
        try:
            while self._queue and self.is_open:
                job = self._current = self._queue.popleft()
                try:
                    await self._perform(job)
                except Exception:  # noqa: BLE001 -- an instrument must not fall silent for ever
                    _LOG.exception("%s: %s failed", self.instrument.name, job.id.cid)
                    await self._fail_at(job)
        finally:
            self._current = self._worker = None
        if not self.is_open:
            self._changed()
        for job in self._queue:  # closed before its turn came
            if job.stage is None and job.accepting is None:
                self._batch.add(job)

    async def _perform(self, job: Job) -> None:
        stops = self.safety.stops
        if job.accepting is not None:
            await asyncio.wait((job.accepting,))
            if not self._greeted and not self.safety.stopped:
                self._queue.appendleft(job)
                return
        why, kind = self._hindrance(job)
        if why:
            await self._refuse(job, why=why, kind=kind)
            return
        committed = ["node.accepted.committed"] if job.stage is None else []
        committed.append("node.started.committed")
        await self.pen.write((job,), Say(stage="started"), committed=committed)
        why, kind = self._hindrance(job)  # for time has passed while that was written
        if why or not self._greeted or stops != self.safety.stops:
            await self._refuse(job, why=why or "its node was told to let it be", kind=kind)
            return
        began = self._clock.now()
        outcome = await self._acting.do(job)
        duration_s = self._clock.now() - began
        crash_point("node.action.ended")
        self._settled()
        await self._tell(job, outcome, duration_s)
        if outcome.leftover is not None:
            self._changed()

    async def _tell(self, job: Job, outcome: Outcome, duration_s: float | None) -> None:
        try:
            await self._end(job, Say.of(outcome, duration_s))
        except Unreadable as too_large:
            why = EventError(phase="after", kind="driver", reason=str(too_large))
            await self._end(job, Say(stage="failed", duration_s=duration_s, error=why))

    async def _end(self, job: Job, say: Say) -> None:
        await self.pen.write((job,), say, committed=("node.ended.committed",))
        self._live.pop(job.id, None)
        crash_point("node.ended.published")

    async def _refuse(
        self, *jobs: Job, why: str, kind: FaultKind = "refused", also: Sequence[Stopped] = ()
    ) -> None:
        """Say of some that they were not started, and never will be, in one commit."""
        accepting = [job.accepting for job in jobs if job.accepting is not None]
        if accepting:
            await asyncio.wait(accepting)
        error = EventError(phase="before_start", kind=kind, reason=fitting(why))
        await self.pen.write(jobs, Say(stage="failed", error=error), also=also)
        for job in jobs:
            self._live.pop(job.id, None)

    async def _fail_at(self, job: Job) -> None:
        """We failed at it ourselves: say so, for nobody else will."""
        if job.stage == "started":
            error = EventError(phase="during", kind="driver", reason=NODE_FAILED)
            await self._end(job, Say(stage="unknown", error=error))
        elif job.id in self._live:
            await self._refuse(job, why=NODE_FAILED)

    async def _recover_one(self, job: Job) -> None:
        message = decode(CommandMessage, job.command)
        job.epoch = message.epoch
        wrong = job.understand(message, self.instrument, self.operations)
        if job.stage == "started":
            outcome = await find_out(self.device, message.effect, job, self._clock)
            await self._tell(job, outcome, None)
            return
        why, kind = self._hindrance(job)
        if wrong:
            why, kind = wrong, "refused"
        elif message.ttl_s is not None:
            why = why or "the node died, and nobody can say if its deadline has passed"
        if why:
            await self._refuse(job, why=why, kind=kind)
        else:
            self._queue.append(job)
