"""What cannot be opened or written is said in one sentence, without a password."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url

from sdl.core.commands import AcceptSuggestion, Command, Conclude
from sdl.core.events import CampaignStarted, Event
from sdl.errors import RecordFault
from sdl.shell.columns import metadata
from sdl.shell.record import Record
from sdl.wire.journal import Chain, load
from tests.record.conftest import Spoil
from tests.record.plausible import journal, perform, planned


def refused(url: str, *, create: bool = True) -> str:
    """The sentence that opening this URL gives."""
    with pytest.raises(RecordFault) as caught:
        Record.open(url, create=create)
    return str(caught.value)


@pytest.mark.parametrize(
    "address, sentence",
    [
        ("record.sqlite", "is not a database URL"),
        ("", "is not a database URL"),
        ("mysql://root@localhost/lab", "cannot be kept in 'mysql'"),
        ("sqlite:///{folder}/nowhere/record.sqlite", "nowhere does not exist; make it"),
        ("sqlite:///{folder}", "is a folder; the record needs the name of a file"),
    ],
)
def test_a_wrong_address_is_said(tmp_path: Path, address: str, sentence: str) -> None:
    assert sentence in refused(address.format(folder=tmp_path))


def test_reading_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "record.sqlite"
    assert "there is no record at" in refused(f"sqlite:///{path}", create=False)
    assert not path.exists()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Buy more dye. " * 400, encoding="utf-8")
    for create in (True, False):
        assert "is not an SQLite database" in refused(f"sqlite:///{path}", create=create)
    assert path.read_text(encoding="utf-8") == "Buy more dye. " * 400


def test_another_programs_database_is_left_alone(url: str, spoil: Spoil) -> None:
    spoil("CREATE TABLE hens (eggs INTEGER)")
    for create in (True, False):
        assert "holds tables of another program" in refused(url, create=create)
    spoil("DROP TABLE hens")
    Record.open(url).close()


def test_a_newer_schema_is_not_touched(url: str, spoil: Spoil) -> None:
    Record.open(url).close()
    spoil("UPDATE alembic_version SET version_num = '9999'")
    assert "newer version of this program (schema 9999" in refused(url)


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "record.sqlite"
    record = Record.open(f"sqlite:///{path}")
    record.append(journal(runs=40))
    record.close()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * (path.stat().st_size - 8192))
    with pytest.raises(RecordFault, match="is damaged"):  # noqa: PT012 - wherever it shows first
        spoilt = Record.open(f"sqlite:///{path}")
        try:
            list(spoilt.lines("dye-450"))
        finally:
            spoilt.close()


@pytest.fixture
def shelf() -> Iterator[Path]:
    """A folder that other users can reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="sdl-record-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


AS_NOBODY = """
import os, sys
from sdl.errors import RecordFault
from sdl.shell.record import Record

Record.open("sqlite://").close()  # loads all that the unprivileged user may not read
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    record = Record.open(sys.argv[1], create=sys.argv[2] == "write")
    print(record.head("dye-450")[0])
    record.close()
except RecordFault as fault:
    print(fault)
"""


def as_nobody(url: str, purpose: str) -> str:
    """What opening gives without the rights of root, whom no permission stops."""
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, url, purpose],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_read_only_record_can_be_read_but_not_led(shelf: Path) -> None:
    path = shelf / "record.sqlite"
    record = Record.open(f"sqlite:///{path}")
    record.append(journal(runs=1))
    record.close()
    path.chmod(0o444)
    shelf.chmod(0o555)
    assert "read-only" in as_nobody(f"sqlite:///{path}", "write")
    assert as_nobody(f"sqlite:///{path}", "read") == str(len(journal(runs=1)))


def test_a_read_only_folder_is_said(shelf: Path) -> None:
    shelf.chmod(0o555)
    assert "look at the permissions" in as_nobody(f"sqlite:///{shelf}/r.sqlite", "write")


def test_a_held_database_is_said_to_be_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdl.shell.database.BUSY_MS", 50)
    url = f"sqlite:///{tmp_path / 'record.sqlite'}"
    record = Record.open(url)
    holder = sqlite3.connect(tmp_path / "record.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordFault, match="another process holds the database"):
        record.append(journal(runs=0))
    holder.execute("ROLLBACK")
    holder.close()
    record.append(journal(runs=0))
    record.close()


def test_a_server_that_is_not_there_is_said() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = refused(f"postgresql://sdl:open-sesame@127.0.0.1:{port}/lab")
    assert "no answer from the server" in said
    assert "open-sesame" not in said


def test_a_wrong_password_is_said_and_not_shown(fresh_postgres: str) -> None:
    wrong = make_url(fresh_postgres).set(password="open-sesame")
    said = refused(wrong.render_as_string(hide_password=False))
    assert "refuses this user or password" in said
    assert "open-sesame" not in said
    assert re.match(r"postgresql://sdl:\*\*\*@127", said)


def test_a_database_that_the_server_does_not_know_is_said(fresh_postgres: str) -> None:
    other = make_url(fresh_postgres).set(database="hens")
    said = refused(other.render_as_string(hide_password=False))
    assert "does not know this user, database or table" in said


def test_a_postgres_url_may_leave_the_driver_out(fresh_postgres: str) -> None:
    Record.open(fresh_postgres.replace("+psycopg", "")).close()


def test_the_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    record = Record.open(url)
    with record._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    record.close()


TERMS = ("priority", "weight", "deadline", "runs_at_once")


def _without(table: str, columns: str) -> list[str]:
    """The table as it was before a run could have several samples."""
    return [
        f"CREATE TABLE before AS SELECT {columns}, seq, last_seq FROM {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE before RENAME TO {table}",
        f"CREATE INDEX ix_{table}_campaign ON {table} (campaign)",
    ]


def _as_it_was(value: Event | Command) -> Event | Command:
    """Without what commands of then did not hold."""
    if isinstance(value, Conclude):
        return replace(value, usage=())
    if isinstance(value, AcceptSuggestion):
        return replace(value, value=replace(value.value, reason=None))
    return value


def test_a_record_of_the_first_schema_is_upgraded(url: str, spoil: Spoil) -> None:
    record = Record.open(url)
    lines = [
        line
        for line in journal(runs=2)
        if not line.type.endswith("Requested") or line.type == "StopRequested"
    ]
    chain = Chain("dye-450")
    known = ("StepResolved", "Flag", "Halt", "Release", "InstrumentMadeSafe")
    later = (*known, "BreakWindow", "Book", "AskRefill", "StockRefilled")
    kept = [(load(line.type, line.body), line.at) for line in lines if line.type not in later]
    head = kept[0][0]
    assert isinstance(head, CampaignStarted)
    kept.insert(3, (planned(kept[2][1], steps=2), kept[2][1]))
    kept[0] = (replace(head, lab=replace(head.lab, stocks=())), kept[0][1])
    record.append([chain.add(_as_it_was(value), at) for value, at in kept])
    record.close()
    spoil(
        *(f"DROP TABLE {name}" for name in ("lease", "resolution", "act", "flag", "snapshot")),
        *(f"DROP TABLE {name}" for name in ("stock", "lot", "movement", "refill")),
        *(f"DROP TABLE {name}" for name in ("session", "broken_window", "carry", "plan")),
        "DROP TABLE utilisation",
        "DROP TABLE sample",
        "ALTER TABLE suggestion DROP COLUMN why",
        *_without("observation", "run, measure, campaign, value, unit, uncertainty, at"),
        *_without("evidence", "run, campaign, runs, e_for, e_against, posterior, at"),
        *(f"ALTER TABLE campaign DROP COLUMN {name}" for name in ("paused", "journal", *TERMS)),
        *(f"ALTER TABLE instrument DROP COLUMN {name}" for name in ("paused", "stopped", "held")),
        "UPDATE alembic_version SET version_num = '0001'",
    )
    upgraded = Record.open(url)
    assert upgraded.rebuild(check=True) == []
    assert upgraded.verify() is None
    assert [(each.act, each.by) for each in upgraded.acts("dye-450")] == [("stop", "a person")]
    (plan,) = upgraded.plans("dye-450")
    assert (plan.seq, plan.steps, plan.found_by) == (4, 2, "local search")
    upgraded.append([chain.add(perform("dye-450/run-3/step-1/try-1", 0.0), 0.0)])
    upgraded.close()


def test_two_processes_may_make_a_record_at_the_same_time(url: str) -> None:
    code = "import sys; from sdl.shell.record import Record; Record.open(sys.argv[1]).close()"
    both = [
        subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
