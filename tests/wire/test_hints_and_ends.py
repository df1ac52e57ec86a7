"""``[prior] hint`` and the stop rules on what is left, as a campaign file has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wire.test_problem_tables import read, refused

LISTED = '[search]\nx = { choices = [1, 2, 3] }\ny = { choices = ["a", "b"] }\n'
REAL = "[search]\nx = { from = 0, to = 1 }\n"
TARGET = '[objective]\nmeasure = "m"\ntarget = 1\n'
HITS = '[objective]\nmeasure = "m"\ngoal = "hits"\nat_least = 1\n'
TABLE = "x,y,halide,yield\n1,a,iodide,3\n2,b,bromide,4\n7,b,bromide,4\n"


def test_a_hint_may_have_other_fixed_inputs_and_a_measurement_may_not(tmp_path: Path) -> None:
    fixed = LISTED + '[fixed]\nhalide = "iodide"\n'
    (known,) = read(tmp_path, fixed + '[prior]\ncsv = "t.csv"\n', t=TABLE).prior
    assert ([one.is_hint for one in known.trials], known.left_out) == ([False], 2)
    (hint,) = read(tmp_path, fixed + '[prior]\ncsv = "t.csv"\nhint = true\n', t=TABLE).prior
    assert ([one.is_hint for one in hint.trials], hint.left_out) == ([True, True], 1)
    assert {one.prior for one in hint.trials} == {"t.csv"}


def test_there_may_be_several_sources_some_of_them_hints(tmp_path: Path) -> None:
    tables = '[[prior]]\ncsv = "t.csv"\n[[prior]]\ncampaign = "dye-430"\nhint = true\n'
    file, earlier = read(tmp_path, LISTED, tables, t=TABLE).prior
    assert (file.source, file.is_hint, len(file.trials)) == ("t.csv", False, 2)
    assert (earlier.source, earlier.is_campaign, earlier.is_hint) == ("dye-430", True, True)


def test_stop_rules_on_what_is_left_are_read_in_the_unit_of_the_measure(tmp_path: Path) -> None:
    aim = '[objective]\nmeasure = "yield_fraction"\ngoal = "maximise"\n'
    rules = '[stop]\nexpected_gain = "2 %"\nchance_of_better = 0.05\n'
    stop = read(tmp_path, LISTED, rules, aim=aim).stop
    assert stop.expected_gain == pytest.approx(0.02)
    assert stop.chance_of_better == 0.05
    assert stop.looks_ahead


@pytest.mark.parametrize(
    "space, rules, aim, expected",
    [
        (REAL, "chance_of_better = 0.05", "", "of real numbers a little better one is always left"),
        (LISTED, "chance_of_better = 1.5", "", "1.5; use 0 to 1, such as 0.05"),
        (LISTED, "expected_gain = 0", "", "0; use more than 0"),
        (
            LISTED,
            "expected_gain = 1",
            '[objective]\nmeasure = "yield"\ngoal = "novelty"\n',
            "nothing is the best of novelty; remove it",
        ),
        (LISTED, "reached = 2", TARGET, "the goal is target; remove it, or maximise or minimise"),
        (LISTED, "hits = 3", TARGET, 'nothing says what a hit is; remove it, or set goal = "hits"'),
        (LISTED, "hits = 0", HITS, "0 hits; use 1 or more"),
    ],
)
def test_a_stop_rule_that_makes_no_sense_is_told(
    tmp_path: Path, space: str, rules: str, aim: str, expected: str
) -> None:
    given = {"aim": aim} if aim else {}
    (found,) = refused(tmp_path, space, f"[stop]\n{rules}\n", **given)
    assert expected in found


def test_what_is_good_enough_is_read_in_the_unit_of_the_measure(tmp_path: Path) -> None:
    aim = '[objective]\nmeasure = "yield_fraction"\ngoal = "maximise"\n'
    assert read(tmp_path, LISTED, '[stop]\nreached = "80 %"\n', aim=aim).stop.reached == 0.8
    assert read(tmp_path, LISTED, "[stop]\nhits = 3\n", aim=HITS).stop.hits == 3


def test_several_objectives_have_no_common_gain(tmp_path: Path) -> None:
    both = "".join(
        f'[[objective]]\nmeasure = "{measure}"\ngoal = "maximise"\n' for measure in ("a", "b")
    )
    (found,) = refused(tmp_path, LISTED, "[stop]\nexpected_gain = 1\n", aim=both)
    assert found.endswith("stop.expected_gain: several objectives have no common gain; remove it")
