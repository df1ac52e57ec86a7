"""Batch protocols: what their signature says, and what ``[batch]`` must say of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdl.errors import ProtocolMistake, UserMistake
from sdl.model.campaign import BatchRule, Campaign, PlateChoice, RangeParameter
from sdl.model.protocol import Input, Role
from sdl.wire.campaign_check import check_campaign
from sdl.wire.labware_kinds import labware_kind
from sdl.wire.signature import read_signature
from sdl.wire.toml import read_campaign
from tests.wire.test_campaign_check import CAMPAIGN, LAB, OFFERS, SIGNATURE
from tests.wire.test_campaign_file import GOOD
from tests.wire.test_signature import written

SAMPLE = """\
@dataclass(frozen=True, kw_only=True)
class Sample:
    dye_fraction: float
    solvent: Literal["water", "oil"] = "water"

"""


def test_the_fields_of_a_sample_are_the_inputs_and_the_others_are_of_the_run(
    tmp_path: Path,
) -> None:
    body = (
        "@protocol\nasync def assay(handler: LiquidHandler, wells: list[Well], *, "
        "samples: list[Sample], settle_s: float = 30) -> list[Reading | None]: ..."
    )
    signature = read_signature(written(tmp_path, SAMPLE + body))
    assert signature.samples == "samples"
    assert signature.roles[1] == Role(name="wells", capability="Wells")
    assert signature.inputs == (
        Input(name="dye_fraction", kind="float"),
        Input(name="solvent", kind="str", options=("water", "oil"), default="water"),
        Input(name="settle_s", kind="float", default=30, of_run=True),
    )
    assert signature.measures == ("absorbance_au", "count")


REFUSED = [
    (
        "well: Well, *, samples: list[Sample]) -> Reading",
        "takes a list of samples; annotate '->' with list[Result], one for each",
    ),
    (
        "well: Well, *, x: float) -> list[Reading]",
        "returns a list of results and takes no list of samples; add samples: list[Sample] "
        "behind the '*'",
    ),
    (
        "well: Well, *, a: list[Sample], b: list[Sample]) -> list[Reading]",
        "a protocol has one list of samples at most",
    ),
    (
        "well: Well, *, a: list[Sample], dye_fraction: float) -> list[Reading]",
        "dye_fraction is an input of each sample and of the whole run too",
    ),
    (
        "well: Well, *, a: list[Sample] = []) -> list[Reading]",
        "the samples have no default: a campaign gives them",
    ),
    (
        "well: Well, *, a: list[Words]) -> list[Words]",
        "Words.said is <class 'str'>; a measure is a float or an int",
    ),
    (
        "well: Well, *, a: list[Loose]) -> list[Reading]",
        "write @dataclass(frozen=True) above Loose",
    ),
    (
        "well: Well, *, wells: list[Well]) -> Reading",
        "a role stands before the '*'; after it stand inputs",
    ),
]
LOOSE = "@dataclass\nclass Loose:\n    x: float\n\n"


@pytest.mark.parametrize("signature, told", REFUSED)
def test_a_wrong_batch_protocol_is_refused(tmp_path: Path, signature: str, told: str) -> None:
    body = f"{SAMPLE}{LOOSE}@protocol\nasync def assay({signature}: ..."
    with pytest.raises(ProtocolMistake) as caught:
        read_signature(written(tmp_path, body))
    assert str(caught.value).endswith(told)


def read(tmp_path: Path, batch: str) -> Campaign:
    path = tmp_path / "campaign.toml"
    path.write_text(f"{GOOD}\n[batch]\n{batch}\n")
    return read_campaign(path)


def test_a_campaign_says_how_many_suggestions_one_run_carries(tmp_path: Path) -> None:
    assert read(tmp_path, "size = 8").batch == BatchRule(size=8)


@pytest.mark.parametrize(
    "batch, told",
    [
        ("", "batch.size: is missing; write for instance: size = 8"),
        ("size = 0", "batch.size: 0 samples in a run; use 1 to 1,536"),
        ("sizes = 8\nsize = 1", "batch.sizes: unknown key; did you mean 'size'?"),
    ],
)
def test_a_wrong_batch_is_told(tmp_path: Path, batch: str, told: str) -> None:
    with pytest.raises(UserMistake) as caught:
        read(tmp_path, batch)
    assert str(caught.value).endswith(told)


SAMPLES = replace(
    SIGNATURE,
    roles=(SIGNATURE.roles[0], Role(name="wells", capability="Wells")),
    inputs=(Input(name="x", kind="float"), Input(name="wait_s", kind="float", of_run=True)),
    samples="samples",
)
KIND = labware_kind("plate-96-flat").name
BATCH = replace(
    CAMPAIGN,
    roles={"pump": ("pump",), "wells": ("plate-1",)},
    fixed={"wait_s": 3.0},
    batch=BatchRule(size=8),
)


def check(campaign: Campaign, *expected: str, signature: object = SAMPLES) -> None:
    found = check_campaign(campaign, LAB, signature, OFFERS)  # type: ignore[arg-type]
    assert [mistake.message for mistake in found] == list(expected)


def test_what_fits_is_not_blamed_and_needs_no_count_of_wells() -> None:
    check(BATCH)
    check(replace(BATCH, plates={"wells": PlateChoice(kind=KIND)}))


def test_batch_and_protocol_must_fit_each_other() -> None:
    without = replace(BATCH, batch=None, plates={"wells": PlateChoice(count=8)})
    check(without, "batch: assay takes a list of samples; say how many: [batch] size = 8")
    single = replace(CAMPAIGN, batch=BatchRule(size=8))
    told = "batch: assay takes one sample at a time; remove [batch]"
    check(single, told, signature=SIGNATURE)


def test_what_belongs_to_the_whole_run_cannot_be_searched() -> None:
    space = (*BATCH.space, RangeParameter(name="wait_s", low=0.0, high=9.0))
    told = "search.wait_s: belongs to the whole run, and not to a sample; move it to [fixed]"
    check(replace(BATCH, space=space, fixed={}), told)


def test_a_batch_needs_as_many_wells_on_one_plate_as_it_has_samples() -> None:
    told = "roles.wells.count: 97 wells on one plate; the largest has 96"
    check(replace(BATCH, batch=BatchRule(size=97)), told)
