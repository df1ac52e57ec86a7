"""Any absorbance reader that PyLabRobot can drive. Source: its user guide and code, 0.2.2.

The plates named in the options are believed to stand in the reader when they are read: who brings
them there, a person or an arm, is not this driver's business.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from sdl.capabilities import PlateReader
from sdl.errors import DriverFault
from sdl.model.data import JsonValue
from sdl.model.labware import Well
from sdl_drivers.pylabrobot_bridge import container, faults_named, made

# isort: split
from pylabrobot.plate_reading import (  # type: ignore[import-untyped]
    PlateReader as Reader,
)
from pylabrobot.plate_reading.backend import (  # type: ignore[import-untyped]
    PlateReaderBackend,
)
from pylabrobot.resources import Plate  # type: ignore[import-untyped]

SHORTEST_NM = 200.0
LONGEST_NM = 1000.0


class PyLabRobotPlateReader:
    """Grade: simulated. Not yet checked against a real machine, and says so when it connects.

    PyLabRobot has no stop that all machines know, and a reading moves nothing that could harm:
    ``make_safe`` lets it end.
    """

    def __init__(
        self,
        *,
        backend: str,
        plates: Mapping[str, str],
        backend_options: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """``backend``: a dotted path. ``plates``: name to PyLabRobot's kind of plate.

        UserMistake if an option makes no sense.
        """
        self._plates = {name: made(kind, Plate, {"name": name}) for name, kind in plates.items()}
        self._backend_path = backend
        self._reader = Reader(
            name="reader",
            size_x=0.0,
            size_y=0.0,
            size_z=0.0,
            backend=made(backend, PlateReaderBackend, backend_options or {}),
        )

    @property
    def reader(self) -> Reader:
        """PyLabRobot's own object, for what this contract does not offer."""
        return self._reader

    async def connect(self) -> None:
        if self._reader.setup_finished:
            return
        with faults_named(f"connecting {self._backend_path}"):
            await self._reader.setup()
        logging.getLogger(__name__).warning(
            "PyLabRobotPlateReader over %s is graded 'simulated': it has not been checked on a "
            "real machine; compare its first readings with the maker's software",
            self._backend_path,
        )

    async def disconnect(self) -> None:
        if self._reader.setup_finished:
            with faults_named(f"disconnecting {self._backend_path}"):
                await self._reader.stop()

    async def make_safe(self) -> None:
        """Nothing moves or heats by this driver's doing."""

    async def absorbance(self, well: Well, wavelength_nm: float) -> float:
        plate = self._plates.get(well.labware)
        if plate is None:
            known = ", ".join(sorted(self._plates)) or "none"
            raise DriverFault(f"plate {well.labware!r} is not one of the reader's: {known}")
        item = container(plate, well)
        if not SHORTEST_NM <= wavelength_nm <= LONGEST_NM or wavelength_nm != round(wavelength_nm):
            raise DriverFault(
                f"{wavelength_nm} nm: give a whole number, {SHORTEST_NM:g} to {LONGEST_NM:g}"
            )
        with faults_named(f"reading {well}"):
            self._put_in(plate)
            results = await self._reader.read_absorbance(
                wavelength=round(wavelength_nm), wells=[item], use_new_return_type=True
            )
            value = results[0]["data"][item.get_row()][item.get_column()]
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise DriverFault(f"the reader gave {value!r} for {well}: saturated, or not read")
        return float(value)

    def _put_in(self, plate: Plate) -> None:
        for other in list(self._reader.children):
            if other is not plate:
                self._reader.unassign_child_resource(other)
        if plate.parent is None:
            self._reader.assign_child_resource(plate)


_: type[PlateReader] = PyLabRobotPlateReader
