"""The self-driving-lab runtime: what protocol, driver and campaign files import."""

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
