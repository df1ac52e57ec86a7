"""A simulated absorbance plate reader: Beer-Lambert over what a well holds, with noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sdl.capabilities import PlateReader
from sdl.errors import DriverFault, UserMistake
from sdl.model.labware import Well
from sdl.sim import Bench, FaultOptions, Prediction
from sdl_simulators.options import check_above_0, check_not_negative

ACTIONS = ("absorbance",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The spectrum of one pure stock liquid: one Gaussian band."""

    peak_nm: float
    au_per_cm: float
    """Absorbance of the undiluted stock at the peak through 1 cm: absorptivity x concentration."""
    width_nm: float
    """Standard deviation of the band."""

    def height(self, wavelength_nm: float) -> float:
        """Absorbance of the undiluted stock per cm."""
        offset = (wavelength_nm - self.peak_nm) / self.width_nm
        return self.au_per_cm * math.exp(-0.5 * offset * offset)


SPECTRA: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {"dye": MappingProxyType({"peak_nm": 450.0, "au_per_cm": 3.4, "width_nm": 35.0})}
)
"""An orange dye, so strong that 200 µL of the stock in a 96-well plate read about 2.1 AU."""


class SimulatedAbsorbanceReader:
    """Reads wells of a ``Bench`` from above.

    ``A = background + path * sum(band * volume fraction)``, the path being the height of the
    liquid. Stray light (a fraction of what would pass an empty beam) bends it at high absorbance:
    the detector sees ``10^-A + stray``, so 4 AU are the ceiling at the default ``stray = 1e-4``.
    Noise is ``noise_au`` plus ``noise_cv`` of the value; it grows by ``unmixed_cv`` where liquid
    came in less than a few ``mixing_s`` ago and nobody has mixed the well.
    """

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        spectra: Mapping[str, Mapping[str, float]] = SPECTRA,
        background_au: float = 0.04,
        noise_au: float = 0.002,
        noise_cv: float = 0.003,
        unmixed_cv: float = 0.05,
        mixing_s: float = 12.0,
        stray: float = 1e-4,
        max_au: float = 3.5,
        low_nm: float = 350.0,
        high_nm: float = 1000.0,
        read_s: float = 12.0,
        faults: FaultOptions = (),
    ) -> None:
        """``spectra``: component to the fields of a ``Band``; other components do not absorb.

        Above ``max_au`` a well is saturated. UserMistake if an option makes no sense.
        """
        check_above_0(name, mixing_s=mixing_s, max_au=max_au)
        check_not_negative(name, background_au=background_au, noise_au=noise_au, noise_cv=noise_cv)
        check_not_negative(name, unmixed_cv=unmixed_cv, stray=stray, read_s=read_s)
        self._name = name
        self._bench = bench
        self._bands = {
            component: _band(name, component, fields) for component, fields in spectra.items()
        }
        self._background_au = background_au
        self._noise_au = noise_au
        self._noise_cv = noise_cv
        self._unmixed_cv = unmixed_cv
        self._mixing_s = mixing_s
        self._stray = stray
        self._max_au = max_au
        self._low_nm = low_nm
        self._high_nm = high_nm
        self._read_s = read_s
        bench.plan_faults(name, ACTIONS, faults)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """The lamp goes off: a reading under way fails."""
        self._bench.stop(self._name)

    async def absorbance(self, well: Well, wavelength_nm: float) -> float:
        self._bench.kind(well)
        if not self._low_nm <= wavelength_nm <= self._high_nm:
            raise DriverFault(
                f"{self._name}: {wavelength_nm} nm is out of reach; "
                f"{self._low_nm:g} to {self._high_nm:g} nm are possible"
            )
        with self._bench.floor.at_work(self._name, well.labware):
            call = await self._bench.work(self._name, "absorbance", self._read_s)
            seen_au = self._seen_au(well, wavelength_nm)
        if seen_au > self._max_au:
            raise DriverFault(
                f"{self._name}: well {well} is saturated at {wavelength_nm:g} nm "
                f"(over {self._max_au:g} AU); dilute it or fill less"
            )
        return call.reading(seen_au)

    def predict_absorbance(self, well: Well, wavelength_nm: float) -> Prediction:
        """What it would read, noise aside, of what the well holds on its bench."""
        true_au = self._background_au + self._true_au(well, wavelength_nm)
        return Prediction(duration_s=self._read_s, result=self._through(true_au))

    def _through(self, au: float) -> float:
        """What the detector sees, stray light included."""
        return -math.log10((10.0**-au + self._stray) / (1.0 + self._stray))

    def _seen_au(self, well: Well, wavelength_nm: float) -> float:
        true_au = self._background_au + self._true_au(well, wavelength_nm)
        chance = self._bench.random(self._name)
        unmixed = self._unmixed_cv * math.exp(-self._bench.rest_s(well) / self._mixing_s)
        uneven_au = true_au * (1.0 + unmixed * chance.gauss())
        return self._through(uneven_au) * (1.0 + self._noise_cv * chance.gauss()) + (
            self._noise_au * chance.gauss()
        )

    def _true_au(self, well: Well, wavelength_nm: float) -> float:
        contents = self._bench.contents(well)
        volume_ul = sum(contents.values())
        if volume_ul == 0.0:
            return 0.0
        au_per_cm = sum(
            band.height(wavelength_nm) * contents.get(component, 0.0) / volume_ul
            for component, band in self._bands.items()
        )
        return au_per_cm * self._bench.kind(well).path_cm(volume_ul)


def _band(name: str, component: str, fields: Mapping[str, float]) -> Band:
    wanted = {"peak_nm", "au_per_cm", "width_nm"}
    if set(fields) != wanted:
        raise UserMistake(
            f"{name}: spectra.{component} must give {', '.join(sorted(wanted))} and nothing else"
        )
    check_above_0(name, **{f"spectra.{component}.{key}": fields[key] for key in sorted(fields)})
    return Band(**fields)


_: type[PlateReader] = SimulatedAbsorbanceReader
