"""Kinds of labware come from PyLabRobot's definitions, by name, and from nowhere else."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

import pytest
from pylabrobot.resources import (  # type: ignore[import-untyped]
    cor_96_wellplate_360uL_Fb,
    does_tip_tracking,
    does_volume_tracking,
)

from sdl.errors import RecordFault, UserMistake
from sdl.wire.journal import dump, load
from sdl.wire.labware_kinds import SHORT_NAMES, all_kinds, labware_kind, names_of_kinds
from tests.core.floor import campaign, script, started


async def nothing() -> None:
    """No protocol at all: its head is written, not run."""


def test_a_kind_has_the_numbers_of_its_definition() -> None:
    defined, kind = cor_96_wellplate_360uL_Fb("x"), labware_kind("cor_96_wellplate_360uL_Fb")
    well = defined.get_well("A1")
    assert (kind.rows, kind.columns, kind.count) == (8, 12, 96)
    assert kind.capacity_ul == well.max_volume
    assert (kind.length_mm, kind.width_mm) == (defined.get_size_x(), defined.get_size_y())
    assert list(kind.wells) == [each.get_identifier() for each in defined.get_all_items()]


@pytest.mark.parametrize("volume_ul", [20.0, 35.0, 200.0, 260.0, 360.0])
def test_the_path_of_light_is_what_the_definition_computes(volume_ul: float) -> None:
    well = cor_96_wellplate_360uL_Fb("x").get_well("A1")
    kind = labware_kind("plate-96-flat")
    wanted_cm = well.compute_height_from_volume(volume_ul) / 10.0
    assert kind.path_cm(volume_ul) == pytest.approx(wanted_cm, rel=1e-9)


@pytest.mark.parametrize("name", ["plate-96-flat", "plate-384-flat", "cor_96_wellplate_2mL_Vb"])
def test_more_liquid_never_stands_lower(name: str) -> None:
    kind = labware_kind(name)
    heights = [kind.path_cm(kind.capacity_ul * part / 50.0) for part in range(56)]
    assert heights[0] == 0.0
    assert all(low < high for low, high in pairwise(heights))


def test_a_formula_is_followed_to_a_part_in_a_hundred_of_the_depth() -> None:
    from pylabrobot.resources import cor_96_wellplate_2mL_Vb

    well, kind = (
        cor_96_wellplate_2mL_Vb("x").get_well("A1"),
        labware_kind("cor_96_wellplate_2mL_Vb"),
    )
    for part in range(1, 80):
        volume_ul = 2090.0 * part / 80.0
        wanted_cm = well.compute_height_from_volume(volume_ul) / 10.0
        assert abs(kind.path_cm(volume_ul) - wanted_cm) < 0.01 * kind.depth_mm / 10.0, volume_ul


def test_rows_beyond_z_have_two_letters() -> None:
    wells = labware_kind("Lowbase_Greiner_1536_Well").wells
    assert len(wells) == 1536
    assert (wells[25], wells[26], wells[31]) == ("Z1", "AA1", "AF1")


@pytest.mark.parametrize(
    "name, category, count",
    [
        ("hamilton_96_tiprack_300uL", "tip_rack", 96),
        ("hamilton_1_trough_200mL_Vb", "trough", 1),
        ("cor_96_wellplate_360uL_Fb_lid", "lid", 0),
    ],
)
def test_racks_troughs_and_lids_are_kinds_too(name: str, category: str, count: int) -> None:
    kind = labware_kind(name)
    assert (kind.category, kind.count) == (category, count)
    assert bool(kind.wells) is (category == "trough")


def test_a_name_that_was_given_up_is_understood_as_its_successor() -> None:
    assert labware_kind("Cor_96_wellplate_360ul_Fb") == labware_kind("cor_96_wellplate_360uL_Fb")


@pytest.mark.parametrize(
    "name, words",
    [
        ("cor_96_welplate_360ul_fb", "the nearest are cor_96_wellplate_360uL_Fb"),
        ("zzzzzzzz", "is no kind of labware; `sdl labware` lists all"),
        ("opentrons_96_tiprack_300ul", "fetches the definition of .* over the network"),
        ("HT", "HT is deprecated. use hamilton_96_tiprack_1000uL instead"),
        ("Coordinate", "is no kind of labware"),
    ],
)
def test_a_name_without_geometry_is_refused_with_a_way_out(name: str, words: str) -> None:
    with pytest.raises(UserMistake, match=words):
        labware_kind(name)


def test_short_names_are_names_of_kinds_and_stand_first() -> None:
    names = names_of_kinds()
    assert names[: len(SHORT_NAMES)] == tuple(SHORT_NAMES)
    assert set(SHORT_NAMES.values()) <= set(names)


def test_a_list_is_narrowed_by_words_whatever_their_case() -> None:
    found = [kind.name for kind in all_kinds("COR", "360")]
    assert found == ["cor_96_wellplate_360uL_Fb", "cor_96_wellplate_360uL_Fb_lid"]


def test_reading_a_kind_says_nothing_and_leaves_the_switches_of_pylabrobot_alone() -> None:
    before = (does_tip_tracking(), does_volume_tracking())
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            "from sdl.wire.labware_kinds import labware_kind\n"
            "labware_kind('Cor_96_wellplate_360ul_Fb'); labware_kind('DiTi_10ul_LiHa')",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (does_tip_tracking(), does_volume_tracking()) == before


def test_the_journal_holds_the_geometry_and_reads_a_head_of_version_0_1_0() -> None:
    head = started(campaign(), script(nothing))
    body = json.loads(dump(head))
    assert load("CampaignStarted", dump(head)) == head
    assert body["lab"]["labware"][0]["kind"]["capacity_ul"] == 360.0
    body["lab"]["labware"] = [{"name": "plate-1", "kind": "plate-96-flat"}]
    assert load("CampaignStarted", json.dumps(body)) == head
    body["lab"]["labware"][0]["kind"] = 96
    with pytest.raises(RecordFault, match="CampaignStarted cannot be read"):
        load("CampaignStarted", json.dumps(body))
