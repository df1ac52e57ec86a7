"""The engine: arguments that no message can carry are refused before anything is sent."""

from __future__ import annotations

import math

import pytest

from sdl.authoring import protocol
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.steps import ARGUMENTS_MAX, unfit
from sdl.errors import ActionRefused
from sdl.model.labware import Well
from sdl.model.policy import Rule
from tests.core.dye import Reading, arrive, kinds
from tests.core.floor import Floor, campaign, online, script, started

TOO_MANY = {f"dye-{n}": 1.0 for n in range(30_000)}


@protocol
async def greedy(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    """Ask for too much, and for less where that is refused."""
    try:
        await handler.dispense(well, TOO_MANY)
    except ActionRefused:
        await handler.dispense(well, {"dye": 100.0 * x_fraction})
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


SCRIPT = script(greedy)


@pytest.mark.parametrize(
    "rules", [(), (Rule(then="retry", on=("refused",), times=2),)], ids=["no rule", "retry"]
)
def test_arguments_that_are_too_large_are_an_error_in_the_protocol(rules: tuple[Rule, ...]) -> None:
    floor = Floor(Engine(SCRIPT), seed=0)
    floor.turn(started(campaign(policy=rules), SCRIPT))
    for name in ("handler", "reader"):
        floor.turn(online(name))
    out = floor.turn(arrive(0.5))
    assert kinds(out) == ["AcceptSuggestion", "BeginRun", "Perform"]
    (perform,) = [c for c in out if isinstance(c, do.Perform)]
    assert (perform.step, perform.attempt) == ("dye/run-1/step-2", 1)
    assert perform.args["volumes_ul"] == {"dye": 50.0}
    assert fold(SCRIPT, floor.journal).view() == floor.engine.view()


@pytest.mark.parametrize(
    "value, why",
    [
        (1.5, ""),
        ("a" * (ARGUMENTS_MAX - 8), ""),
        ("a" * (ARGUMENTS_MAX - 7), "bytes, over the cap"),
        ("\N{MICRO SIGN}" * (ARGUMENTS_MAX // 2), "bytes, over the cap"),
        (math.nan, "no JSON"),
        ([{"deep": math.inf}], "no JSON"),
        ("\ud800", "no JSON"),
    ],
    ids=["number", "longest", "long", "long in bytes", "nan", "inf", "surrogate"],
)
def test_what_a_message_cannot_carry(value: object, why: str) -> None:
    found = unfit({"x": value})  # type: ignore[dict-item]
    assert why in found
    assert bool(why) == bool(found)
