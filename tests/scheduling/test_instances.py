"""Five file formats are read as they are meant, and told what is wrong with file and line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from instance import coloured
from instance_files import read_instance
from sdl.errors import UserMistake

DATA = Path(__file__).parents[2] / "benchmarks" / "scheduling_data"


@pytest.mark.parametrize(
    "path,kind,activities,resources",
    [
        ("jsp/ft06.txt", "jsp", 36, 6),
        ("jsp/ta21js.txt", "jsp", 400, 20),
        ("fjsp/mk01.txt", "fjsp", 55, 6),
        ("fjsp/dpp18a.txt", "fjsp", 387, 10),
        ("rcpsp_max/UBO10_01.sch", "rcpsp_max", 12, 5),
        ("slab/Gu2016_N1", "slab", 17, 5),
        ("sdl/sdl24.json", "sdl", 168, 5),
    ],
)
def test_a_format_is_told_by_content(
    path: str, kind: str, activities: int, resources: int, tmp_path: Path
) -> None:
    source = DATA / path
    target = tmp_path / "renamed.dat"
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
    instance = read_instance(target)
    assert instance.kind == kind
    assert len(instance.problem.activities) == activities
    assert len(instance.problem.resources) == resources


def changed(path: str, line: int, text: str | None) -> str:
    """The text of a file with one line (from 1) replaced, or left out."""
    lines = (DATA / path).read_text(encoding="utf-8").splitlines()
    lines[line - 1 : line] = [] if text is None else [text]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "path,line,text,place,words",
    [
        ("jsp/ft06.txt", 1, "six 6", 1, "whole numbers only, not 'six'"),
        ("jsp/ft06.txt", 1, "7 6", 7, "ends after 6 of 7 jobs"),
        ("jsp/ft06.txt", 1, "5 6", 7, "more than the 5 jobs"),
        ("jsp/ft06.txt", 3, "1 2 3", 3, "pairs of machine and duration"),
        ("fjsp/mk01.txt", 2, "1 1 9 5", 2, "machine 9 is not in 0 to 5"),
        ("fjsp/mk01.txt", 2, "1 1 0 -5", 2, "duration -5 is below 0"),
        ("fjsp/mk01.txt", 2, "2 1 0 5", 2, "operation 1 needs a number of machines"),
        ("fjsp/mk01.txt", 2, "1 1 0 5 7", 2, "1 numbers behind the last"),
        ("rcpsp_max/UBO10_01.sch", 3, "1\t1\t1\t10\t[x]", 3, "whole numbers"),
        ("rcpsp_max/UBO10_01.sch", 3, "1\t1\t2\t10\t[2]", 3, "2 successors announced, 1 named"),
        ("rcpsp_max/UBO10_01.sch", 3, "1\t1\t1\t99\t[2]", 3, "a successor is not in 0 to 11"),
        ("rcpsp_max/UBO10_01.sch", 15, "1\t1\t2\t5", 15, "5 demands|duration and 5"),
        ("rcpsp_max/UBO10_01.sch", 26, "10\t10", 26, "2 capacities of 5"),
        ("rcpsp_max/UBO10_01.sch", 26, "10 9 -1 9 9", 26, "a capacity is below 0: -1"),
        ("rcpsp_max/UBO10_01.sch", 26, None, 25, "lines with data"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    path: str, line: int, text: str | None, place: int, words: str, tmp_path: Path
) -> None:
    file = tmp_path / Path(path).name
    file.write_text(changed(path, line, text), encoding="utf-8")
    with pytest.raises(UserMistake, match=words) as caught:
        read_instance(file)
    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == (str(file), place)


@pytest.mark.parametrize(
    "table,line,text,words",
    [
        ("operations", 2, "1\t1\t9\t2\tx", "no machine of type 9"),
        ("operations", 2, "1\t1\t5\tlong\tx", "'long' is no whole number"),
        ("operations", 3, "1\t1\t5\t2\tx", "operation 1 of job 1 is there twice"),
        ("dependency", 2, "1\t1\t99", "no operation 99 of job 1"),
        ("tcmb", 2, "1\t2\tmiddle\t9\tstart\t10", "'middle' is neither start nor end"),
        ("tcmb", 2, "1\t2", "2 cells, at least 6"),
    ],
)
def test_a_mistake_in_a_table_is_told_with_its_line(
    table: str, line: int, text: str, words: str, tmp_path: Path
) -> None:
    folder = tmp_path / "slab"
    shutil.copytree(DATA / "slab" / "Gu2016_N1", folder)
    file = folder / f"{table}.tsv"
    file.write_text(changed(f"slab/Gu2016_N1/{table}.tsv", line, text), encoding="utf-8")
    with pytest.raises(UserMistake, match=words) as caught:
        read_instance(folder)
    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == (str(file), line)


def test_a_mistake_in_a_workcell_is_told_with_its_line(tmp_path: Path) -> None:
    cell = json.loads((DATA / "sdl" / "sdl24.json").read_text(encoding="utf-8"))
    cell["plates"][1]["steps"][0]["group"] = "centrifuge"
    file = tmp_path / "cell.json"
    text = json.dumps(cell, indent=1)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserMistake, match="no station is of group 'centrifuge'") as caught:
        read_instance(file)
    assert caught.value.place is not None
    assert caught.value.place.line is not None
    assert cell["plates"][1]["id"] in text.splitlines()[caught.value.place.line - 1]
    file.write_text(text.replace('"move_duration"', '"moving"'), encoding="utf-8")
    with pytest.raises(UserMistake, match="move_duration"):
        read_instance(file)
    file.write_text(text.replace('"duration": 3600', '"duration": -1'), encoding="utf-8")
    with pytest.raises(UserMistake, match=r"duration: .* greater than or equal to 0"):
        read_instance(file)


def test_what_is_nothing_of_the_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    for path in (tmp_path / "empty.txt", tmp_path / "missing.txt", tmp_path):
        with pytest.raises(UserMistake):
            read_instance(path)


def test_colours_keep_overlapping_stays_apart() -> None:
    spans = [(0, 5), (1, 3), (3, 6), (5, 9), (6, 7), (2, 2)]
    names = coloured(spans, ["a", "b"])
    for at, (start, end) in enumerate(spans):
        for other, (its_start, its_end) in enumerate(spans[:at]):
            if max(start, its_start) < min(end, its_end):
                assert names[at] != names[other]
