"""What people write of spaces, aims, costs and of before; and what they are told of mistakes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sdl.errors import UserMistake
from sdl.model.campaign import (
    Campaign,
    ChoiceParameter,
    Condition,
    LinearConstraint,
    Objective,
    OutcomeConstraint,
    RangeParameter,
)
from sdl.model.candidates import rows_of
from sdl.model.costs import Costs, Fidelity
from sdl.wire.journal import adapter
from sdl.wire.toml import read_campaign

HEAD = """\
[campaign]
name = "dye"
lab = "lab.toml"
protocol = "dye-assay"
[roles]
[planner]
kind = "sobol"
"""
"""Seven lines."""
AIM = '[objective]\nmeasure = "yield"\ngoal = "maximise"\n'
"""Three lines; `yield` is a word of Python."""


def read(folder: Path, *tables: str, aim: str = AIM, **files: str) -> Campaign:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    path = folder / "campaign.toml"
    path.write_text(HEAD + aim + "".join(tables))
    return read_campaign(path)


def refused(folder: Path, *tables: str, aim: str = AIM, **files: str) -> list[str]:
    """Messages, with the line numbers of ``campaign.toml`` counted from the end of ``aim`` on."""
    with pytest.raises(UserMistake) as caught:
        read(folder, *tables, aim=aim, **files)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_ranges_levels_and_options_are_told_apart(tmp_path: Path) -> None:
    campaign = read(
        tmp_path,
        "[search]\n"
        'dose_mg = { from = 0.01, to = "1 g", scale = "log" }\n'
        'flow_ul_s = { from = 1, to = 9, scale = "linear" }\n'
        "lambda = { from = 1, to = 9, log = true, integer = true }\n"
        "heat_c = { choices = [20, 40, 60] }\n"
        'class = { choices = ["a", "b"] }\n',
    )
    assert campaign.space == (
        RangeParameter(name="dose_mg", low=0.01, high=1000.0, log=True),
        RangeParameter(name="flow_ul_s", low=1.0, high=9.0),
        RangeParameter(name="lambda", low=1.0, high=9.0, log=True, integer=True),
        ChoiceParameter(name="heat_c", options=(20, 40, 60)),
        ChoiceParameter(name="class", options=("a", "b")),
    )
    assert campaign.objective.measure == "yield"


def test_sums_have_a_lower_and_an_upper_end_or_are_met(tmp_path: Path) -> None:
    campaign = read(
        tmp_path,
        "[search]\na = { from = 0, to = 5 }\nb = { from = 0, to = 5 }\n"
        "c = { from = 0, to = 5 }\nd = { from = 0, to = 5 }\n"
        "[[constraint]]\nsum = { a = 1, c = 2 }\nat_least = 1\nat_most = 4\n"
        '[[constraint]]\nmeasure = "purity"\nat_least = 0.9\n'
        "[[constraint]]\nsum = { a = 1, b = -1 }\nequals = 0\n"
        '[[mixture]]\ncomponents = ["c", "d"]\ntotal = 6\n',
    )
    assert campaign.constraints == (
        LinearConstraint(weights={"a": 1.0, "c": 2.0}, at_least=1.0, at_most=4.0),
        OutcomeConstraint(measure="purity", at_least=0.9),
        LinearConstraint(weights={"a": 1.0, "b": -1.0}, at_least=0.0, at_most=0.0),
        LinearConstraint(weights={"c": 1.0, "d": 1.0}, at_least=6.0, at_most=6.0, is_mixture=True),
    )
    assert campaign.constraints[2].equals == 0.0


def test_components_of_a_mixture_need_no_line_of_their_own_and_a_step_makes_levels(
    tmp_path: Path,
) -> None:
    campaign = read(
        tmp_path,
        "[search]\nwater = { from = 0.4, to = 0.8 }\nheat_c = { from = 20, to = 80 }\n"
        '[[mixture]]\ncomponents = ["water", "salt", "acid"]\nstep = 0.2\n',
    )
    levels = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert campaign.space == (
        ChoiceParameter(name="water", options=levels[2:5]),
        RangeParameter(name="heat_c", low=20.0, high=80.0),
        ChoiceParameter(name="salt", options=levels),
        ChoiceParameter(name="acid", options=levels),
    )


def test_a_list_gives_the_inputs_that_are_not_written(tmp_path: Path) -> None:
    campaign = read(
        tmp_path,
        '[search]\ncandidates = "list.csv"\nheat_c = { choices = [20, 40] }\n'
        'dose_mg = { scale = "log" }\n',
        list="ligand;dose_mg;heat_c;drops\nL1;0.5;20;1\n\nL2;2;40;3\nL1;10;20;2\n",
    )
    assert campaign.space == (
        ChoiceParameter(name="ligand", options=("L1", "L2")),
        RangeParameter(name="dose_mg", low=0.5, high=10.0, log=True),
        ChoiceParameter(name="heat_c", options=(20, 40)),
        RangeParameter(name="drops", low=1.0, high=3.0, integer=True),
    )
    assert campaign.candidates is not None
    assert rows_of(campaign.candidates) == (
        ("L1", 0.5, 20, 1),
        ("L2", 2, 40, 3),
        ("L1", 10, 20, 2),
    )


def test_a_hundred_thousand_points_are_kept_in_a_megabyte(tmp_path: Path) -> None:
    rows = "\n".join(f"{n % 40},{n // 40},x{n % 7}" for n in range(100_000))
    campaign = read(tmp_path, '[search]\ncandidates = "list.csv"\n', list=f"a,b,c\n{rows}\n")
    text = adapter(Campaign).dump_json(campaign)
    assert len(text) < 1.3 * 2**20
    again = adapter(Campaign).validate_json(text)
    assert again == campaign
    assert again.candidates is not None
    assert rows_of(again.candidates)[99_999] == (39, 2499, "x4")


def test_options_are_described_in_their_own_order(tmp_path: Path) -> None:
    table = "ligand,pka,size\nL2,4.5,1\nL1,3,2e1\nL9,0,0\n"
    search = '[search]\nligand = { choices = ["L1", "L2"], descriptors = "ligands.csv" }\n'
    (ligand,) = read(tmp_path, search, ligands=table).space
    assert isinstance(ligand, ChoiceParameter)
    assert ligand.descriptors is not None
    assert ligand.descriptors.names == ("pka", "size")
    assert ligand.descriptors.rows == ((3.0, 20.0), (4.5, 1.0))
    (design,) = read(tmp_path, '[search]\ndesign = { descriptors = "ligands.csv" }\n').space
    assert isinstance(design, ChoiceParameter)
    assert design.options == ("L2", "L1", "L9")


@pytest.mark.parametrize(
    "words, expected",
    [
        ('goal = "hits"\nat_least = 0.8', Objective(measure="y", goal="hits", at_least=0.8)),
        ('goal = "hits"\nat_most = 2', Objective(measure="y", goal="hits", at_most=2)),
        ('goal = "level"\nlevel = 0.5', Objective(measure="y", goal="level", level=0.5)),
        ('goal = "novelty"', Objective(measure="y", goal="novelty")),
    ],
)
def test_more_can_be_sought_than_the_best(tmp_path: Path, words: str, expected: Objective) -> None:
    aim = f'[objective]\nmeasure = "y"\n{words}\n'
    campaign = read(tmp_path, "[search]\nx = { from = 0, to = 1 }\n", aim=aim)
    assert campaign.objective == expected


def test_several_objectives_have_goals_thresholds_and_weights(tmp_path: Path) -> None:
    aim = (
        '[[objective]]\nmeasure = "yield"\ngoal = "maximize"\nthreshold = 0.2\nweight = 2\n'
        '[[objective]]\nmeasure = "ph"\nrange = [6.8, 7.2]\nweight = 1\n'
        '[[objective]]\nmeasure = "size_nm"\ntarget = "0.1 um"\nweight = 0.5\n'
    )
    campaign = read(tmp_path, "[search]\nx = { from = 0, to = 1 }\n", aim=aim)
    assert campaign.objectives == (
        Objective(measure="yield", goal="maximise", threshold=0.2, weight=2.0),
        Objective(measure="ph", goal="range", low=6.8, high=7.2, weight=1.0),
        Objective(measure="size_nm", goal="target", target=100.0, weight=0.5),
    )
    ph = campaign.objectives[1]
    assert [ph.loss(value) for value in (6.8, 7.0, 7.2)] == [0.0] * 3
    assert math.isclose(ph.loss(7.7), 0.5)
    assert math.isclose(ph.loss(6.0), 0.8)


def test_costs_and_fidelity_are_read(tmp_path: Path) -> None:
    campaign = read(
        tmp_path,
        '[search]\nassay = { choices = ["quick", "full"] }\nligand = { choices = ["a", "b"] }\n'
        "dose_mg = { from = 0, to = 1 }\n"
        "[cost]\nper_run = 5\noptions.ligand = { a = 10 }\nper_unit.dose_mg = 0.5\n"
        "change.ligand = 20\n"
        '[fidelity]\ninput = "assay"\ntarget = "full"\ncosts = { quick = 1, full = 10 }\n',
    )
    assert campaign.costs == Costs(
        per_run=5.0,
        options={"ligand": {"a": 10.0}},
        per_unit={"dose_mg": 0.5},
        change={"ligand": 20.0},
    )
    assert campaign.fidelity == Fidelity(
        input="assay", target="full", costs={"quick": 1.0, "full": 10.0}
    )


def test_a_head_of_before_these_tables_can_be_read() -> None:
    old = (
        '{"name":"c","lab":"lab.toml","protocol":"p","roles":{},'
        '"space":[{"name":"x","low":0.0,"high":1.0,"log":false,"integer":false,"kind":"range"},'
        '{"name":"s","options":["a"],"kind":"choice"}],'
        '"objective":{"measure":"y","goal":"maximise","target":null},'
        '"constraints":[{"weights":{"x":1.0},"at_most":0.5}]}'
    )
    campaign = adapter(Campaign).validate_json(old)
    assert campaign.linear == (LinearConstraint(weights={"x": 1.0}, at_most=0.5),)
    assert campaign.objectives == (Objective(measure="y", goal="maximise"),)
    assert adapter(Campaign).validate_json(adapter(Campaign).dump_json(campaign)) == campaign


XY = "[search]\nx = { from = 0, to = 1 }\ny = { from = 0, to = 1 }\n"
CONDITIONAL = """\
[search]
solvent = { choices = ["water", "oil", "none"] }
salt_mg = { from = 0, to = 5, only_if = { solvent = ["water", "oil"] }, otherwise = "0 g" }
form    = { choices = ["a", "b"], only_if = { solvent = "none" }, otherwise = "-" }
"""


def test_inputs_may_be_searched_only_at_some_values_of_others(tmp_path: Path) -> None:
    _, salt, form = read(tmp_path, CONDITIONAL).space
    assert salt.only_if == (Condition(input="solvent", values=("water", "oil")),)
    assert salt.otherwise == 0.0
    assert form.only_if == (Condition(input="solvent", values=("none",)),)
    assert form.otherwise == "-"


WRONG: list[tuple[str, list[str]]] = [
    (
        XY + "[[constraint]]\nsum = { x = 1, y = 1 }\nequals = 3\n",
        ["16: constraint[1].equals: cannot be kept: the sum is at most 2; widen [search]"],
    ),
    (
        XY + "[[constraint]]\nsum = { x = 1 }\n",
        [
            "14: constraint[1]: say how much it may be, by at_least, at_most or equals",
        ],
    ),
    (
        XY + "[[constraint]]\nsum = { x = 1 }\nat_least = 0.6\nat_most = 0.4\n",
        ["16: constraint[1].at_least: 0.6 is above at_most, which is 0.4; swap them"],
    ),
    (
        XY + '[[constraint]]\nmeasure = "p"\nsum = { x = 1 }\nat_most = 0.4\n',
        ["16: constraint[1].sum: a constraint has a sum of inputs or a measure, not both"],
    ),
    (
        XY + '[[mixture]]\ncomponents = ["x", "y"]\nstep = 0.3\n',
        ["16: mixture[1].step: 0.3 does not divide the total of 1 into 1 to 1,000 parts"],
    ),
    (
        XY + '[[mixture]]\ncomponents = ["x", "y"]\ntotal = 3\n',
        ["16: mixture[1].total: cannot be kept: the sum is at most 2; widen [search]"],
    ),
    (
        XY + '[[mixture]]\ncomponents = ["x"]\n',
        ["15: mixture[1].components: needs two or more different inputs"],
    ),
    (
        XY
        + '[[mixture]]\ncomponents = ["x", "y"]\n'
        + "[[constraint]]\nsum = { x = 1, z = 1 }\nat_most = 1\n",
        ["17: constraint[1].sum.z: is not searched; only inputs of [search] can stand here"],
    ),
    (
        XY + '[[mixture]]\ncomponents = ["x", "y"]\n[[mixture]]\ncomponents = ["y", "z"]\n',
        [
            "17: mixture[2].components: y stands in another sum that has to be met; put both into "
            "one"
        ],
    ),
    (
        "[search]\nx = { from = 0, to = 1, scale = 'lin' }\n",
        ["12: search.x.scale: 'lin' is not offered; did you mean 'linear'?"],
    ),
    (
        '[search]\ncandidates = "none.csv"\n[[constraint]]\nsum = { x = 1 }\nat_most = 1\n',
        [
            "12: search.candidates: 'none.csv' cannot be read: No such file or directory; correct "
            "the path"
        ],
    ),
    (
        '[search]\ncandidates = "list.xlsx"\n',
        [
            "12: search.candidates: 'list.xlsx' is no CSV or Parquet file; save the table as CSV, "
            "with a header line"
        ],
    ),
    (
        '[search]\ncandidates = "list.csv"\nx = { from = 0, to = 2 }\nz = { from = 0, to = 1 }\n',
        ["14: search.z: is no column of 'list.csv'; known are: k, x"],
    ),
    (
        '[search]\ncandidates = "list.csv"\nx = { from = 0, to = 2 }\n',
        ["list.csv:3: x = 3 is no whole number from 0 to 2"],
    ),
    (
        '[search]\ncandidates = "list.csv"\n[[constraint]]\nsum = { x = 1 }\nat_most = 0.5\n',
        ["15: constraint[1].at_most: cannot be kept: the sum is at least 1; widen [search]"],
    ),
    (
        '[search]\nl = { choices = ["a", "b"], descriptors = "list.csv" }\n',
        ["12: search.l.descriptors: 'list.csv' has no row for a, b"],
    ),
    (
        '[search]\ncandidates = "ragged.csv"\n',
        [
            "ragged.csv:1: 2 columns are called 'x'; keep one",
            "ragged.csv:3: 1 cells, but the header line names 2 columns",
        ],
    ),
    (
        XY + "[cost]\nper_run = -1\noptions.x = { a = 1 }\nper_unit.z = 1\n",
        [
            "15: cost.per_run: -1 is negative; use 0 or more",
            "16: cost.options.x: has no named options; give what a unit costs under per_unit",
            "17: cost.per_unit.z: is not searched; known are: x, y",
        ],
    ),
    (
        XY + '[fidelity]\ninput = "assay"\ntarget = "full"\ncosts = { full = 1 }\n',
        ["15: fidelity.input: 'assay' is no searched input with named options; add it to [search]"],
    ),
    (
        '[search]\nassay = { choices = ["quick", "full"] }\n'
        '[fidelity]\ninput = "assay"\ntarget = "fall"\ncosts = { full = 0 }\n',
        [
            "15: fidelity.target: 'fall' is none of its choices; did you mean 'full'?",
            "16: fidelity.costs: does not say what 'quick' costs",
            "16: fidelity.costs.full: 0 must be above 0",
        ],
    ),
    (
        "[search]\n"
        'y = { from = 0, to = 1, only_if = { s = "a" }, otherwise = 0 }\n'
        's = { choices = ["a", "b"], otherwise = "c" }\n'
        'x = { from = 0, to = 1, only_if = { s = "d", y = 1 } }\n'
        't = { choices = ["a", "b"], only_if = { s = "a" }, otherwise = 3 }\n',
        [
            "12: search.y.only_if.s: is no input that stands above this one in [search]",
            '13: search.s.otherwise: stands with only_if, such as { solvent = "water" }',
            "14: search.x.only_if.s: 'd' is none of its choices; known are: a, b",
            "14: search.x.only_if.y: is a range of real numbers; a condition needs choices or "
            "whole numbers",
            "14: search.x.otherwise: is missing; say what it is then, for instance: otherwise = 0",
            "15: search.t.otherwise: 3 is not of the kind of its other values",
        ],
    ),
    (
        XY + "[prior]\n",
        ['14: prior: say what is known: csv = "measured.csv", or campaign = "its-name"'],
    ),
    (
        XY + '[prior]\ncsv = "list.csv"\n',
        [
            "list.csv:1: has no column 'y', which the campaign has as an input; known are: k, x",
            "list.csv:1: has no column 'yield', which the campaign has as a measure; "
            "known are: k, x",
        ],
    ),
    (
        XY + '[prior]\ncsv = "old.csv"\n',
        ["old.csv:3: yield = 'n/a' is no number"],
    ),
]


@pytest.mark.parametrize("tables, expected", WRONG)
def test_each_contradiction_is_told_with_its_file_and_line(
    tmp_path: Path, tables: str, expected: list[str]
) -> None:
    files = {
        "list": "x,k\n1,1\n3,2\n",
        "ragged": "x,x\n1,2\n3\n",
        "old": "x,y,yield\n0.1,0.2,3\n0.1,0.2,n/a\n",
    }
    found = refused(tmp_path, tables, **files)
    assert [line.removeprefix("campaign.toml:") for line in found] == expected


WRONG_AIMS: list[tuple[str, list[str]]] = [
    (
        '[objective]\nmeasure = "m"\nrange = [2, 1]\n',
        ["10: objective.range: needs two numbers, the lower one first"],
    ),
    (
        '[objective]\nmeasure = "m"\ngoal = "hits"\n',
        ["10: objective.goal: say what counts as a hit: at_least = 80, or at_most = 5, or both"],
    ),
    (
        '[objective]\nmeasure = "m"\ngoal = "hits"\nat_least = 3\nat_most = 2\n',
        ["11: objective.at_least: 3 must be below at_most, which is 2"],
    ),
    (
        '[objective]\nmeasure = "m"\ngoal = "level"\nat_most = 2\n',
        [
            "10: objective.goal: say which value is to be passed: level = 0.5",
            '11: objective.at_most: belongs to goal = "hits"; remove it, or say that goal',
        ],
    ),
    (
        '[[objective]]\nmeasure = "m"\ngoal = "maximise"\n'
        '[[objective]]\nmeasure = "n"\ngoal = "novelty"\n',
        ["13: objective[2].goal: 'novelty' cannot be one of several; keep one objective"],
    ),
    (
        '[objective]\nmeasure = "m"\ngoal = "hits"\nat_least = 3\n'
        '[[constraint]]\nmeasure = "m"\nat_most = 2\n',
        ["14: constraint[1].at_most: forbids what the objective wants, which is 3 at least"],
    ),
    (
        '[objective]\nmeasure = "m"\ngoal = "novelty"\n'
        '[hypothesis]\nclaim = "x"\npredicts = { quantity = "x", at = "best", below = 1 }\n',
        [
            "13: hypothesis.predicts.quantity: with the goal 'novelty' no point is the best; "
            "claim something of a measure"
        ],
    ),
    (
        '[objective]\nmeasure = "m"\nrange = [1, 2]\ntarget = 1.5\n',
        ["10: objective.range: an objective has a target or a range, not both"],
    ),
    (
        '[objective]\nmeasure = "m"\ngoal = "maximise"\nthreshold = 1\n',
        [
            "11: objective.threshold: is for several objectives; of one, write a [[constraint]] "
            'with measure = "..."'
        ],
    ),
    (
        '[[objective]]\nmeasure = "m"\ngoal = "maximise"\nweight = 1\n'
        '[[objective]]\nmeasure = "m"\ngoal = "minimise"\n',
        [
            "9: objective[1].measure: 'm' has two objectives; keep one",
            "12: objective[2]: has no weight, but another objective has; give one to all, or to "
            "none",
            "13: objective[2].measure: 'm' has two objectives; keep one",
        ],
    ),
    (
        '[[objective]]\nmeasure = "m"\ngoal = "maximise"\n'
        '[[objective]]\nmeasure = "n"\ntarget = 1\nthreshold = 2\n'
        "[stop]\ntolerance = 0.1\n",
        [
            "14: objective[2].threshold: has no meaning beside a target or a range; use a "
            "[[constraint]]",
            "16: stop.tolerance: several objectives have no common distance; remove it",
        ],
    ),
    (
        '[objective]\nmeasure = "m"\ntarget = 1\n[[constraint]]\nmeasure = "m"\nat_least = 2\n',
        [
            "13: constraint[1].at_least: forbids what the objective wants, which is 1 at most"
        ],
    ),
    (
        '[[objective]]\nmeasure = "m"\ngoal = "maximise"\nthreshold = 6\n'
        '[[objective]]\nmeasure = "n"\ngoal = "maximise"\n[[constraint]]\nmeasure = "m"\n'
        'at_most = 5\n[[constraint]]\nmeasure = "m"\nat_least = 5.5\n',
        [
            "17: constraint[1].at_most: forbids what the objective wants, which is 6 at least",
            "20: constraint[2].at_least: another constraint allows 5 at most",
        ],
    ),
    (
        '[[objective]]\nmeasure = "m"\ngoal = "maximise"\n'
        '[[objective]]\nmeasure = "n"\ngoal = "maximise"\n'
        '[hypothesis]\nclaim = "!"\npredicts = { quantity = "x", below = 1 }\n',
        [
            "16: hypothesis.predicts.quantity: several objectives have no best point without "
            "weights; give each objective a weight"
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize("aim, expected", WRONG_AIMS)
def test_each_contradiction_of_aims_is_told_with_its_line(
    tmp_path: Path, aim: str, expected: list[str]
) -> None:
    found = refused(tmp_path, "[search]\nx = { from = 0, to = 1 }\n", aim=aim)
    assert [line.removeprefix("campaign.toml:") for line in found] == expected
