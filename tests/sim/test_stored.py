"""A plate of stored liquids on the virtual bench: ledger and wells agree, under faults too."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.shell.preflight import Prepared, prepare
from sdl.sim.drill import drill
from tests.cli.conftest import command
from tests.sim.places import place

PICK = """
from dataclasses import dataclass

from sdl import Plate, Well, protocol
from sdl.capabilities import LiquidHandler, PlateReader


@dataclass(frozen=True)
class Seen:
    absorbance_au: float


@protocol
async def pick(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, dye_fraction: float, settle_s: float
) -> Seen:
    await handler.transfer(Well("library", "B1"), well, 20.0 + 50.0 * dye_fraction)
    await handler.dispense(well, {"buffer": 100.0})
    return Seen(await reader.absorbance(well, wavelength_nm=450.0))
"""
LIBRARY = """
[labware.library]
kind     = "plate-96-flat"
contents = "library.csv"

[stocks.handler.buffer]
volume_ul = 50000
"""


@pytest.fixture
def picking(tmp_path: Path) -> Path:
    campaign = place(tmp_path, runs=4, parallel=2)
    (tmp_path / "pick.py").write_text(PICK, encoding="utf-8")
    (tmp_path / "library.csv").write_text(
        "well,component,volume_ul,lot\nA1,buffer,100,\nB1,dye,350,D-7\n", encoding="utf-8"
    )
    text = campaign.read_text(encoding="utf-8")
    found = next(line for line in text.splitlines() if line.startswith("protocol"))
    campaign.write_text(text.replace(found, 'protocol = "./pick.py:pick"'), encoding="utf-8")
    lab = tmp_path / "lab.toml"
    lab.write_text(lab.read_text(encoding="utf-8") + LIBRARY, encoding="utf-8")
    return campaign


def test_a_campaign_draws_from_it_and_the_inventory_says_so(picking: Path) -> None:
    folder = picking.parent
    checked = command(folder, "check", "campaign.toml").out
    assert "library: cor_96_wellplate_360uL_Fb, 96 wells, 2 of them filled" in checked
    done = command(folder, "simulate", "campaign.toml", "--json").document
    assert (done["runs"]["measured"], done["runs"]["failures"]) == (4, 0)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_befalls_it_the_ledger_knows_what_is_in_its_wells(
    picking: Path, seed: int
) -> None:
    prepared: Prepared = prepare(picking)
    report = drill(prepared, seed, faults=40.0)
    assert not report.broken, f"seed {seed}: {report.broken}"
    assert report.ending, f"seed {seed}"
