"""What a run will need of the bench, as far as its protocol alone tells beforehand.

Volumes and times that follow from a measurement are a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sdl.core.durations import asked_s
from sdl.core.forecast import forecast
from sdl.core.inventory import Inventory, place_of
from sdl.core.mixture import picolitres
from sdl.core.script import Script
from sdl.errors import SdlError, said
from sdl.model.action import Operation
from sdl.model.data import Arguments, JsonValue
from sdl.model.labware import Wells
from sdl.model.prediction import Prediction
from sdl.model.stock import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Of one run."""

    draws_pl: Mapping[str, int]
    """By source, in picolitres."""
    duration_s: float
    """Lab seconds that its pauses and its actions with a ``duration_s`` are told to last."""
    steps: Mapping[str, int]
    """Actions, by instrument."""
    partial: str = ""
    """Why it may need more, as a sentence; empty where all of it is known."""


class AsTold:
    """A ``Predictor``: an action lasts as long as it is told to, and else no time at all."""

    def predict(
        self,
        instrument: str,  # noqa: ARG002 - a predictor is asked so
        operation: str,  # noqa: ARG002
        arguments: Mapping[str, JsonValue],
    ) -> Prediction | None:
        return Prediction(duration_s=asked_s(arguments))


def needs_of(
    script: Script,
    inputs: Arguments,
    wells: Mapping[str, Wells],
    players: Mapping[str, str],
    inventory: Inventory | None,
) -> Needs:
    """``wells`` by labware role, ``players``: instrument by role; no ledger, no draws."""
    draws: dict[str, int] = {}
    steps: dict[str, int] = {}
    found = forecast(script, inputs, wells, players, (AsTold(),))
    for step in found.steps:
        steps[step.instrument] = steps.get(step.instrument, 0) + 1
        operation = script.operations[step.role][step.operation]
        transfers, _ = transfers_of(operation, step.arguments, inventory, step.instrument)
        for source, volume_pl in drawn(transfers, step.instrument):
            draws[source] = draws.get(source, 0) + volume_pl
    return Needs(
        draws_pl=draws,
        duration_s=found.end_s - found.began_s,
        steps=steps,
        partial=found.partial,
    )


def transfers_of(
    operation: Operation,
    arguments: Mapping[str, JsonValue],
    inventory: Inventory | None,
    instrument: str,
) -> tuple[tuple[Transfer, ...], str]:
    """What an action moves; and what is wrong with the function that should say so.

    Without a ledger nobody asks, and nobody knows what a wash would draw off.
    """
    if inventory is None:
        return (), ""
    try:
        return tuple(inventory.transfers(operation.transfers(arguments), instrument)), ""
    except Exception as error:  # noqa: BLE001 - a capability's author wrote it
        kind = type(error).__name__
        return (), f"what {operation.name} moves is not known: {kind}: {said(error)}"


def drawn(transfers: Iterable[Transfer], instrument: str) -> list[tuple[str, int]]:
    """Sources of the instrument, and how much is drawn from each, in order."""
    found: dict[str, int] = {}
    for each in transfers:
        if isinstance(each.source, str):
            try:
                volume_pl = picolitres(each.volume_ul)
            except SdlError:
                continue  # no volume; whoever makes the transfer says so
            source = place_of(each.source, instrument)
            found[source] = found.get(source, 0) + volume_pl
    return list(found.items())
