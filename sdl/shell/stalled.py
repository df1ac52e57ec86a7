"""Writers that stand still in PostgreSQL: a frozen process must not keep its rows locked for ever.

SQLite has nothing like it: there the lock is of the file, and nobody can take it from a process
that lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, text

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPICursor

TIMEOUTS_MS = {
    "lock_timeout": 10_000,
    "idle_in_transaction_session_timeout": 5_000,
}
"""Wall milliseconds that a statement waits for another's lock, and that a transaction may stand
idle before the server ends its session. Who writes is never idle for so long unless it is frozen;
a standby waits longer than that before it takes over, and so finds the rows free."""

_END_STALLED = text(
    "SELECT pg_terminate_backend(held.pid) FROM pg_locks AS held"
    " JOIN pg_stat_activity AS who ON who.pid = held.pid"
    " WHERE held.relation = 'lease'::regclass AND held.mode = 'RowExclusiveLock'"
    " AND held.granted AND who.wait_event = 'ClientRead' AND held.pid <> pg_backend_pid()"
    " AND who.xact_start < clock_timestamp() - make_interval(secs => :seconds)"
)
"""Ends sessions that have written a lease, not committed, and wait for the next word of their
client. In the middle of a pipeline the server does not count that as idle."""


def set_timeouts(cursor: DBAPICursor, url: URL) -> None:
    """Set them for a new session, but for those that the URL's ``options`` set."""
    chosen = str(url.query.get("options", ""))
    for name, value_ms in TIMEOUTS_MS.items():
        if name not in chosen:
            cursor.execute(f"SET {name} TO {value_ms}")


def take_time(connection: Connection) -> None:
    """Lift both for the transaction that goes on: it computes for long, or waits for long."""
    if connection.dialect.name == "postgresql":
        for name in TIMEOUTS_MS:
            connection.execute(text(f"SET LOCAL {name} TO 0"))


def end_stalled(connection: Connection) -> None:
    """End the sessions of writers that have stood still for as long as none may.

    What they had not committed is undone; one that goes on finds its connection gone, and writes
    again under its lease, if that is still its own.
    """
    if connection.dialect.name == "postgresql":
        seconds = TIMEOUTS_MS["idle_in_transaction_session_timeout"] / 1000
        connection.execute(_END_STALLED, {"seconds": seconds})
