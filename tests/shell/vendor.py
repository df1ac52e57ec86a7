"""A vendor's library for tests: it blocks, and its ways to die are many."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


class VendorError(Exception):
    """An error that cannot be made from its own words."""

    def __init__(self, code: int, where: str) -> None:
        super().__init__(f"code {code} at {where}")


CALLS: list[float] = []


def count(seconds: float = 0.0) -> int:
    """How often it was called in this process; takes its time, and blocks."""
    time.sleep(seconds)
    CALLS.append(seconds)
    return len(CALLS)


def fail(kind: str) -> None:
    """Raise, leave, or die."""
    if kind == "vendor":
        raise VendorError(7, "the arm")
    if kind == "value":
        raise ValueError("no such volume")
    if kind == "exit":
        sys.exit(3)
    if kind == "die":
        os._exit(3)


def wait_for(file: Path) -> str:
    """Block until a file is there."""
    while not file.exists():
        time.sleep(0.005)
    return file.name
