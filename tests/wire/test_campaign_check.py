"""Whether campaign, lab and protocol fit each other, for values made in Python too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.model.campaign import Campaign, ChoiceParameter, Objective, RangeParameter
from sdl.model.hypothesis import Hypothesis, Prediction
from sdl.model.lab import Instrument, Lab, Place
from sdl.model.labware import Labware
from sdl.model.protocol import Input, ProtocolSignature, Role
from sdl.wire.campaign_check import check_campaign
from sdl.wire.labware_kinds import labware_kind

LAB = Lab(
    name="bench",
    instruments=(
        Instrument(name="pump", driver="p", simulated=True),
        Instrument(name="reader", driver="r", simulated=False),
    ),
    labware=(Labware(name="plate-1", kind=labware_kind("plate-96-flat")),),
)
SIGNATURE = ProtocolSignature(
    name="assay",
    roles=(
        Role(name="pump", capability="Pump", actions=("push", "pull")),
        Role(name="well", capability="Well"),
    ),
    inputs=(
        Input(name="x", kind="float"),
        Input(name="cycles", kind="int", default=3),
        Input(name="solvent", kind="str", options=("water", "oil"), default="water"),
        Input(name="level", kind="int", options=(1, 2), default=1),
    ),
    measures=("y_au",),
    source_sha256="0" * 64,
)
CAMPAIGN = Campaign(
    name="c",
    lab="lab.toml",
    protocol="assay",
    roles={"pump": ("pump",), "well": ("plate-1",)},
    space=(RangeParameter(name="x", low=0.0, high=1.0),),
    objective=Objective(measure="y_au", goal="maximise"),
)
OFFERS = {"pump": {"push", "pull", "rinse"}, "reader": {"absorbance"}}


def check(campaign: Campaign, *expected: str, lab: Lab = LAB) -> None:
    """Exactly these mistakes are found."""
    found = check_campaign(campaign, lab, SIGNATURE, OFFERS)
    assert [mistake.message for mistake in found] == list(expected)


def test_a_rack_of_tips_and_a_place_play_no_part_that_needs_wells() -> None:
    rack = Labware(name="tips", kind=labware_kind("hamilton_96_tiprack_300uL"))
    lab = replace(LAB, labware=(*LAB.labware, rack), places=(Place(name="hotel", sites=2),))
    for name, what in (("tips", "a tip rack"), ("hotel", "a place"), ("reader", "an instrument")):
        roles = {"pump": ("pump",), "well": (name,)}
        told = f"roles.well: {name!r} is {what}; the role needs a plate"
        check(replace(CAMPAIGN, roles=roles), told, lab=lab)


def x_and(*more: RangeParameter | ChoiceParameter) -> Campaign:
    return replace(CAMPAIGN, space=(*CAMPAIGN.space, *more))


def predicting(quantity: str, **fields: object) -> Campaign:
    plain = {"at": "best", "direction": "below", "threshold": 1.0}
    predicts = Prediction(quantity=quantity, **{**plain, **fields})  # type: ignore[arg-type]
    space = (*CAMPAIGN.space, ChoiceParameter(name="solvent", options=("water", "oil")))
    return replace(CAMPAIGN, space=space, hypothesis=Hypothesis(claim="!", predicts=predicts))


def test_what_fits_is_not_blamed() -> None:
    check(CAMPAIGN)
    check(x_and(RangeParameter(name="cycles", low=1, high=9, integer=True)))
    check(x_and(ChoiceParameter(name="solvent", options=("oil",))))
    check(predicting("x"))
    check(predicting("y_au", noise_sd=0.1))
    check(predicting("y_au", at="typical"))


def test_every_instrument_that_may_play_a_role_must_be_able_to() -> None:
    roles = {"pump": ("pump", "reader"), "well": ("plate-1",)}
    check(
        replace(CAMPAIGN, roles=roles),
        "roles.pump: 'reader' cannot pull, push, which a Pump must; "
        "choose another instrument or driver",
    )


MISFITS: list[tuple[Campaign, str]] = [
    (
        x_and(RangeParameter(name="cycles", low=1, high=9)),
        "search.cycles: is a whole number in the protocol; add integer = true",
    ),
    (
        x_and(RangeParameter(name="solvent", low=1, high=9)),
        'search.solvent: is text in the protocol; use choices = ["water", "oil"]',
    ),
    (
        x_and(RangeParameter(name="level", low=1, high=2, integer=True)),
        "search.level: takes a few values only; use choices = [1, 2]",
    ),
    (
        x_and(ChoiceParameter(name="solvent", options=("water", "oli"))),
        "search.solvent: 'oli' is none of the protocol's options; did you mean 'oil'?",
    ),
    (
        x_and(ChoiceParameter(name="cycles", options=(1, 2.5))),
        "search.cycles: 2.5 does not fit: the protocol needs a whole number",
    ),
    (
        replace(CAMPAIGN, fixed={"cycles": "many"}),
        "fixed.cycles: 'many' does not fit: the protocol needs a whole number",
    ),
    (
        replace(CAMPAIGN, parallel=97),
        "campaign.parallel: 97 runs at once need more wells than 'well' has (96); add a plate",
    ),
    (
        predicting("z"),
        "hypothesis.predicts.quantity: 'z' is neither a measure nor a searched input; "
        "known are: solvent, x, y_au",
    ),
    (
        predicting("solvent"),
        "hypothesis.predicts.quantity: 'solvent' has named options; predict a number",
    ),
    (
        predicting("x", at="typical"),
        'hypothesis.predicts.at: an input is judged at "best"; "typical" is for measures',
    ),
    (
        predicting("y_au", noise_sd=-1.0),
        "hypothesis.predicts.noise_sd: -1 must be above 0",
    ),
]


@pytest.mark.parametrize("campaign,message", MISFITS)
def test_what_does_not_fit_is_told(campaign: Campaign, message: str) -> None:
    check(campaign, message)


def test_real_instruments_keep_real_time() -> None:
    fast = replace(LAB, speed=60.0)
    check(CAMPAIGN, "campaign.lab: its speed is 60, but 'reader' is real; remove it", lab=fast)
