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
from sdl.core.engine import Engine
from sdl.core.view import View
from sdl.errors import PlannerFault
from sdl.model.planning import Answer, Ask
from sdl.shell.bus import Bus, Message
from sdl.shell.clock import LoopedClock
from sdl.shell.planner_client import Asking
from sdl.shell.roll_call import RollCall
from sdl.wire import mqtt
from sdl.wire.journal import Chain, Line
from sdl.wire.topics import Topics, kind_in, name_in

UNHEARD_S = (2.0, 5.0, 10.0)
"""Loop seconds without a word of a sent command before it is sent again; the last one repeats."""
QUIET_S = (30.0, 60.0, 120.0, 300.0, 600.0)
"""The same once it is known to have arrived, before the node is asked how it stands."""
LINGER_S = 0.02
"""Loop seconds that a word may wait for company before it is committed, if no command follows from
it. Nothing in the world depends on such a line; what does is committed first, always."""
SHOW_S = 0.1
"""Wall seconds between two views for whoever watches; the last one is always shown."""
WATCH_S = 1.0
"""Loop seconds between two looks at the heartbeats."""

Append: TypeAlias = Callable[[Sequence[Line]], Awaitable[None]]
Watch: TypeAlias = Callable[[View], None]

log = logging.getLogger(__name__)


class Runtime:
    """One orchestrator at work on one campaign."""

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
    ) -> None:
        self._engine = engine
        self._chain = chain
        self._append = append
        self._bus = bus
        self._planner = planner
        self._clock = clock
        self._topics = topics
        self._watch = watch
        self._inbox: deque[ev.Event] = deque()
        self._wake = asyncio.Event()
        self._roll_call = RollCall()
        self._sent: dict[str, do.Perform] = {}
        self._unheard: dict[str, asyncio.TimerHandle] = {}
        self._tries: dict[str, tuple[tuple[float, ...], int]] = {}
        """How patient we are with each open command, and how often we have been."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._lines: list[Line] = []
        """Not yet handed to the record: words that nothing followed from."""
        self._flush: asyncio.TimerHandle | None = None
        self._due = False
        self._shown = 0.0
        self._showing: asyncio.TimerHandle | None = None

    def post(self, event: ev.Event) -> None:
        """Put an event in the inbox."""
        self._inbox.append(event)
        self._wake.set()

    def stop(self, by: str, reason: str) -> None:
        """Ask the campaign to end in good order: what runs is finished, nothing new begins."""
        self.post(ev.StopRequested(at=self._clock.now(), by=by, reason=reason))

    async def run(self, *first: ev.Event) -> None:
        """Work until the campaign is concluded. What breaks the record or the bus is raised."""
        for event in first:
            self.post(event)
        await self._turn()
        await self._bus.subscribe(
            self._topics.birth("+"),
            self._topics.node_status("+"),
            self._topics.heartbeat("+"),
            self._topics.event("+"),
        )
        self._spawn(self._listen())
        self._spawn(self._look())
        try:
            while self._engine.state.concluded is None:
                await self._wake.wait()
                await self._turn()
        finally:
            await self._end()
            await self._commit()

    async def _end(self) -> None:
        for handle in (*self._unheard.values(), self._showing):
            if handle is not None:
                handle.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _turn(self) -> None:
        if self._broken is not None:
            raise self._broken
        self._wake.clear()
        commands: list[do.Command] = []
        while self._inbox:
            event = self._inbox.popleft()
            decided = self._engine.handle(event)
            self._lines.append(self._chain.add(event, event.at))
            self._lines += [self._chain.add(command, event.at) for command in decided]
            commands += decided
            self._heard(event)
        if commands or self._due:
            await self._commit()
        elif self._lines and self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(LINGER_S, self._linger_over)
        for command in commands:
            await self._perform(command)
        self._show()

    async def _commit(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
        self._flush, self._due = None, False
        lines, self._lines = self._lines, []
        if lines:
            await self._append(lines)

    def _linger_over(self) -> None:
        self._due = True
        self._wake.set()

    def _show(self) -> None:
        due_s = self._shown + SHOW_S - time.monotonic()
        if due_s <= 0.0 or self._engine.state.concluded is not None:
            self._show_now()
        elif self._showing is None:
            self._showing = asyncio.get_running_loop().call_later(due_s, self._show_now)

    def _show_now(self) -> None:
        if self._showing is not None:
            self._showing.cancel()
            self._showing = None
        self._shown = time.monotonic()
        self._watch(self._engine.view())

    # Commands out.

    async def _perform(self, command: do.Command) -> None:
        match command:
            case do.Perform():
                self._sent[command.cid] = command
                await self._send(command)
            case do.Resend(cid=cid) if cid in self._sent:
                await self._send(self._sent[cid])
            case do.Query(cid=cid) if cid in self._sent:
                perform = self._sent[cid]
                control = mqtt.Control(
                    id=f"query/{cid}",
                    op="query",
                    cid=cid,
                    epoch=self._engine.state.epoch,
                    journal=self._chain.origin,
                )
                topic = self._topics.control(perform.instrument)
                await self._bus.publish(topic, mqtt.encode(control))
                self._listen_for(cid, QUIET_S)
            case do.Greet():
                await self._greet(command)
            case do.AskPlanner():
                self._spawn(self._ask(command, self._engine.question(command.ask)))
            case do.Wait(timer=timer, until=until):
                delay_s = self._clock.loop_s(max(0.0, until - self._clock.now()))
                asyncio.get_running_loop().call_later(delay_s, self._fire, timer, until)
            case _:
                pass  # a decision, done by being on record; or its command has ended by now

    async def _greet(self, command: do.Greet) -> None:
        control = mqtt.Control(
            id=f"greet/{command.boot}",
            op="greet",
            epoch=self._engine.state.epoch,
            boot=command.boot,
            from_seq=None if command.after is None else command.after + 1,
        )
        await self._bus.publish(self._topics.control(command.instrument), mqtt.encode(control))

    def remember(self, perform: do.Perform) -> None:
        """Know a command that an earlier process sent, so that it can be asked about."""
        self._sent[perform.cid] = perform

    async def _send(self, perform: do.Perform) -> None:
        message = mqtt.command_message(
            perform,
            epoch=self._engine.state.epoch,
            issued_at=self._clock.now(),
            journal=self._chain.origin,
        )
        # Past its window the command must not start, so there is no use in sending it any more.
        ttl_s = message.ttl_s
        expiry_s = None if ttl_s is None else self._clock.loop_s(ttl_s)
        topic = self._topics.command(perform.instrument)
        await self._bus.publish(topic, mqtt.encode(message), expiry_s=expiry_s)
        self._listen_for(perform.cid, UNHEARD_S)

    def _listen_for(self, cid: str, patience_s: tuple[float, ...]) -> None:
        """Wake the engine if no word of a command comes; later and later, if it stays so."""
        self._calm(cid)
        former, tries = self._tries.get(cid, (patience_s, 0))
        tries = tries if former == patience_s else 0
        self._tries[cid] = (patience_s, tries + 1)
        delay_s = patience_s[min(tries, len(patience_s) - 1)]
        loop = asyncio.get_running_loop()
        self._unheard[cid] = loop.call_later(delay_s, self._miss, cid)

    def _miss(self, cid: str) -> None:
        del self._unheard[cid]
        self.post(ev.CommandUnheard(at=self._clock.now(), cid=cid))

    def _fire(self, timer: str, until: float) -> None:
        # A loop's clock and ours may differ in the last digit; a timer never fires early.
        self.post(ev.TimerFired(at=max(until, self._clock.now()), timer=timer))

    async def _ask(self, command: do.AskPlanner, question: Ask) -> None:
        timeout_s = self._engine.state.spec.planner.timeout_s
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

    def _heard(self, event: ev.Event) -> None:
        match event:
            case ev.CommandAccepted(cid=cid) | ev.CommandStarted(cid=cid) if cid in self._sent:
                self._listen_for(cid, QUIET_S)
            case ev.CommandNotSeen(cid=cid):
                self._calm(cid)
            case ev.CommandDone(cid=cid) | ev.CommandFailed(cid=cid) | ev.CommandUnknown(cid=cid):
                self._calm(cid)
                self._sent.pop(cid, None)
                self._tries.pop(cid, None)
            case _:
                pass

    def _calm(self, cid: str) -> None:
        handle = self._unheard.pop(cid, None)
        if handle is not None:
            handle.cancel()

    async def _listen(self) -> None:
        async for message in self._bus.messages():
            try:
                self._take(message)
            except mqtt.Unreadable as error:
                log.warning("dropped a message on %s: %s", message.topic, error)

    def _take(self, message: Message) -> None:
        at, heard = self._clock.now(), asyncio.get_running_loop().time()
        name = name_in(message.topic)
        match kind_in(message.topic):
            case "evt":
                event = mqtt.decode(mqtt.EventMessage, message.payload)
                if event.journal == self._chain.origin:  # else it is another campaign's
                    self.post(mqtt.core_event(event, at))
            case "hb":
                beat = mqtt.decode(mqtt.Heartbeat, message.payload)
                self._post_all(self._roll_call.heartbeat(name, beat, at, heard))
            case "birth" if message.payload:
                birth = mqtt.decode(mqtt.Birth, message.payload)
                self._post_all(self._roll_call.birth(birth, at, heard))
            case "status" if message.payload:
                status = mqtt.decode(mqtt.Status, message.payload)
                self._post_all(self._roll_call.status(name, status, at, heard))
            case _:
                pass

    def _post_all(self, events: Sequence[ev.Event]) -> None:
        for event in events:
            self.post(event)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            now = asyncio.get_running_loop().time()
            self._post_all(self._roll_call.silent(self._clock.now(), now))

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
