"""``sdl protocol run``: the campaign file that is made of a person's words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sdl.cli.exits import Exit
from sdl.cli.protocol import _signature, _written
from sdl.errors import UserMistake
from sdl.model.campaign import BatchRule, Campaign, PlateChoice
from sdl.wire.toml import open_lab, read_campaign
from tests.cli.conftest import command, process

EXAMPLE = Path(__file__).parents[2] / "examples" / "batch"
STRIP = """
from dataclasses import dataclass

from sdl import Well, protocol
from sdl.capabilities import LiquidHandler, PlateReader

@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    mean_au: float

@protocol
async def strip(
    handler: LiquidHandler, reader: PlateReader, wells: list[Well], *, dye_fraction: float
) -> Strip:
    \"\"\"The same mixture in several wells.\"\"\"
    found = []
    for well in wells:
        dye_ul = 200 * dye_fraction
        await handler.dispense(well, {"dye": dye_ul, "buffer": 200 - dye_ul})
    for well in wells:
        found.append(await reader.absorbance(well, wavelength_nm=450.0))
    return Strip(mean_au=sum(found) / len(found))
"""
SECOND_READER = """
[instruments.reader-2]
simulator = "absorbance-reader"
"""
TIPS = '\n[labware.tips]\nkind = "hamilton_96_tiprack_300uL"\n'


def written(folder: Path, protocol: str, runs: int, *given: str) -> Campaign:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    (folder / "strip.py").write_text(STRIP)
    lab = folder / "lab.toml"
    lab.write_text(lab.read_text() + SECOND_READER + TIPS)
    file = open_lab(lab)
    reference, signature = _signature(protocol, file)
    said = dict(one.split("=", 1) for one in given)
    return read_campaign(_written(file, lab, reference, signature, said, runs))


def test_wells_are_those_of_all_that_has_wells(tmp_path: Path) -> None:
    campaign = written(tmp_path, "dye-assay", 2, "dye_fraction=0.3")
    assert campaign.roles["well"] == ("plate-1", "plate-2", "plate-3")
    assert campaign.batch is None


def test_runs_of_a_batch_protocol_are_samples_of_one_run(tmp_path: Path) -> None:
    protocol = f"{tmp_path / 'plate_assay.py'}:plate_assay"
    campaign = written(tmp_path, protocol, 5, "dye_fraction=0.3", "settle_s=10 s")
    assert campaign.batch == BatchRule(size=5)
    assert campaign.stop.runs == 5
    many = written(tmp_path / "many", protocol, 500, "dye_fraction=0.3")
    assert many.batch == BatchRule(size=96), "as many as a plate has wells"
    assert campaign.fixed == {"dye_fraction": 0.3, "settle_s": 10.0}


STRIP_OF = ("dye_fraction=0.3", "handler=handler")


def of_strip(folder: Path, *given: str) -> Campaign:
    return written(folder, f"{folder / 'strip.py'}:strip", 1, *STRIP_OF, *given)


def test_a_list_of_wells_is_so_many_of_any_plate_or_of_those_that_are_named(tmp_path: Path) -> None:
    campaign = of_strip(tmp_path, "wells=6")
    assert campaign.roles["wells"] == ("plate-1", "plate-2", "plate-3")
    assert campaign.plates == {"wells": PlateChoice(count=6)}
    assert campaign.roles["reader"] == ("reader", "reader-2"), "one of them for each run"
    campaign = of_strip(tmp_path, "wells=plate-2, plate-3:12", "reader=reader-2")
    assert campaign.roles["wells"] == ("plate-2", "plate-3")
    assert campaign.plates == {"wells": PlateChoice(count=12)}
    assert campaign.roles["reader"] == ("reader-2",)


def test_a_role_may_be_said_as_in_a_campaign_file(tmp_path: Path) -> None:
    wells = 'wells={kind="plate-96-flat",\n count=4}'
    campaign = of_strip(tmp_path, wells, 'reader={any_of=["reader", "reader-2"]}')
    assert campaign.plates["wells"].kind
    assert campaign.plates["wells"].count == 4
    assert campaign.roles["reader"] == ("reader", "reader-2")
    assert campaign.pooled == ("reader",)


@pytest.mark.parametrize(
    "given,told",
    [
        ((), "a list of wells; say how many: wells=6, or a plate's: NAME:6"),
        (("wells=plate-1,plate-2",), "say how many: wells=plate-1,plate-2:6"),
        (("wells=plate-1:A1-A6",), "'A1-A6' is no number of wells; wells are taken in turn"),
        (("wells=plate-1:0",), "'0' is no number of wells"),
        (("wells=plate-1/A1:1",), "name the plate alone"),
        (("wells=6", "reader=reader:2"), "an instrument has no wells; write reader=reader"),
        (("wells={kind=plate-96-flat, count=6}",), "names into double ones: 'wells={kind="),
    ],
)
def test_what_cannot_be_meant_is_told_with_a_way_out(
    tmp_path: Path, given: tuple[str, ...], told: str
) -> None:
    with pytest.raises(UserMistake) as mistake:
        of_strip(tmp_path, *given)
    assert told in str(mistake.value)


def test_one_well_has_no_number(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="takes one well; write well=plate-1"):
        written(tmp_path, "dye-assay", 1, "dye_fraction=0.3", "well=plate-1:3")


def test_a_trough_is_no_plate_for_samples(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    lab = tmp_path / "lab.toml"
    lab.write_text(lab.read_text() + '\n[labware.trough]\nkind = "hamilton_1_trough_120mL_Vb"\n')
    file = open_lab(lab)
    reference, signature = _signature(f"{tmp_path / 'plate_assay.py'}:plate_assay", file)
    campaign = read_campaign(_written(file, lab, reference, signature, {"dye_fraction": "0.3"}, 8))
    assert campaign.batch == BatchRule(size=8)
    assert "trough" not in campaign.roles["wells"]


def test_a_strip_of_wells_is_filled_and_read_on_a_real_bus(tmp_path: Path) -> None:
    of_strip(tmp_path, "wells=3")  # writes the lab and the protocol
    lab = tmp_path / "lab.toml"
    lab.write_text(lab.read_text().replace("speed  = 60", "speed  = 600"))
    pool = 'reader={any_of=["reader", "reader-2"]}'
    words = ("protocol", "run", "./strip.py:strip", "dye_fraction=0.3", "wells=plate-2:3", pool)
    said = process(tmp_path, *words, "--json")
    assert said.code == Exit.OK, said.err
    (run,) = command(tmp_path, "runs", "list", "--json").document["runs"]
    assert run["outcome"] == "measured"
    assert run["roles"]["wells"] == "plate-2/A1,plate-2/B1,plate-2/C1"
