"""Whom an orchestrator calls when a person is needed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """``[alert]`` of ``lab.toml``: a program that is run, and what it is told on its stdin."""

    command: tuple[str, ...]
    """The program and its arguments, given to no shell; ``./call.sh`` lies beside ``lab.toml``."""
    timeout_s: float = 30.0
    """Wall seconds that it may take before it is ended."""
    every_s: float = 60.0
    """Wall seconds from one call to the next, at least; what comes up meanwhile goes together."""
    held_s: float = 1800.0
    """Lab seconds for which a step may wait before a person is called about it."""
