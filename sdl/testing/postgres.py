"""A real PostgreSQL on a free loopback port, which can be stopped and started again."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from sdl.errors import LabFault
from sdl.testing.servers import START_S, Server, find_program, free_port

SYSTEM_USERS = ("postgres", "nobody")
"""Whom it may run as where we are root, which it refuses."""


@dataclass(slots=True, kw_only=True)
class Postgres:
    """A server whose databases last as long as its block."""

    server: Server
    address: str
    """``postgresql://...``, password included, of its first database."""

    @property
    def url(self) -> str:
        """The same for SQLAlchemy."""
        return self.address.replace("postgresql:", "postgresql+psycopg:", 1)

    def start(self) -> None:
        """Start it, and return once it answers. LabFault if it does not."""
        self.server.start()
        until = time.monotonic() + START_S
        while True:
            try:  # an open port may still say that it is starting up
                psycopg.connect(self.address, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > until:
                    raise LabFault(f"PostgreSQL does not answer: {error}") from error
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it in good order: connections are broken, what was committed stays."""
        self.server.stop()

    def add_database(self) -> str:
        """Make an empty database; its URL for SQLAlchemy."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url.removesuffix("/postgres") + f"/{name}"

    def drop_database(self, url: str) -> None:
        """Take away what ``add_database`` made, whoever is still connected."""
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(drop.format(sql.Identifier(url.rpartition("/")[2])))


def postgres_folders() -> list[str]:
    """Where Debian and others hide the programs of the server, newest version first."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    return [*map(str, newest_first), "/usr/local/bin", "/opt/homebrew/bin"]


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running server with one user ``sdl`` and a random password.

    It may forget at a power cut: nothing in it outlives the block. LabFault if it is not
    installed, or if we are root and there is nobody else to run it.
    """
    initdb, program = _program("initdb"), _program("postgres")
    owner = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="sdl-postgres-"))
    try:
        if owner is not None:
            os.chown(folder, owner, -1)
        password = secrets.token_hex(16)
        _make_cluster(initdb, folder, password, owner)
        port = free_port()
        command = [program, "-D", str(folder / "data"), "-h", "127.0.0.1", "-p", str(port)]
        command += ["-k", "", "-c", "fsync=off", "-c", "max_connections=60"]
        server = Server(command=command, port=port, log=folder / "log.txt", owner=owner)
        address = f"postgresql://sdl:{password}@127.0.0.1:{port}/postgres"
        made = Postgres(server=server, address=address)
        try:
            made.start()
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> str:
    found = find_program(name, *postgres_folders())
    if found is None:
        raise LabFault(f"the program {name!r} is not installed")
    return found


def _unprivileged_user() -> int | None:
    """Whom it runs as: None for ourselves, another user's number where we are root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    for name in SYSTEM_USERS:
        if name in known:
            return known[name]
    raise LabFault("PostgreSQL refuses to run as root, and there is no user postgres or nobody")


def _make_cluster(initdb: str, folder: Path, password: str, owner: int | None) -> None:
    """Make the files of a new server, with one user ``sdl``."""
    secret = folder / "password.txt"
    secret.write_text(password, encoding="utf-8")
    options = ["-U", "sdl", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(
        [initdb, "-D", str(folder / "data"), f"--pwfile={secret}", *options],
        user=owner,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=START_S * 2,
        check=False,
    )
    if made.returncode != 0:
        raise LabFault(f"initdb failed: {made.stdout}\n{made.stderr}")
