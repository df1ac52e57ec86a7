"""Four actions, one of each kind, on three simulated instruments: what a fault can meet.

*dose* happens once, and a balance can tell whether it did; *shake* happens once, and nothing can
tell; *tune* may be done again; *read* only looks. Where account is kept of materials, *rinse* draws
some of a well off and fills it up from a bottle of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sdl import Capability, OutOfMaterial, Transfer, Well, action, protocol, within
from sdl.authoring import Finding, Interrupted, note
from sdl.capabilities import LiquidHandler
from sdl.sim import Bench, mark_effect

DOSE_S, SHAKE_S, TUNE_S, READ_S, RINSE_S = 4.0, 3.0, 1.0, 2.0, 3.0
STROKES = 3
"""Of the syringe, in one dose."""
BALANCE_UL = 0.5
"""What the balance cannot tell apart."""
READ_WITHIN_S = 600.0
FULL_UL, RINSED_UL = 200.0, 60.0
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

    @action("once", timeout_s=120.0, probe="weigh", lid="off")
    async def dose(self, well: Well, volume_ul: float) -> None:
        """Add so much, in some strokes."""
        self._check_here(well)
        self._bench.floor.check_open(self._name, well.labware)
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

    @action("pure", timeout_s=120.0, lid="off")
    async def read(self, well: Well) -> float:
        """AU."""
        self._check_here(well)
        self._bench.floor.check_open(self._name, well.labware)
        await self._act("read", READ_S, lambda: None)
        return self._bench.volume_ul(well) * SIGNAL_AU_UL


def _rinsed(well: Well, volume_ul: float) -> tuple[Transfer, ...]:
    return (Transfer(well, None, volume_ul), Transfer("rinse", well, volume_ul))


class Rinser(_Simulated, Capability):
    """Draws some of a well off, and fills the same up from a bottle of its own."""

    def __init__(
        self, *, name: str, bench: Bench, sources_ul: dict[str, float], error_ul: float = 0.5
    ) -> None:
        """``error_ul``: standard deviation of each stroke."""
        super().__init__(name=name, bench=bench)
        self._error_ul = error_ul
        stocks = {f"source {source}": volume_ul for source, volume_ul in sources_ul.items()}
        bench.stock_up(name, stocks)

    @action("once", timeout_s=120.0, moves=_rinsed)
    async def rinse(self, well: Well, volume_ul: float) -> None:
        """Take so many µL out of a well, and put as much rinse in. OutOfMaterial if it is short."""
        self._check_here(well)
        if volume_ul > self._bench.left(self._name, "source rinse"):
            raise OutOfMaterial(f"{self._name}: the rinse is short; refill it")
        chance = self._bench.random(self._name)
        strokes = [self._drawn_off, self._filled]

        def stroke() -> None:
            moved_ul = max(0.0, volume_ul + self._error_ul * chance.gauss())
            strokes.pop(0)(well, moved_ul)

        await self._act("rinse", RINSE_S, stroke, strokes=len(strokes))

    def _drawn_off(self, well: Well, volume_ul: float) -> None:
        self._bench.take(well, min(volume_ul, self._bench.volume_ul(well)))

    def _filled(self, well: Well, volume_ul: float) -> None:
        filled_ul = min(volume_ul, self._bench.left(self._name, "source rinse"))
        self._bench.use(self._name, "source rinse", filled_ul)
        self._bench.add(well, {"rinse": filled_ul})


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
async def fill_and_rinse(
    filler: LiquidHandler, rinser: Rinser, reader: Reader, well: Well, *, volume_ul: float
) -> Read:
    """Fill a well from two bottles, thin it, read it."""
    await filler.dispense(well, {"dye": volume_ul, "buffer": FULL_UL - volume_ul})
    await rinser.rinse(well, RINSED_UL)
    return Read(signal_au=await reader.read(well))


@protocol
async def keep_stirred(shaker: Shaker, well: Well) -> None:
    """Where a sample is safe that came too late to be read."""
    await shaker.shake(well, 0.0)
