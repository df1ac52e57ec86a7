"""A record that was tampered with says where."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from sdl.shell.record import Record
from tests.record.conftest import Spoil
from tests.record.plausible import journal

COUNT = len(journal(runs=2))

TAMPERED = {
    "body": ("SET body = body || ' '", 9),
    "time": ("SET at = at + 0.001", 9),
    "type": ("SET type = 'Query'", 9),
    "kind": ("SET kind = CASE kind WHEN 'event' THEN 'command' ELSE 'event' END", 9),
    "hash": ("SET hash = 'ff' || substr(hash, 3)", 9),
    "campaign": ("SET campaign = 'elsewhere'", 9),
    "number": (f"SET seq = {COUNT + 5}", 9),
    "gap": ("", 9),
    "beheaded": ("", 1),
    "copied": (
        "SET body = (SELECT body FROM journal AS o WHERE o.campaign = 'copied' AND o.seq = 10)",
        9,
    ),
}
"""Campaign, what is done to one of its lines, and the line to be named; it is removed by ''."""


def test_verify_names_the_first_broken_line(
    url: str, spoil: Spoil, unguarded: tuple[str, ...]
) -> None:
    record = Record.open(url)
    for name in (*TAMPERED, "whole"):
        record.append(journal(name, runs=2))
    assert record.verify() is None
    spoil(
        *unguarded,
        *(
            f"{f'UPDATE journal {change}' if change else 'DELETE FROM journal'} "
            f"WHERE campaign = '{name}' AND seq = {seq}"
            for name, (change, seq) in TAMPERED.items()
        ),
    )
    for name, (_, seq) in TAMPERED.items():
        found = record.verify(name)
        assert found is not None, name
        assert (found.campaign, found.seq) == (name, seq), found
    assert record.verify("whole") is None
    first = record.verify()
    assert first is not None
    assert first.campaign == min(TAMPERED)
    record.close()


def test_a_byte_that_is_no_text_any_more_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "record.sqlite"
    record = Record.open(f"sqlite:///{path}")
    record.append(journal(runs=2))
    with closing(sqlite3.connect(path, isolation_level=None)) as hands:
        hands.execute("DROP TRIGGER journal_refuses_update")
        hands.execute("UPDATE journal SET body = CAST(x'ff00ff' AS TEXT) WHERE seq = 9")
    found = record.verify()
    assert found is not None
    assert found.seq == 9
    record.close()


PLANTED = {
    "UPDATE observation SET value = value + 1 WHERE run = 'dye-450/run-1' "
    "AND measure = 'absorbance_au'": "observation dye-450/run-1 1 absorbance_au: value is",
    "DELETE FROM run WHERE run = 'dye-450/run-2'": (
        "run dye-450/run-2: the row is missing; journal line"
    ),
    "INSERT INTO evidence VALUES ('dye-450/run-9', 1, 'dye-450', 1, 1, 1, 0.5, 0, 1, 1)": (
        "evidence dye-450/run-9 1: the row is there, but no journal line makes it"
    ),
    "INSERT INTO evidence VALUES ('dye/run-1', 1, 'dye', 1, 1, 1, 0.5, 0, 1, 1)": (
        "evidence dye/run-1 1: the row is there, but its campaign has no journal"
    ),
    "UPDATE hypothesis SET verdict = NULL": (
        "hypothesis dye-450: verdict is None, by the journal it is 'undecided'"
    ),
}


def test_each_planted_difference_is_found_and_mended(url: str, spoil: Spoil) -> None:
    record = Record.open(url)
    record.append(journal())
    for statement, expected in PLANTED.items():
        assert record.rebuild(check=True) == [], f"before {statement}"
        spoil(statement)
        for check in (True, False):
            differences = record.rebuild(check=check)
            assert len(differences) == 1, differences
            assert differences[0].startswith(expected)
    assert record.rebuild(check=True) == []
    assert len(record.runs("dye-450")) == 6
    record.close()


def test_a_rebuild_makes_emptied_tables_again(url: str, spoil: Spoil) -> None:
    record = Record.open(url)
    record.append(journal())
    record.append(journal("other", runs=3, seed=5))
    before = [asdict(step) for step in record.run("dye-450/run-1").steps]
    spoil("DELETE FROM step", "DELETE FROM campaign")
    assert record.rebuild(check=False) != []
    assert [asdict(step) for step in record.run("dye-450/run-1").steps] == before
    assert [found.runs for found in record.campaigns()] == [6, 3]
    record.close()
