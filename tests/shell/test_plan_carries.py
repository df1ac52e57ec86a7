"""A plan finds time for carries and room for plates, and the engine fetches by it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from sdl.core import commands as do
from sdl.core.engine import Engine
from sdl.core.ids import run_of
from sdl.core.outlook import outlook
from sdl.core.plan import PlanArrived
from sdl.core.replay import fold
from sdl.model.data import JsonValue
from sdl.model.lab import place_of
from sdl.model.prediction import Prediction
from sdl.scheduling.check import broken
from sdl.scheduling.counted import solve_counted
from sdl.scheduling.model import Hold, Question
from sdl.scheduling.repair import repaired
from sdl.shell.plan_carries import ABSENT_S
from sdl.shell.plan_question import NOW, PUT_OFF_COST, ROOM_S, Draft, draft
from sdl.shell.replanning import PlanningAtOnce
from tests.core.cell import ONE_WELL, Cell, cell, cell_campaign, cell_script, wash_assay
from tests.core.floor import Chances

PLATES = 4
LENGTHS = {"dispense": 60.0, "wash": 90.0, "absorbance": 30.0}


@dataclass(frozen=True)
class Known:
    """Predicts round numbers."""

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        return Prediction(duration_s=LENGTHS[operation])


def at_cell(reaches: dict[str, tuple[str, ...]] | None = None, seed: int = 1) -> Cell:
    return Cell(
        Engine(cell_script(wash_assay)),
        seed=seed,
        chances=Chances(),
        simulated=False,
        clock="wall",
        there=cell(PLATES, hotel=1, reaches=reaches, kind=ONE_WELL),
    )


class _Reached(Exception):
    pass


def begun(floor: Cell, at: float, parallel: int = PLATES) -> Cell:
    """The campaign, up to a lab time."""

    def stop(_: float) -> None:
        raise _Reached

    floor.call(at, stop)
    with suppress(_Reached):
        floor.play(cell_campaign(range(1, PLATES + 1), parallel=parallel))
    return floor


def drafted(floor: Cell, at: float) -> Draft:
    return draft(outlook(floor.engine, at), (Known(),))


def planned(question: Draft) -> PlanArrived:
    answer = solve_counted(Question(problem=question.problem, seconds=1.0), rounds=50)
    assert answer.plan is not None
    assert question.objections(answer.plan) == ()
    return question.event(answer, answer.plan, basis=7, cause="a test")


def test_each_step_is_brought_its_plate_and_behind_the_last_one_it_is_put_away() -> None:
    problem = drafted(begun(at_cell(), 2.0), 2.0).problem
    names = {one.name for one in problem.activities if one.group == "dye/run-2"}
    assert names == {
        *(f"dye/run-2/step-{step}" for step in (1, 3, 4, 5)),
        *(f"dye/run-2/step-{step} with plate-2" for step in (1, 3, 4, 5)),
        "dye/run-2 puts away plate-2",
    }
    stays = {hold for hold in problem.holds if "plate-2" in hold.last}
    assert (
        Hold(
            resource="sites of washer",
            first="dye/run-2/step-3 with plate-2",
            last="dye/run-2/step-4 with plate-2",
        )
        in stays
    )
    assert {one.capacity for one in problem.resources if one.name.startswith("sites of")} == {1}


def test_what_nobody_keeps_waiting_is_not_put_off() -> None:
    floor = begun(at_cell(), 24.0)
    assert floor.engine.lab.instruments["washer"].busy_with == "dye/run-1/step-3/try-1"
    found = drafted(floor, 24.0)
    (soft,) = [lag for lag in found.problem.lags if lag.cost_per_s == PUT_OFF_COST]
    assert (soft.before, soft.after) == ("dye/run-1/step-3", "dye/run-1/step-4"), "it is next"
    carry_s = found.carries.length_s("dye/run-1/step-4 with plate-1")
    assert soft.maximum_s == ROOM_S + carry_s


def test_runs_for_which_no_plate_is_left_are_not_planned() -> None:
    for parallel in (PLATES - 1, PLATES):
        ahead = outlook(begun(at_cell(), 2.0, parallel).engine, 2.0)
        assert [one.run for one in ahead.runs] == [f"dye/run-{n + 1}" for n in range(PLATES)]


def test_a_carry_under_way_is_known_and_its_site_is_taken() -> None:
    floor = begun(at_cell(), 2.0)
    (carry,) = floor.engine.lab.carries.values()
    problem = drafted(floor, 2.0).problem
    (fixed,) = [one for one in problem.activities if one.fixed and one.name != NOW]
    assert fixed.name == f"carry of {carry.piece}"
    assert any(hold.first == fixed.name for hold in problem.holds)


def test_an_arm_that_is_out_of_use_does_not_end_its_carry_at_once() -> None:
    floor = begun(at_cell(), 2.0)
    floor.engine.lab.instruments["arm"].paused = "eve looks at it"
    fixed = [one.fixed for one in drafted(floor, 2.0).problem.activities if one.fixed]
    assert max(one.end_s for one in fixed) == ABSENT_S


def test_what_a_plan_says_of_carries_is_enough_to_make_it_again() -> None:
    floor = begun(at_cell(), 2.0)
    event = planned(drafted(floor, 2.0))
    mine = [one for one in event.steps if run_of(one.step) in floor.engine.state.runs]
    assert all(one.bring_s >= one.carry_s > 0.0 for one in mine if one.step[-1] != "1")
    assert [one.step for one in mine if one.away_s is not None] == [
        one.step for one in mine if one.step[-1] == "5"
    ]
    floor.turn(event)
    problem = drafted(floor, floor.at).problem
    mended = repaired(problem)
    assert mended is not None
    assert mended.broken == ()
    assert broken(problem, mended.plan) == ()
    free = {one.name for one in problem.activities if one.fixed is None}
    before = {one.activity: one.start_s for one in problem.current}
    assert free == before.keys()
    placed = {one.activity: one.start_s for one in mended.plan.placed}
    late_s = [placed[name] - start_s for name, start_s in before.items()]
    assert max(late_s) <= 5, "nothing happened meanwhile"


def test_a_relay_and_a_person_are_planned_as_one_carry() -> None:
    arm: dict[str, tuple[str, ...]] = {"arm": ("handler", "reader", "hotel")}
    relay: dict[str, tuple[str, ...]] = {**arm, "arm-2": ("washer", "hotel", "reader")}
    for reaches in (relay, arm):
        question = drafted(begun(at_cell(reaches), 2.0), 2.0)
        plan = planned(question)
        assert {one.step.rpartition("-")[2] for one in plan.steps} == {"1", "3", "4", "5"}


def test_of_two_plates_that_want_each_others_sites_one_goes_into_store_for_a_while() -> None:
    floor = begun(at_cell(), 40.0)
    at = {name: place_of(one.site) for name, one in floor.engine.lab.pieces.items()}
    assert (at["plate-1"], at["plate-2"]) == ("washer", "handler"), "each is wanted at the other's"
    question = drafted(floor, 40.0)
    event = planned(question)
    aside = [one for one in question.carries.activities if "puts aside" in one.name]
    assert [one.name for one in aside] == ["dye/run-1/step-4 puts aside plate-1"]
    floor.turn(event)
    mended = repaired(drafted(floor, floor.at).problem)
    assert mended is not None
    assert mended.broken == ()


def played(seed: int) -> Cell:
    floor = at_cell(seed=seed)
    planning = PlanningAtOnce(
        lambda question: solve_counted(question, rounds=20), (Known(),), now=lambda: floor.at
    )

    def look(at: float) -> None:
        planning.look(floor.engine, len(floor.journal), floor.turn)
        if not floor.engine.is_over:
            floor.call(at + 20.0, look)

    floor.call(3.0, look)
    floor.play(cell_campaign(range(1, PLATES + 1), parallel=PLATES))
    return floor


def test_a_bench_of_plates_that_is_planned_for_comes_to_its_end_and_replays() -> None:
    for seed in range(3):
        floor = played(seed)
        assert floor.wrong == [], f"seed {seed}"
        ends = [one for one in floor.journal if isinstance(one, do.EndRun)]
        assert len(ends) == PLATES, f"seed {seed}"
        again = fold(cell_script(wash_assay), floor.journal)
        assert again.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"


def test_a_carry_that_is_shifted_keeps_the_arm_that_it_was_planned_with() -> None:
    places = ("handler", "reader", "washer", "hotel")
    floor = begun(at_cell({"arm": places, "arm-2": places}), 2.0)
    event = planned(drafted(floor, 2.0))
    given = {name: arm for one in event.steps for name, arm in one.carriers}
    assert set(given.values()) == {"arm", "arm-2"}, "each has something to do"
    floor.turn(event)
    floor.engine.lab.took["arm-2/move"] = 9.0  # slower by now than it was taken to be
    problem = drafted(floor, floor.at).problem
    mended = repaired(problem)
    assert mended is not None
    assert mended.broken == ()
    assert broken(problem, mended.plan) == ()
    modes = {one.name: one.modes for one in problem.activities}
    kept = {
        one.activity: modes[one.activity][one.mode].name
        for one in mended.plan.placed
        if one.activity in given
    }
    assert kept == given


def test_what_an_arm_cannot_do_any_more_is_planned_for_one_that_can() -> None:
    floor = begun(at_cell({"arm": ("handler", "reader", "washer", "hotel")}), 2.0)
    event = planned(drafted(floor, 2.0))
    gone = tuple(
        replace(one, carriers=tuple((name, "arm-9") for name in (f"{one.step} with plate-1",)))
        for one in event.steps
    )
    floor.turn(replace(event, steps=gone))
    problem = drafted(floor, floor.at).problem
    assert {one.mode for one in problem.current} == {0}
    mended = repaired(problem)
    assert mended is not None
    assert broken(problem, mended.plan) == ()
