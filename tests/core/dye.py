"""The protocol that the engine's tests run, and a campaign with its first run begun."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sdl.authoring import protocol, settle, within
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.model.data import Suggestion
from sdl.model.labware import Well
from sdl.model.provenance import Clock
from sdl.model.stock import Stocks
from tests.core.floor import Floor, campaign, online, script, started


@dataclass(frozen=True)
class Reading:
    y_au: float


@protocol
async def dye(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    await settle(30.0)
    async with within(60):
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))


SCRIPT = script(dye)


@dataclass(frozen=True)
class Place:
    """Where a campaign is at work."""

    stocks: tuple[Stocks, ...] = ()
    clock: Clock = "wall"
    simulated: bool = True


def at_work(place: Place = Place(), /, **changes: object) -> tuple[Floor, list[do.Command]]:
    """A campaign with its first run begun: what was commanded so far."""
    floor = Floor(Engine(SCRIPT), seed=0)
    out: list[do.Command] = []
    spec = campaign(**changes)
    head = started(spec, SCRIPT, simulated=place.simulated)
    head = replace(
        head,
        origin=replace(head.origin, clock=place.clock),
        lab=replace(head.lab, stocks=place.stocks),
    )
    for event in (head, ev.OrchestratorStarted(at=0.0, epoch=1)):
        out += floor.turn(event)
    for name in ("handler", "reader"):
        greeted, *more = floor.turn(online(name, simulated=place.simulated))
        assert greeted == do.Greet(instrument=name, boot="boot-1", after=None, memory="boot-1")
        out += more
    wanted = spec.parallel + (spec.parallel > 1)
    point = Suggestion(inputs={"x_fraction": 0.25}, origin="sobol", predicted={})
    out += floor.turn(
        ev.SuggestionsArrived(
            at=1.0, ask="dye/ask-1", attempt=1, suggestions=(point,) * wanted, versions=()
        )
    )
    return floor, out


def kinds(commands: list[do.Command]) -> list[str]:
    return [type(command).__name__ for command in commands]


def arrive(*values: float, ask: str = "dye/ask-1", attempt: int = 1) -> ev.SuggestionsArrived:
    points = tuple(
        Suggestion(inputs={"x_fraction": value}, origin="sobol", predicted={}) for value in values
    )
    return ev.SuggestionsArrived(at=1.0, ask=ask, attempt=attempt, suggestions=points, versions=())
