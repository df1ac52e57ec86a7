"""What is wrong with a folder of data is told with its place, and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner_contract import offered
from planner_sets import DATA, read_set, sets_in
from sdl.errors import UserMistake
from tests.benchmarks.toys import SPACE, write_toy


def test_a_folder_is_a_set_or_holds_sets(tmp_path: Path) -> None:
    write_toy(tmp_path / "first")
    write_toy(tmp_path / "second")
    assert [one.name for one in sets_in(tmp_path)] == ["first", "second"]
    assert [one.name for one in sets_in(tmp_path / "second")] == ["second"]
    assert [one.name for one in sets_in(tmp_path, ["second", "first", "second"])] == [
        "second",
        "first",
    ]
    assert len(sets_in(DATA, ["main"])) == 7
    assert len(sets_in(DATA, ["further"])) == 11


def test_a_digest_changes_with_the_data_and_their_goal(tmp_path: Path) -> None:
    before = read_set(write_toy(tmp_path)).digest
    assert read_set(write_toy(tmp_path)).digest == before
    rows = (tmp_path / "data.csv").read_text(encoding="utf-8")
    (tmp_path / "data.csv").write_text(rows.replace("10.3", "10.4"), encoding="utf-8")
    assert read_set(tmp_path).digest != before


def test_a_range_or_options_that_are_not_named_are_those_of_the_data(tmp_path: Path) -> None:
    write_toy(tmp_path)
    bare = [{"name": one["name"], "type": one["type"]} for one in SPACE["parameters"]]
    (tmp_path / "space.json").write_text(changed(parameters=bare), encoding="utf-8")
    (x, colour, _) = read_set(tmp_path).space["parameters"]
    assert (x["low"], x["high"]) == (0.0, 4.0)
    assert colour["options"] == ["blue", "red"]


def changed(**fields: object) -> str:
    """The toy's space with other fields."""
    return json.dumps({**SPACE, **fields})


@pytest.mark.parametrize(
    "file,text,said",
    [
        ("data.csv", None, "there is no data.csv in it"),
        ("space.json", None, "there is no space.json in it"),
        ("space.json", "{\n  oops", "space.json:2: no JSON"),
        ("space.json", "[]", "an object with parameters and objectives"),
        ("space.json", "{}", "has no parameters"),
        ("space.json", changed(objectives=[]), "has no objectives"),
        ("space.json", changed(parameters=[{"name": "x"}]), "entry 1 of parameters has no type"),
        ("space.json", changed(objectives=[{"name": "yield", "goal": "up"}]), "say one of"),
        (
            "space.json",
            changed(parameters=[{"name": "x", "type": "int"}]),
            "the type of x is 'int'",
        ),
        ("data.csv", "x,colour,yield,waste\n", "data.csv:1: has no column made by"),
        ("data.csv", "x,colour,made by,yield,waste\n", "has no rows"),
        ("data.csv", "x,colour,made by,yield,waste\n1,red,us,?,1\n", "data.csv:2: yield is '\\?'"),
        (
            "data.csv",
            "x,colour,made by,yield,waste\n1,red,us,2,1\n1,red,us,nan,1\n",
            "data.csv:3: yield is 'nan', which is no number; write one, or leave the row out",
        ),
        ("data.csv", "x,colour,made by,yield,waste\n1,red,us,,1\n", "data.csv:2: yield is ''"),
        ("data.csv", "", "data.csv: cannot be read"),
    ],
)
def test_a_bad_folder_is_told_kindly(
    tmp_path: Path, file: str, text: str | None, said: str
) -> None:
    write_toy(tmp_path)
    if text is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(UserMistake, match=said):
        sets_in(tmp_path)


def test_a_folder_that_is_not_there_or_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="there is no such folder"):
        sets_in(tmp_path / "nowhere")
    with pytest.raises(UserMistake, match="neither"):
        sets_in(tmp_path)
    write_toy(tmp_path / "toy")
    with pytest.raises(UserMistake, match=r"--sets other: not in .*; there are toy"):
        sets_in(tmp_path, ["other"])


@pytest.mark.parametrize(
    "word,said",
    [
        ("nobody", "no planner of that name"),
        (":x", "no planner of that name"),
        ("no_such_module:x", "cannot be imported"),
        ("tests.benchmarks.toys:Nobody", "nothing called Nobody"),
        ("tests.benchmarks.toys:SPACE", "nothing called SPACE that can be used"),
    ],
)
def test_a_planner_that_is_not_there_is_told(word: str, said: str) -> None:
    with pytest.raises(UserMistake, match=said):
        offered(word)
