"""The self-driving-lab runtime: what protocol, driver and campaign files import."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdl.authoring import action, action_key, note, protocol, settle, together, within
    from sdl.errors import (
        DriverFault,
        LabFault,
        OutcomeUnknown,
        OutOfMaterial,
        SdlError,
        WindowMissed,
    )
    from sdl.model.action import Capability
    from sdl.model.labware import Plate, Well
    from sdl.model.policy import Rule
    from sdl.model.probe import Finding, Interrupted
    from sdl.model.stock import Transfer, Wash
    from sdl.shell.in_thread import VendorProcess, in_thread

__all__ = [
    "Capability",
    "DriverFault",
    "Finding",
    "Interrupted",
    "LabFault",
    "OutOfMaterial",
    "OutcomeUnknown",
    "Plate",
    "Rule",
    "SdlError",
    "Transfer",
    "VendorProcess",
    "Wash",
    "Well",
    "WindowMissed",
    "action",
    "action_key",
    "in_thread",
    "note",
    "protocol",
    "settle",
    "together",
    "within",
]
__version__ = "0.1.0"

_HOMES = {
    "Capability": "sdl.model.action",
    "DriverFault": "sdl.errors",
    "Finding": "sdl.model.probe",
    "Interrupted": "sdl.model.probe",
    "LabFault": "sdl.errors",
    "OutOfMaterial": "sdl.errors",
    "OutcomeUnknown": "sdl.errors",
    "Plate": "sdl.model.labware",
    "Rule": "sdl.model.policy",
    "SdlError": "sdl.errors",
    "Transfer": "sdl.model.stock",
    "VendorProcess": "sdl.shell.in_thread",
    "Wash": "sdl.model.stock",
    "Well": "sdl.model.labware",
    "WindowMissed": "sdl.errors",
    "action": "sdl.authoring",
    "action_key": "sdl.authoring",
    "in_thread": "sdl.shell.in_thread",
    "note": "sdl.authoring",
    "protocol": "sdl.authoring",
    "settle": "sdl.authoring",
    "together": "sdl.authoring",
    "within": "sdl.authoring",
}

if not TYPE_CHECKING:  # a checker would take the function for a promise of any name

    def __getattr__(name: str) -> object:
        """Load a public name on first use: ``sdl --help`` needs none, and pydantic is slow."""
        if name not in _HOMES:
            raise AttributeError(f"module 'sdl' has no attribute {name!r}")
        value: object = vars(import_module(_HOMES[name]))[name]
        globals()[name] = value
        return value
