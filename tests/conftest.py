"""What every test may ask for: a real Mosquitto, a real PostgreSQL, and steady settings.

The servers are started once per session on a free loopback port, with a random password, and
ended by their own process id. Where a program is absent the test is skipped with the reason;
where ``SDL_CI`` is set, it fails instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from sdl.testing.postgres import Postgres, postgres_folders
from sdl.testing.postgres import postgres as running_postgres
from sdl.testing.servers import SBIN, find_program
from sdl.testing.servers import mosquitto as running_mosquitto

IN_CI = "SDL_CI" in os.environ

# Two cores are shared by all tests; threads of linear algebra would only fight for them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The tests start some hundred processes of ours. Where bytecode may not be kept, as in many
# containers, each of them would compile half a second of source.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

LONGEST = (
    "sim/test_drills.py",
    "scenario/test_real_loop.py",
    "tidy/test_lint.py",
    "planner/test_ax.py",
    "service/test_running.py",
    "scenario/test_foreign_node.py",
    "scenario/test_standby.py",
    "scenario/test_planned_lab.py",
    "planner/test_contract.py",
    "record/test_kill.py",
    "record/test_opening.py",
    "record/test_record.py",
    "record/test_snapshots.py",
    "shell/test_runtime.py",
    "shell/test_node_kills.py",
    "core/test_snapshot.py",
    "core/test_transport.py",
    "service/test_by_hand.py",
    "core/test_replay.py",
)
"""Files that take the longest, in the order in which they are begun, before all others.

What is begun last, while the other processes have nothing left to do, should be short.
"""

settings.register_profile("desk", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("ci" if IN_CI else "desk")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take the longest first, and leave all else in its order."""
    here = Path(__file__).parent
    place = {here / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Mosquitto broker, with user and password in it."""
    for name in ("mosquitto", "mosquitto_passwd"):
        if find_program(name, *SBIN) is None:
            absent(f"the program {name!r} is not installed")
    with running_mosquitto(tmp_path_factory.mktemp("mosquitto")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server whose databases last for this session only."""
    for name in ("initdb", "postgres"):
        if find_program(name, *postgres_folders()) is None:
            absent(f"the program {name!r} is not installed")
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres(postgres_server: Postgres) -> str:
    """SQLAlchemy URL of its first database."""
    return postgres_server.url


@pytest.fixture
def fresh_postgres(postgres_server: Postgres) -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database, dropped after the test."""
    url = postgres_server.add_database()
    yield url
    postgres_server.drop_database(url)


def absent(reason: str) -> NoReturn:
    """Skip the test, or fail it where everything should be installed."""
    if IN_CI:
        pytest.fail(f"{reason}, and SDL_CI is set")
    pytest.skip(reason)
