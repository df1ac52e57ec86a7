"""Real processes that are killed, frozen and cut off: nothing is done twice, nothing is lost.

Short ones of what ``benchmarks/drills.py`` does by the hundred. A drill that fails says its seed;
``python benchmarks/drills.py --kills 10 --seed SEED`` does the like of it again.
"""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sdl.testing.postgres import Postgres
from sdl.testing.proxy import Proxy
from tests.frozen import freeze_between_writes
from tests.scenario.drill import WARM, Drill
from tests.scenario.drill_place import INSTRUMENTS, Place
from tests.scenario.drill_roles import Role, sdl

KILLS, FEW = 10, 4
NOTICED_S, HEALED_S = 6.0, 5.0
MARGIN_S = 1.0
"""For a machine that is busy with other tests, and for our own looking."""


def made(folder: Path) -> Drill:
    """A quiet drill on Mosquitto and SQLite, in which a test alone breaks things."""
    place = Place(folder=folder, record_url=f"sqlite:///{folder / 'record.sqlite'}")
    return Drill(place=place, seed=1, crashes_too=False)


def more(drill: Drill, count: int) -> Callable[[], bool]:
    """Whether that many actions were begun since now."""
    before = drill.begun()
    return lambda: drill.begun() >= before + count


def is_cut(line: Proxy) -> Callable[[], bool]:
    """Whether nobody is connected over a line any more."""
    return lambda: line.open_links == 0


def lines(drill: Drill, kind: str) -> list[dict[str, object]]:
    """What the record holds of a kind of line, now."""
    with closing(sqlite3.connect(drill.place.folder / "record.sqlite")) as connection:
        rows = connection.execute("SELECT body FROM journal WHERE type = ? ORDER BY seq", (kind,))
        return [json.loads(body) for (body,) in rows]


def warmed_up(drill: Drill) -> None:
    drill.until(lambda: drill.begun() >= WARM, "the first actions")


def ended_clean(drill: Drill) -> None:
    drill.come_to_rest()
    tally = drill.tally()
    assert tally.is_clean, f"seed {drill.seed}: {tally.said()}"
    assert tally.actions >= WARM


@pytest.mark.parametrize(
    "broker, database, seed, kills",
    [
        ("mosquitto", "sqlite", 11, FEW),
        pytest.param("mosquitto", "sqlite", 11, KILLS, marks=pytest.mark.drill),
        pytest.param("embedded", "sqlite", 12, KILLS, marks=pytest.mark.drill),
        pytest.param("mosquitto", "postgresql", 13, KILLS, marks=pytest.mark.drill),
    ],
)
def test_nothing_is_done_twice_and_nothing_is_lost(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    broker: str,
    database: str,
    seed: int,
    kills: int,
) -> None:
    url, server = f"sqlite:///{tmp_path / 'record.sqlite'}", None
    if database == "postgresql":
        server = request.getfixturevalue("postgres_server")
        assert isinstance(server, Postgres)
        url = request.getfixturevalue("fresh_postgres")
    drill = Drill(
        place=Place(folder=tmp_path, record_url=url),
        seed=seed,
        broker="embedded" if broker == "embedded" else "mosquitto",
        postgres=server,
    )
    tally = drill.run(kills)
    assert tally.is_clean, f"seed {seed}: {tally.said()}"
    assert tally.kills.total() >= kills
    assert tally.actions > kills


@pytest.mark.drill
def test_a_frozen_node_is_noticed_and_works_on_after_the_thaw(tmp_path: Path) -> None:
    drill = made(tmp_path)
    with drill.running():
        warmed_up(drill)
        drill.roles["node-0"].freeze()
        took_s = drill.until(
            lambda: (
                {each["instrument"] for each in lines(drill, "InstrumentLost")}
                >= set(INSTRUMENTS[0::2])
            ),
            "the loss of its instruments",
        )
        drill.roles["node-0"].thaw()
        drill.until(more(drill, 20), "work after the thaw")
        ended_clean(drill)
    assert took_s < NOTICED_S + MARGIN_S


@pytest.mark.drill
def test_a_cut_line_heals(tmp_path: Path) -> None:
    drill, took_s = made(tmp_path), dict[str, float]()
    with drill.running():
        warmed_up(drill)
        for name, line in drill.lines.items():
            line.cut()
            drill.until(is_cut(line), "the cut")
            line.heal()
            took_s[name] = drill.until(more(drill, 8), f"work on the healed {name} line")
        ended_clean(drill)
    assert max(took_s.values()) < HEALED_S + MARGIN_S, took_s


@pytest.mark.drill
def test_half_open_lines_are_found_out_and_left(tmp_path: Path) -> None:
    drill = made(tmp_path)
    with drill.running():
        warmed_up(drill)
        for line in drill.lines.values():
            line.half_open()
        took_s = drill.until(more(drill, 20), "work on new lines")
        ended_clean(drill)
    assert took_s < NOTICED_S + HEALED_S + MARGIN_S


def test_a_killed_broker_that_comes_back_stops_nothing(tmp_path: Path) -> None:
    drill = made(tmp_path)
    with drill.running():
        warmed_up(drill)
        assert drill.mosquitto is not None
        drill.mosquitto.kill()
        drill.mosquitto.start()
        took_s = drill.until(more(drill, 8), "work on the new broker")
        ended_clean(drill)
    assert took_s < HEALED_S + MARGIN_S


@pytest.mark.drill
def test_a_frozen_orchestrator_is_taken_over_from_and_does_nothing_more(tmp_path: Path) -> None:
    drill = made(tmp_path)
    with drill.running():
        warmed_up(drill)
        first = drill.roles.pop("orchestrator")
        standby = Role(
            name="orchestrator",
            command=sdl(*first.command[3:], "--standby"),
            folder=first.folder,
            log=drill.place.logs / "standby.log",
        )
        standby.start()
        try:
            assert first.process is not None
            freeze_between_writes(first.process.pid, tmp_path / "record.sqlite")
            first.freeze()
            drill.roles["orchestrator"] = standby
            drill.until(lambda: len(lines(drill, "OrchestratorStarted")) == 2, "the new epoch")
            drill.until(more(drill, 20), "work under the new epoch")
            first.thaw()
            drill.until(lambda: not first.runs, "the end of the one that was taken over from")
            assert first.code not in {0, -signal.SIGKILL}
            before, after = [each["epoch"] for each in lines(drill, "OrchestratorStarted")]
            assert isinstance(before, int)
            assert isinstance(after, int)
            assert before < after
            ended_clean(drill)
        finally:
            first.kill()
            standby.kill()
