"""What contradicts itself in a search space, and what `sdl check` says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wire.test_problem_tables import refused

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
]  # fmt: skip


@pytest.mark.parametrize("tables, expected", WRONG)
def test_each_contradiction_is_told_with_its_line(
    tmp_path: Path, tables: str, expected: list[str]
) -> None:
    found = refused(tmp_path, tables)
    assert [line.removeprefix("campaign.toml:") for line in found] == expected
