"""A node of one page: it acts on commands as a real one does, and may be cut off at any moment.

What it did to the world is kept by ``Floor.effects``, so that a person there can look.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sdl.core import commands as do
from sdl.core import events as ev

if TYPE_CHECKING:
    from tests.core.floor import Floor

DRIVERS = {
    "handler": "liquid-handler",
    "spare": "liquid-handler",
    "reader": "absorbance-reader",
    "reader-2": "absorbance-reader",
    "washer": "washer",
    "incubator": "incubator",
    "arm": "arm",
    "arm-2": "arm",
}

Word = (
    ev.CommandAccepted | ev.CommandStarted | ev.CommandDone | ev.CommandFailed | ev.CommandUnknown
)


def online(
    name: str,
    at: float = 0.0,
    boot: str = "boot-1",
    *,
    simulated: bool = True,
    memory: str | None = None,
) -> ev.InstrumentOnline:
    return ev.InstrumentOnline(
        at=at,
        instrument=name,
        boot=boot,
        memory=boot if memory is None else memory,
        driver=DRIVERS[name],
        simulated=simulated,
        actions=(),
    )


@dataclass
class Node:
    """One instrument's node."""

    floor: Floor
    name: str
    simulated: bool = True
    lives: int = 1
    memories: int = 1
    seq: int = 0
    orders: list[str] = field(default_factory=list)
    """To stop, which stand."""
    is_up: bool = True
    last: dict[str, Word] = field(default_factory=dict)
    """What its journal holds of each command."""
    current: do.Perform | None = None
    started: bool = False

    @property
    def boot(self) -> str:
        return f"boot-{self.lives}"

    @property
    def memory(self) -> str:
        return f"boot-{self.memories}"

    def announce(self, at: float) -> None:
        if self.is_up:
            plain = online(self.name, at, self.boot, simulated=self.simulated, memory=self.memory)
            why = "it was told to stop" if self.orders else ""
            self.floor.post(replace(plain, stopped=why, stops=tuple(self.orders)))

    # Commands in.

    def take(self, at: float, perform: do.Perform) -> None:
        if not self.is_up:
            return
        if perform.memory != self.memory:
            self.floor.say(ev.CommandNotSeen(at=at, cid=perform.cid, memory=self.memory))
        elif perform.cid in self.last:
            self.answer(at, perform.cid)
        elif self.orders or (perform.not_after is not None and perform.not_after < at):
            self.refuse(at, perform.cid)
        else:
            self.begin(at, perform)

    def begin(self, at: float, perform: do.Perform) -> None:
        floor, chances = self.floor, self.floor.chances
        draw = floor.random.random()
        if draw < chances.refuse:
            self.refuse(at, perform.cid)
            return
        self.current, self.started = perform, True
        self.write(ev.CommandStarted(at=at, cid=perform.cid))
        duration_s, life = 10.0 * floor.random.random(), self.lives
        ends = draw - chances.refuse

        def finish(at: float) -> None:
            if self.current is perform and self.lives == life:
                self.finish(at, perform, ends, duration_s)

        floor.call(at + duration_s, finish)

    def finish(self, at: float, perform: do.Perform, draw: float, duration_s: float) -> None:
        cid, chances = perform.cid, self.floor.chances
        self.current = None
        if draw < chances.fail:
            self.write(failed(at, cid, "during", "driver"))
        elif draw < chances.fail + chances.unknown:
            self.cut(cid)
            self.write(ev.CommandUnknown(at=at, cid=cid, reason="the vendor's time was over"))
        else:
            self.floor.effects[cid] += 1
            result = self.floor.answer(perform)
            self.write(ev.CommandDone(at=at, cid=cid, result=result, duration_s=duration_s))

    def answer(self, at: float, cid: str) -> None:
        """Say again what stands in the journal."""
        if not self.is_up:
            return
        if cid in self.last:
            self.floor.say(replace(self.last[cid], at=at))
        else:
            self.floor.say(ev.CommandNotSeen(at=at, cid=cid, memory=self.memory))

    def release(self, lifts: tuple[str, ...]) -> None:
        """Obey again, once no order stands."""
        self.orders = [each for each in self.orders if lifts and each not in lifts]

    # Incidents.

    def halt(self, at: float, id_: str) -> None:
        if not self.is_up:
            return
        self.orders += [id_] if id_ not in self.orders else []
        if self.current is not None:
            cid, self.current = self.current.cid, None
            self.cut(cid)
            if self.floor.random.random() < 0.5:
                self.write(failed(at, cid, "during", "driver"))
            else:
                self.write(ev.CommandUnknown(at=at, cid=cid, reason="stopped half way"))
        self.floor.say(
            ev.InstrumentMadeSafe(
                at=at,
                instrument=self.name,
                boot=self.boot,
                safe=self.floor.random.random() >= self.floor.chances.unsafe,
                halt=id_,
            )
        )

    def die(self, at: float, *, forgets: bool) -> None:
        """Go down for some seconds; what was under way is cut off."""
        if not self.is_up:
            return
        self.is_up = False
        cut, self.current = self.current, None
        self.floor.post(ev.InstrumentLost(at=at, instrument=self.name, reason="it was killed"))
        if cut is not None:
            self.cut(cut.cid)

        def rise(at: float) -> None:
            self.is_up = True
            self.lives += 1
            if forgets:
                self.memories, self.seq, self.orders = self.lives, 0, []
                self.last.clear()
            self.announce(at)
            if cut is not None and not forgets:
                self.write(ev.CommandUnknown(at=at, cid=cut.cid, reason="it was killed half way"))

        away_s, absent = 20.0 * self.floor.random.random(), self.floor.chances.absent
        if absent and self.floor.random.random() < absent:
            away_s *= 20.0
        self.floor.call(at + away_s, rise)

    def refuse(self, at: float, cid: str) -> None:
        self.write(failed(at, cid, "before_start", "refused"))

    def cut(self, cid: str) -> None:
        """Whether it had happened by then is a toss of a coin."""
        self.floor.effects[cid] += self.floor.random.random() < 0.5

    def write(self, word: Word) -> None:
        self.seq += 1
        self.last[word.cid] = replace(word, seq=self.seq)
        self.floor.say(self.last[word.cid])


def failed(at: float, cid: str, phase: ev.Phase, kind: ev.FaultKind) -> ev.CommandFailed:
    return ev.CommandFailed(at=at, cid=cid, phase=phase, kind=kind, reason="so it was drawn")
