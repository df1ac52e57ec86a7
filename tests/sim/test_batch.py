"""The batch example in virtual time: from a number back to its well, its run and its suggestion."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sdl import Well
from sdl.cli.runs import list_runs, show_run
from sdl.cli.why import why
from sdl.shell.outcome import Outcome
from sdl.shell.plugins import PROTOCOLS, load
from sdl.shell.record import Record
from sdl.sim import Bench
from sdl.sim.simulate import simulate
from sdl_simulators.absorbance_reader import SimulatedAbsorbanceReader
from sdl_simulators.liquid_handler import SimulatedLiquidHandler

EXAMPLE = Path(__file__).parents[2] / "examples" / "batch"
SKIP = '\n[[policy]]\naction = "absorbance"\nthen = "skip"\n'
FAULT = 'faults = [{ action = "absorbance", on_call = 3, kind = "raise" }]'


def played(folder: Path, *, lab: str = "", campaign: str = "", runs: int = 20) -> Outcome:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    for name, more in (("lab.toml", lab), ("campaign.toml", campaign)):
        text = (folder / name).read_text()
        text = text.replace("runs = 20", f"runs = {runs}")
        reader = 'simulator = "absorbance-reader"'
        (folder / name).write_text(
            text.replace(reader, f"{reader}\n{more}") if name == "lab.toml" else text + more
        )
    return simulate(folder / "campaign.toml", record=folder / "record.sqlite")


@pytest.fixture
def of_a_bad_reading(tmp_path: Path) -> Path:
    """Two runs, of eight samples and of four; the third reading fails."""
    outcome = played(tmp_path, lab=FAULT, campaign=SKIP, runs=12)
    assert (outcome.view.runs_measured, outcome.view.failures) == (11, 1)
    return tmp_path / "record.sqlite"


def test_the_record_holds_each_sample_with_its_well_and_its_number(of_a_bad_reading: Path) -> None:
    record = Record.open(f"sqlite:///{of_a_bad_reading}", create=False)
    try:
        assert record.verify() is None
        assert record.rebuild(check=True) == []
        samples = record.samples("dye-plate")
        detail = record.run("dye-plate/run-1")
        (summary,) = record.campaigns()
        suggestions = record.suggestions("dye-plate")
    finally:
        record.close()
    assert [each.wells for each in samples[:9]] == [
        *(f"plate-1/{row}1" for row in "ABCDEFGH"),
        "plate-1/A2",
    ]
    assert [each.outcome for each in detail.samples].count("measured") == 7
    assert samples[2].reason == "its protocol gave None for it"
    assert {each.sample for each in detail.observations} == {1, 2, 4, 5, 6, 7, 8}
    assert [one.suggestion for one in detail.suggestions] == [one.suggestion for one in samples[:8]]
    assert {one.suggestion: one.disposition for one in suggestions}[
        samples[2].suggestion
    ] == "failed"
    assert detail.evidence is not None
    assert detail.evidence.sample == 8
    measured = [each for each in samples if each.loss is not None]
    best = min(measured, key=lambda each: each.loss or 0.0)
    assert summary.best is not None
    assert (summary.best.run, summary.best.sample) == (best.run, best.sample)
    assert (summary.runs, summary.measured, summary.failed) == (12, 11, 1)


def test_people_see_each_sample_by_itself(
    of_a_bad_reading: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list_runs(None, str(of_a_bad_reading))
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 13
    assert listed[3].startswith("dye-plate/run-1 #3")
    assert "failed" in listed[3]
    show_run("run-2", str(of_a_bad_reading))
    shown = capsys.readouterr().out
    assert "inputs     settle_s = 60 s\n" in shown
    assert "#4      suggestion-12  plate-1/D2  measured  absorbance_au = " in shown
    why("suggestion-3", str(of_a_bad_reading))
    told = (
        "dye-plate/run-1: tried it as sample 3 of 8 in plate-1/C1, failed: its protocol gave None"
    )
    assert told in capsys.readouterr().out
    list_runs(None, str(of_a_bad_reading), as_json=True)
    first = json.loads(capsys.readouterr().out)["runs"][0]
    assert len(first["samples"]) == len(first["inputs"]["mixtures"]) == 8


async def test_the_protocol_runs_under_plain_asyncio() -> None:
    bench = Bench.instant(seed=1)
    sources_ul = {"dye": 20_000.0, "buffer": 50_000.0}
    handler = SimulatedLiquidHandler(name="handler", bench=bench, sources_ul=sources_ul)
    reader = SimulatedAbsorbanceReader(name="reader", bench=bench)
    assay = load(PROTOCOLS, "./plate_assay.py:plate_assay", EXAMPLE).value
    mixture = load(PROTOCOLS, "./plate_assay.py:Mixture", EXAMPLE).value
    assert callable(assay)
    assert callable(mixture)
    wells = [Well("plate-1", name) for name in ("A1", "B1", "C1")]
    mixtures = [mixture(dye_fraction=fraction) for fraction in (0.1, 0.4, 0.7)]
    found = await assay(handler, reader, wells, mixtures=mixtures, settle_s=0.0)
    values = [one.absorbance_au for one in found]
    assert values == sorted(values)
    assert len(values) == 3
