"""Wells by kind and in lists: what a campaign's file says, and whether the lab has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdl.errors import UserMistake, UserMistakes
from sdl.model.campaign import BatchRule, Campaign, PlateChoice
from sdl.model.lab import Lab, Place
from sdl.model.labware import Labware
from sdl.model.protocol import Role
from sdl.wire.campaign_check import check_campaign
from sdl.wire.labware_kinds import labware_kind
from sdl.wire.toml import read_campaign
from tests.wire.test_campaign_check import CAMPAIGN, LAB, OFFERS, SIGNATURE
from tests.wire.test_campaign_file import GOOD

FLAT = labware_kind("plate-96-flat")


def read(tmp_path: Path, well: str) -> Campaign:
    path = tmp_path / "campaign.toml"
    path.write_text(GOOD.replace('["plate-1", "plate-2"]', well))
    return read_campaign(path)


READ: list[tuple[str, tuple[str, ...], PlateChoice]] = [
    ('{ kind = "plate-96-flat" }', (), PlateChoice(kind="cor_96_wellplate_360uL_Fb")),
    (
        '{ kind = "cor_96_wellplate_360uL_Fb", at = "hotel", count = 8 }',
        (),
        PlateChoice(kind="cor_96_wellplate_360uL_Fb", at="hotel", count=8),
    ),
    ('{ plates = "plate-1", count = 2 }', ("plate-1",), PlateChoice(count=2)),
]


@pytest.mark.parametrize("well, names, choice", READ)
def test_a_role_with_a_table_says_how_its_wells_are_chosen(
    tmp_path: Path, well: str, names: tuple[str, ...], choice: PlateChoice
) -> None:
    campaign = read(tmp_path, well)
    assert campaign.roles["well"] == names
    assert campaign.plates == {"well": choice}


WRONG = [
    ("{ count = 2 }", "roles.well: say one of the two: kind = "),
    ('{ kind = "plate-96-flat", plates = ["a"] }', "roles.well: say one of the two"),
    ('{ plates = ["a"], at = "hotel" }', "roles.well.at: goes with kind only"),
    ('{ plates = ["a", "a"] }', "roles.well.plates: names the same thing twice"),
    ('{ plates = ["a"], count = 0 }', "roles.well.count: 0 wells; use 1 to 1536"),
    ('{ kind = "plate-97" }', "roles.well.kind: 'plate-97' is no kind of labware"),
    ('{ kind = "plate-96-flat", cont = 8 }', "roles.well.cont: unknown key; did you mean 'count'?"),
]


@pytest.mark.parametrize("well, told", WRONG)
def test_a_wrong_choice_of_wells_is_told_with_its_line(
    tmp_path: Path, well: str, told: str
) -> None:
    with pytest.raises((UserMistake, UserMistakes)) as caught:
        read(tmp_path, well)
    assert f"campaign.toml:16: {told}" in str(caught.value)


LIST = replace(SIGNATURE, roles=(SIGNATURE.roles[0], Role(name="wells", capability="Wells")))
THERE = replace(
    LAB,
    places=(Place(name="hotel", sites=9),),
    labware=(*LAB.labware, Labware(name="plate-2", kind=FLAT, at="hotel/1")),
)


def check(*expected: str, role: str = "well", lab: Lab = THERE, **changes: object) -> None:
    choice = PlateChoice(**changes)  # type: ignore[arg-type]
    names = () if choice.kind else ("plate-1",)
    spec = replace(CAMPAIGN, roles={"pump": ("pump",), role: names}, plates={role: choice})
    found = check_campaign(spec, lab, SIGNATURE if role == "well" else LIST, OFFERS)
    assert [mistake.message for mistake in found] == list(expected)


def test_what_the_lab_has_is_not_blamed() -> None:
    check(kind=FLAT.name)
    check(kind=FLAT.name, at="hotel")
    check(kind=FLAT.name, count=96, role="wells")
    check(count=8, role="wells")


def test_a_kind_or_a_place_that_the_lab_has_not_is_told_with_what_it_has() -> None:
    other = labware_kind("plate-384-flat").name
    check(
        f"roles.well.kind: the lab has no plate of this kind; did you mean {FLAT.name!r}?",
        kind=other,
    )
    told = "roles.well.at: 'hotle' is no place of this lab with sites; did you mean 'hotel'?"
    check(told, kind=FLAT.name, at="hotle")
    rack = labware_kind("hamilton_96_tiprack_300uL")
    lab = replace(THERE, labware=(*THERE.labware, Labware(name="tips", kind=rack)))
    check(
        f"roles.well.kind: {rack.name} has no wells; the role needs a plate",
        kind=rack.name,
        lab=lab,
    )


def test_how_many_wells_is_said_where_there_is_a_list_and_nowhere_else() -> None:
    check("roles.well.count: the protocol takes one well in this role; remove count", count=2)
    check(
        "roles.wells: the protocol takes a list of wells; say how many: "
        'wells = { plates = ["plate-1"], count = 8 }',
        role="wells",
    )
    check("roles.wells.count: 97 wells on one plate; the largest has 96", count=97, role="wells")


def test_a_batch_has_a_well_for_each_sample_at_least() -> None:
    spec = replace(
        CAMPAIGN,
        batch=BatchRule(size=12),
        roles={"pump": ("pump",), "wells": ("plate-1",)},
        plates={"wells": PlateChoice(count=8)},
    )
    found = [one.message for one in check_campaign(spec, THERE, LIST, OFFERS)]
    told = "roles.wells.count: 8 wells for 12 samples in a run; give at least 12, or remove count"
    assert told in found
    spec = replace(spec, plates={"wells": PlateChoice(count=24)})
    found = [one.message for one in check_campaign(spec, THERE, LIST, OFFERS)]
    assert not any("roles.wells.count" in one for one in found)


def test_as_many_runs_as_may_be_in_flight_need_wells_at_once() -> None:
    spec = replace(
        CAMPAIGN,
        parallel=3,
        roles={"pump": ("pump",), "wells": ()},
        plates={"wells": PlateChoice(kind=FLAT.name, count=60)},
    )
    (found,) = check_campaign(spec, THERE, LIST, OFFERS)
    told = "3 runs at once need more wells than 'wells' has (192); add a plate"
    assert found.message == f"campaign.parallel: {told}"


def test_an_instrument_is_named_and_not_chosen_by_kind() -> None:
    spec = replace(CAMPAIGN, plates={"pump": PlateChoice(kind=FLAT.name)})
    (found,) = check_campaign(spec, THERE, SIGNATURE, OFFERS)
    assert found.message == ("roles.pump: is played by an instrument (Pump); name it: pump = ...")
