"""Being the one orchestrator of a lab: its lock on this machine, and its lease in the database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

from sdl.errors import RecordAway, RecordFault
from sdl.shell.lab_lock import orchestrator_lock, try_orchestrator_lock
from sdl.shell.lease import LOOK_S, Lease, Watch, holder_of, lead, may_take
from sdl.shell.record import Record

log = logging.getLogger(__name__)


@asynccontextmanager
async def leading(record: Record, lab: str, folder: Path, *, standby: bool) -> AsyncIterator[Lease]:
    """Lead a lab during the block, and write only while that holds.

    ``folder``: that of ``lab.toml``. ``standby``: wait until whoever leads now has ended, died, or
    stands still; else that is a LabFault.
    """
    least = 1 + max((each.campaign.epoch for each in record.campaigns()), default=0)

    def now() -> float:
        return max(time.time(), float(least))

    async with AsyncExitStack() as stack:
        held = stack.enter_context(ExitStack())
        if standby:
            lease = await _stand_by(record, lab, folder, held, now)
        else:
            held.enter_context(orchestrator_lock(folder, lab))
            lease = await lead(record, lab, folder, is_locked=True, now=now)
        record.fence(lab, lease.epoch)
        stack.callback(_release, lease)
        yield lease


def _release(lease: Lease) -> None:
    try:
        lease.release()
    except RecordFault as fault:  # the next one will see that it stands still
        log.warning("the lease was not given back: %s", fault)


async def _stand_by(
    record: Record, lab: str, folder: Path, held: ExitStack, now: Callable[[], float]
) -> Lease:
    """Wait for the lease.

    A holder on this machine and folder that is dead has left the lock. One that is frozen keeps it,
    but renews nothing; when it goes on it finds the lease gone, which the lock would not tell it.
    """
    watch, is_locked = Watch(), False
    while True:
        is_locked = is_locked or try_orchestrator_lock(folder, lab, held)
        try:
            row = record.leases.held(lab)
            if may_take(row, folder, watch, is_locked=is_locked):
                lease = Lease.take(record.leases, lab, holder_of(folder), row, now())
                if lease is not None:
                    if row is not None and row.holder:
                        log.warning("took over from %s", row.holder)
                    return lease
        except RecordAway as away:
            watch = Watch()  # nobody could renew it meanwhile
            log.debug("the record is away: %s", away)
        await asyncio.sleep(LOOK_S)
