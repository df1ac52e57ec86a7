"""The broker of a simulated lab, and the lines to it: they lose, repeat, delay, reorder and break.

The messages are the real ones, byte for byte. A broker that dies forgets all that it kept and all
that was under way; one that is put back sends again what it once carried.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextvars import Context
from dataclasses import dataclass
from functools import lru_cache, partial

from sdl.errors import LabFault
from sdl.shell.bus import Message, OnConnect
from sdl.shell.local_bus import LocalBroker, LocalBus
from sdl.sim.life import Life, living, outside
from sdl.sim.trace import Trace
from sdl.wire import mqtt
from sdl.wire.topics import kind_in, matches

TRANSIT_S = (0.0005, 0.004)
"""What a message takes from its sender to its receivers."""
KEEPALIVE_S = 8.0
"""After so long without a sign of life the broker takes a client for lost."""
RETRY_S = (0.2, 1.5)
"""Pause before a client that was cut off tries again."""
OLD_WITHIN_S = 3.0
OLD_KEPT = 400
"""Messages that a broker can bring back."""

Spy = Callable[[str, Message], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How badly messages fare for a while."""

    drop: float = 0.0
    """Chance of each message to be lost; so the others."""
    repeat: float = 0.0
    delay: float = 0.0
    delay_s: float = 5.0
    """At most."""
    reorder: bool = False
    """A delayed message does not hold up those after it."""


FAIR = Weather()


class Network(LocalBroker):
    """The one broker of the lab."""

    def __init__(self, chance: random.Random, trace: Trace) -> None:
        super().__init__()
        self.weather = FAIR
        self.down = False
        self.cut_off: set[str] = set()
        """Names of processes."""
        self.received: Spy = lambda _client, _message: None
        """Is told of each message that arrives, with its receiver."""
        self.sent: Callable[[Message], None] = lambda _message: None
        """Is told of each message that a client hands to its line."""
        self.swallows: dict[str, int] = {}
        """By word (a control's, ``made_safe`` or ``stop-all``): how many of the next get lost."""
        self._chance = chance
        self._trace = trace
        self._wires: dict[str, Wire] = {}
        self._sessions: dict[str, Session] = {}
        """Of the processes that the broker keeps messages for, by name."""
        self._old: list[Message] = []
        self._here = outside()

    def client(self, client_id: str, *, lasting: bool = False) -> Wire:
        """A line for whoever asks; it breaks with them.

        ``lasting``: the broker keeps what comes for this process while it is away, and sends again
        what it had not acknowledged, also to the next one of its name.
        """
        wire = Wire(self, client_id)
        if lasting:
            wire.session = self._sessions.setdefault(wire.process, Session())
        return wire

    def enter(self, wire: Wire) -> None:
        """Know a line by its client."""
        self._wires[wire.client_id] = wire

    # Messages.

    def carry(self, wire: Wire, message: Message) -> None:
        """Take a message from a client."""
        if wire.is_cut:
            wire.unsent.append(message)
            return
        if self.swallows and self._is_swallowed(message):
            return
        weather, chance = self.weather, self._chance
        copies = 1
        if weather is not FAIR:
            if chance.random() < weather.drop and not message.retain:
                self._note(f"lost {message.topic}")
                return
            copies += chance.random() < weather.repeat
        for _ in range(copies):
            self._at(self._arrival(wire, weather), self._arrive, message)

    def _is_swallowed(self, message: Message) -> bool:
        """Whether it is one of those that get lost alone, whatever the weather."""
        word = word_in(message)
        left = self.swallows.get(word, 0)
        if not left:
            return False
        self.swallows[word] = left - 1
        self._trace.count(f"lost {word}")
        self._note(f"swallowed {message.topic} {message.payload.decode()}")
        return True

    def _arrival(self, wire: Wire, weather: Weather) -> float:
        chance = self._chance
        at = self._now() + chance.uniform(*TRANSIT_S)
        if weather is not FAIR and chance.random() < weather.delay:
            at += chance.uniform(0.0, weather.delay_s)
            if weather.reorder:
                return at
        wire.last_arrival = at = max(at, wire.last_arrival)
        return at

    def _arrive(self, message: Message) -> None:
        if not self.down:
            self.route(message)

    def route(self, message: Message) -> None:
        """Give a message to everybody who subscribed to its topic."""
        if self.down:
            return
        if kind_in(message.topic) != "hb":
            self._trace.note(self._now(), f"{message.topic} {message.payload.decode()}")
            if not message.retain and len(self._old) < OLD_KEPT:
                self._old.append(message)
        super().route(message)
        for session in self._sessions.values():
            session.keep(message)

    # Faults.

    def die(self) -> None:
        """The broker is killed: all that it kept and carried is gone."""
        self._note("the broker is killed")
        self.down = True
        self._retained.clear()
        for session in self._sessions.values():
            session.forget()
        for wire in tuple(self._clients.values()):
            assert isinstance(wire, Wire)
            wire.break_off()

    def rise(self) -> None:
        """The broker is there again; its clients come back one by one."""
        self._note("the broker is back")
        self.down = False

    def snapshot(self) -> dict[str, Message]:
        """What it keeps, as its files hold it now."""
        return dict(self._retained)

    def restore(self, kept: dict[str, Message], count: int) -> None:
        """Be there again with old files: what was kept then, and ``count`` messages of the past."""
        self.rise()
        self._retained = dict(kept)
        self._note(f"{count} old messages come back")
        for message in self._chance.sample(self._old, min(count, len(self._old))):
            self._at(self._now() + self._chance.uniform(0.0, OLD_WITHIN_S), self._arrive, message)

    def cut(self, process: str, *, silently: bool) -> None:
        """Cut a process off. ``silently``: neither side notices until it waits for an answer."""
        self._note(f"{process} is cut off{' silently' if silently else ''}")
        self.cut_off.add(process)
        for wire in self._wires.values():
            if wire.process == process and silently:
                self._at(self._now() + KEEPALIVE_S, self.notice, wire)
            elif wire.process == process:
                wire.drop()

    def heal(self, process: str) -> None:
        """Mend the lines of a process."""
        self._note(f"{process} is mended")
        self.cut_off.discard(process)
        for wire in self._wires.values():
            if wire.process == process and wire.is_connected:
                wire.catch_up()

    def notice(self, wire: Wire) -> None:
        """The time is up in which a client should have given a sign of life."""
        if wire.is_mute:
            wire.drop()

    def lose(self, wire: Wire) -> None:
        """A client's process is dead; its end of the line closes at once."""
        wire.drop()

    def later(self, wire: Wire) -> None:
        """A line is down: try again after a while, for ever, unless its owner is dead."""
        if not wire.is_over:
            self._at(self._now() + self._chance.uniform(*RETRY_S), self._try_again, wire)

    def _try_again(self, wire: Wire) -> None:
        if wire.is_over or wire.is_connected:
            return
        if self.down or wire.is_mute:
            self.later(wire)
        else:
            wire.come_back()

    def watch_frozen(self, life: Life) -> None:
        """Take the clients of a frozen process for lost after a while."""
        for wire in self._wires.values():
            if wire.life is life:
                self._at(self._now() + KEEPALIVE_S, self.notice, wire)

    def _note(self, what: str) -> None:
        self._trace.note(self._now(), what)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def _at(self, when: float, act: Callable[..., None], *args: object) -> None:
        asyncio.get_running_loop().call_at(when, act, *args, context=self._here)


@lru_cache(maxsize=65536)
def _fits(pattern: str, topic: str) -> bool:
    """Whether a filter lets a topic through, which is asked again and again."""
    return matches(pattern, topic)


def word_in(message: Message) -> str:
    """What a message is about: the word of a control or an event; empty for all others."""
    match kind_in(message.topic):
        case "ctl":
            return mqtt.decode(mqtt.Control, message.payload).op
        case "evt":
            return mqtt.decode(mqtt.EventMessage, message.payload).st
        case "stop":
            return "stop-all"
        case _:
            return ""


class Session:
    """What a broker keeps for one process, whether or not that is there."""

    def __init__(self) -> None:
        self.filters: list[str] = []
        self.urgent: set[str] = set()
        """Topics that need no acknowledgement, and are not kept."""
        self.is_open = False
        """Whether its process is connected."""
        self._number = 0
        self._unacknowledged: dict[int, Message] = {}

    def hand_out(self, message: Message) -> Message:
        """The message as its process gets it, to be acknowledged."""
        self._number += 1
        self._unacknowledged[self._number] = message
        ack = partial(self._acknowledge, self._number)
        return Message(message.topic, message.payload, ack=ack)

    def _acknowledge(self, number: int) -> None:
        self._unacknowledged.pop(number, None)

    def keep(self, message: Message) -> None:
        """Keep what comes while its process is away."""
        if self.is_open or message.topic in self.urgent:
            return
        if any(_fits(pattern, message.topic) for pattern in self.filters):
            self._number += 1
            self._unacknowledged[self._number] = Message(message.topic, message.payload)

    def take(self) -> list[Message]:
        """All that was not acknowledged, in order."""
        left = list(self._unacknowledged.values())
        self._unacknowledged.clear()
        return left

    def forget(self) -> None:
        """The broker has died."""
        self._unacknowledged.clear()
        self.filters, self.urgent = [], set()


class Wire(LocalBus):
    """The line of one client, which comes back by itself as the MQTT bus does."""

    def __init__(self, network: Network, client_id: str) -> None:
        super().__init__(network, client_id)
        self.client_id = client_id
        self.life = living()
        self.last_arrival = 0.0
        self.session: Session | None = None
        """What the broker keeps for its process, if it does."""
        self.unsent: list[Message] = []
        """What waits at either end of a line that is cut, until it is mended or given up."""
        self._undelivered: list[Message] = []
        self._wanted: dict[str, bool] = {}
        """By topic, whether a filter lets it through."""
        self.process = "" if self.life is None else self.life.name.partition("#")[0]
        self._network = network
        self._context: Context = outside() if self.life is None else self.life.context
        if self.life is not None:
            self.life.on_death.append(lambda: network.lose(self))

    @property
    def is_connected(self) -> bool:
        """Whether the broker knows it."""
        return self._connected

    @property
    def is_cut(self) -> bool:
        """Whether its process is cut off."""
        return self.process in self._network.cut_off

    @property
    def is_mute(self) -> bool:
        """Whether nothing can pass: it is cut, or its process is frozen."""
        return self.is_cut or (self.life is not None and self.life.frozen)

    @property
    def is_over(self) -> bool:
        """Whether nobody is left at this end."""
        return self._closed or (self.life is not None and self.life.dead)

    _closed = False

    async def connect(
        self, *, will: Message | None = None, on_connect: OnConnect | None = None
    ) -> None:
        self._network.enter(self)
        if self._network.down or self.is_cut:
            raise LabFault("the broker of the simulated lab cannot be reached")
        await super().connect(will=will, on_connect=on_connect)

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        qos: int = 1,
        expiry_s: float | None = None,
    ) -> None:
        message = Message(topic, payload, retain)
        self._network.sent(message)
        if self._connected:
            self._network.carry(self, message)
        else:
            await super().publish(topic, payload, retain=retain, qos=qos, expiry_s=expiry_s)

    async def subscribe(self, *filters: str, at_once: bool = False) -> None:
        self._wanted.clear()
        await super().subscribe(*filters, at_once=at_once)

    def deliver(self, message: Message) -> None:
        topic = message.topic
        if topic not in self._wanted:
            self._wanted[topic] = any(_fits(pattern, topic) for pattern in self._filters)
        if not self._wanted[topic]:
            return
        if self.is_cut:
            self._undelivered.append(message)
        else:
            self._put(message)

    def _put(self, message: Message) -> None:
        urgent = message.topic in self._urgent
        if self.session is not None and not urgent:
            message = self.session.hand_out(message)
        self._inbox.put(message, urgent=urgent)

    async def reconnect(self) -> None:
        left = [] if self.session is None else self.session.take()
        if self.session is not None:
            self.session.filters, self.session.urgent = self._filters, self._urgent
            self.session.is_open = True
        for message in left:
            self._put(message)
        await super().reconnect()

    def catch_up(self) -> None:
        """The line is mended before anybody gave it up: nothing was lost on it."""
        undelivered, self._undelivered = self._undelivered, []
        for message in undelivered:
            self._put(message)
        unsent, self.unsent = self.unsent, []
        for message in unsent:
            self._network.carry(self, message)

    def come_back(self) -> None:
        """Connect again, as its owner."""
        asyncio.get_running_loop().create_task(self.reconnect(), context=self._context)

    def break_off(self) -> None:
        """The broker is gone: nobody is left to publish a will."""
        self._will, will = None, self._will
        self.drop()
        self._will = will

    def drop(self) -> None:
        was_connected = self._connected
        if was_connected and self.session is not None:
            self.session.is_open = False
            for message in self._undelivered:
                self.session.keep(message)
        super().drop()
        self.unsent.clear()
        self._undelivered.clear()
        if was_connected:
            self._network.later(self)

    async def aclose(self) -> None:
        self._closed = True
        if self.session is not None:
            self.session.is_open = False
        await super().aclose()

    async def _messages(self) -> AsyncIterator[Message]:
        """As they arrive, for the spies."""
        async for message in super().messages():
            self._network.received(self.client_id, message)
            yield message

    def messages(self) -> AsyncIterator[Message]:
        return self._messages()
