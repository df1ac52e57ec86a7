"""A plan says which instrument of a pooled role does each step, and the engine takes that one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from sdl.core.outlook import outlook
from sdl.core.plan import PlanArrived
from sdl.scheduling.counted import solve_counted
from sdl.scheduling.model import Question
from sdl.shell.plan_question import Draft, draft
from sdl.shell.replanning import PlanningAtOnce
from tests.core.cell import Cell, wash_assay
from tests.core.test_pools import READERS, at_bench, held_against, reads, spec, two_readers
from tests.core.test_transport import until
from tests.shell.test_plan_carries import Known

PLATES = 4


class _Reached(Exception):
    pass


def begun(at: float, *, pooled: bool = True) -> Cell:
    """The campaign, up to a lab time."""
    floor = at_bench(1, two_readers(PLATES), function=wash_assay)

    def stop(_: float) -> None:
        raise _Reached

    floor.call(at, stop)
    with suppress(_Reached):
        floor.play(spec(range(1, PLATES + 1), pooled=pooled, parallel=PLATES))
    return floor


def drafted(floor: Cell) -> Draft:
    return draft(outlook(floor.engine, floor.at), (Known(),))


def test_a_read_may_be_planned_at_any_reader_and_takes_a_site_there() -> None:
    problem = drafted(begun(2.0)).problem
    by_name = {one.name: one for one in problem.activities}
    assert {mode.name for mode in by_name["dye/run-2/step-5"].modes} == set(READERS)
    assert [mode.name for mode in by_name["dye/run-2/step-3"].modes] == ["washer"]
    holds = [one for one in problem.holds if one.activity == "dye/run-2/step-5"]
    assert {(one.resource, one.mode) for one in holds} == {
        (f"sites of {mode.name}", place)
        for place, mode in enumerate(by_name["dye/run-2/step-5"].modes)
    }
    assert {(one.first, one.last) for one in holds} == {
        ("dye/run-2/step-5 with plate-2", "dye/run-2 puts away plate-2")
    }


def test_a_plain_list_leaves_the_plan_no_choice() -> None:
    problem = drafted(begun(2.0, pooled=False)).problem
    assert all(len(one.modes) == 1 for one in problem.activities)
    assert all(not one.activity for one in problem.holds)


def test_the_engine_takes_the_reader_that_is_planned() -> None:
    floor = begun(2.0)
    found = drafted(floor)
    answer = solve_counted(Question(problem=found.problem, seconds=1.0), rounds=50)
    assert answer.plan is not None
    assert found.objections(answer.plan) == ()
    plan = found.event(answer, answer.plan, basis=7, cause="a test")
    swapped = {"reader": "reader-2", "reader-2": "reader"}
    steps = [
        replace(one, instrument=swapped.get(one.instrument, one.instrument)) for one in plan.steps
    ]
    floor.turn(replace(plan, steps=tuple(steps)))
    until(floor, lambda: reads(floor))
    ((run, reader),) = reads(floor).items()
    assert reader == {one.step: one.instrument for one in steps}[f"{run}/step-5"]


def test_planned_pools_are_the_same_from_any_snapshot() -> None:
    floor = at_bench(2, two_readers(PLATES))
    planning = PlanningAtOnce(
        lambda question: solve_counted(question, rounds=20), (Known(),), now=lambda: floor.at
    )

    def look(at: float) -> None:
        planning.look(floor.engine, len(floor.journal), floor.turn)
        if not floor.engine.is_over:
            floor.call(at + 20.0, look)

    floor.call(3.0, look)
    floor.play(spec(range(1, PLATES + 1), parallel=PLATES))
    assert any(isinstance(line, PlanArrived) and line.steps for line in floor.journal)
    assert not floor.wrong
    held_against(floor, 10)
