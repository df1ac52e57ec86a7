"""How a run's needs follow from its inputs is found out by asking, or given up: never guessed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdl.core.amounts_of import amounts_of, spread
from sdl.model.bench import amount
from sdl.model.campaign import ChoiceParameter, LinearConstraint, Objective, RangeParameter
from sdl.model.candidates import packed
from sdl.model.data import Inputs
from sdl.model.planning import Problem
from sdl.model.space import feasible

SHARE = RangeParameter(name="share", low=0.0, high=1.0)
TOTAL = RangeParameter(name="total_ul", low=20.0, high=200.0)
LIQUID = ChoiceParameter(name="liquid", options=("a", "b", "c"))
KEEP = ChoiceParameter(name="keep_s", options=(30.0, 60.0, 600.0))
CYCLES = RangeParameter(name="cycles", low=1, high=5, integer=True)
WANTED = Objective(measure="y", goal="maximise")
WHOLE = Problem(space=(SHARE, TOTAL, LIQUID, KEEP, CYCLES), objective=WANTED)


def mixed(inputs: Inputs) -> Mapping[str, float]:
    """A share of a total, of the liquid that is chosen; the rest is buffer."""
    share, total_ul = float(inputs["share"]), float(inputs["total_ul"])
    return {
        str(inputs["liquid"]): round(share * total_ul, 6),
        "buffer": round((1.0 - share) * total_ul, 6),
        "time": float(inputs["keep_s"]) * float(inputs["cycles"]) + 20.0,
    }


@settings(max_examples=40)
@given(
    st.floats(0.0, 1.0),
    st.floats(20.0, 200.0),
    st.sampled_from("abc"),
    st.sampled_from((30.0, 60.0, 600.0)),
    st.integers(1, 5),
)
def test_products_of_inputs_are_told_exactly(
    share: float, total_ul: float, liquid: str, keep_s: float, cycles: int
) -> None:
    told, wrong = amounts_of(WHOLE, mixed)
    here: Inputs = {
        "share": share,
        "total_ul": total_ul,
        "liquid": liquid,
        "keep_s": keep_s,
        "cycles": cycles,
    }
    assert wrong == ()
    for name in ("a", "b", "c", "buffer", "time"):
        assert amount(told[name], here) == pytest.approx(mixed(here).get(name, 0.0), abs=1e-3)


def test_what_follows_in_no_such_way_is_named_and_not_told() -> None:
    def at(inputs: Inputs) -> Mapping[str, float]:
        return {"square": float(inputs["share"]) ** 2, "plain": 3.0}

    told, wrong = amounts_of(WHOLE, at)
    assert wrong == ("square",)
    assert [term.weight for term in told["plain"]] == [3.0]


def test_a_mixture_is_asked_about_where_it_adds_up() -> None:
    shares = tuple(RangeParameter(name=name, low=0.0, high=1.0) for name in ("a", "b", "c"))
    whole = LinearConstraint(weights={"a": 1.0, "b": 1.0, "c": 1.0}, at_least=1.0, at_most=1.0)
    problem = Problem(space=shares, objective=WANTED, constraints=(whole,))
    points = list(itertools.islice(spread(problem), 20))
    assert len(points) == 20
    assert all(feasible(problem, one) for one in points)
    told, wrong = amounts_of(problem, lambda one: {n: 200.0 * float(v) for n, v in one.items()})
    assert wrong == ()
    assert amount(told["b"], {"a": 0.2, "b": 0.5, "c": 0.3}) == pytest.approx(100.0)


def test_of_a_list_only_its_points_are_the_measure() -> None:
    rows = [(0.1 * place, "abc"[place % 3]) for place in range(11)]
    listed = packed("list.csv", "0" * 64, rows, 2)
    problem = Problem(space=(SHARE, LIQUID), objective=WANTED, candidates=listed)
    assert {(one["share"], one["liquid"]) for one in spread(problem)} == set(rows)


def test_too_wide_a_space_is_not_asked_about() -> None:
    options = tuple(f"o{number}" for number in range(60))
    space = tuple(ChoiceParameter(name=name, options=options) for name in ("x", "y"))

    def at(inputs: Inputs) -> Mapping[str, float]:
        return {"all": float(sum(options.index(str(one)) for one in inputs.values()))}

    with pytest.raises(ValueError, match="too many"):
        amounts_of(Problem(space=space, objective=WANTED), at)
