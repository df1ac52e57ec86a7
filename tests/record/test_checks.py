"""A record that was tampered with says where."""

from __future__ import annotations

import pytest

from sdl.shell.record import Record
from tests.record.conftest import Spoil
from tests.record.plausible import journal

COUNT = len(journal(runs=2))

TAMPERED = {
    "body": ("UPDATE journal SET body = body || ' ' WHERE seq = 9", 9),
    "at": ("UPDATE journal SET at = at + 0.001 WHERE seq = 9", 9),
    "type": ("UPDATE journal SET type = 'Query' WHERE seq = 9", 9),
    "kind": (
        "UPDATE journal SET kind = CASE kind WHEN 'event' THEN 'command' ELSE 'event' END "
        "WHERE seq = 9",
        9,
    ),
    "hash": ("UPDATE journal SET hash = 'ff' || substr(hash, 3) WHERE seq = 9", 9),
    "campaign": ("UPDATE journal SET campaign = 'dye-451' WHERE seq = 9", 9),
    "seq": (f"UPDATE journal SET seq = {COUNT + 5} WHERE seq = 9", 9),
    "first line gone": ("DELETE FROM journal WHERE seq = 1", 1),
    "inner line gone": ("DELETE FROM journal WHERE seq = 9", 9),
    "two swapped": (
        "UPDATE journal SET body = (SELECT body FROM journal AS o WHERE o.seq = 10) WHERE seq = 9",
        9,
    ),
}


@pytest.mark.parametrize("what", sorted(TAMPERED))
def test_verify_names_the_first_broken_line(
    url: str, spoil: Spoil, unguarded: tuple[str, ...], what: str
) -> None:
    statement, expected = TAMPERED[what]
    record = Record.open(url)
    record.append(journal(runs=2))
    assert record.verify() is None
    spoil(*unguarded, statement)
    found = record.verify("dye-450")
    assert found is not None, what
    assert (found.campaign, found.seq) == ("dye-450", expected), found
    assert record.verify() is not None
    record.close()


def test_a_byte_that_is_no_text_any_more_is_named_too(
    url: str, spoil: Spoil, unguarded: tuple[str, ...]
) -> None:
    if not url.startswith("sqlite"):
        pytest.skip("PostgreSQL holds no text of the wrong encoding")
    record = Record.open(url)
    record.append(journal(runs=2))
    spoil(*unguarded, "UPDATE journal SET body = CAST(x'ff00ff' AS TEXT) WHERE seq = 9")
    found = record.verify()
    assert found is not None
    assert found.seq == 9
    record.close()


PLANTED = {
    "observation": (
        "UPDATE observation SET value = value + 1 WHERE run = 'dye-450/run-1' "
        "AND measure = 'absorbance_au'",
        "observation dye-450/run-1 absorbance_au: value is",
    ),
    "missing": (
        "DELETE FROM run WHERE run = 'dye-450/run-2'",
        "run dye-450/run-2: the row is missing; journal line",
    ),
    "extra": (
        "INSERT INTO evidence VALUES ('dye-450/run-9', 'dye-450', 1, 1, 1, 0.5, 0, 1, 1)",
        "evidence dye-450/run-9: the row is there, but no journal line makes it",
    ),
    "stray": (
        "INSERT INTO evidence VALUES ('dye/run-1', 'dye', 1, 1, 1, 0.5, 0, 1, 1)",
        "evidence dye/run-1: the row is there, but its campaign has no journal",
    ),
    "emptied": (
        "UPDATE hypothesis SET verdict = NULL",
        "hypothesis dye-450: verdict is None, by the journal it is 'undecided'",
    ),
}


@pytest.mark.parametrize("what", sorted(PLANTED))
def test_a_planted_difference_is_found_and_mended(url: str, spoil: Spoil, what: str) -> None:
    statement, expected = PLANTED[what]
    record = Record.open(url)
    record.append(journal())
    assert record.rebuild(check=True) == []
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
    before = [step.model_dump() for step in record.run("dye-450/run-1").steps]
    spoil("DELETE FROM step", "DELETE FROM campaign")
    assert record.rebuild(check=False) != []
    assert [step.model_dump() for step in record.run("dye-450/run-1").steps] == before
    assert [found.runs for found in record.campaigns()] == [6, 3]
    record.close()
