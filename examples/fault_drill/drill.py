"""Four actions, one of each kind, on three simulated instruments: what a fault can meet.

*dose* happens once, and a balance can tell whether it did; *shake* happens once, and nothing can
tell; *tune* may be done again; *read* only looks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sdl import Capability, Well, action, protocol, within
from sdl.authoring import Finding, Interrupted, note
from sdl.sim import Bench, mark_effect

DOSE_S, SHAKE_S, TUNE_S, READ_S = 4.0, 3.0, 1.0, 2.0
STROKES = 3
"""Of the syringe, in one dose."""
BALANCE_UL = 0.5
"""What the balance cannot tell apart."""
READ_WITHIN_S = 600.0
WAVELENGTH_NM = 450.0
SIGNAL_AU_UL = 0.01


class _Simulated:
    """What the three have in common: an action takes its time, and happens somewhere in it."""

    def __init__(self, *, name: str, bench: Bench) -> None:
        self._name = name
        self._bench = bench

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """What is under way ends at once, in an error."""
        self._bench.stop(self._name)

    def _check_here(self, well: Well) -> None:
        """DriverFault if its plate stands elsewhere."""
        self._bench.floor.check_at(self._name, well.labware)

    async def _act(
        self, what: str, seconds: float, effect: Callable[[], None], *, strokes: int = 1
    ) -> None:
        """Work for a while. The world changes at each stroke: at the start, the end, or between."""
        call = self._bench.begin(self._name, what)
        chance = self._bench.random(self._name)
        shares = sorted(chance.choice([0.0, chance.random(), 1.0]) for _ in range(strokes))
        worked = 0.0
        for share in shares:
            if share > worked:
                await call.work(seconds * (share - worked))
                worked = share
            effect()
            mark_effect()
        if worked < 1.0:
            await call.work(seconds * (1.0 - worked))


class Doser(_Simulated, Capability):
    """Pours into a well that stands on a balance."""

    @action("once", timeout_s=120.0, probe="weigh")
    async def dose(self, well: Well, volume_ul: float) -> None:
        """Add so much, in some strokes."""
        self._check_here(well)
        await note({"before_ul": self._bench.volume_ul(well)})
        stroke = {"dye": volume_ul / STROKES}
        await self._act("dose", DOSE_S, lambda: self._bench.add(well, stroke), strokes=STROKES)

    async def weigh(self, interrupted: Interrupted) -> Finding:
        """Whether a dose that was cut off is in its well."""
        if interrupted.noted is None:
            return Finding(verdict="did_not_happen", evidence="it was not yet put on the balance")
        before_ul = cast("dict[str, float]", interrupted.noted)["before_ul"]
        well = cast("Well", interrupted.arguments["well"])
        more_ul = self._bench.volume_ul(well) - before_ul
        evidence = f"the balance shows {more_ul:.2f} µL more than before"
        wanted_ul = cast("float", interrupted.arguments["volume_ul"])
        if abs(more_ul - wanted_ul) < BALANCE_UL:
            return Finding(verdict="happened", evidence=evidence)
        if abs(more_ul) < BALANCE_UL:
            return Finding(verdict="did_not_happen", evidence=evidence)
        return Finding(verdict="unclear", evidence=evidence)


class Shaker(_Simulated, Capability):
    """Shakes a plate; nothing tells afterwards whether it did."""

    @action("once", timeout_s=120.0)
    async def shake(self, well: Well, seconds: float) -> None:
        """Mix what is in a well."""
        self._check_here(well)
        await self._act("shake", SHAKE_S + seconds, lambda: self._bench.stir(well), strokes=2)


class Reader(_Simulated, Capability):
    """Reads the light that a well lets through."""

    @action("idempotent", timeout_s=120.0)
    async def tune(self, wavelength_nm: float) -> None:
        """Turn the monochromator."""
        await self._act("tune", TUNE_S + wavelength_nm * 1e-3, lambda: None)

    @action("pure", timeout_s=120.0)
    async def read(self, well: Well) -> float:
        """AU."""
        self._check_here(well)
        await self._act("read", READ_S, lambda: None)
        return self._bench.volume_ul(well) * SIGNAL_AU_UL


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one run observes."""

    signal_au: float


@protocol
async def dose_and_read(
    doser: Doser,
    shaker: Shaker,
    reader: Reader,
    well: Well,
    *,
    volume_ul: float,
    within_s: float = READ_WITHIN_S,
) -> Read:
    """Fill a well, shake it, read it."""
    await doser.dose(well, volume_ul)
    async with within(within_s):
        await shaker.shake(well, 1.0)
        await reader.tune(WAVELENGTH_NM)
        signal_au = await reader.read(well)
    return Read(signal_au=signal_au)


@protocol
async def keep_stirred(shaker: Shaker, well: Well) -> None:
    """Where a sample is safe that came too late to be read."""
    await shaker.shake(well, 0.0)
