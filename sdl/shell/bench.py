"""The virtual bench: labware of a simulated lab and what it holds, time, chance and faults.

All simulators of one node share one bench, as real instruments share the plates that stand on a
real one. Its state is plain JSON, so that a node can save it and go on after a restart.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TypeAlias, cast

from pydantic import TypeAdapter

from sdl.errors import DriverFault, OutOfMaterial, UserMistake
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab, Place
from sdl.model.labware import Labware, LabwareKind, Well
from sdl.shell.clock import Clock
from sdl.shell.faults import Fault, FaultOptions, read_faults
from sdl.shell.standing import Floor, Stood
from sdl.wire.labware_kinds import DEFAULT_KIND, labware_kind

Mixture: TypeAlias = Mapping[str, float]
"""Component to µL, every one above 0."""

ROUNDING_UL = 1e-6
"""Differences below a picolitre are arithmetic, not liquid."""


class InstantClock:
    """Lab time that jumps: sleeping costs one turn of the loop and no wall time."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        wake = self._now + seconds
        await asyncio.sleep(0)
        self._now = max(self._now, wake)


@dataclass(slots=True)
class Stock:
    """One supply of one instrument, such as a liquid in µL or a number of tips."""

    full: float
    left: float


@dataclass(slots=True)
class Filling:
    """What one well holds, and since when it has been at rest."""

    volumes_ul: dict[str, float]
    stirred_at: float
    """Lab time (s) at which the last liquid came in unmixed."""


@dataclass(kw_only=True)
class _State:
    """All that a bench remembers; a snapshot is its JSON."""

    wells: dict[str, Filling]
    stocks: dict[str, dict[str, Stock]]
    draws: dict[str, int]
    calls: dict[str, int]
    dials: dict[str, dict[str, float]] = field(default_factory=dict)
    floor: Stood = field(default_factory=Stood)
    told: tuple[str, int] = ("", 0)
    """The last word that was heard about labware which people moved: its journal and number."""


_STATE = TypeAdapter(_State)


class Call:
    """One action of one simulated instrument under way: it takes its time and shows its faults.

    Made by ``Bench.begin``. ``work`` for as long as the action takes, change the bench, and pass
    what the instrument would display through ``reading``.
    """

    def __init__(self, bench: Bench, instrument: str, action: str, fault: Fault | None) -> None:
        self._bench = bench
        self._instrument = instrument
        self._action = action
        self._fault = fault
        self._stops = bench.stops(instrument)

    async def work(self, seconds: float) -> None:
        """Spend ``seconds`` of lab time. DriverFault if a fault is due, or after ``Bench.stop``."""
        fault, what = self._fault, f"{self._instrument}: {self._action}"
        if fault is not None and fault.kind == "hang":
            await asyncio.Event().wait()
        slowness = fault.factor if fault is not None and fault.kind == "slow" else 1.0
        await self._bench.clock.sleep(seconds * slowness)
        if fault is not None and fault.kind == "raise":
            raise DriverFault(f"{what} failed, as the fault plan of the simulator says")
        if self._bench.stops(self._instrument) != self._stops:
            raise DriverFault(f"{what} was stopped by make_safe; the sample is not complete")

    def shows(self, kind: str) -> bool:
        """Whether a fault of this kind is due, one that only the simulator itself can show."""
        return self._fault is not None and self._fault.kind == kind

    def reading(self, value: float) -> float:
        """What the instrument reports for a true ``value``; nonsense where a fault says so."""
        if self._fault is not None and self._fault.kind == "nan":
            return float("nan")
        if self._fault is not None and self._fault.kind == "wrong_type":
            return cast("float", "Err 7")
        return value


class Bench:
    """Mutable, shared by the simulators of one node, and not thread-safe: one event loop owns it.

    ``version`` grows with every change of what a snapshot holds, so that a node sees cheaply
    whether there is something to save. Names of components are those of the liquid handler's
    sources; volumes are in µL, times in lab seconds.
    """

    def __init__(self, *, clock: Clock, seed: int = 0, lab: Lab | None = None) -> None:
        """``lab``: its labware, where that stands at first, its sites, and what arms reach."""
        lab = lab or Lab(name="bench", instruments=())
        self.clock = clock
        self.seed = seed
        self.version = 0
        self._kinds = {piece.name: piece.kind for piece in lab.labware}
        self._stored = [(piece.name, one) for piece in lab.labware for one in piece.contents]
        self._state = _State(wells=self._begun(), stocks={}, draws={}, calls={})
        self._faults: dict[str, tuple[Fault, ...]] = {}
        self._stops: dict[str, int] = {}
        self.floor = Floor(lab, self._changed)
        """Where each piece of labware physically stands."""

    @classmethod
    def instant(
        cls,
        *,
        seed: int = 0,
        plates: Mapping[str, str] | None = None,
        at: Mapping[str, str] | None = None,
        sites: Mapping[str, int] | None = None,
        reaches: Mapping[str, Sequence[str]] | None = None,
    ) -> Bench:
        """A bench for plain unit tests: time jumps.

        ``plates``: name to kind; one ``plate-1`` if none are named. ``at``: where they stand at
        first. ``sites``: how many an instrument or a place has. ``reaches``: by arm.
        """
        named = {"plate-1": DEFAULT_KIND} if plates is None else plates
        at, reaches = at or {}, reaches or {}
        arms = [
            Instrument(name=name, driver="arm", simulated=True, reaches=tuple(reached))
            for name, reached in reaches.items()
        ]
        lab = Lab(
            name="bench",
            instruments=tuple(arms),
            places=tuple(Place(name=name, sites=count) for name, count in (sites or {}).items()),
            labware=tuple(
                Labware(name=name, kind=labware_kind(kind), at=at.get(name, ""))
                for name, kind in named.items()
            ),
        )
        return cls(clock=InstantClock(), seed=seed, lab=lab)

    def _changed(self) -> None:
        self.version += 1

    def _begun(self) -> dict[str, Filling]:
        """What wells hold as ``lab.toml`` has it."""
        found: dict[str, Filling] = {}
        for plate, one in self._stored:
            filling = found.setdefault(str(Well(plate, one.well)), Filling({}, 0.0))
            held_ul = filling.volumes_ul.get(one.component, 0.0)
            filling.volumes_ul[one.component] = held_ul + one.volume_ul
        return found

    # Labware and wells

    def labware_kind(self, labware: str) -> LabwareKind:
        """The kind of a piece of labware. DriverFault if there is none of that name."""
        brought = self.floor.brought(labware)
        kind = labware_kind(brought) if brought else self._kinds.get(labware)
        if kind is None:
            known = ", ".join(sorted(self._kinds)) or "none"
            raise DriverFault(f"there is no plate {labware!r} on the bench; it has: {known}")
        return kind

    def kind(self, well: Well) -> LabwareKind:
        """The kind of a well's plate. DriverFault if there is no such plate or well."""
        kind = self.labware_kind(well.labware)
        if well.name not in kind.wells:
            raise DriverFault(f"plate {well.labware!r} ({kind.name}) has no well {well.name!r}")
        return kind

    def filled(self, labware: str) -> tuple[Well, ...]:
        """The wells of a piece that hold something, in its own order."""
        wells = (Well(labware, name) for name in self.labware_kind(labware).wells)
        return tuple(well for well in wells if self.volume_ul(well) > 0.0)

    def spill(self, labware: str) -> None:
        """All that a piece holds is lost."""
        for well in self.filled(labware):
            del self._state.wells[str(well)]
            self.version += 1

    def contents(self, well: Well) -> Mixture:
        """What a well holds; empty if nothing."""
        self.kind(well)
        filling = self._state.wells.get(str(well))
        return MappingProxyType({} if filling is None else filling.volumes_ul)

    def volume_ul(self, well: Well) -> float:
        """How much a well holds in all."""
        return sum(self.contents(well).values())

    def check_room(self, well: Well, volume_ul: float) -> None:
        """OutOfMaterial if so much more would overflow the well."""
        held, capacity_ul = self.volume_ul(well), self.kind(well).capacity_ul
        if held + volume_ul > capacity_ul + ROUNDING_UL:
            raise OutOfMaterial(
                f"well {well} holds {held:.1f} of {capacity_ul:g} µL: {volume_ul:.1f} µL more "
                "would overflow it; use a fresh well"
            )

    def add(self, well: Well, mixture: Mixture) -> None:
        """Put liquids into a well; they are unmixed from now on. OutOfMaterial if it overflows."""
        self.check_room(well, sum(mixture.values()))
        old = self._state.wells.get(str(well))
        volumes = {} if old is None else dict(old.volumes_ul)
        for component, volume_ul in mixture.items():
            if volume_ul > 0.0:
                volumes[component] = volumes.get(component, 0.0) + volume_ul
        self._state.wells[str(well)] = Filling(volumes, self.clock.now())
        self.version += 1

    def take(self, well: Well, volume_ul: float) -> Mixture:
        """Draw a well's mixture; what is drawn has its composition. OutOfMaterial if too little."""
        held = self.volume_ul(well)
        if volume_ul > held + ROUNDING_UL:
            raise OutOfMaterial(
                f"well {well} holds {held:.1f} µL; {volume_ul:.1f} µL were asked for"
            )
        if held == 0.0:
            return {}
        share = min(1.0, volume_ul / held)
        filling = self._state.wells[str(well)]
        drawn = {name: volume * share for name, volume in filling.volumes_ul.items()}
        left = {name: volume - drawn[name] for name, volume in filling.volumes_ul.items()}
        self._state.wells[str(well)] = Filling(
            {name: volume for name, volume in left.items() if volume > 0.0}, filling.stirred_at
        )
        self.version += 1
        return drawn

    def change(self, well: Well, by_ul: Mapping[str, float]) -> None:
        """Let a component of a well become more or less, down to nothing: it dries up, or grows.

        The well stays as well mixed as it was.
        """
        filling = self._state.wells.get(str(well))
        if filling is None:
            return
        volumes = dict(filling.volumes_ul)
        for name, more_ul in by_ul.items():
            volumes[name] = volumes.get(name, 0.0) + more_ul
        filling.volumes_ul = {name: volume for name, volume in volumes.items() if volume > 0.0}
        self.version += 1

    def stir(self, well: Well) -> None:
        """The well's content is made even, now, whatever came in before."""
        filling = self._state.wells.get(str(well))
        if filling is not None:
            filling.stirred_at = float("-1e18")
            self.version += 1

    def rest_s(self, well: Well) -> float:
        """How long ago liquid last came in unmixed; very long if never."""
        filling = self._state.wells.get(str(well))
        return 1e18 if filling is None else max(0.0, self.clock.now() - filling.stirred_at)

    # Supplies of instruments

    def stock_up(self, instrument: str, amounts: Mapping[str, float]) -> None:
        """Give an instrument its supplies.

        One that a snapshot remembers stays as it was left, unless ``amounts`` now says another
        full amount: then somebody has refilled it.
        """
        stocks = self._state.stocks.setdefault(instrument, {})
        for item, amount in amounts.items():
            if item not in stocks or stocks[item].full != amount:
                stocks[item] = Stock(amount, amount)
                self.version += 1

    def left(self, instrument: str, item: str) -> float:
        """How much of a supply is left."""
        return self._state.stocks[instrument][item].left

    def stocked(self, instrument: str, item: str) -> float | None:
        """How much of a supply is left; None where no simulator has asked for such a one."""
        stock = self._state.stocks.get(instrument, {}).get(item)
        return None if stock is None else stock.left

    def refill(self, instrument: str, item: str, left: float) -> None:
        """A person has seen to it that so much of a supply is there."""
        self._state.stocks[instrument][item].left = left
        self.version += 1

    def use(self, instrument: str, item: str, amount: float) -> None:
        """Take from a supply; the caller has checked that there is enough."""
        self._state.stocks[instrument][item].left -= amount
        self.version += 1

    def dial(self, instrument: str, name: str, default: float) -> float:
        """What an instrument has been brought to, such as its temperature; else ``default``."""
        return self._state.dials.get(instrument, {}).get(name, default)

    def turn(self, instrument: str, name: str, value: float) -> None:
        """Bring an instrument to a value that it keeps over a restart."""
        self._state.dials.setdefault(instrument, {})[name] = value
        self.version += 1

    def clear_up(self) -> None:
        """Plates are fresh and in their places, and supplies full again."""
        self.floor.clear_up()
        self._state.wells = self._begun()
        for stocks in self._state.stocks.values():
            for stock in stocks.values():
                stock.left = stock.full
        self.version += 1

    # Chance, time and faults

    def random(self, instrument: str) -> random.Random:
        """Chance for one action.

        It depends on the seed, the instrument and how often that one has asked, and on nothing
        else, so the order among instruments does not matter.
        """
        count = self._state.draws.get(instrument, 0) + 1
        self._state.draws[instrument] = count
        self.version += 1
        return random.Random(f"{self.seed}/{instrument}/{count}")

    def plan_faults(self, instrument: str, actions: Iterable[str], faults: FaultOptions) -> None:
        """Set an instrument's faults, as ``lab.toml`` writes them. UserMistake if wrong."""
        self._faults[instrument] = read_faults(instrument, tuple(actions), faults)

    def begin(self, instrument: str, action: str) -> Call:
        """An action starts: count the call and see whether a fault is due."""
        key = f"{instrument}/{action}"
        count = self._state.calls.get(key, 0) + 1
        self._state.calls[key] = count
        self.version += 1
        planned = [fault for fault in self._faults.get(instrument, ()) if fault.action == action]
        due = (fault for fault in planned if fault.is_due(count, self._luck(key, count)))
        return Call(self, instrument, action, next(due, None))

    def _luck(self, key: str, count: int) -> float:
        return random.Random(f"{self.seed}/{key}/{count}/fault").random()

    async def work(self, instrument: str, action: str, seconds: float) -> Call:
        """Begin an action that is one stretch of work, and spend its lab time."""
        call = self.begin(instrument, action)
        await call.work(seconds)
        return call

    def stop(self, instrument: str) -> None:
        """Make safe: what the instrument is doing will end in a DriverFault and change nothing."""
        self._stops[instrument] = self.stops(instrument) + 1

    def stops(self, instrument: str) -> int:
        """How often ``stop`` was called."""
        return self._stops.get(instrument, 0)

    # Memory

    def set_down(self, journal: str, said: Iterable[tuple[int, str, str, str]]) -> tuple[str, ...]:
        """People have moved labware: number of the word, piece, site and kind.

        No site: off the bench; no kind: ``lab.toml`` says it, else the piece is new here. A word
        is heard once, and not after one of the same ``journal`` with a higher number. Returns
        what could not be done, in words.
        """
        before, last = self._state.told
        news = sorted(word for word in said if journal != before or word[0] > last)
        if not news:
            return ()
        self._state.told = journal, news[-1][0]
        self.version += 1
        for _, labware, _, kind in news:
            if kind:
                self.floor.bring(labware, kind)
        return self.floor.rearrange({labware: site for _, labware, site, _ in news})

    def snapshot(self) -> dict[str, JsonValue]:
        """All of the state, as JSON: labware, wells, supplies, and how far chance has gone."""
        self._state.floor = self.floor.state
        return cast("dict[str, JsonValue]", asdict(self._state))

    def restore(self, snapshot: Mapping[str, JsonValue]) -> None:
        """Go on where a snapshot was taken. UserMistake if it is none."""
        try:
            self._state = _STATE.validate_python(snapshot)
        except ValueError as error:
            raise UserMistake(
                f"the saved state of the simulated bench cannot be read ({error}); "
                "delete it to start with fresh plates"
            ) from error
        self.floor.restore(self._state.floor)
        self.version += 1
