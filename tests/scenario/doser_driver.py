"""The pump of the foreign node, driven by a driver on a node of ours: the same contract."""

from __future__ import annotations

import runpy
from pathlib import Path

from sdl.authoring import action
from sdl.errors import OutcomeUnknown
from sdl.shell.in_thread import in_thread
from tests.tidy.conftest import ROOT

INSTRUMENT = runpy.run_path(str(ROOT / "examples" / "foreign_node" / "instrument.py"))


class HostedDoser:
    """Keeps what is in ``doser.py`` of the example."""

    def __init__(self, folder: str) -> None:
        self.doser = INSTRUMENT["Doser"](Path(folder) / "doser.pan")

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        self.doser.halt()

    @action("once", timeout_s=60.0)
    async def dispense(self, volume_ul: float) -> None:
        """Press it out, in a thread."""
        try:
            await in_thread(self.doser.dispense, volume_ul)
        except INSTRUMENT["CutOffError"] as cut_off:
            raise OutcomeUnknown(str(cut_off)) from cut_off

    @action("pure", timeout_s=10.0)
    async def weigh(self) -> float:
        """What is on the pan, mg."""
        return float(self.doser.weigh())
