"""The self-driving-lab runtime: what protocol, driver and campaign files import."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdl.authoring import action, protocol, settle, together, within
    from sdl.errors import DriverFault, LabFault, OutOfMaterial, SdlError, WindowMissed
    from sdl.model.action import Capability
    from sdl.model.labware import Well

__all__ = [
    "Capability",
    "DriverFault",
    "LabFault",
    "OutOfMaterial",
    "SdlError",
    "Well",
    "WindowMissed",
    "action",
    "protocol",
    "settle",
    "together",
    "within",
]
__version__ = "0.1.0"

_HOMES = {
    "Capability": "sdl.model.action",
    "DriverFault": "sdl.errors",
    "LabFault": "sdl.errors",
    "OutOfMaterial": "sdl.errors",
    "SdlError": "sdl.errors",
    "Well": "sdl.model.labware",
    "WindowMissed": "sdl.errors",
    "action": "sdl.authoring",
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
