"""What a driver is held to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sdl.capabilities import Device
from sdl.testing.arguments import TryOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The arguments of ``driver_contract``, where they are explained."""

    make: Callable[[], Device]
    try_out: TryOut
    stops_in_s: float
    blocks_ms: float
    patience_s: float
