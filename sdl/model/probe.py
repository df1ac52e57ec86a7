"""What a driver is asked about an action that was cut off, and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sdl.model.data import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """An action that was started, and whose end nobody saw."""

    key: str
    """The same that ``action_key`` gave while it ran; an instrument may have logged it."""
    action: str
    arguments: Mapping[str, object]
    noted: JsonValue
    """What the driver put down with ``note`` before its first step; None if nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a probe found. *unclear* leaves it to a person: never guess."""

    verdict: Literal["happened", "did_not_happen", "unclear"]
    evidence: str
    """What was seen, with numbers and units, for the record."""
    result: JsonValue = None
    """What the action would have returned, where it happened and returns something."""
