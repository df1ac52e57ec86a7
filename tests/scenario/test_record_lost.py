"""A record that is lost for good ends the orchestrator, and nothing that goes on at its node."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from sdl.cli.exits import Exit
from tests.cli.conftest import command
from tests.scenario.test_real_loop import PATIENCE_S, record_of, run, sound, started, until
from tests.sim.places import place

REFUSE = (
    "CREATE TRIGGER refuses_all BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'spoilt'); END"
)


def spoil(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "record.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()


def in_hand(folder: Path) -> bool:
    """Whether an action has just begun."""
    try:
        with closing(sqlite3.connect(folder / "record.sqlite")) as connection:
            query = "SELECT type FROM journal ORDER BY seq DESC LIMIT 1"
            found = connection.execute(query).fetchone()
    except sqlite3.OperationalError:
        return False
    return found is not None and found[0] == "CommandStarted"


def test_what_a_node_has_in_hand_when_the_record_is_lost_is_taken_up_on_resume(
    tmp_path: Path,
) -> None:
    campaign = place(tmp_path, runs=2, parallel=1, speed=3, failures=2)
    campaign.write_text(campaign.read_text().replace("settle_s = 30.0", "settle_s = 1.0"))
    with started("run", str(campaign)) as process:
        until(lambda: in_hand(tmp_path), "the first action")
        spoil(tmp_path, REFUSE)
        assert command(tmp_path, "pause", "reader").code != Exit.OK, "it was put on record"
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == Exit.RECORD, err
    assert "the record is out of reach; the node ends what it has in hand" in err
    spoil(tmp_path, "DROP TRIGGER refuses_all")
    lab = tmp_path / "lab.toml"
    lab.write_text(lab.read_text().replace("speed  = 3", "speed  = 60"))
    resumed = run("run", str(campaign), "--resume", "--json")
    runs = json.loads(resumed.stdout)["runs"]
    assert (runs["measured"], runs["unknown"], runs["failures"]) == (2, 0, 0)
    record = record_of(tmp_path)
    sound(record, runs=2)
    record.close()
