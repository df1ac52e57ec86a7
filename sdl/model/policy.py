"""What is to be done about an action that went wrong: rules, the first that fits holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Trouble = Literal["driver", "lab", "material", "refused", "window", "unknown"]
"""Whose fault it was, as in ``sdl.errors``; *window*: a maximum lag was not kept."""
Remedy = Literal[
    "retry", "other", "recover", "ask", "flag", "divert", "requeue", "skip", "quarantine", "stop"
]
"""*retry*: the same action again, where that is safe. *other*: again on another instrument that
the role names. *recover*: run a protocol that mends the bench, then again. *ask*: wait for a
person. *flag*: it is done all the same, late. *divert*: run a protocol that brings the sample to
safety, then the run has failed. *requeue*: give the run up, and try its suggestion again in a new
one with a fresh well. *skip*: the error goes into the protocol, and if nothing catches it there,
the run has failed. *quarantine*: the same, and the instrument is not used until a person lets it.
*stop*: the same, and no new run begins."""
OF_WINDOWS: tuple[Remedy, ...] = ("flag", "divert", "requeue")
"""What is done about a missed window, and about nothing else."""
WITH_PROTOCOL: tuple[Remedy, ...] = ("recover", "divert")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of an error policy."""

    then: Remedy
    action: str = "*"
    """``dispense``, ``handler.dispense`` (by role), or ``*`` for all."""
    on: tuple[Trouble, ...] = ()
    """Empty: all but *unknown*, which has to be named."""
    times: int = 1
    """How often for one step, of *retry*, *other* and *recover*, or for one suggestion, of
    *requeue*; then the next rule that fits holds."""
    wait_s: float = 0.0
    """Lab seconds before it is done again."""
    protocol: str = ""
    """Of *recover* and *divert*: ``./file.py:function`` or an entry point's name; it has roles and
    no inputs."""
