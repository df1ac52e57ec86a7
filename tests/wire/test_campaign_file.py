"""What people write in ``campaign.toml``, and what they are told when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.errors import UserMistake
from sdl.model.campaign import ChoiceParameter, LinearConstraint, RangeParameter
from sdl.wire.campaign_check import check_options_of_planner
from sdl.wire.toml import open_campaign, read_campaign

GOOD = """\
[campaign]
name     = "dye-450"
lab      = "lab.toml"
protocol = "dye-assay"
seed     = 7
parallel = 2

[hypothesis]
claim    = "An absorbance of 0.80 AU needs less than 40 % dye."
predicts = { quantity = "dye_fraction", at = "best", below = 0.40 }
prior = 0.5
error_level = 0.1

[roles]
handler = "handler"
well    = ["plate-1", "plate-2"]

[search]
dye_fraction = { from = 0.05, to = "95 %" }
dye_ul       = { from = "0.05 mL", to = "100 uL" }
settle_s     = { choices = [10.0, "0.5 min", 60.0] }

[fixed]
temperature_c = "310.15 K"
solvent = "water"

[[constraint]]
sum = { dye_ul = 1.0, settle_s = 2.0 }
at_most = 300.0

[objective]
measure = "absorbance_au"
target  = 0.80

[stop]
runs = 40
hours = "90 min"
tolerance = 0.016

[planner]
kind = "ax"
timeout_s = 120
warm_start = true
"""


@pytest.mark.parametrize(
    "written,ahead,refresh",
    [("", None, True), ("ahead = 3", 3, True), ("ahead = 0\nrefresh = false", 0, False)],
)
def test_a_file_that_says_nothing_of_it_lets_what_is_ready_be_asked_for_anew(
    tmp_path: Path, written: str, *, ahead: int | None, refresh: bool
) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text(GOOD.replace("warm_start = true", written))
    planner = read_campaign(path).planner
    assert (planner.ahead, planner.refresh, planner.options) == (ahead, refresh, {})


@pytest.mark.parametrize(
    "cost,planner,bench",
    [
        ("", "", False),
        ("[cost]\nper_run = 1\n", "", True),
        ("[cost]\nper_run = 1\n", "bench = false", False),
        ("", "bench = true", True),
    ],
)
def test_the_bench_counts_where_anything_has_a_price_or_the_file_says_so(
    tmp_path: Path, cost: str, planner: str, *, bench: bool
) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text(GOOD.replace("warm_start = true", planner) + cost)
    assert read_campaign(path).planner.bench is bench


def test_a_price_of_lab_time_that_would_not_count_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    cost = "[cost]\nper_hour = 2\n"
    path.write_text(GOOD.replace("warm_start = true", "bench = false") + cost)
    with pytest.raises(UserMistake, match=r"cost.per_hour: counts only with bench = true"):
        read_campaign(path)


def test_a_campaign_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text(GOOD)
    campaign = read_campaign(path)
    assert campaign.space == (
        RangeParameter(name="dye_fraction", low=0.05, high=0.95),
        RangeParameter(name="dye_ul", low=50.0, high=100.0),
        ChoiceParameter(name="settle_s", options=(10.0, 30.0, 60.0)),
    )
    assert campaign.fixed == {"temperature_c": 37.0, "solvent": "water"}
    assert campaign.constraints == (
        LinearConstraint(weights={"dye_ul": 1.0, "settle_s": 2.0}, at_most=300.0),
    )
    assert campaign.roles["well"] == ("plate-1", "plate-2")
    assert campaign.stop.hours == 1.5
    assert campaign.planner.options == {"warm_start": True}
    assert campaign.hypothesis is not None
    assert campaign.hypothesis.predicts.direction == "below"


CASES: list[tuple[str, str, str]] = [
    (
        "name     = ",
        "nmae = ",
        '1: campaign.name: is missing; write for instance: name = "my-name"\n'
        "2: campaign.nmae: unknown key; did you mean 'name'?",
    ),
    (
        '"dye-450"',
        '"Dye 450"',
        "2: campaign.name: 'Dye 450' is no name: use small letters, digits and hyphens, 40 at most",
    ),
    ("seed     = 7", "seed = 7.5", "5: campaign.seed: needs a whole number, not 7.5"),
    ("seed     = 7", "seed = true", "5: campaign.seed: needs a whole number, not true"),
    (
        "seed     = 7",
        "seed = -1",
        "5: campaign.seed: -1 is out of range; use 0 or a positive number",
    ),
    ("parallel = 2", "parallel = 0", "6: campaign.parallel: 0 runs at once; use 1 to 1000"),
    ("parallel = 2", "parallel = = 2", "6: not valid TOML: Invalid value (column 12)"),
    (
        'lab      = "lab.toml"',
        "lab = 3",
        "3: campaign.lab: needs text in quotes, not 3",
    ),
    (
        "below = 0.40 }",
        "beneath = 0.40 }",
        "10: hypothesis.predicts.below: is missing; write for instance: below = 1.0\n"
        "10: hypothesis.predicts.beneath: unknown key; known are: at, below, noise_sd, quantity",
    ),
    (
        "below = 0.40 }",
        "below = 0.4, exceeds = 0.5 }",
        "10: hypothesis.predicts.below: a prediction has exceeds or below, not both",
    ),
    (
        'at = "best"',
        'at = "bast"',
        "10: hypothesis.predicts.at: 'bast' is not offered; did you mean 'best'?",
    ),
    (
        "prior = 0.5",
        "prior = 1.0",
        "11: hypothesis.prior: 1 must lie between 0 and 1, ends excluded",
    ),
    (
        "error_level = 0.1",
        "error_level = 0.5",
        "12: hypothesis.error_level: 0.5 must lie between 0 and 0.5, ends excluded",
    ),
    (
        'handler = "handler"',
        "handler = 4",
        '15: roles.handler: needs a name, or several: "reader-1", or ["plate-1", "plate-2"], not 4',
    ),
    (
        '"plate-2"]',
        '"plate-1"]',
        "16: roles.well: names the same thing twice; name each once",
    ),
    (
        'from = 0.05, to = "95 %"',
        "from = 0.95, to = 0.05",
        "19: search.dye_fraction: from (0.95) is above to (0.05); swap them",
    ),
    (
        'from = 0.05, to = "95 %"',
        "from = 0.05, to = 0.05",
        "19: search.dye_fraction: from and to are both 0.05; give a range, or move it to [fixed]",
    ),
    (
        'from = 0.05, to = "95 %"',
        "from = 0.0, to = 1.0, log = true",
        "19: search.dye_fraction: from (0) must be above 0 on a log scale",
    ),
    (
        'from = 0.05, to = "95 %"',
        "from = 0.2, to = 0.8, integer = true",
        "19: search.dye_fraction: no whole number lies between 0.2 and 0.8",
    ),
    (
        'to = "95 %"',
        "to = nan",
        "19: search.dye_fraction.to: needs a finite number, not nan",
    ),
    (
        'from = 0.05, to = "95 %"',
        "from = 0.05",
        "19: search.dye_fraction.to: is missing; write for instance: to = 1.0",
    ),
    (
        'to = "100 uL"',
        'to = "100 mg"',
        '20: search.dye_ul.to: "100 mg" does not fit: dye_ul is in µL, '
        "and mg cannot be converted to that",
    ),
    (
        'to = "100 uL"',
        'to = "100 smoots"',
        '20: search.dye_ul.to: "smoots" is no known unit; dye_ul is in µL',
    ),
    (
        'to = "100 uL"',
        'to = "much"',
        '20: search.dye_ul.to: "much" is no quantity; write a number, or one with a unit: "50 uL"',
    ),
    (
        'choices = [10.0, "0.5 min", 60.0]',
        "choices = 10.0",
        "21: search.settle_s.choices: needs a list, not 10.0",
    ),
    (
        'choices = [10.0, "0.5 min", 60.0]',
        "choices = []",
        "21: search.settle_s: has no choices; list at least one",
    ),
    (
        'choices = [10.0, "0.5 min", 60.0]',
        'choices = [10.0, "0.5 min", 30.0]',
        "21: search.settle_s: lists a choice twice; list each once",
    ),
    (
        "60.0] }",
        "60.0], from = 3 }",
        "21: search.settle_s.from: unknown key; choices stand alone",
    ),
    (
        'solvent = "water"',
        "dye_ul = 3",
        "25: fixed.dye_ul: is searched too; keep it in [search] or in [fixed]",
    ),
    (
        "settle_s = 2.0 }",
        "solvent = 2.0 }",
        "28: constraint[1].sum.solvent: is not searched; only inputs of [search] can stand here",
    ),
    (
        "sum = { dye_ul = 1.0, settle_s = 2.0 }\nat_most = 300.0",
        "sum = { dye_ul = 1.0 }\nat_most = 30.0",
        "29: constraint[1].at_most: cannot be kept: the sum is at least 50; widen [search]",
    ),
    (
        "target  = 0.80",
        'goal = "maximum"',
        "33: objective.goal: 'maximum' is not offered; did you mean 'maximize'?",
    ),
    (
        "target  = 0.80",
        "",
        '31: objective: say what is better: goal = "maximise", "minimise", or target = 0.8, '
        'or range = [0.7, 0.9]; or what is sought: goal = "hits", "level", "novelty", '
        '"discriminate"',
    ),
    (
        "target  = 0.80",
        'goal = "maximise"',
        "38: stop.tolerance: a tolerance needs a target; remove it, or set a target",
    ),
    ("runs = 40", "runs = 0", "36: stop.runs: 0 runs; use 1 to 1000000"),
    ("runs = 40", "run = 40", "36: stop.run: unknown key; did you mean 'runs'?"),
    ('"90 min"', "-1", "37: stop.hours: -1 hours; use more than 0"),
    (
        '"90 min"',
        '"90 nm"',
        '37: stop.hours: "90 nm" does not fit: stop_h is in h, and nm cannot be converted to that',
    ),
    ("timeout_s = 120", "timeout_s = 0", "42: planner.timeout_s: 0 s; use more than 0"),
    ("warm_start = true", "ahead = 101", "43: planner.ahead: 101 runs ahead; use 0 to 100"),
    (
        "warm_start = true",
        "refresh = 1",
        "43: planner.refresh: needs true or false, not 1",
    ),
    (
        "warm_start = true",
        'fall_back = "sobel"',
        "43: planner.fall_back: 'sobel' is not offered; did you mean 'sobol'?",
    ),
    (
        "warm_start = true",
        "since = 2020-01-01",
        "43: planner.since: holds a date, a time, or a number that is not finite; use text",
    ),
    ("[planner]", "[planer]", "40: planer: unknown key; did you mean 'planner'?"),
    (
        "[planner]",
        "[campaign]",
        "40: not valid TOML: Cannot declare ('campaign',) twice (column 10); it is written "
        "twice: keep one",
    ),
]


def check(tmp_path: Path, name: str, text: str, expected: str) -> None:
    """Reading ``text`` is refused with exactly these messages, ``line: message``."""
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UserMistake) as caught:
        read_campaign(path)
    assert str(caught.value).replace(f"{path}:", "") == expected


@pytest.mark.parametrize("right,wrong,expected", CASES)
def test_each_mistake_is_told_with_its_line(
    tmp_path: Path, right: str, wrong: str, expected: str
) -> None:
    assert right in GOOD
    check(tmp_path, "campaign.toml", GOOD.replace(right, wrong, 1), expected)


def test_several_mistakes_are_told_together(tmp_path: Path) -> None:
    text = GOOD.replace("prior = 0.5", "prior = 7").replace("runs = 40", "runs = -4")
    expected = (
        "11: hypothesis.prior: 7 must lie between 0 and 1, ends excluded\n"
        "36: stop.runs: -4 runs; use 1 to 1000000"
    )
    check(tmp_path, "campaign.toml", text, expected)


def test_an_empty_file_says_what_belongs_in_it(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text("")
    with pytest.raises(UserMistake) as caught:
        read_campaign(path)
    for table in ("campaign", "roles", "search", "objective"):
        assert f"{path}:1: {table}: is missing; add a table [{table}]" in str(caught.value)


def test_a_missing_file_and_a_folder_are_told_kindly(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="there is no such file; `sdl init` makes"):
        read_campaign(tmp_path / "campaign.toml")
    with pytest.raises(UserMistake, match="this is a folder"):
        read_campaign(tmp_path)


def test_windows_line_ends_and_strange_bytes_are_no_surprise(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_bytes(GOOD.replace("\n", "\r\n").replace("runs = 40", "runs = 0").encode())
    with pytest.raises(UserMistake, match=r"campaign.toml:36: stop.runs"):
        read_campaign(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserMistake, match="not UTF-8"):
        read_campaign(path)


def test_a_lab_file_in_place_of_a_campaign_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text('[lab]\nname = "bench"\n\n[instruments.pump]\nsimulator = "pump"\n')
    with pytest.raises(UserMistake) as told:
        read_campaign(path)
    assert str(told.value) == f"{path}:1: lab: this is a lab file; name the campaign's file"


def test_options_that_a_planner_does_not_read_are_refused_at_their_line(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text(GOOD)
    file = open_campaign(path)
    (told,) = check_options_of_planner(file.campaign, {"warm_stop"}, file.places)
    line = 1 + GOOD.splitlines().index("warm_start = true")
    assert str(told).startswith(f"{path}:{line}: planner.warm_start: the planner 'ax' has no such")
    assert str(told).endswith("did you mean 'warm_stop'?")
    assert check_options_of_planner(file.campaign, {"warm_start"}, file.places) == []


def test_without_a_planner_there_is_nothing_to_search(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    head, _, tail = GOOD.partition("[search]")
    fixed = "[fixed]\n" + tail.partition("[fixed]\n")[2].replace('kind = "ax"', 'kind = "none"')
    without = head + fixed.replace("warm_start = true\n", "")
    first, _, rest = without.partition("[[constraint]]")
    path.write_text(first + "[objective]" + rest.partition("[objective]")[2], encoding="utf-8")
    found = read_campaign(path)
    assert (found.space, found.planner.kind) == ((), "none")
    searched = path.read_text(encoding="utf-8") + "\n[search]\ndye_ul = { from = 1, to = 2 }\n"
    path.write_text(searched, encoding="utf-8")
    with pytest.raises(UserMistake, match="nobody searches"):
        read_campaign(path)
