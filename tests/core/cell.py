"""A cell with sites, arms and plates, where every piece really stands somewhere.

``Cell`` is a ``Floor`` whose nodes really carry: a plate that is not where an action, or a grip,
needs it is an error of whoever sent the command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sdl.authoring import protocol, settle, within
from sdl.capabilities import LiquidHandler, PlateReader, Washer
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.script import Script
from sdl.model.action import operations_of
from sdl.model.campaign import Campaign, StopRule
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab, Place, place_of
from sdl.model.labware import Labware, LabwareKind, Well
from sdl.model.protocol import Input, ProtocolSignature, Role
from sdl.wire.labware_kinds import labware_kind
from tests.core.floor import Floor, campaign
from tests.core.nodes import DRIVERS

KIND = labware_kind("plate-96-flat")
ONE_WELL = labware_kind("nest_1_troughplate_195000uL_Vb")
"""So that each run has a plate of its own."""
LID = labware_kind("cor_96_wellplate_360uL_Fb_lid")
STATIONS = {"handler": 1, "reader": 1, "washer": 1, "incubator": 2}
CAPABILITIES: dict[str, type] = {
    "handler": LiquidHandler,
    "reader": PlateReader,
    "washer": Washer,
}


@dataclass(frozen=True)
class Reading:
    y_au: float


def cell(
    plates: int,
    *,
    hotel: int = 0,
    reaches: dict[str, tuple[str, ...]] | None = None,
    kind: LabwareKind = KIND,
) -> Lab:
    """Three stations of one site, a hotel with a site for each plate and more, and arms."""
    everywhere = ("handler", "reader", "washer", "hotel")
    reaches = {"arm": everywhere} if reaches is None else reaches
    stations = [
        Instrument(name=name, driver=DRIVERS[name], simulated=False, sites=STATIONS[name])
        for name in CAPABILITIES
    ]
    arms = [
        Instrument(name=name, driver=DRIVERS[name], simulated=False, reaches=places)
        for name, places in reaches.items()
    ]
    return Lab(
        name="cell",
        instruments=(*stations, *arms),
        places=(Place(name="hotel", sites=plates + hotel),),
        labware=tuple(
            Labware(name=f"plate-{n}", kind=kind, at=f"hotel/{n}") for n in range(1, plates + 1)
        ),
    )


def lidded(lab: Lab) -> Lab:
    """The same with a lid on each plate, and all arms reach where lids lie."""
    plates = [piece.name for piece in lab.labware]
    return replace(
        lab,
        instruments=tuple(
            replace(one, reaches=(*one.reaches, "lids")) if one.reaches else one
            for one in lab.instruments
        ),
        places=(*lab.places, Place(name="lids", sites=len(plates))),
        labware=(
            *lab.labware,
            *(
                Labware(name=f"lid-{n}", kind=LID, on=plate, parks=f"lids/{n}")
                for n, plate in enumerate(plates, start=1)
            ),
        ),
    )


@protocol
async def wash_assay(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    await settle(5.0)
    await washer.wash(well.plate, cycles=2, volume_ul=100.0)
    await handler.dispense(well, {"dye": 100.0})
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


@protocol
async def long_stay(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    await washer.wash(well.plate, cycles=2, volume_ul=100.0)
    await settle(900.0)
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


@protocol
async def quick_read(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    async with within(60.0):
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))


def cell_script(function: object = wash_assay) -> Script:
    roles = [
        Role(name=name, capability=kind.__name__, actions=tuple(operations_of(kind)))
        for name, kind in CAPABILITIES.items()
    ]
    signature = ProtocolSignature(
        name=function.__name__,  # type: ignore[attr-defined]
        roles=(*roles, Role(name="well", capability="Well")),
        inputs=(Input(name="x_fraction", kind="float"),),
        measures=("y_au",),
        source_sha256="0" * 64,
    )
    return Script.of(function, signature)  # type: ignore[arg-type]


def cell_campaign(plates: range, **changes: object) -> Campaign:
    roles = {name: (name,) for name in CAPABILITIES}
    plain: dict[str, object] = {
        "roles": {**roles, "well": tuple(f"plate-{n}" for n in plates)},
        "stop": StopRule(runs=6, failures=100),
    }
    return campaign(**{**plain, **changes})


class Effects(Counter[str]):
    """What happened in the world; the cell is told of each."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        super().__init__()

    def __setitem__(self, cid: str, times: int) -> None:
        if times > self.get(cid, 0):
            self.cell.happened(cid)
        super().__setitem__(cid, times)


@dataclass
class Cell(Floor):
    """See above."""

    truth: dict[str, str] = field(default_factory=dict)
    """Where each plate really stands."""
    wrong: list[str] = field(default_factory=list)
    """What collided, or was acted on where it was not."""
    patience: bool = True
    """Whether people carry what they are asked to."""
    lids: dict[str, str] = field(default_factory=dict)
    """By plate."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.there is not None
        self.truth = {piece.name: piece.rests for piece in self.there.labware}
        self.lids = {piece.on: piece.name for piece in self.there.labware if piece.on}
        self.effects = Effects(self)

    def happened(self, cid: str) -> None:
        perform = self.performed[cid]
        if perform.operation == "move":
            labware, source, target = (
                str(perform.args[a]) for a in ("labware", "source", "target")
            )
            at = self.truth[labware]
            if self.truth.get(at, at) != source:
                self.wrong.append(f"{cid}: {labware} is at {at}, not {source}")
            self.put(cid, labware, target)
            return
        for name in _named(dict(perform.args)):
            if place_of(self.truth[name]) != perform.instrument:
                self.wrong.append(f"{cid}: {name} is at {self.truth[name]}")
            if self.is_closed(name):
                self.wrong.append(f"{cid}: {name} has its lid on")

    def is_closed(self, plate: str) -> bool:
        return plate in self.lids and self.truth[self.lids[plate]] == plate

    def put(self, who: str, labware: str, site: str) -> None:
        plate = next((plate for plate, lid in self.lids.items() if lid == labware), "")
        if plate and site in (plate, self.truth[plate]):
            self.truth[labware] = plate
            return
        if labware in self.lids and not self.is_closed(labware):
            self.wrong.append(f"{who}: {labware} is carried without its lid")
        there = [name for name, at in self.truth.items() if at == site and name != labware]
        if there:
            self.wrong.append(f"{who}: {labware} collides with {there} on {site}")
        self.truth[labware] = site

    def look(self, at: float) -> None:
        super().look(at)
        view = self.engine.lab_view()
        for carry in view.carries:
            if not carry.carrier and self.patience:
                self.soon(carry.carry, at, ev.CarryDone(at=at, carry=carry.carry, by="ada"))
        for task in view.plates:
            if self.patience:
                self.soon(task.id, at, self.brought(task.id))
        for one in view.labware:
            if one.astray and not any(c.labware == one.labware for c in view.carries):
                found = ev.LabwarePlaced(
                    at=at, labware=one.labware, site=self.truth[one.labware], by="ada", was=""
                )
                self.soon(f"lost {one.labware}", at, found)

    def brought(self, task: str, name: str = "", site: str = "") -> ev.PlateBrought:
        """A fresh plate on a site of the hotel that is no other piece's home, and is free."""
        assert self.there is not None
        taken = {*self.truth.values(), *(one.home for one in self.engine.lab.pieces.values())}
        free = [one for one in self.there.sites["hotel"] if one not in taken]
        return ev.PlateBrought(
            at=self.at,
            task=task,
            labware=name or f"new-{len(self.truth)}",
            site=site or free[0],
            by="ada",
        )

    def turn(self, event: ev.Event) -> list[do.Command]:
        if isinstance(event, ev.PlateBrought) and not self.engine.objection(event):
            self.put(event.task, event.labware, event.site)
        if isinstance(event, ev.CarryDone) and not self.engine.objection(event):
            carry = self.engine.lab.carries[event.carry]
            self.put(event.carry, carry.labware, carry.ends[1])
        return super().turn(event)


def _named(value: JsonValue) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("labware"), str):
            yield str(value["labware"])
        for each in value.values():
            yield from _named(each)
