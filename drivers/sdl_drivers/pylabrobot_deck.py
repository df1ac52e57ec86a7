"""The deck of a PyLabRobot liquid handler, laid out as the options in ``lab.toml`` say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdl.errors import UserMistake
from sdl.model.data import JsonValue
from sdl.model.labware import Well
from sdl_drivers.pylabrobot_bridge import made

# isort: split
from pylabrobot.resources import (  # type: ignore[import-untyped]
    Coordinate,
    Deck,
    Resource,
    TipRack,
)
from pylabrobot.resources.opentrons import OTDeck  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a liquid stands."""

    place: Well
    volume_ul: float


def read_source(name: str, fields: Mapping[str, JsonValue]) -> Source:
    """A source as the options write it. UserMistake if it is not whole."""
    place, volume_ul = fields.get("at"), fields.get("volume_ul")
    if not isinstance(place, str) or not isinstance(volume_ul, (int, float)):
        raise UserMistake(f'source {name!r}: write {{ at = "reservoir/A1", volume_ul = 10000 }}')
    labware, _, well = place.partition("/")
    return Source(Well(labware, well), float(volume_ul))


def put_on(deck: Deck, name: str, fields: Mapping[str, JsonValue]) -> None:
    """Put a piece of labware on the deck. UserMistake if its place or kind makes no sense."""
    kind, slot, at_mm = fields.get("kind"), fields.get("slot"), fields.get("at_mm")
    if not fields and deck.has_resource(name):
        return
    if not isinstance(kind, str):
        raise UserMistake(f"labware {name!r} is not on the deck yet: give its kind and place")
    resource = made(kind, Resource, {"name": name})
    if isinstance(deck, OTDeck) and isinstance(slot, int):
        deck.assign_child_at_slot(resource, slot)
    elif not isinstance(deck, OTDeck) and isinstance(at_mm, list):
        x, y, z = (float(str(number)) for number in at_mm)
        deck.assign_child_resource(resource, location=Coordinate(x, y, z))
    else:
        raise UserMistake(
            f"labware {name!r}: give slot = 1 to 11 on an Opentrons deck, "
            "at_mm = [x, y, z] on others"
        )


def tip_rack(deck: Deck, name: str) -> TipRack:
    """A tip rack on the deck. UserMistake if there is none of that name."""
    rack = deck.get_resource(name) if deck.has_resource(name) else None
    if not isinstance(rack, TipRack):
        raise UserMistake(f"tip_racks: {name!r} is no tip rack among the labware")
    return rack
