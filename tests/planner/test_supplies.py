"""What the bench has left, and how long runs take, enters the choice of the next point."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest

from sdl.model.bench import Amount, BenchState, Queue, Stock, Term
from sdl.model.campaign import ChoiceParameter, Objective
from sdl.model.costs import Costs
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.reason import Spending
from sdl.planner.mixture import EnsemblePlanner

DOSES, LIQUIDS, TIMES = (20.0, 60.0, 100.0), ("dye", "ink"), (60.0, 3600.0)
SPACE = (
    ChoiceParameter(name="dose_ul", options=DOSES),
    ChoiceParameter(name="liquid", options=LIQUIDS),
    ChoiceParameter(name="keep_s", options=TIMES),
)
FLAT = Problem(space=SPACE, objective=Objective(measure="y", goal="novelty"))
KEPT = (Term(weight=1.0, numbers=("keep_s",)),)
HALF = 5
"""Trials that are known: all that is said of points is what the bench makes of them."""


def dose_of(liquid: str) -> Amount:
    return (Term(weight=1.0, numbers=("dose_ul",), options={"liquid": liquid}),)


def stock(liquid: str, left_ul: float) -> Stock:
    return Stock(source=f"handler/{liquid}", left_ul=left_ul, draws_ul=dose_of(liquid))


def known(count: int = HALF) -> tuple[Trial, ...]:
    rows = list(itertools.product(DOSES, LIQUIDS, TIMES))[::2]
    return tuple(
        Trial(
            inputs={"dose_ul": dose, "liquid": liquid, "keep_s": keep},
            status="measured",
            measures={"y": float(place % 2)},
        )
        for place, (dose, liquid, keep) in enumerate(rows[:count])
    )


def suggested(problem: Problem, count: int = 1, trials: int = HALF) -> tuple[Suggestion, ...]:
    return EnsemblePlanner().suggest(problem, known(trials), count, 3)


def spending_of(found: Suggestion) -> Spending:
    assert found.reason is not None
    assert found.reason.spending is not None
    return found.reason.spending


@pytest.mark.parametrize("trials", [0, HALF])
def test_a_point_for_which_stock_is_short_is_left_until_nothing_else_is(trials: int) -> None:
    bench = BenchState(stocks=(stock("dye", 10.0), stock("ink", 1e5)))
    rows = 12 - trials
    found = suggested(replace(FLAT, bench=bench), rows, trials)
    liquids = [one.inputs["liquid"] for one in found]
    assert len(found) == rows
    assert liquids == sorted(liquids, reverse=True), "all of ink before any of dye"
    first = spending_of(found[0])
    assert first.short == {"handler/dye": 10.0}
    assert first.passed_over == liquids.count("dye")


def test_what_is_chosen_at_once_shares_what_is_left() -> None:
    bench = BenchState(stocks=(stock("dye", 125.0), stock("ink", 125.0)))
    found = suggested(replace(FLAT, bench=bench), 3)
    drawn = dict.fromkeys(LIQUIDS, 0.0)
    for one in found:
        drawn[str(one.inputs["liquid"])] += float(one.inputs["dose_ul"])
    assert all(volume_ul <= 125.0 for volume_ul in drawn.values())


def test_a_run_that_drains_a_bottle_costs_what_later_runs_would_have_used() -> None:
    def drain(left_ul: float) -> float:
        bench = BenchState(stocks=(stock("dye", left_ul), stock("ink", left_ul)))
        (one,) = suggested(replace(FLAT, bench=bench, runs=HALF + 9))
        spending = spending_of(one)
        (draw,) = spending.draws
        assert draw.volume_ul <= draw.left_ul
        assert one.reason is not None
        assert one.reason.log_cost == spending.log_drain
        share = draw.volume_ul / draw.left_ul
        assert spending.log_drain == pytest.approx(math.log1p(8 * share))
        return spending.log_drain

    assert 0.0 < drain(1e6) < 1e-3
    assert drain(250.0) > 0.1


def test_lab_time_costs_what_an_hour_is_said_to() -> None:
    costs = Costs(per_run=1.0, per_hour=6.0)
    problem = replace(FLAT, costs=costs, bench=BenchState(duration_s=KEPT))
    (found,) = suggested(problem)
    assert found.inputs["keep_s"] == 60.0
    spending = spending_of(found)
    assert spending.hours == pytest.approx(1 / 60)
    assert spending.cost == pytest.approx(1.0)
    assert spending.cost_of_hours == pytest.approx(0.1)


def test_an_instrument_that_others_wait_for_is_dearer_than_one_that_is_free() -> None:
    furnace = (Term(weight=1.0, options={"liquid": "dye"}),)
    queue = Queue(instrument="furnace", wait_s=36_000.0, steps=furnace)
    problem = replace(FLAT, costs=Costs(per_run=1.0, per_hour=6.0))
    busy = suggested(replace(problem, bench=BenchState(queues=(queue,))), 3)
    assert {one.inputs["liquid"] for one in busy} == {"ink"}


def test_what_does_not_count_is_named() -> None:
    (found,) = suggested(replace(FLAT, bench=BenchState(unclear=("handler/dye",))))
    assert spending_of(found).unclear == ("handler/dye",)


def test_a_bench_with_plenty_changes_no_point() -> None:
    bench = BenchState(stocks=(stock("dye", 1e12), stock("ink", 1e12)))
    plain, aware = suggested(FLAT, 3), suggested(replace(FLAT, bench=bench), 3)
    assert [one.inputs for one in plain] == [one.inputs for one in aware]
