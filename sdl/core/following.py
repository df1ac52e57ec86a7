"""What must follow soon after what, in one run: read from the forecast of its protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sdl.core.forecast import ForecastStep, forecast
from sdl.core.run import Next
from sdl.core.script import Script
from sdl.model.data import Arguments
from sdl.model.labware import Wells

TIGHT_S = 180.0
"""Seconds; a window that is longer leaves time to bring a plate when its turn comes."""
STAYS_S = 600.0
"""Seconds of settling from which on labware is taken to live at an instrument."""
STEPS_MAX = 200
"""Of a run that are looked at: a forecast of more takes too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What is known of a run before it begins, whoever plays its roles."""

    chains: dict[str, tuple[Next, ...]]
    """By path of an action: those that must start within a short time of its end."""
    lodgings: tuple[str, ...]
    """Roles at whose instruments its labware stays for a while, as a settling time says."""


def ahead_of(script: Script, inputs: Arguments, wells: Mapping[str, Wells]) -> Ahead:
    """Read from one forecast of the run."""
    steps = forecast(script, inputs, wells, {}, (), steps_max=STEPS_MAX).steps
    return Ahead(chains=_chains(steps), lodgings=_lodgings(steps))


def _lodgings(steps: Sequence[ForecastStep]) -> tuple[str, ...]:
    by_path = {step.path: step for step in steps}
    roles = {
        by_path[after.step].role
        for step in steps
        for after in step.after
        if after.lag_s >= STAYS_S and after.step and by_path[after.step].labware
    }
    return tuple(sorted(roles))


def _chains(steps: Sequence[ForecastStep]) -> dict[str, tuple[Next, ...]]:
    found: dict[str, tuple[Next, ...]] = {}
    for step in steps:
        for window in step.windows:
            if window.within_s > TIGHT_S:
                continue
            following = Next(
                path=step.path,
                role=step.role,
                labware=step.labware,
                within_s=window.within_s,
            )
            for opened in window.opened:
                if opened.step and opened.lag_s == 0.0 and step.after == window.opened:
                    found[opened.step] = (*found.get(opened.step, ()), following)
    return found
