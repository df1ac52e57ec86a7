"""Who says beforehand what an action will take and give; and whom to believe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from sdl.core.commands import Command
from sdl.core.events import Event
from sdl.core.plausible import plausible
from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.model.prediction import Prediction

PATIENCE_S = 3600.0
"""Lab seconds that an action without a time-out of its own is taken to last."""
TIMEOUT_SPREAD = 0.5
"""Share of a declared time-out by which it is off, where nothing better is known."""


class Predictor(Protocol):
    """Knows something of what instruments will do, such as their simulators or their past."""

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        """What this action will probably take and give; None where nothing is known of it."""
        ...


class Follower(Protocol):
    """Goes through a journal, and knows more by each of its lines."""

    def take(self, line: Event | Command) -> None:
        """Take the next line in."""
        ...


def predicted(
    predictors: Sequence[Predictor],
    instrument: str,
    operation: Operation,
    arguments: Mapping[str, JsonValue],
) -> Prediction:
    """The duration of the first that knows one, the result of the first that knows one.

    Where none does: the declared time-out, and a plausible value of the declared type. What makes
    no sense is passed over, and so is a predictor that raises: a prediction is only a hint.
    """
    said = [
        one
        for each in predictors
        if (one := _asked(each, instrument, operation.name, arguments)) is not None
    ]
    results = [found for one in said for found in _results(operation, one)]
    duration = next(iter(said), None) or _timeout(operation)
    return Prediction(
        duration_s=float(duration.duration_s),
        spread_s=float(duration.spread_s),
        result=results[0] if results else plausible(operation.returns),
    )


def foreseen(
    predictors: Sequence[Predictor],
    instrument: str,
    operation: str,
    arguments: Mapping[str, JsonValue],
) -> Prediction | None:
    """What the first says that knows anything; None where none does: a time-out is no forecast."""
    told = (_asked(each, instrument, operation, arguments) for each in predictors)
    return next((said for said in told if said is not None), None)


def _asked(
    predictor: Predictor,
    instrument: str,
    operation: str,
    arguments: Mapping[str, JsonValue],
) -> Prediction | None:
    try:
        said = predictor.predict(instrument, operation, arguments)
        if said is None or not 0.0 <= said.duration_s < math.inf:
            return None
        return said if 0.0 <= said.spread_s < math.inf else None
    except Exception:  # noqa: BLE001 - somebody's own code, about something that need not be known
        return None


def _results(operation: Operation, said: Prediction) -> list[object]:
    """The result as the protocol will receive it; nothing where none, or a wrong one, is said."""
    if said.result is None:
        return []
    try:
        return [operation.load_result(operation.dump_result(said.result))]
    except Exception:  # noqa: BLE001 - TypeError, or whatever its own classes raise
        return []


def _timeout(operation: Operation) -> Prediction:
    timeout_s = operation.timeout_s if 0.0 <= operation.timeout_s < math.inf else PATIENCE_S
    return Prediction(duration_s=timeout_s, spread_s=TIMEOUT_SPREAD * timeout_s)
