"""Being the one orchestrator of a lab: its lock on this machine, and its lease in the database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sdl.errors import LabFault, RecordAway, RecordFault
from sdl.shell.first_failure import first_of_group
from sdl.shell.lab_lock import orchestrator_lock, try_orchestrator_lock
from sdl.shell.lease import LOOK_S, Lease, Watch, holder_of, is_dead, lead, may_take
from sdl.shell.leases import Held
from sdl.shell.record import Record

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Led:
    """A lab that is led."""

    lease: Lease
    is_frozen: bool
    """Whether the one before, of this machine and folder, lives on: it is frozen, or cut off from
    the database, and its node may be well."""
    former: str = ""
    """Who was taken over from, as the lease named them: machine, folder and process id."""


async def record_of(url: str, *, standby: bool) -> Record:
    """The record at a database URL, as ``Record.open``.

    ``standby``: wait while the database is away, or a frozen process keeps it for itself.
    """
    told = ""
    while True:
        try:
            return Record.open(url)
        except RecordAway as away:
            if not standby:
                raise
            told = _warned(away, told)
        await asyncio.sleep(LOOK_S)


def _warned(fault: RecordFault, told: str) -> str:
    """Tell a person of a fault, unless that was ``told`` last."""
    if str(fault) != told:
        log.warning("the lease cannot be taken now, this goes on trying: %s", fault)
    return str(fault)


@asynccontextmanager
async def leading(record: Record, lab: str, folder: Path, *, standby: bool) -> AsyncIterator[Led]:
    """Lead a lab during the block, and write only while that holds.

    ``folder``: that of ``lab.toml``. ``standby``: wait until whoever leads now has ended, died, or
    stands still; else that is a LabFault. The lease is renewed all the time, so that the block must
    not hold up its loop for seconds; where another one takes it, the block is cancelled, and
    LeaseLost raised.
    """
    least = 1 + record.highest_epoch()

    def now() -> float:
        return max(time.time(), float(least))

    async with AsyncExitStack() as stack:
        held, is_locked, former = stack.enter_context(ExitStack()), True, ""
        if standby:
            lease, is_locked, former = await _stand_by(record, lab, folder, held, now)
        else:
            held.enter_context(orchestrator_lock(folder, lab))
            lease = await lead(
                record.leases,
                lab,
                holder_of(folder),
                is_dead=lambda former: is_dead(former, folder),
                now=now,
            )
        record.fence(lab, lease.epoch)
        stack.callback(_release, lease)
        if not is_locked:
            locking = asyncio.create_task(_lock_when_free(folder, lab, held))
            stack.push_async_callback(_given_up, locking)
        with first_of_group():
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(lease.keep())
                yield Led(lease=lease, is_frozen=not is_locked, former=former)
                keeping.cancel()


def _release(lease: Lease) -> None:
    try:
        lease.release()
    except RecordFault as fault:  # the next one will see that it stands still
        log.warning("the lease was not given back: %s", fault)


async def _lock_when_free(folder: Path, lab: str, held: ExitStack) -> None:
    """Take the lock when the frozen one lets go of it; else the next one would take us for dead."""
    with suppress(LabFault):
        while not try_orchestrator_lock(folder, lab, held):  # noqa: ASYNC110 - it is a file's
            await asyncio.sleep(LOOK_S)


async def _given_up(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _stand_by(
    record: Record, lab: str, folder: Path, held: ExitStack, now: Callable[[], float]
) -> tuple[Lease, bool, str]:
    """Wait for the lease; and whether the lock is ours, too; and who had the lease.

    A holder on this machine and folder that is dead has left the lock. One that is frozen keeps it,
    but renews nothing; when it goes on it finds the lease gone, which the lock would not tell it.
    One that was frozen while it wrote to SQLite keeps the database, too: nobody leads then before
    it goes on or is ended, and a person is told.
    """
    watch, is_locked, told = Watch(), False, ""

    def dead_here(former: Held) -> bool:
        return is_locked and is_dead(former, folder)

    while True:
        is_locked = is_locked or try_orchestrator_lock(folder, lab, held)
        try:
            row = record.leases.held(lab)
            if may_take(row, watch, dead_here):
                lease = Lease.take(record.leases, lab, holder_of(folder), row, now())
                if lease is not None:
                    former = "" if row is None else row.holder
                    if former:
                        log.warning("took over from %s", former)
                    return lease, is_locked, former
        except RecordFault as fault:
            watch = Watch()  # nobody could renew it meanwhile
            told = _warned(fault, told)
        await asyncio.sleep(LOOK_S)
