"""What contradicts itself in a search space, and what `sdl check` says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wire.test_problem_tables import read, refused

REAL = "[search]\nx = { from = 0, to = 1 }\ny = { from = 0, to = 1 }\n"
SUM = "[[constraint]]\nsum = {{ {} }}\n{}\n"
LOOKS = '[fidelity]\ninput = "assay"\ntarget = "full"\ncosts = { full = 2, quick = 1 }\n'

WRONG = [
    (
        '[search]\nsolvent = { choices = ["oil", "water"] }\n'
        'assay = { choices = ["quick", "full"], only_if = { solvent = "oil" }, otherwise = "no" }\n'
        'y = { from = 0, to = 1, only_if = { assay = "full" }, otherwise = 0 }\n' + LOOKS,
        [
            "13: search.assay.only_if: the input of [fidelity] is always searched",
            "14: search.y.only_if.assay: a quick look and a close one are of the same points; "
            "no condition names it",
        ],
    ),
    (
        REAL + SUM.format("x = 1, y = 1", "at_most = 0.5") + SUM.format("x = 1", "at_least = 0.2")
        + SUM.format("x = 2, y = 2", "at_least = 1.5"),
        [
            "20: constraint[3]: no point keeps 1.5 <= 2 x + 2 y together with constraint[1] "
            "(x + y <= 0.5); loosen one of them, or widen [search]"
        ],
    ),
    (
        REAL + "z = { from = 0.2, to = 0.4 }\n"
        '[[mixture]]\ncomponents = ["x", "y", "z"]\n' + SUM.format("x = 1, y = 1", "at_most = 0.5"),
        [
            "15: mixture[1]: no point keeps x + y + z = 1 together with constraint[1] "
            "(x + y <= 0.5); loosen one of them, or widen [search]"
        ],
    ),
    (
        REAL + "n = { choices = [1, 2, 4] }\n" + SUM.format("n = 1, x = 0.1", "at_least = 2.5")
        + SUM.format("n = 1", "at_most = 3.5"),
        [
            "18: constraint[2]: no point keeps n <= 3.5 together with constraint[1] "
            "(2.5 <= n + 0.1 x); loosen one of them, or widen [search]"
        ],
    ),
    (
        "[search]\nn = { from = 1, to = 9, integer = true }\n"
        + SUM.format("n = 1", "at_least = 2.2\nat_most = 2.8"),
        ["13: constraint[1]: no point keeps 2.2 <= n <= 2.8; loosen it, or [search]"],
    ),
]  # fmt: skip


@pytest.mark.parametrize("tables, expected", WRONG)
def test_each_contradiction_is_told_with_its_line(
    tmp_path: Path, tables: str, expected: list[str]
) -> None:
    found = refused(tmp_path, tables)
    assert [line.removeprefix("campaign.toml:") for line in found] == expected


@pytest.mark.parametrize(
    "sums, told",
    [
        (
            SUM.format("x = 1", "at_most = 0.2") + SUM.format("y = 1", "at_most = 0.2"),
            "constraint[2] (x <= 0.2) and constraint[3] (y <= 0.2)",
        ),
        (SUM.format("x = 1, y = 2", "equals = 1.3"), "constraint[2] (x + 2 y = 1.3)"),
    ],
)
def test_a_list_of_which_no_row_keeps_the_sums_names_them(
    tmp_path: Path, sums: str, told: str
) -> None:
    rows = "x,y\n0.1,0.9\n0.9,0.1\n0.4,0.4\n"
    search = REAL.replace("[search]", '[search]\ncandidates = "list.csv"')
    found = refused(tmp_path, search + SUM.format("x = 1, y = 1", "at_most = 1"), sums, list=rows)
    said = f"not one of the rows keeps {told}; correct these"
    assert found == [f"campaign.toml:12: search.candidates: {said}"]


@pytest.mark.parametrize(
    "tables",
    [
        # Tight, but there is a point, of which rounding leaves little.
        REAL + SUM.format("x = 3, y = 3", "at_most = 0.3")
        + SUM.format("x = 1, y = 1", "equals = 0.1"),
        # Only where an input rests.
        '[search]\ns = { choices = ["a", "b"] }\n'
        'x = { from = 0.1, to = 1, only_if = { s = "a" }, otherwise = 0 }\n'
        "y = { from = 0, to = 1 }\n"
        + SUM.format("x = 1", "at_most = 0.05") + SUM.format("x = 1, y = 1", "at_least = 0.5"),
        # The only level of an input is nothing.
        "[search]\nx = { choices = [0] }\ny = { from = 0, to = 1 }\n"
        + SUM.format("x = 1", "at_most = 0.05") + SUM.format("x = 1, y = 1", "at_least = 0.5"),
        # Numbers of very different size.
        "[search]\nx = { from = 1e-9, to = 2e-9 }\ny = { from = 1e6, to = 2e6 }\n"
        + SUM.format("x = 1e9, y = 1e-6", "at_most = 2.1")
        + SUM.format("x = 1e9", "at_least = 1.05"),
        # Many levels.
        "[search]\nx = { from = 0, to = 90000, integer = true }\ny = { from = 0, to = 1 }\n"
        + SUM.format("x = 1, y = 1", "at_most = 7.5") + SUM.format("x = 1, y = -1", "at_least = 6"),
    ],
)  # fmt: skip
def test_sums_that_a_point_keeps_are_fine(tmp_path: Path, tables: str) -> None:
    assert read(tmp_path, tables).linear
