"""What people are told of a list of points, and of earlier measurements, with a slip in a cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.errors import UserMistake
from sdl.wire.toml import open_campaign
from tests.wire.test_problem_tables import AIM, HEAD, XY, read, refused

LIST = '[search]\ncandidates = "list.csv"\n'
COSTS = "[cost]\nper_unit.dose_mg = 2\n"
PRIOR = '[prior]\ncsv = "old.csv"\n'
POINTS = "ligand,dose_mg\nL1,0.5\nL2,2\nL1,4\n"


@pytest.mark.parametrize(
    "text, told",
    [
        (
            "ligand;dose_mg\nL1;0,5\nL2;2\n",
            ["list.csv:2: dose_mg = '0,5' is no number; decimals need a point: 0.5"],
        ),
        (
            "ligand;share\nL1;0,5\nL2;0,7\n",
            [
                "list.csv:2: share = '0,5' is no number; decimals need a point: 0.5",
                "list.csv:3: share = '0,7' is no number; decimals need a point: 0.7",
            ],
        ),
        (
            "ligand,dose_mg\nL1,5 %\nL2,2\n",
            ["list.csv:2: dose_mg = '5 %' is no number; write the number without its percent sign"],
        ),
        ("ligand,dose_mg\nL1,n/a\nL2,2\n", ["list.csv:2: dose_mg = 'n/a' is no number"]),
        (
            "ligand,dose_mg\n,1\nL2,\n",
            [
                "list.csv:2: ligand has no value; fill it in, or remove the row",
                "list.csv:3: dose_mg has no value; fill it in, or remove the row",
            ],
        ),
    ],
)
def test_a_slip_in_a_column_of_numbers_is_told_with_its_line_and_makes_no_options_of_it(
    tmp_path: Path, text: str, told: list[str]
) -> None:
    assert refused(tmp_path, LIST, COSTS, list=text) == told


def test_text_beside_numbers_is_an_option_where_no_unit_and_no_majority_says_otherwise(
    tmp_path: Path,
) -> None:
    found = read(tmp_path, LIST, list="code\n1\nA\n2\nB\n")
    assert [one.options for one in found.space if one.kind == "choice"] == [("1", "A", "2", "B")]


def test_choices_under_search_say_that_a_column_of_numbers_is_text(tmp_path: Path) -> None:
    codes = [*map(str, range(10)), "2b"]
    table = "code\n" + "\n".join(codes) + "\n"
    assert refused(tmp_path, LIST, list=table) == ["list.csv:12: code = '2b' is no number"]
    found = read(tmp_path, LIST + f"code = {{ choices = {codes} }}\n", list=table)
    assert [one.options for one in found.space if one.kind == "choice"] == [tuple(codes)]


def test_of_a_list_that_cannot_be_read_nothing_else_is_blamed(tmp_path: Path) -> None:
    (told,) = refused(tmp_path, LIST, COSTS, PRIOR, old="ligand,dose_mg,yield\nL1,1,50\n")
    assert "search.candidates: 'list.csv' cannot be read" in told


def test_earlier_rows_that_are_left_out_are_named_with_their_reasons(tmp_path: Path) -> None:
    old = "ligand,dose_mg,yield\nL1,1,50\nl2,1,60\nL2,9,60\n"
    for name, text in (("list", POINTS), ("old", old)):
        (tmp_path / f"{name}.csv").write_text(text)
    path = tmp_path / "campaign.toml"
    path.write_text(HEAD + AIM + LIST + PRIOR)
    found = open_campaign(path)
    assert found.remarks == (
        "old.csv: 2 of 3 rows left out: line 3: ligand = 'l2' is none of its choices; known "
        "are: L1, L2; line 4: dose_mg = 9 is outside 0.5 to 4",
    )
    assert [(len(one.trials), one.left_out) for one in found.campaign.prior] == [(1, 2)]


def test_a_blank_input_leaves_out_its_own_row_only(tmp_path: Path) -> None:
    old = "ligand,dose_mg,yield\nL1,,50\nL2,2,60\n"
    (prior,) = read(tmp_path, LIST, PRIOR, list=POINTS, old=old).prior
    assert [one.inputs["dose_mg"] for one in prior.trials] == [2]


def test_an_earlier_input_that_is_no_number_is_told_with_its_line(tmp_path: Path) -> None:
    old = 'ligand,dose_mg,yield\nL1,"1,5",50\n'
    assert refused(tmp_path, LIST, PRIOR, list=POINTS, old=old) == [
        "old.csv:2: dose_mg = '1,5' is no number; decimals need a point: 1.5"
    ]


def test_what_was_known_before_does_not_hide_that_nothing_is_searched(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match=r"nothing to search|search: is missing"):
        read(tmp_path, PRIOR, old="ligand,dose_mg,yield\nL1,1,50\n")


def test_what_is_hardly_meant_is_told_and_not_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(POINTS)
    bounds = '[[constraint]]\nmeasure = "purity_fraction"\nat_least = 70\n'
    bounds += '[[constraint]]\nmeasure = "loss_percent"\nat_most = 0.3\n'
    path = tmp_path / "campaign.toml"
    path.write_text(HEAD + AIM + LIST + bounds + "[stop]\nruns = 9\n")
    assert open_campaign(path).remarks == (
        "stop.runs is 9, and list.csv has 3 points: the campaign ends once each is tried",
        "purity_fraction is held against 70, and a fraction goes from 0 to 1: if per cent are "
        'meant, write "70 %"',
        "loss_percent is held against 0.3 %, less than one per cent: if a fraction is meant, "
        "write 30",
    )


@pytest.mark.parametrize(
    "table, message",
    [
        (
            '[cost]\nper_run = "5 EUR"\n',
            "cost.per_run: a cost is a plain number, in one currency throughout, which is not "
            "written: not '5 EUR'",
        ),
        (
            "[stop]\ncost = 500\n",
            "stop.cost: nothing says what a run costs; add [cost], or remove it",
        ),
        ("[cost]\nper_run = 1\n[stop]\ncost = 0\n", "stop.cost: 0; use more than 0"),
        (
            '[prior]\ncsv = "slip.csv"\n',
            "slip.csv:1: has no column 'yield', which the campaign has as a measure; did you mean "
            "'yeild'? Correct the campaign, or this heading",
        ),
    ],
)
def test_a_slip_of_a_unit_or_a_heading_is_told_with_what_was_probably_meant(
    tmp_path: Path, table: str, message: str
) -> None:
    (line,) = refused(tmp_path, XY + table, slip="x,y,yeild\n0.1,0.2,3\n")
    assert line.endswith(message)


def test_a_misspelt_goal_is_one_mistake_whatever_stands_beside_it(tmp_path: Path) -> None:
    aim = (
        '[[objective]]\nmeasure = "m"\ngoal = "minimse"\nthreshold = 3\n'
        '[[objective]]\nmeasure = "n"\ngoal = "maximise"\n'
    )
    (line,) = refused(tmp_path, XY, aim=aim)
    assert line.endswith("goal: 'minimse' is not offered; did you mean 'minimise'?")
