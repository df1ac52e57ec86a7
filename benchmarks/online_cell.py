"""The same bench with its arm: plates stand on sites, and are carried in 25 s from one to another.

Two handlers, two readers and a washer have one site each, two incubators have twelve. Moves take
10 % less to 20 % more than 25 s.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

from online_bench import Play, Station, Visit, campaign, route
from sdl.authoring import protocol, settle, within
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.script import Script
from sdl.errors import WindowMissed
from sdl.model.campaign import Campaign
from sdl.model.lab import Instrument, Lab, Place
from sdl.model.labware import Labware, Well
from sdl.model.protocol import ProtocolSignature
from sdl.wire.labware_kinds import labware_kind
from sdl.wire.signature import read_signature

MOVE_S = 25.0
MOVE_SHARE = (0.9, 1.2)
KEEP_S = 1.0
"""That a plate takes to be taken in; then it settles."""
SITES = {
    "handler-1": 1,
    "handler-2": 1,
    "reader-1": 1,
    "reader-2": 1,
    "washer-1": 1,
    "incubator-1": 12,
    "incubator-2": 12,
}
PLATES = tuple(f"plate-{number}" for number in range(1, 49))


@dataclass(frozen=True)
class Passed:
    """What became of a plate."""

    broken: float


def visits(kind: int, number: int) -> list[Visit]:
    """What a plate goes through, with its stays in an incubator and their windows.

    The data say how long a plate may wait to be fetched; a step starts one move later.
    """
    return [
        replace(
            one,
            role=one.role or "incubator",
            within_s=None if one.within_s is None else one.within_s + MOVE_S,
        )
        for one in route(kind, number)
    ]


@protocol
async def carried(
    handler: Station,
    reader: Station,
    washer: Station,
    incubator: Station,
    well: Well,
    *,
    kind: int,
    number: int,
) -> Passed:
    """Take one plate through its visits; a window that is missed is counted, and no more."""
    broken = 0
    stations = {"handler": handler, "reader": reader, "washer": washer, "incubator": incubator}
    for visit in visits(kind, number):
        station, stays = stations[visit.role], visit.role == "incubator"
        seconds = KEEP_S if stays else visit.seconds
        try:
            if visit.within_s is None:
                await station.work(well, seconds)
            else:
                async with within(visit.within_s):
                    await station.work(well, seconds)
        except WindowMissed:
            broken += 1
            await station.work(well, seconds)
        if stays:
            await settle(visit.seconds - KEEP_S)
    return Passed(float(broken))


def script() -> Script:
    """The protocol, ready to be driven."""
    return Script.of(carried, read_signature(carried))


@dataclass
class Cell(Play):
    """The engine at work, and an arm."""

    moved: Counter[str] = field(default_factory=Counter)
    """By plate: how often it was carried."""

    def lab(self) -> Lab:
        """Stations, incubators, an arm, and a hotel with a site for each plate."""
        stations = tuple(
            Instrument(name=name, driver="station", simulated=True, sites=sites)
            for name, sites in SITES.items()
        )
        arm = Instrument(name="arm", driver="arm", simulated=True, reaches=(*SITES, "hotel"))
        return Lab(
            name="cell",
            instruments=(*stations, arm),
            places=(Place(name="hotel", sites=len(PLATES)),),
            labware=tuple(
                Labware(
                    name=name,
                    kind=labware_kind("nest_1_troughplate_195000uL_Vb"),
                    at=f"hotel/{number}",
                )
                for number, name in enumerate(PLATES, start=1)
            ),
        )

    def campaign(self, kind: int, first: int, count: int, batch: int) -> Campaign:
        """So many plates of a kind, which come together."""
        plain = campaign(kind, first, count, batch, pooled=self.pooled)
        roles = {**plain.roles, "incubator": ("incubator-1", "incubator-2"), "well": PLATES}
        return replace(plain, protocol="carried", roles=roles)

    def signature(self) -> ProtocolSignature:
        """Of what is done with a plate."""
        return read_signature(carried)

    def visits(self, kind: int, number: int) -> list[Visit]:
        """All of them are at instruments."""
        return visits(kind, number)

    def carry(self, command: do.Perform, at: float) -> None:
        """The arm goes."""
        name = str(command.args["labware"])
        self.moved[name] += 1
        chance = random.Random(f"{self.seed}/{name}/{self.moved[name]}")
        takes_s = MOVE_S * chance.uniform(*MOVE_SHARE)
        self.post(ev.CommandStarted(at=at, boot="b", cid=command.cid))
        done = ev.CommandDone(at=at + takes_s, cid=command.cid, result=None, duration_s=takes_s)
        self.post(done)
