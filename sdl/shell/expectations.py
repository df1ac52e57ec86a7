"""Who says, while a lab is at work, how long its actions will take: for people who ask why."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from sdl.core.durations import Durations
from sdl.errors import SdlError
from sdl.model.data import JsonValue
from sdl.model.lab import Lab
from sdl.model.prediction import Prediction
from sdl.shell.foresight import Simulators
from sdl.shell.record import Record

EVERY_S = 300.0
"""Wall seconds between two looks into the record."""

_LOG = logging.getLogger(__name__)


class Expectations:
    """A ``Predictor``: what simulators say, or else what the lab's record has taught."""

    def __init__(self, lab: Lab, folder: Path, record: Record) -> None:
        """``folder``: of ``lab.toml``."""
        self._lab = lab
        self._record = record
        self._simulators = Simulators(lab, folder)
        self._past = Durations()

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        said = self._simulators.predict(instrument, operation, arguments)
        return said or self._past.predict(instrument, operation, arguments)

    def learn(self) -> None:
        """Look into the record. RecordFault if it cannot be read."""
        self._past = self._record.lessons(self._lab)

    async def keep_learning(self) -> None:
        """Look again and again, until cancelled; a record that is away has taught enough."""
        while True:
            try:
                await asyncio.to_thread(self.learn)
            except SdlError as error:
                _LOG.warning("what actions took could not be looked up: %s", error)
            await asyncio.sleep(EVERY_S)
