"""What is to be done about an action that went wrong: rules, the first that fits holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Trouble = Literal["driver", "lab", "material", "refused", "window", "unknown"]
"""Whose fault it was, as in ``sdl.errors``; *window*: a maximum lag was not kept."""
Remedy = Literal["retry", "other", "recover", "ask", "skip", "quarantine", "stop"]
"""*retry*: the same action again, where that is safe. *other*: again on another instrument that
the role names. *recover*: run a protocol that mends the bench, then again. *ask*: wait for a
person. *skip*: the error goes into the protocol, and if nothing catches it there, the run has
failed. *quarantine*: the same, and the instrument is not used until a person lets it. *stop*: the
same, and
no new run begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of an error policy."""

    then: Remedy
    action: str = "*"
    """``dispense``, ``handler.dispense`` (by role), or ``*`` for all."""
    on: tuple[Trouble, ...] = ()
    """Empty: all but *unknown*, which has to be named."""
    times: int = 1
    """How often for one step, of *retry*, *other* and *recover*; then the next rule that fits
    holds."""
    wait_s: float = 0.0
    """Lab seconds before it is done again."""
    protocol: str = ""
    """Of *recover*: ``./file.py:function`` or an entry point's name; it has roles and no inputs."""
