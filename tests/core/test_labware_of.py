"""Which labware an action is about: read from the types of its arguments, never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from sdl.capabilities import Arm, Incubator, LiquidHandler
from sdl.model.action import Capability, action, operations_of
from sdl.model.labware import Plate, Well


@dataclass(frozen=True, slots=True)
class Pair:
    """Two wells in one value."""

    left: Well
    right: Well
    note: str = ""


class Odd(Capability):
    @action("once")
    async def mix(
        self,
        wells: Sequence[Well],
        shares: Mapping[str, Plate],
        pair: Pair,
        maybe: Well | None,
        label: str,
    ) -> None:
        """Everything in which labware can stand."""


MIX = operations_of(Odd)["mix"]
ARGUMENTS: dict[str, object] = {
    "wells": [Well("a", "A1"), Well("b", "A1"), Well("a", "A2")],
    "shares": {"not-a-plate": Plate("c")},
    "pair": Pair(Well("d", "A1"), Well("b", "B1"), "e"),
    "maybe": None,
    "label": "f",
}


def test_wells_plates_and_what_holds_them_count_once_each_in_their_order() -> None:
    assert MIX.labware_of(ARGUMENTS) == ("a", "b", "c", "d")


def test_plain_json_gives_the_same_as_python_values() -> None:
    assert MIX.labware_of(MIX.dump_arguments(ARGUMENTS)) == MIX.labware_of(ARGUMENTS)


def test_texts_are_not_labware_whatever_they_say() -> None:
    move = operations_of(Arm)["move"]
    told = {"labware": "plate-1", "source": "hotel/1", "target": "reader/1"}
    assert move.labware_of(told) == ()


def test_the_capabilities_name_what_they_work_on() -> None:
    plate = {"plate": {"labware": "plate-1"}, "temperature_c": 37.0}
    assert operations_of(Incubator)["keep"].labware_of(plate) == ("plate-1",)
    wells = {"source": Well("p", "A1"), "target": Well("q", "A1"), "volume_ul": 5.0}
    assert operations_of(LiquidHandler)["transfer"].labware_of(wells) == ("p", "q")


def test_a_value_of_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"keep\(plate=...\)"):
        operations_of(Incubator)["keep"].labware_of({"plate": "plate-1"})


def test_a_plate_travels_as_its_name_and_a_well_knows_its_plate() -> None:
    keep = operations_of(Incubator)["keep"]
    well = Well("plate-1", "A1")
    dumped = keep.dump_arguments({"plate": well.plate, "temperature_c": 37.0})
    assert dumped["plate"] == {"labware": "plate-1"}
    assert keep.load_arguments(dumped)["plate"] == Plate("plate-1")
