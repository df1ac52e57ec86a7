"""Roles of which any of several instruments does each step: what the file says, and when not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdl.errors import UserMistake, UserMistakes
from sdl.model.campaign import Campaign
from sdl.model.lab import Instrument
from sdl.model.stock import Stocks
from sdl.wire.campaign_check import check_campaign
from sdl.wire.toml import open_campaign, read_campaign
from tests.wire.test_campaign_check import CAMPAIGN, LAB, OFFERS, SIGNATURE
from tests.wire.test_campaign_file import GOOD

TWINS = replace(
    LAB, instruments=(*LAB.instruments, Instrument(name="twin", driver="p", simulated=True))
)
CAN = {**OFFERS, "twin": OFFERS["pump"], "reader": OFFERS["pump"]}


def read(tmp_path: Path, well: str) -> Campaign:
    path = tmp_path / "campaign.toml"
    path.write_text(GOOD.replace('["plate-1", "plate-2"]', well))
    return read_campaign(path)


def pooling(*names: str, role: str = "pump") -> Campaign:
    return replace(CAMPAIGN, roles={**CAMPAIGN.roles, role: names}, pooled=(role,))


def test_any_of_names_the_instruments_and_a_plain_list_stays_what_it_was(tmp_path: Path) -> None:
    pooled = read(tmp_path, '{ any_of = ["a", "b"] }')
    assert pooled.roles["well"] == ("a", "b")
    assert pooled.pooled == ("well",)
    assert pooled.plates == {}
    assert read(tmp_path, '["a", "b"]').pooled == ()


@pytest.mark.parametrize(
    "well, message",
    [
        (
            "{ any_of = [] }",
            'roles.well.any_of: needs a name, or several: ["reader-1", "reader-2"], not an '
            "empty list",
        ),
        ('{ any_of = ["a", "a"] }', "roles.well.any_of: names the same thing twice"),
        ('{ any_of = ["a"], count = 2 }', "roles.well.count: unknown key"),
    ],
)
def test_a_wrong_pool_is_told_with_its_line(tmp_path: Path, well: str, message: str) -> None:
    with pytest.raises((UserMistake, UserMistakes)) as caught:
        read(tmp_path, well)
    assert message in str(caught.value)


def test_a_pool_of_one_is_told_and_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    pools = '[roles]\npump = { any_of = ["pump"] }\nreader = { any_of = ["a", "b"] }'
    path.write_text(GOOD.replace("[roles]", pools).replace('reader  = "reader"', ""))
    assert open_campaign(path).remarks == (
        "roles.pump: any_of names pump alone, so that each step waits for it: add another one that "
        'may do them, or write pump = "pump"',
    )


def messages(campaign: Campaign, *stocks: Stocks) -> list[str]:
    found = check_campaign(campaign, replace(TWINS, stocks=stocks), SIGNATURE, CAN)
    return [mistake.message for mistake in found]


def test_instruments_of_one_driver_may_be_pooled() -> None:
    assert messages(pooling("pump", "twin")) == []


def test_instruments_of_different_drivers_are_not_pooled() -> None:
    assert messages(pooling("pump", "reader")) == [
        "roles.pump.any_of: 'pump' and 'reader' have different drivers, so that their steps "
        'differ; choose one of them for each run: pump = ["pump", "reader"]'
    ]


def test_instruments_with_stocks_of_their_own_are_not_pooled() -> None:
    assert messages(pooling("pump", "twin"), Stocks(instrument="twin")) == [
        "roles.pump.any_of: 'twin' has stocks of its own, which are reserved for a whole run; "
        'choose one of them for each run: pump = ["pump", "twin"]'
    ]


def test_plates_are_not_pooled() -> None:
    assert messages(pooling("plate-1", role="well")) == [
        'roles.well.any_of: is for instruments; name plates: well = ["plate-1"]'
    ]
