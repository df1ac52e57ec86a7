"""A hall of ten instruments, one arm and a hotel: a thousand plates of five campaigns wait.

The plates are those of the cell of ``online_cell``, again and again; every one of them has begun
its run, and its next step waits for an instrument or settles in an incubator.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from online_bench import KINDS, Chance, Play, campaign
from online_cell import Cell, script
from sdl.core.engine import Engine
from sdl.model.campaign import Campaign
from sdl.model.lab import Instrument, Lab, Place
from sdl.model.labware import Labware
from sdl.wire.labware_kinds import labware_kind

CAMPAIGNS = 5
SITES = {
    "handler-1": 1,
    "handler-2": 1,
    "handler-3": 1,
    "reader-1": 1,
    "reader-2": 1,
    "reader-3": 1,
    "washer-1": 1,
    "washer-2": 1,
    "incubator-1": 500,
    "incubator-2": 500,
}
KIND = "nest_1_troughplate_195000uL_Vb"


def players(role: str) -> tuple[str, ...]:
    """The instruments of one kind."""
    return tuple(name for name in SITES if name.startswith(role))


@dataclass
class Hall(Cell):
    """The engine at work in it. ``plates``: of all campaigns together."""

    plates: int = 1_000

    def lab(self) -> Lab:
        """Ten instruments, an arm that reaches all of them, and a site in the hotel for each."""
        names = [f"plate-{number}" for number in range(1, self.plates + 1)]
        stations = (
            Instrument(name=name, driver="station", simulated=True, sites=sites)
            for name, sites in SITES.items()
        )
        arm = Instrument(name="arm", driver="arm", simulated=True, reaches=(*SITES, "hotel"))
        kind = labware_kind(KIND)
        return Lab(
            name="hall",
            instruments=(*stations, arm),
            places=(Place(name="hotel", sites=self.plates),),
            labware=tuple(
                Labware(name=name, kind=kind, at=f"hotel/{number}")
                for number, name in enumerate(names, start=1)
            ),
        )

    def campaign(self, kind: int, first: int, count: int, batch: int) -> Campaign:
        """One of five, each with plates of its own."""
        plain = campaign(kind, first, count, batch, pooled=self.pooled)
        mine = range(batch * count + 1, (batch + 1) * count + 1)
        roles = {role: players(role) for role in ("handler", "reader", "washer", "incubator")} | {
            "well": tuple(f"plate-{number}" for number in mine)
        }
        return replace(plain, protocol="carried", roles=roles)


def hall(plates: int, seed: int = 1) -> Play:
    """One at work, before its first event."""
    each = plates // CAMPAIGNS
    batches = [(number % len(KINDS), 0, each, 0.0) for number in range(CAMPAIGNS)]
    play = Hall(
        engine=Engine(script()),
        seed=seed,
        batches=batches,
        chance=Chance(faults=0.0),
        plates=each * CAMPAIGNS,
    )
    play.open()
    return play
