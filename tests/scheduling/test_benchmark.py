"""What the benchmark writes is judged from the JSON and the raw files alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from tests.scheduling.raw_judge import Document, judge

ROOT = Path(__file__).parents[2]
DATA = ROOT / "benchmarks" / "scheduling_data"
KINDS = {
    "jsp/swv01.txt": "jsp",
    "fjsp/mk10.txt": "fjsp",
    "rcpsp_max/UBO10_01.sch": "rcpsp_max",
    "rcpsp_max/ubo50_psp41.sch": "rcpsp_max",
    "slab/Gu2016_N1": "slab",
    "slab/RNAseq_N5": "slab",
    "sdl/sdl24.json": "sdl",
}
SECONDS = 2.0
BUSY_S = 8.0
"""Wall seconds over the limit on a machine that others use too; 1 on one that is free."""
PROVEN = ("rcpsp_max/UBO10_01.sch", "slab/Gu2016_N1")
"""Done long before their time is over."""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The benchmark, on this tree."""
    rooms = (ROOT, *(ROOT / name for name in ("drivers", "protocols", "simulators")))
    return subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "scheduling.py"), *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(room) for room in rooms)},
        check=False,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    """The documents of all kinds, by the path of their instance."""
    out = tmp_path_factory.mktemp("schedules")
    files = [str(DATA / path) for path in KINDS if path not in PROVEN]
    proven = [str(DATA / path) for path in PROVEN]
    assert run(*proven, "--seconds", "60", "--out", str(out)).returncode == 0
    done = run(*files, "--seconds", str(SECONDS), "--out", str(out))
    assert done.returncode == 0, done.stderr
    return {
        path: json.loads((out / f"{Path(path).stem}.json").read_text(encoding="utf-8"))
        for path in KINDS
    }


@pytest.mark.parametrize("path,kind", KINDS.items())
def test_a_written_schedule_is_valid_for_the_raw_instance(
    path: str, kind: str, written: dict[str, Document]
) -> None:
    document = written[path]
    assert document["instance"] == Path(path).stem
    assert judge(document, DATA / path, kind) == []
    assert document["seconds"] < (60 if path in PROVEN else SECONDS + BUSY_S)


def test_statuses_are_what_is_known_of_the_instances(written: dict[str, Document]) -> None:
    assert written["rcpsp_max/UBO10_01.sch"]["status"] == "infeasible"
    assert written["rcpsp_max/UBO10_01.sch"]["operations"] == []
    assert written["slab/Gu2016_N1"]["status"] == "optimal"
    assert written["slab/Gu2016_N1"]["makespan"] == 87
    for path in ("jsp/swv01.txt", "fjsp/mk10.txt", "slab/RNAseq_N5", "sdl/sdl24.json"):
        assert written[path]["makespan"] is not None, "there is always a greedy start"


@pytest.mark.parametrize(
    "path,field,by",
    [
        ("jsp/swv01.txt", "start", -1),
        ("fjsp/mk10.txt", "end", 1),
        ("fjsp/mk10.txt", "machine", 1),
        ("slab/RNAseq_N5", "start", -1),
        ("slab/RNAseq_N5", "machine", -99),
        ("sdl/sdl24.json", "start", 5),
    ],
)
def test_the_judge_sees_what_is_wrong(
    path: str, field: Literal["start", "end", "machine"], by: int, written: dict[str, Document]
) -> None:
    text = json.dumps(written[path])
    for at in (0, len(written[path]["operations"]) // 2, -1):
        document: Document = json.loads(text)
        one = document["operations"][at]
        if field in one:
            one[field] += by
            assert judge(document, DATA / path, KINDS[path]), f"operation {at}"


def test_a_broken_file_is_told_and_the_others_are_solved(tmp_path: Path) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_text("2 2\n0 1 1 2\n", encoding="utf-8")
    good = tmp_path / "good.txt"
    good.write_text("2 2\n0 1 1 2\n1 2 0 3\n", encoding="utf-8")
    done = run(str(broken), str(good), "--seconds", "1", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "broken.txt:2: ends after 1 of 2 jobs" in done.stderr
    document = json.loads((tmp_path / "out" / "good.json").read_text(encoding="utf-8"))
    assert document["makespan"] == 5
    assert judge(document, good, "jsp") == []
