"""What a protocol's signature says: roles, inputs and measures."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import Literal

from sdl.model.data import InputValue
from sdl.model.policy import Rule


def in_python(name: str) -> str:
    """How an input or a measure is written in a protocol: ``yield`` as ``yield_``.

    A word of Python's own cannot stand there without the underscore.
    """
    return f"{name}_" if keyword.iskeyword(name) else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A part that a campaign gives to an instrument, or to the free wells of plates."""

    name: str
    capability: str
    """Name of the capability class; ``Well`` for one well, ``Wells`` for a list of them."""
    actions: tuple[str, ...] = ()
    """Names of the actions that the capability has; empty for labware."""

    @property
    def is_labware(self) -> bool:
        """Whether wells, not an instrument, play this part."""
        return self.capability in ("Well", "Wells")

    @property
    def is_list(self) -> bool:
        """Whether several wells at once play this part."""
        return self.capability == "Wells"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A keyword-only parameter, or a field of a sample; its unit is the suffix of its name."""

    name: str
    """As the campaign says it; see ``in_python``."""
    kind: Literal["float", "int", "str"]
    options: tuple[InputValue, ...] = ()
    """The allowed values where the annotation is a ``Literal``."""
    default: InputValue | None = None
    """None where the protocol gives no default, so that a campaign must."""
    of_run: bool = False
    """In a batch protocol: of the whole run, so that it cannot be searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolSignature:
    """The whole schema of a protocol; no second file repeats it."""

    name: str
    roles: tuple[Role, ...]
    inputs: tuple[Input, ...]
    measures: tuple[str, ...]
    """Field names of the returned dataclass, all of them numbers; as the campaign says them."""
    source_sha256: str
    """Of the file that the protocol stands in."""
    policy: tuple[Rule, ...] = ()
    """What is done about actions that go wrong."""
    samples: str = ""
    """Of a batch protocol: the input that takes the list of samples; empty where a run is of one.
    Its other inputs are those of a sample, but for the ones ``of_run``."""
