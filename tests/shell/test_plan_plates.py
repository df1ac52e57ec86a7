"""Runs that use wells of one plate: a plan knows that the plate is at one place at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from sdl.authoring import protocol, settle, within
from sdl.capabilities import LiquidHandler, PlateReader, Washer
from sdl.core import commands as do
from sdl.core.engine import Engine
from sdl.core.outlook import outlook
from sdl.core.plan import PlanArrived
from sdl.core.replay import fold
from sdl.model.labware import Well
from sdl.scheduling.counted import solve_counted
from sdl.scheduling.model import Answer, Placed, Plan, Question
from sdl.scheduling.repair import repaired
from sdl.shell.plan_question import Draft, draft
from sdl.shell.replanning import PlanningAtOnce
from tests.core.cell import (
    Cell,
    Reading,
    cell,
    cell_campaign,
    cell_script,
    long_stay,
    quick_read,
    wash_assay,
)
from tests.core.floor import Chances
from tests.shell.test_plan_carries import Known, begun

RUNS = 4
WINDOW_S, SETTLES_S = 60, 900


@protocol
async def wash_in_time(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    async with within(300.0):
        await washer.wash(well.plate, cycles=2, volume_ul=100.0)
    await settle(20.0)
    await handler.dispense(well, {"dye": 100.0})
    async with within(200.0):
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))


PROTOCOLS = (quick_read, wash_assay, long_stay, wash_in_time)


def at_cell(method: object, plates: int = 1, seed: int = 1) -> Cell:
    return Cell(
        Engine(cell_script(method)),
        seed=seed,
        chances=Chances(),
        simulated=False,
        clock="wall",
        there=cell(plates, hotel=1),
    )


def drafted(floor: Cell, at: float) -> Draft:
    return draft(outlook(floor.engine, at), (Known(),))


def planned(question: Draft) -> Plan:
    answer = solve_counted(Question(problem=question.problem, seconds=1.0), rounds=50)
    assert answer.plan is not None
    assert question.objections(answer.plan) == ()
    return answer.plan


def at_two_places(question: Draft, plan: Plan) -> list[str]:
    """What a plan does with a piece of labware that stands elsewhere, or is carried, by then.

    It is found from names and times alone, and not from what the question says of them.
    """
    placed = {one.activity: one for one in plan.placed}
    found = []
    for berth in question.outlook.berths:
        place, free_s = berth.place, -math.inf
        uses = _uses(question, placed, berth.piece)
        for one, target in sorted(uses, key=lambda use: (use[0].start_s, use[0].end_s)):
            if one.start_s < free_s:
                found.append(f"{one.activity} from {one.start_s} s, {berth.piece} is in use")
            if not target and question.steps[one.activity].step.instrument != place:
                found.append(f"{one.activity} from {one.start_s} s, {berth.piece} is at {place}")
            place, free_s = target or place, max(free_s, one.end_s)
    return found


def _uses(question: Draft, placed: dict[str, Placed], piece: str) -> Iterator[tuple[Placed, str]]:
    """Steps on a piece, and its carries with where they go."""
    carries = question.carries
    for name, each in question.steps.items():
        if piece in each.step.labware:
            yield placed[name], ""
        for brought in carries.brings.get(name, ()):
            if brought.endswith(piece):
                yield placed[brought], each.step.instrument
    for one in carries.activities:
        if one.name.endswith((f"puts away {piece}", f"puts aside {piece}")):
            yield placed[one.name], "hotel"


@pytest.mark.parametrize("method", PROTOCOLS)
@pytest.mark.parametrize("at", [2.0, 25.0, 60.0])
def test_a_plan_has_each_plate_at_one_place_at_a_time(method: object, at: float) -> None:
    question = drafted(begun(at_cell(method), at, RUNS), at)
    assert len({each.run.run for each in question.steps.values()}) > 1
    assert at_two_places(question, planned(question)) == []


def test_a_plate_that_two_runs_want_at_one_place_stays_there_for_both() -> None:
    question = drafted(begun(at_cell(wash_assay), 2.0, 2), 2.0)
    stays = [one.name for one in question.carries.activities if "run-2/step" in one.name]
    assert stays == [], "run 2 is given the plate where run 1 has it, each time"


def test_a_window_that_would_be_missed_sends_the_plate_on_before_the_next_run_has_it() -> None:
    question = drafted(begun(at_cell(quick_read), 2.0, RUNS), 2.0)
    plan = {one.activity: one for one in planned(question).placed}
    for run in range(1, RUNS + 1):
        filled, read = (plan[f"dye/run-{run}/step-{step}"] for step in (1, 2))
        assert read.start_s - filled.end_s <= WINDOW_S, f"run {run}"


def test_a_plate_in_which_something_settles_is_not_carried_for_another_run() -> None:
    question = drafted(begun(at_cell(long_stay), 60.0, RUNS), 60.0)
    plan = planned(question)
    washed = [one for one in plan.placed if one.activity.endswith("step-2")]
    assert washed
    for one in washed:
        carried = (placed for placed in plan.placed if " plate-1" in placed.activity)
        before = [each.activity for each in carried if 0 <= each.start_s - one.end_s < SETTLES_S]
        assert before == []


def test_a_plan_of_a_shared_plate_is_mended_without_a_solver() -> None:
    floor = begun(at_cell(wash_assay), 2.0, RUNS)
    question = drafted(floor, 2.0)
    answer = solve_counted(Question(problem=question.problem, seconds=1.0), rounds=50)
    assert answer.plan is not None
    floor.turn(question.event(answer, answer.plan, basis=7, cause="a test"))
    again = drafted(floor, floor.at)
    mended = repaired(again.problem)
    assert mended is not None
    assert mended.broken == ()
    assert again.objections(mended.plan) == ()
    assert at_two_places(again, mended.plan) == []


def played(method: object, seed: int) -> tuple[Cell, list[str]]:
    """A campaign to its end, planned for all the time, and what was wrong with its plans."""
    floor, wrong = at_cell(method, plates=2, seed=seed), list[str]()

    def solve(question: Question) -> Answer:
        answer = solve_counted(question, rounds=20)
        ahead = drafted(floor, floor.at)
        if answer.plan is not None and not ahead.objections(answer.plan):
            wrong.extend(at_two_places(ahead, answer.plan))
        return answer

    planning = PlanningAtOnce(solve, (Known(),), now=lambda: floor.at)

    def look(at: float) -> None:
        ahead = drafted(floor, at)
        if ahead.outlook.plan is not None and ahead.steps:
            mended = repaired(ahead.problem)
            wrong.extend(["no repair"] if mended is None else at_two_places(ahead, mended.plan))
        planning.look(floor.engine, len(floor.journal), floor.turn)
        if not floor.engine.is_over:
            floor.call(at + 20.0, look)

    floor.call(3.0, look)
    floor.play(cell_campaign(range(1, 3), parallel=RUNS))
    return floor, wrong


@pytest.mark.parametrize("method", [quick_read, wash_in_time])
def test_runs_that_share_plates_and_are_planned_for_come_to_their_end(method: object) -> None:
    for seed in range(2):
        floor, wrong = played(method, seed)
        assert (floor.wrong, wrong) == ([], []), f"seed {seed}"
        assert sum(isinstance(one, do.EndRun) for one in floor.journal) == 6, f"seed {seed}"
        assert any(isinstance(one, PlanArrived) for one in floor.journal), f"seed {seed}"
        again = fold(cell_script(method), floor.journal)
        assert again.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"
