"""A made-up result is of the type that was declared, for all types that results have."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest
from pydantic import TypeAdapter

from sdl.core.plausible import plausible
from sdl.model.labware import Well


class Phase(enum.Enum):
    LAG = "lag"
    GROWTH = "growth"


@dataclass(frozen=True)
class Peak:
    wavelength_nm: float
    height_au: float
    kind: Literal["main", "shoulder"]


@dataclass(frozen=True)
class Spectrum:
    peaks: list[Peak]
    by_name: Mapping[str, float]
    count: int
    note: str
    is_saturated: bool
    well: Well
    best: Peak | None
    phase: Phase = Phase.GROWTH
    derived: float = field(default=2.0, init=False)


@dataclass(frozen=True)
class Tree:
    children: list[Tree]


PEAK = Peak(1.0, 1.0, "main")


@pytest.mark.parametrize(
    "kind,value",
    [
        (None, None),
        (float, 1.0),
        (int, 1),
        (bool, True),
        (str, ""),
        (Annotated[float, "AU"], 1.0),
        (float | None, 1.0),
        (list[float], [1.0]),
        (Sequence[Peak], [PEAK]),
        (tuple[float, str], (1.0, "")),
        (tuple[int, ...], (1,)),
        (set[int], {1}),
        (Phase, Phase.LAG),
        (object, None),
        ("no such name", None),
    ],
)
def test_a_plausible_value_is_made_of_its_type(kind: object, value: object) -> None:
    assert plausible(kind) == value


def test_a_mapping_has_whatever_is_asked_for() -> None:
    found = plausible(Mapping[str, float])
    assert isinstance(found, Mapping)
    assert found["toughness"] == 1.0


def test_a_dataclass_is_filled_field_by_field() -> None:
    found = plausible(Spectrum)
    assert isinstance(found, Spectrum)
    by_name: dict[str, float] = {}
    assert found == Spectrum(
        peaks=[PEAK],
        by_name=by_name,
        count=1,
        note="",
        is_saturated=True,
        well=Well("", ""),
        best=PEAK,
        phase=Phase.LAG,
    )
    assert TypeAdapter(Spectrum).validate_python(found) == found


def test_a_type_that_holds_itself_comes_to_an_end() -> None:
    assert isinstance(plausible(Tree), Tree)
