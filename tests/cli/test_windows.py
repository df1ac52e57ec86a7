"""What ``sdl check`` says of windows that are shorter than any carry."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Said, command

LAB = """
[lab]
name  = "tight-bench"
speed = 30

[instruments.handler]
simulator  = "liquid-handler"
sites      = 1
sources_ul = { dye = 20000, buffer = 50000 }

[instruments.reader]
simulator = "absorbance-reader"
sites     = 1

[instruments.arm]
simulator = "arm"
reaches   = ["hotel", "handler"]

[places.hotel]
sites = 2

[labware.plate-1]
kind = "plate-96-flat"
at   = "hotel"
"""
SECOND_ARM = """
[instruments.arm-2]
simulator = "arm"
reaches   = ["hotel", "reader"]
"""
CAMPAIGN = """
[campaign]
name     = "tight"
lab      = "lab.toml"
protocol = "./soon.py:soon"

[roles]
handler = "handler"
reader  = "reader"
well    = "plate-1"

[search]
volume_ul = { from = 50, to = 100 }

[objective]
measure = "absorbance_au"
goal    = "maximise"
"""
PROTOCOL = """
from dataclasses import dataclass

from sdl import Well, protocol, within
from sdl.capabilities import LiquidHandler, PlateReader

@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    absorbance_au: float

@protocol
async def soon(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, volume_ul: float
) -> Reading:
    await handler.dispense(well, {"dye": volume_ul})
    async with within(WITHIN_S):
        return Reading(absorbance_au=await reader.absorbance(well, wavelength_nm=450.0))
"""


def checked(folder: Path, within_s: int, lab: str = LAB) -> Said:
    (folder / "lab.toml").write_text(lab)
    (folder / "campaign.toml").write_text(CAMPAIGN)
    (folder / "soon.py").write_text(PROTOCOL.replace("WITHIN_S", str(within_s)))
    return command(folder, "check", "campaign.toml", "--json")


def test_a_window_that_is_shorter_than_two_arms_need_is_told_and_not_refused(
    tmp_path: Path,
) -> None:
    (remark,) = checked(tmp_path, 5, LAB + SECOND_ARM).document["remarks"]
    begin, between, end = (
        "no run can keep a window of 5 s: absorbance on reader (step-2) begins ",
        " s after dispense on handler at the earliest, as plate-1 is on its way for ",
        " s (arm, arm-2); widen the window in the protocol, or shorten the way",
    )
    assert remark.startswith(begin)
    assert between in remark
    assert remark.endswith(end)
    said = command(tmp_path, "check", "campaign.toml")
    assert said.code == 0
    assert f"  mind         {remark}" in said.out


def test_a_person_on_the_way_is_named_with_the_time_they_are_given(tmp_path: Path) -> None:
    (remark,) = checked(tmp_path, 60).document["remarks"]
    assert "a person, who is taken to need 300 s" in remark


def test_of_a_window_that_can_be_kept_nothing_is_said(tmp_path: Path) -> None:
    assert checked(tmp_path, 120, LAB + SECOND_ARM).document["remarks"] == []
