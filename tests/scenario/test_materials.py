"""What the ledger says of a whole simulated campaign, beside what truly is on its bench."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from sdl.core import commands as do
from sdl.core.durations import Durations
from sdl.core.engine import Engine
from sdl.core.events import EVENTS
from sdl.core.forecast import forecast
from sdl.core.inventory import Inventory
from sdl.core.mixture import microlitres
from sdl.core.replay import fold
from sdl.core.view import View
from sdl.model.labware import Well
from sdl.shell.bench import Bench
from sdl.shell.foresight import Simulators
from sdl.shell.preflight import prepare
from sdl.shell.record import Record
from sdl.sim import simulate as simulation
from sdl.wire.journal import load

PROTOCOL = '''
from __future__ import annotations

from dataclasses import dataclass

from sdl import Well, protocol, settle
from sdl.capabilities import LiquidHandler, PlateReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    absorbance_au: float


@protocol
async def dilution(
    handler: LiquidHandler, reader: PlateReader, first: Well, second: Well, *, dye_fraction: float
) -> Reading:
    """Mix, dilute a part of it in the next well, and read that."""
    dye_ul = 200.0 * dye_fraction
    await handler.dispense(first, {"dye": dye_ul, "buffer": 200.0 - dye_ul})
    await handler.mix(first, 100.0, 3)
    await handler.transfer(first, second, 60.0)
    await handler.dispense(second, {"buffer": 100.0})
    await settle(30.0)
    return Reading(absorbance_au=await reader.absorbance(second, wavelength_nm=450.0))
'''
LAB = """
[lab]
name = "bench"
seed = {seed}

[instruments.handler]
simulator  = "liquid-handler"
sources_ul = {{ dye = 20000, buffer = 50000 }}
{faults}

[instruments.reader]
simulator = "absorbance-reader"

[labware.plate-1]
[labware.plate-2]

[stocks.handler]
error_ul = 0.5
error_cv = 0.003
[stocks.handler.dye]
volume_ul      = 20000
dead_volume_ul = 200
lot            = "D7"
[stocks.handler.buffer]
volume_ul      = {buffer_ul}
dead_volume_ul = 200
lot            = "B12"
"""
CAMPAIGN = """
[campaign]
name = "dilution"
lab = "lab.toml"
protocol = "./dilution.py:dilution"
parallel = {parallel}
[roles]
handler = "handler"
reader = "reader"
first = "plate-1"
second = "plate-2"
[search]
dye_fraction = {{ from = 0.1, to = 0.9 }}
[objective]
measure = "absorbance_au"
goal = "maximise"
[stop]
runs = 40
failures = 40
[planner]
kind = "sobol"
"""


@dataclass(frozen=True)
class Played:
    """A whole campaign, by its record and by its bench."""

    view: View
    engine: Engine
    journal: list[object]
    bench: Bench

    @property
    def ledger(self) -> Inventory:
        assert self.engine.lab.inventory is not None
        return self.engine.lab.inventory


def play(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    faults: str = "",
    buffer_ul: float = 5e4,
    parallel: int = 3,
) -> Played:
    """Simulate it, and keep the bench that its node worked on."""
    benches: list[Bench] = []

    class Seen(Bench):
        def __init__(self, **given: object) -> None:
            super().__init__(**given)  # type: ignore[arg-type]
            benches.append(self)

    monkeypatch.setattr(simulation, "Bench", Seen)
    (folder / "dilution.py").write_text(PROTOCOL)
    (folder / "lab.toml").write_text(LAB.format(seed=seed, faults=faults, buffer_ul=buffer_ul))
    (folder / "campaign.toml").write_text(CAMPAIGN.format(parallel=parallel))
    path = folder / "record.sqlite"
    outcome = simulation.simulate(folder / "campaign.toml", record=path)
    record = Record.open(f"sqlite:///{path}", create=False)
    values = [load(line.type, line.body) for line in record.lines("dilution")]
    assert record.rebuild(check=True) == []
    record.close()
    (bench,) = benches
    engine = fold(prepare(folder / "campaign.toml").script, values)
    return Played(outcome.view, engine, list(values), bench)


def residuals(played: Played, wells: list[Well]) -> list[float]:
    """By how many standard uncertainties the truth is off, of each component in each well."""
    found = []
    for well in wells:
        truth, seen = played.bench.contents(well), played.ledger.contents(str(well))
        assert truth.keys() == {one.component for one in seen.portions}, well
        for one in seen.portions:
            off_ul = truth[one.component] - microlitres(one.volume_pl)
            found.append(off_ul / one.uncertainty_ul)
    return found


def test_the_ledger_is_as_far_from_the_bench_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = 5
    played = play(tmp_path, monkeypatch, seed)
    assert played.view.runs_measured == 40
    names = [name for name in played.ledger.wells if name.startswith("plate-")]
    assert len(names) == 80
    wells = [Well(*name.split("/")) for name in names]
    off = residuals(played, wells)
    # Components of one well share errors, so that there are fewer degrees of freedom than values.
    mean_square = sum(each * each for each in off) / len(off)
    assert 0.75 < mean_square < 1.3, f"seed {seed}: {mean_square}"
    assert max(map(abs, off)) < 4.5, f"seed {seed}"
    for source in ("dye", "buffer"):
        level = played.ledger.level(f"handler/{source}")
        left_ul = played.bench.left("handler", f"source {source}")
        assert abs(left_ul - level.volume_ul) < 4.0 * level.uncertainty_ul, f"seed {seed}"
        assert (level.reserved_ul, level.doubt_ul) == (0.0, 0.0)
    share, uncertainty = played.ledger.contents("plate-2/A1").fraction("dye")
    truth = played.bench.contents(Well("plate-2", "A1"))
    assert abs(truth["dye"] / sum(truth.values()) - share) < 4.0 * uncertainty
    assert not [line for line in played.journal if isinstance(line, do.Flag)]


def test_with_faults_no_more_was_drawn_than_is_booked_or_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = 6
    faults = 'faults = [{ action = "dispense", kind = "raise", probability = 0.2 }]'
    played = play(tmp_path, monkeypatch, seed, faults)
    assert played.view.failures > 3
    in_doubt = 0.0
    for source in ("dye", "buffer"):
        level = played.ledger.level(f"handler/{source}")
        left_ul = played.bench.left("handler", f"source {source}")
        spread_ul = 4.0 * math.hypot(level.uncertainty_ul, 5.0)
        assert level.volume_ul - level.doubt_ul - spread_ul < left_ul, f"seed {seed}"
        assert left_ul < level.volume_ul + spread_ul, f"seed {seed}"
        in_doubt += level.doubt_ul
    assert in_doubt > 0.0


def test_short_stock_ends_a_simulation_before_anything_is_spoilt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = play(tmp_path, monkeypatch, seed=7, buffer_ul=2000.0)
    assert played.view.ended is not None
    assert played.view.ended.ending == "material"
    assert "of buffer short on handler" in played.view.ended.reason
    assert played.view.failures == 0, "no run was begun that could not be finished"
    assert 5 <= played.view.runs_measured <= 20
    asked = [line for line in played.journal if isinstance(line, do.AskRefill)]
    assert [one.source for one in asked] == ["handler/buffer"]


def test_the_forecast_of_each_run_is_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run at a time, so that every instrument is free when it is wanted."""
    played = play(tmp_path, monkeypatch, seed=8, parallel=1)
    prepared = prepare(tmp_path / "campaign.toml")
    simulators = Simulators(prepared.lab.lab, tmp_path)
    at, expected_s, over = 0.0, 0.0, 0
    for line in played.journal:
        if isinstance(line, EVENTS):
            at = line.at  # type: ignore[attr-defined]
        elif isinstance(line, do.BeginRun):
            wells = {
                role: Well(*place.split("/")) for role, place in line.roles.items() if "/" in place
            }
            found = forecast(prepared.script, line.inputs, wells, line.roles, (simulators,), at=at)
            assert found.partial == ""
            expected_s = found.end_s
        elif isinstance(line, do.EndRun):
            assert at == pytest.approx(expected_s, abs=0.01), line.run
            over += 1
    assert over == 40
    learned = Durations()
    for line in played.journal:
        learned.take(line)  # type: ignore[arg-type]
    read_s = learned.predict("reader", "absorbance", {})
    assert read_s is not None
    assert read_s.duration_s == pytest.approx(12.0)
    assert read_s.spread_s == pytest.approx(0.0, abs=1e-6)
