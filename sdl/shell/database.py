"""Opens the database of a record, SQLite or PostgreSQL, and says in a sentence why it cannot."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from sdl.errors import RecordAway, RecordFault
from sdl.shell.stalled import set_timeouts, take_time
from sdl.shell.tables import SCHEMA

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

BUSY_MS = 10_000
"""How long a writer waits for another process's transaction on the same SQLite file."""
CONNECT_S = 10
"""How long a PostgreSQL server may take to answer."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 0x5D1
"""Key of the PostgreSQL advisory lock that lets one process at a time change the schema."""


def parse(url: str) -> URL:
    """A database URL with the driver that we use. RecordFault if it is not one of ours."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise RecordFault(
            "the record's address is not a database URL; write record = "
            '"sqlite:///record.sqlite" or "postgresql://user:password@host/database"'
        ) from None
    kind = parsed.drivername.partition("+")[0]
    if kind == "sqlite":
        return parsed.set(drivername="sqlite+pysqlite")
    if kind in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise RecordFault(f"a record cannot be kept in {kind!r}; use sqlite:///... or postgresql://...")


def shown(url: URL) -> str:
    """The address for people: a file's path, or the URL without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "the record in memory"
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def connect(url: URL, *, create: bool) -> Engine:
    """An engine on an existing, or new, database of ours at the newest schema."""
    engine = _sqlite(url, create=create) if url.get_backend_name() == "sqlite" else _postgres(url)
    try:
        with faults(url):
            _make_ready(engine, url, create=create)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _sqlite(url: URL, *, create: bool) -> Engine:
    in_memory = url.database in {None, "", ":memory:"}
    if not in_memory:
        _check_file(Path(str(url.database)), create=create)
    # In memory there is one connection for all: another one would see another, empty database.
    engine = (
        create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        if in_memory
        else create_engine(url if create else _for_reading(url))
    )
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _for_reading(url: URL) -> URL:
    """For a record that lies on a read-only medium, where SQLite could not make its side files."""
    path = Path(str(url.database)).absolute()
    if os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").exists():
        return url
    query = {"mode": "ro", "immutable": "1", "uri": "true"}
    return url.set(database=f"file:{quote(str(path))}", query=query)


def _check_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise RecordFault(f"{path} is a folder; the record needs the name of a file")
    if not path.exists() and not create:
        raise RecordFault(f"there is no record at {path}; 'sdl run' makes one")
    if not path.parent.is_dir():
        raise RecordFault(f"the folder {path.parent} does not exist; make it, or change 'record'")


def _on_sqlite_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    # sqlite3 would begin transactions by itself, and then only before some statements.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA synchronous = FULL")


def _on_sqlite_begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def _postgres(url: URL) -> Engine:
    engine = create_engine(
        url,
        pool_pre_ping=True,
        paramstyle="format",
        connect_args={} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_S},
    )
    event.listen(engine, "connect", partial(_on_postgres_connect, url))
    return engine


def _on_postgres_connect(
    url: URL, connection: DBAPIConnection, _entry: ConnectionPoolEntry
) -> None:
    cursor = connection.cursor()
    # Whatever the server's own setting: what we call written has to outlive a power cut.
    cursor.execute("SET synchronous_commit TO on")
    set_timeouts(cursor, url)
    cursor.close()
    connection.commit()


def _make_ready(engine: Engine, url: URL, *, create: bool) -> None:
    with engine.connect() as connection:
        found = _version(connection, url, create=create)
        if engine.dialect.name == "postgresql":
            encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
            if encoding != "UTF8":
                raise RecordFault(
                    f"the database {shown(url)} has the encoding {encoding}; make one with "
                    "ENCODING 'UTF8', for names and units need it"
                )
    if engine.dialect.name == "sqlite" and create:
        _set_wal(engine)
    if found != SCHEMA:
        _upgrade(engine, url, create=create)


def _set_wal(engine: Engine) -> None:
    """Set write-ahead logging, and find out whether the file can be written at all."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")
    finally:
        raw.close()


def _version(connection: Connection, url: URL, *, create: bool) -> str | None:
    """The schema's version, None for an empty database that may be filled."""
    tables = set(inspect(connection).get_table_names())
    if not tables and create:
        return None
    if not {"alembic_version", "journal"} <= tables:
        what = "holds tables of another program" if tables else "is empty"
        raise RecordFault(f"{shown(url)} {what}, it is not a record; name another database")
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return str(found[0]) if found else None


def _upgrade(engine: Engine, url: URL, *, create: bool) -> None:
    # Alembic takes a tenth of a second to load, and is needed once in a record's life.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    exclusive = engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
    with exclusive.begin() as connection:
        take_time(connection)
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        found = _version(connection, url, create=create)
        if found is not None and found not in known:
            raise RecordFault(
                f"{shown(url)} was written by a newer version of this program (schema {found},"
                f" this one knows up to {SCHEMA}); upgrade sdl-runtime"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def faults(url: URL) -> Iterator[None]:
    """Turn what SQLAlchemy or a database driver raises into a RecordFault with a sentence."""
    try:
        yield
    except RecordFault:
        raise
    except (SQLAlchemyError, sqlite3.Error, OverflowError) as error:
        raise _fault(url, error) from error
    except Exception as error:
        # psycopg is loaded only where PostgreSQL is used, so its errors cannot be named above.
        if type(error).__module__.partition(".")[0] != "psycopg":
            raise
        raise _fault(url, error) from error


def is_conflict(error: BaseException) -> bool:
    """Whether a database driver says that a row is there already."""
    return any(kind.__name__ == "IntegrityError" for kind in type(error).__mro__)


def _fault(url: URL, error: BaseException) -> RecordFault:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, sqlite3.Error):
        why, is_away = _sqlite_sentence(cause), _is_passing(cause)
    else:
        why = _postgres_sentence(str(cause))
        is_server = any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__)
        is_away = is_server and not any(sign in str(cause) for sign in _LASTING)
        is_away = is_away or _STOOD_STILL in str(cause)  # which psycopg counts as our own mistake
    words = f"{shown(url)}: {why}"
    password = url.password
    kind = RecordAway if is_away else RecordFault
    return kind(words.replace(str(password), "***") if password else words)


_HELD = "another process holds the database for too long; end it, then resume"
_TWICE = (
    "a line with this number is in the record already: another process leads the same campaign; "
    "end one of them"
)
_DAMAGED = (
    "the database is damaged; keep the file, restore a copy, or save what can be read with "
    "'sqlite3 FILE .recover'"
)
_STOOD_STILL = "idle-in-transaction"
_SILENT = "no answer from the server; is it running, and are host and port right?"

_SQLITE_SENTENCES = (
    ("SQLITE_READONLY", "the file or its folder is read-only; give write permission"),
    ("SQLITE_CANTOPEN", "cannot be opened; look at the permissions of the file and its folder"),
    ("SQLITE_NOTADB", "is not an SQLite database; name another file"),
    ("SQLITE_CORRUPT", _DAMAGED),
    ("SQLITE_FULL", "the disk is full; make room, then resume"),
    ("SQLITE_BUSY", _HELD),
    ("SQLITE_LOCKED", _HELD),
    ("SQLITE_CONSTRAINT_TRIGGER", _TWICE),
    ("SQLITE_IOERR", "the disk cannot be read or written; look at the system's log"),
)
"""By the start of SQLite's own name of the error."""


_PASSING = ("SQLITE_FULL", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR")
"""Starts of names of errors that may be gone at the next try."""


def _is_passing(error: sqlite3.Error) -> bool:
    return str(vars(error).get("sqlite_errorname", "")).startswith(_PASSING)


def _sqlite_sentence(error: sqlite3.Error) -> str:
    name = str(vars(error).get("sqlite_errorname", ""))
    for start, sentence in _SQLITE_SENTENCES:
        if name.startswith(start):
            return f"{sentence} ({error})"
    return f"the database says: {error}"


_POSTGRES_SENTENCES = (
    ("password authentication failed", "the server refuses this user or password"),
    ("no password supplied", "the server asks for a password; write it into the URL"),
    ("does not exist", "the server does not know this user, database or table"),
    ("journal_pkey", _TWICE),
    ("permission denied", "the user may not do this; ask the database's administrator"),
    ("read-only", "the server is read-only, a standby perhaps; name the primary"),
    ("lock timeout", _HELD),
    (_STOOD_STILL, "this process stood still in the middle of a write"),
    ("administrator command", "the server has ended this connection"),
    ("No space left", "the server's disk is full; make room, then resume"),
    ("connection", _SILENT),
    ("timeout", _SILENT),
)
"""By words of the server, or of its client; the first that fits."""


_LASTING = (
    "authentication failed",
    "no password",
    "does not exist",
    "permission",
    "no pg_hba.conf",
)
"""What a server says where another try would hear the same."""


def _postgres_sentence(words: str) -> str:
    brief = " ".join(words.split())
    for sign, sentence in _POSTGRES_SENTENCES:
        if sign in brief:
            return f"{sentence} ({brief})"
    return f"the database says: {brief}"
