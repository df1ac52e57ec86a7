"""What simulators say of their own actions beforehand.

The author of a simulator may write, beside an action ``absorbance``, a plain method
``predict_absorbance`` with the same arguments, which returns a ``Prediction``. It changes nothing,
draws no chance, and is optional: of what has none, the past or the declared time-out is believed.
Where what an action takes depends on the one before it, ``after_absorbance``, with the same
arguments, leaves the simulator as the action would, such as warm; it is told what has ended well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from sdl.core.commands import Command, Halt, Perform
from sdl.core.events import CommandDone, CommandFailed, CommandUnknown, Event
from sdl.errors import SdlError
from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab
from sdl.model.prediction import Prediction
from sdl.shell.bench import Bench, InstantClock
from sdl.shell.offered import offered_by
from sdl.shell.plugins import construct

PREFIX = "predict_"
AFTER = "after_"
Said: TypeAlias = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Seer:
    """One simulator, and the actions of which it says something."""

    device: object
    operations: Mapping[str, Operation]
    methods: Mapping[str, Said]
    """By action."""
    after: Mapping[str, Said]
    """By action: what leaves the simulator as that would."""

    def call(self, method: Said, operation: str, arguments: Mapping[str, JsonValue]) -> object:
        """Call one of its methods with the arguments of an action, as they are in the journal."""
        return method(self.device, **self.operations[operation].load_arguments(arguments))


class Simulators:
    """A ``Predictor``: simulators of a lab's own simulated instruments, on a bench apart.

    That bench is empty and stays so: nothing that is asked here reaches the one that the nodes
    share. What instruments have been brought to follows from ``take``. Of real instruments, and of
    simulators that cannot be made, it knows nothing.
    """

    def __init__(self, lab: Lab, folder: Path) -> None:
        """``folder``: of ``lab.toml``."""
        self._instruments = {one.name: one for one in lab.instruments if one.simulated}
        self._folder = folder
        self._lab = lab
        self._bench = self._fresh()
        self._seers: dict[str, Seer | None] = {}
        self._open: dict[str, Perform] = {}
        """Commands under way that leave something behind."""

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        """What the instrument's simulator says; None where it says nothing.

        Raises whatever its author's method raises.
        """
        seer = self._seer(instrument)
        if seer is None or operation not in seer.methods:
            return None
        said = seer.call(seer.methods[operation], operation, arguments)
        return said if isinstance(said, Prediction) else None

    def take(self, line: Event | Command) -> None:
        """Take the next line of a journal in. Whoever is made safe is as it was at first."""
        match line:
            case Perform(cid=cid, instrument=name, operation=operation):
                seer = self._seer(name)
                if seer is not None and operation in seer.after:
                    self._open[cid] = line
            case CommandDone(cid=cid) if cid in self._open:
                self._follow(self._open.pop(cid))
            case CommandFailed(cid=cid) | CommandUnknown(cid=cid):
                self._open.pop(cid, None)
            case Halt(instrument=name) if self._seers.get(name) is not None:
                self._seers[name] = self._made(self._instruments[name], self._fresh())
            case _:
                pass

    def _follow(self, done: Perform) -> None:
        seer = self._seer(done.instrument)
        if seer is not None:
            with suppress(Exception):  # somebody's own code, about something that need not be known
                seer.call(seer.after[done.operation], done.operation, done.args)

    def _fresh(self) -> Bench:
        return Bench(clock=InstantClock(), seed=self._lab.seed, lab=self._lab)

    def _seer(self, name: str) -> Seer | None:
        if name not in self._seers:
            instrument = self._instruments.get(name)
            self._seers[name] = None if instrument is None else self._made(instrument, self._bench)
        return self._seers[name]

    def _made(self, instrument: Instrument, bench: Bench) -> Seer | None:
        try:
            device, loaded = construct(instrument, self._folder, bench)
        except SdlError:
            return None  # whoever starts the node is told
        kind = cast("type", loaded.value)
        return Seer(device, offered_by(kind), predictions_of(kind), methods_of(kind, AFTER))


def predictions_of(kind: type) -> dict[str, Said]:
    """The methods of a simulator's class that predict, by action."""
    return methods_of(kind, PREFIX)


def methods_of(kind: type, prefix: str) -> dict[str, Said]:
    """The methods of a simulator's class whose names begin so, by action."""
    methods = {name: value for each in reversed(kind.__mro__) for name, value in vars(each).items()}
    return {
        name.removeprefix(prefix): cast("Said", method)
        for name, method in methods.items()
        if name.startswith(prefix) and callable(method)
    }
