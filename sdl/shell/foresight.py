"""What simulators say of their own actions beforehand.

The author of a simulator may write, beside an action ``absorbance``, a plain method
``predict_absorbance`` with the same arguments, which returns a ``Prediction``. It changes nothing,
draws no chance, and is optional: of what has none, the past or the declared time-out is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from sdl.errors import SdlError
from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab
from sdl.model.prediction import Prediction
from sdl.shell.bench import Bench, InstantClock
from sdl.shell.offered import offered_by
from sdl.shell.plugins import construct

PREFIX = "predict_"
Said: TypeAlias = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Seer:
    """One simulator, and the actions of which it says something."""

    device: object
    operations: Mapping[str, Operation]
    methods: Mapping[str, Said]
    """By action."""


class Simulators:
    """A ``Predictor``: simulators of a lab's own simulated instruments, on a bench apart.

    That bench is empty and stays so: nothing that is asked here reaches the one that the nodes
    share. Of real instruments, and of simulators that cannot be made, it knows nothing.
    """

    def __init__(self, lab: Lab, folder: Path) -> None:
        """``folder``: of ``lab.toml``."""
        self._instruments = {one.name: one for one in lab.instruments if one.simulated}
        self._folder = folder
        self._bench = Bench(clock=InstantClock(), seed=lab.seed, lab=lab)
        self._seers: dict[str, Seer | None] = {}

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        """What the instrument's simulator says; None where it says nothing.

        Raises whatever its author's method raises.
        """
        seer = self._seer(instrument)
        if seer is None or operation not in seer.methods:
            return None
        typed = seer.operations[operation].load_arguments(arguments)
        said = seer.methods[operation](seer.device, **typed)
        return said if isinstance(said, Prediction) else None

    def _seer(self, name: str) -> Seer | None:
        if name not in self._seers:
            instrument = self._instruments.get(name)
            self._seers[name] = None if instrument is None else self._made(instrument)
        return self._seers[name]

    def _made(self, instrument: Instrument) -> Seer | None:
        try:
            device, loaded = construct(instrument, self._folder, self._bench)
        except SdlError:
            return None  # whoever starts the node is told
        kind = cast("type", loaded.value)
        return Seer(device, offered_by(kind), predictions_of(kind))


def predictions_of(kind: type) -> dict[str, Said]:
    """The methods of a simulator's class that predict, by action."""
    methods = {name: value for each in reversed(kind.__mro__) for name, value in vars(each).items()}
    return {
        name.removeprefix(PREFIX): cast("Said", method)
        for name, method in methods.items()
        if name.startswith(PREFIX) and callable(method)
    }
