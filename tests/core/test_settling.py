"""What settles stays where it is, and nothing else does for its sake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sdl.authoring import protocol, settle, together
from sdl.capabilities import LiquidHandler, PlateReader, Washer
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.run import Run, use, used_last
from sdl.core.script import Script
from sdl.core.trampoline import Trampoline
from sdl.model.action import operations_of
from sdl.model.campaign import StopRule
from sdl.model.labware import Well
from sdl.model.protocol import Input, ProtocolSignature, Role
from tests.core.cell import CAPABILITIES, ONE_WELL, Cell, Reading, cell, cell_campaign

STAYS_S = 900.0


@protocol
async def two_plates(
    handler: LiquidHandler,
    reader: PlateReader,
    washer: Washer,
    first: Well,
    second: Well,
    *,
    x_fraction: float,
) -> Reading:
    async def stays() -> None:
        await washer.wash(first.plate, cycles=1, volume_ul=100.0)
        await settle(STAYS_S)

    async def goes_on() -> None:
        await handler.dispense(second, {"dye": 100.0})
        await reader.absorbance(second, wavelength_nm=450.0)

    await together(stays(), goes_on())
    return Reading(await reader.absorbance(first, wavelength_nm=450.0))


def two_plate_script() -> Script:
    roles = [
        Role(name=name, capability=kind.__name__, actions=tuple(operations_of(kind)))
        for name, kind in CAPABILITIES.items()
    ]
    wells = [Role(name=name, capability="Well") for name in ("first", "second")]
    signature = ProtocolSignature(
        name="two_plates",
        roles=(*roles, *wells),
        inputs=(Input(name="x_fraction", kind="float"),),
        measures=("y_au",),
        source_sha256="0" * 64,
    )
    return Script.of(two_plates, signature)


def test_a_branch_that_settles_keeps_no_plate_of_another_branch_where_it_is() -> None:
    floor = Cell(
        Engine(two_plate_script()),
        seed=1,
        simulated=False,
        clock="wall",
        there=cell(2, kind=ONE_WELL),
    )
    roles = {name: (name,) for name in CAPABILITIES}
    wells = {"first": ("plate-1",), "second": ("plate-2",)}
    floor.play(cell_campaign(range(1, 3), roles={**roles, **wells}, stop=StopRule(runs=1)))
    assert [each.outcome for each in floor.journal if isinstance(each, do.EndRun)] == ["measured"]
    (settled,) = [
        one for one in floor.journal if isinstance(one, do.Wait) and "settle" in one.timer
    ]
    moves = {one.target: at for at, one in timed(floor) if isinstance(one, do.BeginCarry)}
    assert moves["reader/1"] >= settled.until, "the plate that settled is read last"
    done = {one.cid: at for at, one in timed(floor) if isinstance(one, ev.CommandDone)}
    assert done["dye/run-1/step-1.2.2/try-1"] < settled.until - 500.0, (
        "the other plate has not waited for it"
    )


def timed(floor: Cell) -> Iterator[tuple[float, ev.Event | do.Command]]:
    """Each line of a journal, with the lab time of its turn."""
    at = 0.0
    for line in floor.journal:
        if isinstance(line, ev.EVENTS):
            at = line.at  # type: ignore[union-attr]
        yield at, line


@pytest.mark.parametrize(
    "uses, path, stays",
    [
        ({}, "1", ()),
        ({"1": ("a",), "2": ("b",)}, "3", ("b",)),
        ({"1": ("a",), "2.1.1": ("b",), "2.2.1": ("c",)}, "2.1.2", ("b",)),
        ({"1": ("a",), "2.1.1": ("b",)}, "2.2.1", ("a",)),
        ({"1.1.1": ("a",), "1.2.1": ("b",), "2.1.1": ("c",)}, "2.2.1", ("a", "b")),
        ({"1": ("a",), "2.1.1": ("b",), "2.2.1": ("c",)}, "3", ("b", "c")),
        ({"1": ("a",), "2.1.1": ("b",), "2.2.1": ("c",), "3": ("a",)}, "4", ("a",)),
        ({"1.1.1": ("a",), "1.1.2.1.1": ("b",)}, "1.1.2.2.1", ("a",)),
        ({"1": ("a",), "1.r1.1": ("b",)}, "1.r1.2", ("b",)),
    ],
)
def test_what_a_branch_used_last_is_what_settles(
    uses: dict[str, tuple[str, ...]], path: str, stays: tuple[str, ...]
) -> None:
    run = a_run()
    for used_at, pieces in uses.items():
        use(run, used_at, pieces)
    assert used_last(run, path) == stays


def a_run() -> Run:
    async def nothing() -> None:
        return

    coroutine = nothing()
    coroutine.close()
    return Run(
        id="dye/run-1",
        number=1,
        suggestions=(),
        inputs={},
        wells={},
        instruments={},
        trampoline=Trampoline(coroutine),
    )
