"""Constraints written as text become sums of the problem language, or are refused in words."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sdl.errors import PlannerFault
from sdl.model.campaign import ChoiceParameter, Parameter, RangeParameter
from sdl.planner.sums import sum_of, sums_of

SPACE: tuple[Parameter, ...] = (
    *(RangeParameter(name=name, low=0.0, high=10.0) for name in ("a", "b", "acid", "acid ratio")),
    RangeParameter(name="2-propanol", low=0.0, high=1.0),
    ChoiceParameter(name="n", options=(1, 2, 5)),
    ChoiceParameter(name="solvent", options=("water", "toluene")),
)


@pytest.mark.parametrize(
    "text, weights, least, most",
    [
        ("a + b == 1", {"a": 1.0, "b": 1.0}, 1.0, 1.0),
        ("a + b = 1", {"a": 1.0, "b": 1.0}, 1.0, 1.0),
        ("2*a - 0.5 b <= 3e1", {"a": 2.0, "b": -0.5}, None, 30.0),
        ("a*2 - b * .5 <= 3", {"a": 2.0, "b": -0.5}, None, 3.0),
        ("a * -2 >= -8", {"a": -2.0}, -8.0, None),
        ("1.0 * a + -2.0 * b <= 3", {"a": 1.0, "b": -2.0}, None, 3.0),
        ("a >= 2 + b", {"a": 1.0, "b": -1.0}, 2.0, None),
        ("1 <= 2a + n", {"a": -2.0, "n": -1.0}, None, -1.0),
        ("acid + 3 acid ratio <= 4", {"acid": 1.0, "acid ratio": 3.0}, None, 4.0),
        ("acid ratio*3 + 2*2-propanol <= 4", {"acid ratio": 3.0, "2-propanol": 2.0}, None, 4.0),
        ("a + b - b <= 4", {"a": 1.0}, None, 4.0),
    ],
)
def test_a_constraint_is_read_as_it_is_written(
    text: str, weights: Mapping[str, float], least: float | None, most: float | None
) -> None:
    found = sum_of(text, SPACE)
    assert (found.weights, found.at_least, found.at_most) == (weights, least, most)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("a * b <= 1", "'a \\* b <= 1' is not a sum of numbers times inputs at '\\* b'"),
        ("a b <= 1", "not a sum .* at 'b'"),
        ("a + <= 1", "not a sum .* at '\\+'"),
        ("a + b <=", "not a sum"),
        ("a + b < 1", "has no sign of ==, <= and >="),
        ("a + b", "has no sign of ==, <= and >="),
        ("0 <= a <= 1", "more than one sign .*; write one line for each bound"),
        ("a + q <= 1", "names q, which is no parameter; there are a, b, acid"),
        ("a + solvent <= 1", "names solvent, which has named options; a sum needs numbers"),
        ("a - a <= 1", "bounds no parameter; leave it out"),
        ("a + b == 50", "can never be kept: .* lies between 0 and 20; correct it, or widen"),
        ("a + 1 <= 0.5", "can never be kept: .* lies between 0 and 10"),
        ("2*n == 5", "no levels of its inputs add up to 5"),
    ],
)
def test_a_constraint_that_means_nothing_is_refused_with_its_text_and_a_remedy(
    text: str, complaint: str
) -> None:
    with pytest.raises(PlannerFault, match=complaint):
        sum_of(text, SPACE)


def test_of_real_numbers_one_sum_alone_can_be_met_and_of_levels_any() -> None:
    with pytest.raises(PlannerFault, match=r"'a \+ acid == 2' has a, which stands in another sum"):
        sums_of(["a + b == 1", "a + acid == 2"], SPACE)
    levels = tuple(ChoiceParameter(name=name, options=(1, 2, 3)) for name in "abc")
    assert len(sums_of(["a + b == 4", "b + c == 3"], levels)) == 2
