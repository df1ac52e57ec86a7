"""The loop: an event comes in, the engine decides, the record keeps it, then it is done.

Every turn takes all events that have come in, hands them to the engine one by one, and writes
them and the commands that follow in one transaction. Only when that is durable are the commands
performed: what is not on record does not happen. Events that come in while a commit goes on share
the next one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.amounts import Content
from sdl.core.engine import Engine
from sdl.core.ids import campaign_of
from sdl.core.predicting import Predictor
from sdl.core.view import LabView
from sdl.errors import LeaseLost, PlannerFault, RecordFault, UserMistake, said
from sdl.model.planning import Answer, Ask
from sdl.shell.bus import Bus, Message
from sdl.shell.clock import LoopedClock
from sdl.shell.crash import crash_point
from sdl.shell.desk import Admit, Start, Tell, Word
from sdl.shell.dispatch import Dispatch, Vouch, alone
from sdl.shell.ordering import Ordering
from sdl.shell.planner_client import Asking
from sdl.shell.presence import Presence
from sdl.shell.replanning import NoPlanning, Planning
from sdl.shell.roll_call import RollCall
from sdl.wire import mqtt
from sdl.wire.journal import Chain, Line, dump
from sdl.wire.topics import Topics, kind_in, name_in

LINGER_S = 0.02
"""Loop seconds that a word may wait for company before it is committed, if no command follows from
it. Nothing in the world depends on such a line; what does is committed first, always."""
SHOW_S = 0.1
"""Wall seconds between two views for whoever watches; the last one is always shown, ..."""
SHOW_SHARE = 0.05
"""... and no more of the processor than this goes into them: that of a large lab takes a while."""
WATCH_S = 0.4
"""Loop seconds between two looks at the heartbeats."""

Append: TypeAlias = Callable[[Sequence[Line]], Awaitable[None]]
Watch: TypeAlias = Callable[[Engine], None]
"""Is shown the engine from time to time, and makes a view of it."""
Keep: TypeAlias = Callable[[Engine, Chain], None]

log = logging.getLogger(__name__)


def _keep_nothing(_engine: Engine, _chain: Chain) -> None:
    """Where the journal is never long."""


async def _admit_nobody(_start: Start, _tell: Tell) -> str:
    raise UserMistake(
        "a campaign has this lab for itself; a lab for several is opened with: sdl lab up"
    )


class Runtime:
    """One orchestrator at work on its lab; also the desk at which people reach it."""

    def __init__(
        self,
        *,
        engine: Engine,
        chain: Chain,
        append: Append,
        bus: Bus,
        planner: Asking,
        clock: LoopedClock,
        topics: Topics,
        watch: Watch,
        presence: Presence | None = None,
        vouch: Vouch = alone,
        keep: Keep = _keep_nothing,
        admit: Admit = _admit_nobody,
        planning: Planning | None = None,
        predictors: Sequence[Predictor] = (),
    ) -> None:
        """``presence``: what it says of itself, where that has to be known before it is made.

        ``admit``: lets campaigns in, where the engine is that of a session.
        ``planning``: who asks for plans; nobody if None.
        ``keep``: told whenever the journal holds all that the engine knows.
        ``predictors``: who says to people how long actions will take.
        """
        self._keep, self._admit, self._predictors = keep, admit, predictors
        self._planning = planning or NoPlanning()
        self._engine = engine
        self._chain = chain
        self._append = append
        self._bus = bus
        self._planner = planner
        self._clock = clock
        self._topics = topics
        self._watch = watch
        self.presence = presence or Presence(bus, topics, boot="virtual", epoch=1, now=clock.now)
        self._inbox: deque[tuple[ev.Event, asyncio.Future[str] | None]] = deque()
        """Each with the person who waits for it, if any."""
        self._told: set[asyncio.Future[str]] = set()
        self._wake = asyncio.Event()
        self.begun = asyncio.Event()
        """Set once the first events are on record and there is something to see."""
        self.moving = asyncio.Event()
        """Set once the first command is on its way."""
        self._roll_call = RollCall()
        self._ordering = Ordering()
        self._dispatch = Dispatch(
            bus=bus, clock=clock, topics=topics, post=self.post, spawn=self._spawn, vouch=vouch
        )
        self._status_topic = topics.orchestrator_status()
        self._stop_topic = topics.stop_all()
        self._stops = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._lines: list[Line] = []
        """Not yet handed to the record: words that nothing followed from."""
        self._flush: asyncio.TimerHandle | None = None
        self._due = False
        self._show_at = 0.0
        self._showing: asyncio.TimerHandle | None = None

    def post(self, event: ev.Event) -> None:
        """Put an event in the inbox."""
        self._inbox.append((event, None))
        self._wake.set()

    def stop(self, by: str, reason: str) -> None:
        """Ask for an end in good order: what runs is finished, nothing new begins."""
        at = self._clock.now()
        if self._engine.is_shared:
            self.post(ev.LabDownRequested(at=at, by=by, note=reason))
        else:
            self.post(ev.StopRequested(at=at, by=by, reason=reason))

    def remember(self, perform: do.Perform) -> None:
        """Know a command that an earlier process sent, so that it can be asked about."""
        self._dispatch.remember(perform)

    # The desk.

    def lab(self) -> LabView:
        return self._engine.lab_view(self._predictors)

    def contents(self) -> tuple[Content, ...]:
        return self._engine.contents()

    async def tell(self, word: Word) -> str:
        if self._engine.is_begun and self._engine.is_over:
            return f"{self._engine.name} has ended"
        taken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._told.add(taken)
        self._inbox.append((word(self._clock.now()), taken))
        self._wake.set()
        return await taken

    async def start(self, start: Start) -> str:
        return await self._admit(start, self.tell)

    async def stop_all(self, by: str, note: str) -> None:
        self._stops += 1
        order = f"{self.presence.boot}/{self._stops}"
        await self._dispatch.stop_all(order, by, note)
        await self.tell(lambda at: ev.LabStopRequested(at=at, by=by, note=note, order=order))

    # The loop.

    async def run(self, *first: ev.Event) -> None:
        """Work until the engine's work is over. What breaks the record or the bus is raised."""
        for event in first:
            self.post(event)
        is_whole = False
        try:
            await self._turn()
            self.begun.set()
            await self._begin_to_listen()
            while not self._engine.is_over:
                await self._wake.wait()
                await self._turn()
            is_whole = True
        except asyncio.CancelledError:
            is_whole = True
            raise
        finally:
            await self._end()
            if is_whole:  # else the record, or this process, is not to be trusted any more
                await self._commit()
                await self.presence.leave()

    async def _begin_to_listen(self) -> None:
        await self.presence.announce()
        await self._bus.subscribe(
            self._topics.birth("+"),
            self._topics.node_status("+"),
            self._topics.node_heartbeat("+"),
            self._topics.event("+"),
            self._status_topic,
            self._stop_topic,
        )
        self._spawn(self._listen())
        self._spawn(self._look())
        self._spawn(self.presence.beat())

    async def _end(self) -> None:
        self._dispatch.close()
        if self._showing is not None:
            self._showing.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for taken in tuple(self._told):
            if not taken.done():
                taken.set_exception(RecordFault("the orchestrator ended before this was on record"))

    async def _turn(self) -> None:
        if self._broken is not None:
            raise self._broken
        self._wake.clear()
        commands: list[do.Command] = []
        taken: list[asyncio.Future[str]] = []
        while self._inbox:
            event, person = self._inbox.popleft()
            if person is not None:
                objection = self._objection(event)
                if objection:
                    self._answer(person, objection)
                    continue
                taken.append(person)
            commands += self._decide(event)
        if commands or taken or self._due:
            await self._commit()
        elif self._lines and self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(LINGER_S, self._linger_over)
        for person in taken:
            self._answer(person, "")
        await self._perform_all(commands)
        if not self._lines:
            self._keep(self._engine, self._chain)
        self._planning.look(self._engine, self._chain.seq, self.post)
        self._show()

    def _objection(self, event: ev.Event) -> str:
        """What speaks against a person's word; one that breaks on it is kept out, and we go on."""
        try:
            dump(event)
            return self._engine.objection(event)
        except Exception as error:
            log.exception("a person's word could not be looked at")
            return f"it could not be understood: {said(error)}"

    def _decide(self, event: ev.Event) -> list[do.Command]:
        decided = self._engine.handle(event)
        self._lines.append(self._chain.add(event, event.at))
        self._lines += [self._chain.add(command, event.at) for command in decided]
        self._dispatch.heard(event)
        self._planning.heard(event, decided)
        crash_point("orchestrator.event.handled")
        return decided

    def _answer(self, person: asyncio.Future[str], words: str) -> None:
        self._told.discard(person)
        if not person.done():
            person.set_result(words)

    async def _commit(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
        self._flush, self._due = None, False
        lines, self._lines = self._lines, []
        if lines:
            await self._append(lines)
            crash_point("orchestrator.lines.committed")

    def _linger_over(self) -> None:
        self._due = True
        self._wake.set()

    def _show(self) -> None:
        due_s = self._show_at - time.monotonic()
        if due_s <= 0.0 or self._engine.is_over:
            self._show_now()
        elif self._showing is None:
            self._showing = asyncio.get_running_loop().call_later(due_s, self._show_now)

    def _show_now(self) -> None:
        if self._showing is not None:
            self._showing.cancel()
            self._showing = None
        began, worked = time.monotonic(), time.thread_time()
        self._watch(self._engine)
        # Not by the clock: where others keep the processor, the next question would be told late.
        worked_s = time.thread_time() - worked
        self._show_at = began + max(SHOW_S, worked_s / SHOW_SHARE)

    # Commands out.

    async def _perform_all(self, commands: Sequence[do.Command]) -> None:
        lab = self._engine.lab
        self._dispatch.epoch, self._dispatch.journal = lab.epoch, self._chain.origin
        greets = any(isinstance(each, do.Greet) for each in commands)
        if greets or any(isinstance(each, do.EndCarry) for each in commands):
            await self._dispatch.tell_placed(
                (*lab.pieces.values(), *lab.lids.values()), anew=greets
            )
        for command in commands:
            await self._perform(command)

    async def _perform(self, command: do.Command) -> None:
        match command:
            case do.Perform():
                await self._dispatch.perform(command)
                self.moving.set()
            case do.Resend(cid=cid):
                await self._dispatch.resend(cid)
            case do.Query(cid=cid):
                await self._dispatch.query(cid)
            case do.Greet(instrument=name, boot=boot, after=after, memory=memory):
                self._ordering.expect(name, memory, after)
                await self._dispatch.greet(name, boot, after, memory)
            case do.Halt(id=id_, instrument=name):
                await self._dispatch.halt(id_, name)
            case do.Release(instrument=name):
                await self._dispatch.release(name, command.lifts)
            case do.AskPlanner(ask=ask):
                part = self._engine.campaigns.get(campaign_of(ask))
                if part is not None:  # else it has ended within this very turn
                    timeout_s = part.state.spec.planner.timeout_s
                    self._spawn(self._ask(command, self._engine.question(ask), timeout_s))
            case do.Wait(timer=timer, until=until):
                delay_s = self._clock.loop_s(max(0.0, until - self._clock.now()))
                asyncio.get_running_loop().call_later(delay_s, self._fire, timer, until)
            case _:
                pass  # a decision, done by being on record

    def _fire(self, timer: str, until: float) -> None:
        # A loop's clock and ours may differ in the last digit; a timer never fires early.
        self.post(ev.TimerFired(at=max(until, self._clock.now()), timer=timer))

    async def _ask(self, command: do.AskPlanner, question: Ask, timeout_s: float) -> None:
        try:
            answer = await self._planner.ask(question, timeout_s)
        except PlannerFault as fault:
            answer = Answer(id=command.ask, error=str(fault))
        if answer.error:
            self.post(
                ev.PlannerFailed(
                    at=self._clock.now(),
                    ask=command.ask,
                    attempt=command.attempt,
                    reason=answer.error,
                    exhausted=answer.exhausted,
                )
            )
            return
        self.post(
            ev.SuggestionsArrived(
                at=self._clock.now(),
                ask=command.ask,
                attempt=command.attempt,
                suggestions=answer.suggestions,
                versions=tuple(sorted(answer.versions.items())),
            )
        )

    # Words in.

    async def _listen(self) -> None:
        async for message in self._bus.messages():
            try:
                await self._take(message)
            except mqtt.Unreadable as error:
                log.warning("dropped a message on %s: %s", message.topic, error)

    async def _take(self, message: Message) -> None:
        if message.topic == self._status_topic:
            if message.payload:
                await self.presence.hear(mqtt.decode(mqtt.Status, message.payload))
            return
        if message.topic == self._stop_topic:
            self._stopped(message)
            return
        at, heard = self._clock.now(), asyncio.get_running_loop().time()
        name = name_in(message.topic)
        match kind_in(message.topic):
            case "evt":
                await self._word(mqtt.decode(mqtt.EventMessage, message.payload), heard)
            case "hb":
                beat = mqtt.decode(mqtt.Heartbeat, message.payload)
                self._post_all(self._roll_call.heartbeat(name, beat, at, heard))
            case "birth" if message.payload:
                birth = mqtt.decode(mqtt.Birth, message.payload)
                self._post_all(self._roll_call.birth(birth, at, heard))
            case "status" if message.payload:
                status = mqtt.decode(mqtt.Status, message.payload)
                kept = message.retain
                self._post_all(self._roll_call.status(name, status, at, heard, kept=kept))
            case _:
                pass

    def _stopped(self, message: Message) -> None:
        """Somebody told the whole lab to stop: at our desk, or past us."""
        order = mqtt.decode(mqtt.StopAll, message.payload)
        if not message.retain and not order.id.startswith(f"{self.presence.boot}/"):
            at = self._clock.now()
            self._dispatch.stopped(order.id)
            self.post(ev.LabStopRequested(at=at, by=order.by, note=order.note, order=order.id))

    async def _word(self, word: mqtt.EventMessage, heard: float) -> None:
        if word.st == "stale":
            self._refused(word)
            return
        due, gap = self._ordering.take(word, heard)
        self._post_words(due)
        known = self._engine.lab.instruments.get(word.dev)
        if gap is None or known is None:
            return
        if (known.boot, known.memory) == (word.boot, word.memory):
            await self._dispatch.greet(word.dev, word.boot, gap.from_seq - 1, word.memory)

    def _refused(self, word: mqtt.EventMessage) -> None:
        if word.epoch > self._engine.lab.epoch:
            raise LeaseLost(
                f"instrument {word.dev!r} obeys another orchestrator, of epoch {word.epoch}; ours "
                f"is {self._engine.lab.epoch}. If there is none, the clock of the machine that "
                "led before was ahead of this one's: set the clock, then go on with --resume"
            )

    def _post_words(self, words: Sequence[mqtt.EventMessage]) -> None:
        for word in words:
            told_past_us = word.st == "made_safe" and not word.journal
            if word.journal == self._chain.origin or told_past_us:  # else another's
                self.post(mqtt.core_event(word, self._clock.now()))

    def _post_all(self, events: Sequence[ev.Event]) -> None:
        for event in events:
            self.post(event)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            now = asyncio.get_running_loop().time()
            self._post_all(self._roll_call.silent(self._clock.now(), now))
            self._post_words(self._ordering.overdue(now))
            self._planning.look(self._engine, self._chain.seq, self.post)

    # Tasks.

    def _spawn(self, work: Awaitable[None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()
            self._wake.set()
