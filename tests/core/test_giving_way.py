"""A plate that stands at an instrument lets another campaign's be brought, if that may come."""

from __future__ import annotations

import pytest

from sdl.authoring import protocol
from sdl.capabilities import LiquidHandler, PlateReader, Washer
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.model.campaign import StopRule, Terms
from sdl.model.labware import Well
from tests.core.cell import Cell, Reading, cell, cell_campaign
from tests.core.floor import Start
from tests.core.test_agenda import plan, planned, sent
from tests.core.test_transport import at_cell, until


@protocol
async def twice(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    await handler.dispense(well, {"dye": 100.0})
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


def two_campaigns() -> Cell:
    """One plate of ``a`` is at work in the handler, and ``b``, which goes before it, wants that."""
    floor = at_cell(1, cell(2), function=twice)
    once = StopRule(runs=1)
    first = Start(spec=cell_campaign(range(1, 2), name="a", stop=once))
    second = Start(spec=cell_campaign(range(2, 3), name="b", stop=once), terms=Terms(priority=5))
    with pytest.raises(AssertionError, match="no end"):
        floor.play_lab(first, limit=0)
    handler = floor.engine.lab.instruments["handler"]
    until(floor, lambda: handler.busy_with)
    floor.start(second, floor.at)
    until(floor, lambda: floor.engine.campaigns["b"].state.runs)
    assert handler.busy_with == "a/run-1/step-1/try-1"
    return floor


def end_of_first(floor: Cell) -> list[do.Command]:
    """What follows from the end of the first step of ``a``."""
    done = ev.CommandDone(
        at=floor.at + 1.0, cid="a/run-1/step-1/try-1", result=None, duration_s=20.0
    )
    return floor.engine.handle(done)


def test_a_step_gives_way_to_a_plate_of_a_campaign_that_goes_before_its_own() -> None:
    out = end_of_first(two_campaigns())
    assert sent(out) != ["a/run-1/step-2/try-1"]
    assert [one.labware for one in out if isinstance(one, do.BeginCarry)] == ["plate-1"]


def test_no_step_gives_way_to_a_plate_that_the_plan_keeps_out() -> None:
    floor = two_campaigns()
    late = floor.at + 3000.0
    first = planned("a/run-1/step-2", "handler", floor.at + 10.0)
    floor.turn(plan(floor.at, first, planned("b/run-1/step-1", "handler", late)))
    # Where nothing moved on the whole bench, the plan would keep nobody.
    floor.engine.lab.instruments["reader"].busy_with = "c/run-1/step-1/try-1"
    out = end_of_first(floor)
    assert sent(out) == ["a/run-1/step-2/try-1"]
    assert not [one for one in out if isinstance(one, do.BeginCarry)]


def test_a_step_gives_way_for_a_while_only_though_nothing_else_happens_meanwhile() -> None:
    floor = two_campaigns()
    floor.engine.lab.instruments["arm"].busy_with = "c/run-1/step-1/try-1"
    out = end_of_first(floor)
    assert sent(out) == []
    (prompt,) = [one for one in out if isinstance(one, do.Wait) and "prompt" in one.timer]
    assert prompt.timer == "a/run-1/step-2/prompt"
    out = floor.engine.handle(ev.TimerFired(at=prompt.until, timer=prompt.timer))
    assert sent(out) == ["a/run-1/step-2/try-1"]
