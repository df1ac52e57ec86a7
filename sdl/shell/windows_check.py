"""What is to be said of a campaign's windows before it starts: that no carry could keep them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from sdl.core.amounts_of import spread
from sdl.core.campaign import problem
from sdl.core.chains import MOVE_S
from sdl.core.floor import PERSON
from sdl.core.following import STEPS_MAX
from sdl.core.forecast import Forecast, ForecastStep, forecast
from sdl.core.lids import MOVES
from sdl.core.needs import AsTold
from sdl.core.plates import plates_of
from sdl.core.predicting import foreseen
from sdl.core.samples import arguments_of
from sdl.core.too_far import TooFar, too_far
from sdl.core.transport import floor_of
from sdl.model.data import Arguments
from sdl.model.labware import Well, Wells
from sdl.model.protocol import Role
from sdl.shell.foresight import Simulators
from sdl.shell.plan_carries import PERSON_S
from sdl.shell.preflight import Prepared


def unkeepable(prepared: Prepared) -> Iterator[str]:
    """A sentence for each pair of steps of which the second always comes too late.

    Simulators are believed about their actions; what nobody knows anything of takes no time.
    """
    spec, lab = prepared.campaign.campaign, prepared.lab.lab
    simulators = Simulators(lab, prepared.lab.folder)

    closed = {piece.on for piece in lab.labware if piece.on}

    @cache
    def leg_s(carrier: str, piece: str, source: str, target: str) -> float:
        moves = MOVES if piece in closed else 1
        if carrier == PERSON:
            return moves * PERSON_S
        ends = {"labware": piece, "source": source, "target": target}
        said = foreseen((simulators,), carrier, "move", ends)
        return moves * (MOVE_S if said is None else said.duration_s)

    on_sites = {piece.name for piece in lab.labware if piece.at}
    found = _forecast(prepared, simulators)
    told: set[tuple[str, ...]] = set()
    late = () if found is None else too_far(found, floor_of(lab), on_sites, spec.roles, leg_s)
    for one in late:
        kind = _name(one.before), _name(one.step)
        if kind not in told:
            told.add(kind)
            yield _sentence(one)


def _forecast(prepared: Prepared, simulators: Simulators) -> Forecast | None:
    """Of a run at one point of the space; None where there is none."""
    spec, script = prepared.campaign.campaign, prepared.script
    point = next(spread(problem(spec)), None)
    if point is None:
        return None
    size = 1 if spec.batch is None else spec.batch.size
    inputs: Arguments = arguments_of(spec, script.signature, [{**point, **spec.fixed}] * size)
    wells = {
        role.name: _wells(prepared, role) for role in script.signature.roles if role.is_labware
    }
    players = {role: names[0] for role, names in spec.roles.items() if names}
    predictors = (simulators, AsTold())
    return forecast(script, inputs, wells, players, predictors, steps_max=STEPS_MAX)


def _wells(prepared: Prepared, role: Role) -> Wells:
    """Those that its first run would be given, were no other there."""
    spec, lab = prepared.campaign.campaign, prepared.lab.lab
    names = plates_of(spec, lab.labware, role.name)
    plate = next(piece for piece in lab.labware if piece.name in names)
    wells = [Well(plate.name, name) for name in plate.kind.wells]
    if not role.is_list:
        return wells[0]
    samples = 1 if spec.batch is None else spec.batch.size
    choice = spec.plates.get(role.name)
    return tuple(wells[: (choice.count if choice else None) or samples])


def _sentence(one: TooFar) -> str:
    person = f"a person, who is taken to need {PERSON_S} s"
    who = ", ".join(name or person for name in one.way.carriers)
    return (
        f"no run can keep a window of {one.within_s:g} s: {_name(one.step)} (step-{one.step.path}) "
        f"begins {one.needed_s:.0f} s after {_name(one.before)} at the earliest, as "
        f"{one.labware} is on its way for {one.way.takes_s:.0f} s ({who}); widen the window in the "
        "protocol, or shorten the way"
    )


def _name(step: ForecastStep | None) -> str:
    return "it opens" if step is None else f"{step.operation} on {step.instrument}"
