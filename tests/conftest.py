"""What every test may ask for: a real Mosquitto, a real PostgreSQL, and steady settings.

The servers are started once per session on a free loopback port, with a random password, and
ended by their own process id. Where a program is absent the test is skipped with the reason;
where ``SDL_CI`` is set, it fails instead.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from sdl.testing.servers import SBIN, START_S, find_program, free_port, server
from sdl.testing.servers import mosquitto as running_mosquitto

IN_CI = "SDL_CI" in os.environ

# Two cores are shared by all tests; threads of linear algebra would only fight for them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("desk", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("ci" if IN_CI else "desk")


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Mosquitto broker, with user and password in it."""
    for name in ("mosquitto", "mosquitto_passwd"):
        if find_program(name, *SBIN) is None:
            absent(f"the program {name!r} is not installed")
    with running_mosquitto(tmp_path_factory.mktemp("mosquitto")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """SQLAlchemy URL of a PostgreSQL server whose databases last for this session only."""
    initdb = find("initdb", *postgres_folders())
    program = find("postgres", *postgres_folders())
    owner = unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="sdl-postgres-"))
    try:
        if owner is not None:
            os.chown(folder, owner, -1)
        password = secrets.token_hex(16)
        make_cluster(initdb, folder, password, owner)
        port = free_port()
        # Nothing here has to outlive the machine's power, so nothing waits for the disk.
        options = ["-k", "", "-c", "fsync=off", "-c", "max_connections=60"]
        command = [program, "-D", str(folder / "data"), "-h", "127.0.0.1", "-p", str(port)]
        with server([*command, *options], port, folder / "log.txt", owner):
            address = f"//sdl:{password}@127.0.0.1:{port}/postgres"
            wait_for_database(f"postgresql:{address}")
            yield f"postgresql+psycopg:{address}"
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def fresh_postgres(postgres: str) -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database, dropped after the test."""
    name = f"test_{secrets.token_hex(6)}"
    address = postgres.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield postgres.removesuffix("/postgres") + f"/{name}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def postgres_folders() -> list[str]:
    """Where Debian and others hide the programs of the server, newest version first."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    return [*map(str, newest_first), "/usr/local/bin", "/opt/homebrew/bin"]


def unprivileged_user() -> int | None:
    """Whom PostgreSQL runs as: None for ourselves, another user's number where we are root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return known[name]
    return absent("PostgreSQL refuses to run as root, and there is no user postgres or nobody")


def make_cluster(initdb: str, folder: Path, password: str, owner: int | None) -> None:
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
    assert made.returncode == 0, f"initdb failed: {made.stdout}\n{made.stderr}"


def wait_for_database(address: str) -> None:
    """Return once it answers: an open port may still say that it is starting up."""
    until = time.monotonic() + START_S
    while True:
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def find(name: str, *folders: str) -> str:
    """The program, from PATH or one of the folders; skips, or fails in CI, where there is none."""
    return find_program(name, *folders) or absent(f"the program {name!r} is not installed")


def absent(reason: str) -> NoReturn:
    """Skip the test, or fail it where everything should be installed."""
    if IN_CI:
        pytest.fail(f"{reason}, and SDL_CI is set")
    pytest.skip(reason)
