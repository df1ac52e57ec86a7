"""The virtual lab: the same engine, node and record, with simulators and virtual time."""

from sdl.model.prediction import Prediction
from sdl.shell.bench import Bench
from sdl.shell.faults import FaultOptions
from sdl.shell.standing import Stay
from sdl.sim.effect import mark_effect

__all__ = ["Bench", "FaultOptions", "Prediction", "Stay", "mark_effect"]
