"""What is refused before anything begins, as labware could not be carried where it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.errors import UserMistake
from sdl.shell.preflight import prepare
from tests.sim.places import place

LAB = """
[lab]
name = "cell"

[instruments.handler]
simulator  = "liquid-handler"
sources_ul = { dye = 20000, buffer = 50000 }
sites      = 1

[instruments.reader]
simulator = "absorbance-reader"
sites     = 1

[instruments.arm]
simulator = "arm"
reaches   = ["handler", "reader", "hotel"]

[places.hotel]
sites = SITES

[labware.plate-1]
at = "handler"

[labware.plate-2]
at = "reader"

[labware.plate-3]
at = "hotel"
"""


def campaign(folder: Path, sites: int) -> Path:
    path = place(folder)
    lab = LAB.replace("SITES", str(sites))
    (folder / "lab.toml").write_text(lab, encoding="utf-8")
    return path


def test_a_start_from_which_nothing_can_move_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match=r"roles\.well: 'plate-1' stands on handler/1") as mistake:
        prepare(campaign(tmp_path, sites=1))
    assert "needed at reader, and neither it nor what is in its way" in str(mistake.value)
    assert mistake.value.place is not None
    assert mistake.value.place.line == 16


def test_one_free_site_is_enough_and_who_joins_a_lab_at_work_finds_another_one(
    tmp_path: Path,
) -> None:
    assert prepare(campaign(tmp_path, sites=2)).lab.lab.name == "cell"
    assert prepare(campaign(tmp_path, sites=1), joins=True).lab.lab.name == "cell"


def test_a_transporter_plays_no_role_and_instruments_need_sites(tmp_path: Path) -> None:
    path = campaign(tmp_path, sites=2)
    lab = tmp_path / "lab.toml"
    no_site = lab.read_text(encoding="utf-8").replace("sites     = 1\n", "", 1)
    no_site = no_site.replace('"handler", "reader", "hotel"', '"handler", "hotel"')
    lab.write_text(no_site.replace('at = "reader"', 'at = "hotel"'), encoding="utf-8")
    with pytest.raises(UserMistake, match="'reader' has no sites for it; add sites = 1"):
        prepare(path)


GRIPPER = """
from sdl.sim import Bench


class Gripper:
    def __init__(self, *, name: str, bench: Bench) -> None:
        self.name = name

    async def connect(self) -> None: ...
    async def disconnect(self) -> None: ...
    async def make_safe(self) -> None: ...
    async def move(self, labware: str, source: str, target: str) -> None: ...
"""
LID = """
[places.lids]
sites = 1

[labware.lid-1]
kind  = "cor_96_wellplate_360uL_Fb_lid"
on    = "plate-3"
parks = "lids/1"
"""


def test_an_arm_that_may_take_the_plate_for_the_lid_is_told_to_move_none(tmp_path: Path) -> None:
    path = campaign(tmp_path, sites=2)
    (tmp_path / "gripper.py").write_text(GRIPPER, encoding="utf-8")
    file = tmp_path / "lab.toml"
    plain = file.read_text(encoding="utf-8") + LID
    reaching = plain.replace('"reader", "hotel"]', '"reader", "hotel", "lids"]')
    other = reaching.replace('simulator = "arm"', 'simulator = "./gripper.py:Gripper"')
    file.write_text(other, encoding="utf-8")
    with pytest.raises(UserMistake, match="'arm' reaches 'lids', where lids lie, and Gripper does"):
        prepare(path)
    knows = GRIPPER.replace("    def __init__", "    carries_lids = True\n\n    def __init__", 1)
    (tmp_path / "gripper.py").write_text(knows, encoding="utf-8")
    assert prepare(path)
    file.write_text(other.replace(', "lids"]', "]"), encoding="utf-8")
    (tmp_path / "gripper.py").write_text(GRIPPER, encoding="utf-8")
    assert prepare(path)  # a person moves them
