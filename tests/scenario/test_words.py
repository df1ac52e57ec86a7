"""Inputs and measures that are words of Python, from the campaign's file to the record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdl.cli.exits import Exit
from sdl.shell.record import Record
from tests.cli.conftest import command
from tests.scenario.test_problems import refused, written

PROTOCOL = """
from dataclasses import dataclass
from typing import Literal

from sdl import protocol
from sdl.capabilities import Workstation
from tests.scenario.blend import Station


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    lambda_: float
    class_: Literal["water", "oil"] = "water"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    yield_: float
    is_: float


@protocol
async def one(
    station: Workstation, *, lambda_: float, class_: Literal["water", "oil"] = "water"
) -> Seen:
    told = await station.make({"a": lambda_, "b": 0.1, "solvent": class_})
    return Seen(yield_=told["gain"], is_=told["price"])


@protocol
async def several(station: Workstation, *, samples: list[Sample]) -> list[Seen]:
    found = []
    for each in samples:
        told = await station.make({"a": each.lambda_, "b": 0.1, "solvent": each.class_})
        found.append(Seen(yield_=told["gain"], is_=told["price"]))
    return found
"""
SEARCH = """
[search]
lambda = { from = 0.1, to = 1 }
class  = { choices = ["water", "oil"] }

[[objective]]
measure = "yield"
goal    = "maximise"

[[constraint]]
measure = "is"
at_most = 50

[stop]
runs = 6
"""
BATCH = "\n[batch]\nsize = 2\n"


def campaign(folder: Path, function: str, *tables: str) -> Path:
    path = written(folder, *tables, name="words")
    path.write_text(path.read_text().replace("./blend.py:blend", f"./words.py:{function}"))
    (folder / "words.py").write_text(PROTOCOL)
    return path


@pytest.mark.parametrize("function, more", [("one", ""), ("several", BATCH)])
def test_words_of_python_are_names_like_others(tmp_path: Path, function: str, more: str) -> None:
    path, where = campaign(tmp_path, function, SEARCH, more), ("--in", "words.sqlite")
    made = command(tmp_path, "simulate", path.name, "--record", "words.sqlite")
    assert made.code == Exit.OK, made.err
    record = Record.open(f"sqlite:///{tmp_path / 'words.sqlite'}", create=False)
    try:
        tried = [json.loads(one.inputs) for one in record.suggestions("words")]
        assert record.rebuild(check=True) == []
    finally:
        record.close()
    assert len(tried) >= 6
    assert {name for one in tried for name in one} == {"lambda", "class"}
    said = command(tmp_path, "runs", "list", *where)
    assert "yield" in said.out
    assert "_" not in said.out.splitlines()[0], said.out
    replayed = command(tmp_path, "replay", *where)
    assert replayed.code == Exit.OK, replayed.out
    assert "different" not in replayed.out
    assert command(tmp_path, "why", "words/run-1", *where).code == Exit.OK


def test_a_campaign_may_also_say_them_as_the_protocol_does(tmp_path: Path) -> None:
    search = SEARCH.replace("lambda ", "lambda_ ").replace("class ", "class_ ")
    search = search.replace('"yield"', '"yield_"').replace('"is"', '"is_"')
    path = campaign(tmp_path, "one", search)
    said = command(tmp_path, "check", path.name)
    assert said.code == Exit.OK, said.err


def test_a_word_that_the_protocol_does_not_have_is_told_how_it_would_be_written(
    tmp_path: Path,
) -> None:
    search = SEARCH.replace("class ", "import ").replace('"yield"', '"del"')
    said = refused(campaign(tmp_path, "one", search)).splitlines()
    assert said == [
        "12: search.import: one has no such input; known are: class_, lambda; import is a word of "
        "Python, so a protocol says import_",
        "14: objective.measure: one does not measure 'del'; known are: is, yield_; del is a "
        "word of Python, so a protocol says del_",
    ]
