"""What people write of rival hypotheses, and what they are told of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.model.formula import read as formula
from sdl.model.rival import Rival
from sdl.wire.campaign_file import open_campaign
from tests.wire.test_problem_tables import AIM, read, refused

TELL = '[objective]\nmeasure = "rate_ratio"\ngoal = "discriminate"\n'
SEARCH = '[search]\nx = { from = 0, to = 2 }\noil = { choices = ["palm", "olive"] }\n'
FIRST = '[[rival]]\nname = "first"\npredicts = "exp(-x)"\nsd = 0.1\n'
SECOND = '[[rival]]\nname = "second"\npredicts = "1 / (1 + x)"\nsd = 0.2\n'


def test_two_rivals_are_read_with_equal_priors(tmp_path: Path) -> None:
    campaign = read(tmp_path, SEARCH, FIRST, SECOND, "[stop]\nodds = 100\n", aim=TELL)
    assert campaign.rivals == (
        Rival(name="first", predicts="exp(-x)", sd=0.1),
        Rival(name="second", predicts="1 / (1 + x)", sd=0.2),
    )
    assert campaign.stop.odds == 100.0


def test_the_prior_of_one_says_that_of_the_other(tmp_path: Path) -> None:
    campaign = read(tmp_path, SEARCH, FIRST, SECOND + "prior = 0.2\n", aim=TELL)
    assert [rival.prior for rival in campaign.rivals] == [0.8, 0.2]


def test_rivals_that_state_no_prior_share_what_is_left(tmp_path: Path) -> None:
    third = FIRST.replace('"first"', '"third"') + "prior = 0.4\n"
    campaign = read(tmp_path, SEARCH, FIRST, SECOND, third, aim=TELL)
    assert [rival.prior for rival in campaign.rivals] == [0.3, 0.3, 0.4]


def test_priors_that_leave_nothing_are_a_mistake(tmp_path: Path) -> None:
    third = FIRST.replace('"first"', '"third"') + "prior = 0.5\n"
    (found,) = refused(tmp_path, SEARCH, FIRST, SECOND + "prior = 0.6\n", third, aim=TELL)
    assert "rival[3].prior: leaves nothing to rivals that state none" in found
    (found,) = refused(
        tmp_path, SEARCH, FIRST + "prior = 0.2\n", SECOND + "prior = 0.2\n", third, aim=TELL
    )
    assert "rival[3].prior: all must add up to 1, not 0.9; leave one of them out" in found


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2 * x ** 2 - -x / 4", 2.0 * 9.0 + 0.75),
        ("sqrt(x + 1) * log(exp(2))", 4.0),
        ("+1e1", 10.0),
        ("1 / (x - 3)", None),
        ("(x - 4) ** 0.5", None),
        ("9 ** 9 ** 9", None),
        ("log(-x)", None),
    ],
)
def test_a_formula_has_a_value_or_none(text: str, expected: float | None) -> None:
    assert formula(text).at({"x": 3.0, "oil": "palm"}) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("x +", "'x +' is no formula"),
        ("x ^ 2", "a power is written x ** 2"),
        ("__import__('os')", "is not understood"),
        ("x.real", "is not understood"),
        ("x if x else 1", "is not understood"),
        ("exp(x, 2)", "is not understood"),
        ("exp(*x)", "is not understood"),
        ("exp + 1", "is not understood"),
        ("True", "is not understood"),
        ("'x'", "is not understood"),
        ("1j", "is not understood"),
        ("x == 1", "is not understood"),
        ("1e999", "too large"),
        ("1" + "0" * 400, "too large"),
        ("-" * 400 + "x", "more than 50 operations within each other"),
        ("x" * 501, "has 501 characters; use 500 at most"),
        ("", "is no formula"),
    ],
)
def test_what_is_no_arithmetic_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        formula(text)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "second, expected",
    [
        (
            SECOND.replace("+ x", "+ y"),
            ["20: rival[2].predicts: 'y' is no searched input; known are: oil, x"],
        ),
        (
            SECOND.replace("+ x", "+ oil"),
            ["20: rival[2].predicts: 'oil' has named options, which a formula cannot reckon with"],
        ),
        (SECOND.replace("0.2", "0"), ["21: rival[2].sd: 0 must be above 0"]),
        (
            SECOND.replace("1 / (", "1 / ["),
            [
                "20: rival[2].predicts: '1 / [1 + x)' is no formula; write one such as "
                '"2 * exp(-3 * x)"'
            ],
        ),
        (SECOND + "prior = 1\n", ["22: rival[2].prior: 1 must lie between 0 and 1, ends excluded"]),
        (
            SECOND.replace('"second"', '"first"'),
            ["19: rival[2].name: 'first' is the name of another one; change it"],
        ),
        ("", ["10: objective.goal: needs two [[rival]] tables or more, and there are 1"]),
        (
            SECOND + "[stop]\nodds = 1\n",
            ["23: stop.odds: 1; use more than 1, such as 100"],
        ),
        (
            SECOND + "prior = 0.1\n[stop]\nodds = 5\n",
            ["24: stop.odds: 5; the priors alone give 9, so use more"],
        ),
    ],
)
def test_mistakes_are_told_at_their_lines(tmp_path: Path, second: str, expected: list[str]) -> None:
    found = refused(tmp_path, SEARCH, FIRST, second, aim=TELL)
    assert [line.removeprefix("campaign.toml:") for line in found] == expected


def test_rivals_and_odds_need_the_goal(tmp_path: Path) -> None:
    found = refused(tmp_path, SEARCH, FIRST, SECOND, "[stop]\nodds = 5\n")
    assert "rivals need goal = " in found[0]
    assert "stop.odds: odds are those of [[rival]] tables; remove it" in found[1]
    assert AIM not in TELL


def test_a_division_by_zero_at_a_corner_is_told_and_is_no_mistake(tmp_path: Path) -> None:
    read(tmp_path, SEARCH, FIRST, SECOND.replace("1 + x", "x - 2"), aim=TELL)
    assert open_campaign(tmp_path / "campaign.toml").remarks == (
        "second predicts no number at x = 2; such runs tell nothing",
    )
    read(tmp_path, SEARCH, FIRST, SECOND, aim=TELL)
    assert not open_campaign(tmp_path / "campaign.toml").remarks
