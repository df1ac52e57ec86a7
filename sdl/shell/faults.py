"""Faults that a simulator is told to show, so that a lab can practise them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sdl.errors import UserMistake

FaultOptions: TypeAlias = Sequence[Mapping[str, str | int | float]]
"""As ``lab.toml`` writes them: ``[{ action = "absorbance", kind = "raise", on_call = 3 }]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One planned fault of one action. It is due on one call, or on any with a probability."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    action: str
    kind: Literal["raise", "hang", "nan", "wrong_type", "slow", "drop"]
    """*raise*: DriverFault, nothing has moved. *hang*: never answers. *nan*: every number of the
    result is NaN. *wrong_type*: a text where a number is due. *slow*: takes ``factor`` times as
    long. *drop*: an arm loses its grip on the way. An action without a result shows no ``nan`` and
    no ``wrong_type``, one that carries nothing no ``drop``."""
    on_call: int | None = None
    """The first call is 1."""
    probability: float = 0.0
    """0 to 1, for each call; decided by the bench's seed."""
    factor: float = 10.0

    def is_due(self, call: int, luck: float) -> bool:
        """Whether the ``call``-th call shows it; ``luck`` is uniform between 0 and 1."""
        return call == self.on_call or luck < self.probability


_FAULTS = TypeAdapter(tuple[Fault, ...])


def read_faults(
    instrument: str, actions: tuple[str, ...], faults: FaultOptions
) -> tuple[Fault, ...]:
    """Typed faults. UserMistake names what is wrong."""
    try:
        read = _FAULTS.validate_python(tuple(faults))
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in details["loc"])
        raise UserMistake(f"{instrument}: faults: {where}: {details['msg']}") from error
    for fault in read:
        if fault.action not in actions:
            raise UserMistake(
                f"{instrument}: faults: there is no action {fault.action!r}; "
                f"it has: {', '.join(sorted(actions))}"
            )
        if not 0.0 <= fault.probability <= 1.0:
            raise UserMistake(
                f"{instrument}: faults: probability {fault.probability} is not in 0 to 1"
            )
        if fault.on_call is None and fault.probability == 0.0:
            raise UserMistake(
                f"{instrument}: faults: the {fault.kind!r} fault is never due; "
                "give on_call or probability"
            )
    return read
