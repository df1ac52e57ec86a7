"""The lease of a lab: one row in the record's database that says who leads, and under what number.

Whoever leads renews it each second, and every journal line is written only if the row still names
its epoch. So one that was frozen, or cut off, and has been taken over from, finds out before it can
write or send anything. A standby never compares clocks with another machine: it watches the
row's beat by its own monotonic clock, and takes over when that stands still.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from sdl.errors import LabFault, LeaseLost, RecordAway, RecordFault
from sdl.shell.leases import Held, lost

RENEW_S = 1.0
"""Wall seconds between two renewals."""
FRESH_S = 4.0
"""After so long without one nothing is sent before the next: a standby may be near."""
STILL_S = 6.0
"""Wall seconds that the beat stands still before a standby takes over."""
LOOK_S = 0.25
AWAY_S = 60.0
"""Wall seconds that a database may be away before who must send gives up."""

InThread: TypeAlias = Callable[[Callable[[], bool]], Awaitable[bool]]

log = logging.getLogger(__name__)


class Rows(Protocol):
    """The rows of leases, each changed by one statement that compares and swaps."""

    def held(self, lab: str) -> Held | None:
        """The row of a lab; None if nobody has ever led it."""
        ...

    def swap(self, lab: str, holder: str, epoch: int, former: Held | None) -> bool:
        """Make the lease ours if the row is still as it was seen."""
        ...

    def renew(self, lab: str, epoch: int) -> bool:
        """Say that we are alive; False if the lease is another's."""
        ...

    def release(self, lab: str, epoch: int) -> bool:
        """Give it back; False if it was another's already."""
        ...


def holder_of(folder: Path) -> str:
    """Who we are, for the row: machine, lab folder and process, the process id last."""
    return f"{platform.node()} {folder.resolve()} {os.getpid()}"


def is_dead(held: Held, folder: Path) -> bool:
    """Whether a holder was one of this machine and folder, whose lock is now ours."""
    return held.holder.rpartition(" ")[0] == holder_of(folder).rpartition(" ")[0]


class Lease:
    """A lease that was taken, and is ours until another one takes it."""

    def __init__(
        self,
        leases: Rows,
        lab: str,
        epoch: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        in_thread: InThread = asyncio.to_thread,
    ) -> None:
        """``monotonic``, ``in_thread``: for a simulation, which has its own time and no threads."""
        self.lab = lab
        self.epoch = epoch
        self._leases = leases
        self._monotonic = monotonic
        self._in_thread = in_thread
        self._renewed = monotonic()
        self.is_lost = False
        """Whether somebody knows that another one has taken it."""
        self.is_cut_off = False
        """Whether the database says for good that it cannot tell who leads."""
        self.is_leaving = False
        """Whether whoever leads is about to leave in its own time, and must not be broken off."""

    @classmethod
    def take(
        cls,
        leases: Rows,
        lab: str,
        holder: str,
        former: Held | None,
        now_s: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        in_thread: InThread = asyncio.to_thread,
    ) -> Lease | None:
        """Take it from who held it; None if the row has changed since it was looked at.

        ``former``: the row as it was seen. ``now_s``: seconds since 1970; the epoch is never lower
        than that, so that it rises even where the database was lost.
        """
        epoch = max(int(now_s), former.epoch + 1 if former else 1)
        if not leases.swap(lab, holder, epoch, former):
            return None
        return cls(leases, lab, epoch, monotonic=monotonic, in_thread=in_thread)

    def lose(self) -> bool:
        """Note that another one has taken it; whether nobody had noted that before."""
        is_news, self.is_lost = not self.is_lost, True
        return is_news

    def is_fresh(self) -> bool:
        """Whether nobody can have taken over yet."""
        return self._monotonic() - self._renewed < FRESH_S

    async def vouch(self) -> None:
        """Return if we lead. LeaseLost if not; RecordFault if the database does not say so."""
        until = self._monotonic() + AWAY_S
        while not self.is_fresh():
            try:
                await self.renew()
            except RecordAway as away:
                if self._monotonic() >= until:
                    raise RecordFault(str(away)) from away
                await asyncio.sleep(RENEW_S)

    async def renew(self) -> None:
        """Renew it now. LeaseLost if it is another's, RecordAway if that cannot be told now."""
        began = self._monotonic()
        if not await self._in_thread(lambda: self._leases.renew(self.lab, self.epoch)):
            raise lost(self.lab, self.epoch, self._leases.held(self.lab))
        self._renewed = began

    async def keep(self) -> None:
        """Renew it each second until cancelled.

        LeaseLost if nobody knew that, RecordFault where it never can be again; neither breaks off
        one that is about to leave.
        """
        is_away = False
        while not self.is_lost:
            try:
                await self.renew()
            except LeaseLost:
                if self.lose() and not self.is_leaving:
                    raise
                return  # whoever found out is about to leave, and must not be cut off
            except RecordAway as away:
                if not is_away:
                    log.warning(
                        "the lease cannot be renewed, nothing is sent until it is: %s", away
                    )
                is_away = True
            except RecordFault:
                self.is_cut_off = True
                if self.is_leaving:
                    return
                raise
            else:
                is_away = False
            await asyncio.sleep(RENEW_S)

    def release(self) -> None:
        """Give it back, if it is still ours, so that the next one need not wait."""
        self._leases.release(self.lab, self.epoch)


class Watch:
    """A standby's eyes on the row, by its own clock."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seen: Held | None = None
        self._since = 0.0

    def still_s(self, held: Held) -> float:
        """How long the row has been as it is now, as far as we have seen it."""
        now = self._monotonic()
        if held != self._seen:
            self._seen, self._since = held, now
        return now - self._since


async def lead(
    leases: Rows,
    lab: str,
    holder: str,
    *,
    is_dead: Callable[[Held], bool],
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    in_thread: InThread = asyncio.to_thread,
) -> Lease:
    """Take the lease of a lab that nobody leads; one that stands still is taken over.

    ``is_dead``: whether a holder is known to be. ``monotonic``, ``in_thread``: as in ``Lease``.
    LabFault, naming the holder, if it is alive.
    """
    watch, first = Watch(monotonic), leases.held(lab)
    while True:
        held = leases.held(lab)
        if may_take(held, watch, is_dead):
            lease = Lease.take(
                leases, lab, holder, held, now(), monotonic=monotonic, in_thread=in_thread
            )
            if lease is not None:
                return lease
        if held and first and (held.epoch, held.beat) != (first.epoch, first.beat):
            raise LabFault(
                f"another sdl run ({held.holder}) leads lab {lab!r}; wait for it, stop it, or add "
                "--standby to take over when it dies"
            )
        await asyncio.sleep(LOOK_S)


def may_take(held: Held | None, watch: Watch, is_dead: Callable[[Held], bool]) -> bool:
    """Whether the row is free, its holder is known to be dead, or its beat stands still."""
    if held is None or not held.holder or is_dead(held):
        return True
    return watch.still_s(held) >= STILL_S
