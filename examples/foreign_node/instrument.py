"""The instrument of this example: a syringe pump that doses onto a balance, both simulated.

What lies on the pan stands in a file, for the bench does not forget when the node dies.
"""

from __future__ import annotations

import threading
from pathlib import Path

RATE_UL_S = 100.0
"""How fast the pump runs."""
MG_PER_UL, DEAD_UL = 0.93, 4.0
"""What the campaign has to find out: a light liquid, and a pump with some backlash."""


class CutOffError(Exception):
    """A stroke was stopped in its middle."""


class Doser:
    """Blocks while it works: the node calls it in a thread of its own."""

    def __init__(self, pan: Path) -> None:
        self._pan = pan
        self._halt = threading.Event()

    def dispense(self, volume_ul: float) -> None:
        """Press ``volume_ul`` (µL) out of the syringe. CutOffError if halted on the way."""
        half_s = volume_ul / RATE_UL_S / 2.0
        self._halt.clear()
        if self._halt.wait(half_s):
            raise CutOffError("the pump was stopped in mid-stroke")
        with self._pan.open("a", encoding="utf-8") as pan:
            pan.write(f"{max(0.0, volume_ul - DEAD_UL) * MG_PER_UL:.3f}\n")
        self._halt.wait(half_s)

    def weigh(self) -> float:
        """What is on the pan, mg."""
        if not self._pan.exists():
            return 0.0
        return sum(float(line) for line in self._pan.read_text(encoding="utf-8").split())

    def halt(self) -> None:
        """Stop the motor, now."""
        self._halt.set()
