"""Snapshots of engines beside a simulated record: taken, written a while later, or damaged."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from sdl.core import snapshot as form
from sdl.core.engine import Engine
from sdl.shell.snapshots import STAY, Digests, Kept, kept_of
from sdl.sim.trace import Trace
from sdl.wire.journal import Chain

WRITTEN_S = (0.0, 1.0)
"""From the moment at which the engine's state is taken out until its text is on record."""
DAMAGED = 0.05
"""Chance that a snapshot is damaged on the disk."""


class SimSnapshots:
    """All snapshots of one simulation; they outlive who took them."""

    def __init__(self, every: int, chance: random.Random, trace: Trace) -> None:
        """``every``: lines from one to the next; 0: none is taken."""
        self._every = every
        self._chance = chance
        self._trace = trace
        self._kept: list[Kept] = []
        self._digests = Digests()

    def of(self, campaign: str) -> list[Kept]:
        """Those of one campaign, the newest first."""
        return [kept for kept in reversed(self._kept) if kept.campaign == campaign]

    def keeping(self, after: int) -> Keeping:
        """Takes them for one orchestrator. ``after``: number of the line of the last one."""
        return Keeping(self, self._every, after)

    def take(self, engine: Engine, chain: Chain) -> None:
        """Take one now; it is written later, unless its process dies before that."""
        form.make_ready()
        taken, seq, head = engine.snapshot(), chain.seq, chain.head
        later_s = self._chance.uniform(*WRITTEN_S)
        loop = asyncio.get_running_loop()
        self._digests.look(engine)
        as_of = self._digests.stamp()
        loop.call_later(later_s, self._write, taken, chain.campaign, seq, head, as_of)

    def _write(self, taken: form.Snapshot, campaign: str, seq: int, head: str, as_of: str) -> None:
        kept = kept_of(taken, campaign=campaign, seq=seq, head=head, as_of=as_of)
        self._trace.count("snapshot taken")
        if self._chance.random() < DAMAGED:
            self._trace.count("snapshot damaged")
            kept = replace(kept, body=kept.body[: len(kept.body) // 2])
        self._kept = [*self._kept, kept][-STAY:]


class Keeping:
    """Looks whether it is time for one, as the runtime goes on."""

    def __init__(self, snapshots: SimSnapshots, every: int, last: int) -> None:
        self._snapshots = snapshots
        self._every = every
        self._last = last

    def look(self, engine: Engine, chain: Chain) -> None:
        """Take one if it is time to; the journal holds every line of the chain."""
        is_due = self._every and chain.seq - self._last >= self._every
        if is_due and not engine.is_over:
            self._last = chain.seq
            self._snapshots.take(engine, chain)
