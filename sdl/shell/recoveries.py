"""Loads the protocols that an error policy names to mend the bench, or to save a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from sdl.core.script import ProtocolFunction
from sdl.errors import UserMistake
from sdl.model.policy import WITH_PROTOCOL, Rule
from sdl.model.protocol import ProtocolSignature
from sdl.shell.plugins import PROTOCOLS, load
from sdl.wire.forbidden import forbidden
from sdl.wire.signature import check_recovery


@dataclass(slots=True)
class Recoveries:
    """What was loaded, and what is wrong with the rest."""

    by_name: dict[str, ProtocolFunction] = field(default_factory=dict)
    """By the name in the rules."""
    mistakes: list[tuple[int | None, UserMistake]] = field(default_factory=list)
    """Each with the place of the campaign's rule that it is about; None: the protocol's own."""


def load_recoveries(
    policy: tuple[Rule, ...], signature: ProtocolSignature, folder: Path
) -> Recoveries:
    """The recoveries that the rules of a campaign and of its protocol name.

    ``folder``: what a path in a rule is relative to, the folder of ``campaign.toml``.
    """
    found = Recoveries()
    for place, rule in (*enumerate(policy), *((None, rule) for rule in signature.policy)):
        if rule.then not in WITH_PROTOCOL or not rule.protocol or rule.protocol in found.by_name:
            continue
        try:
            function = cast("ProtocolFunction", load(PROTOCOLS, rule.protocol, folder).value)
            check_recovery(function, signature)
            found.mistakes += [(place, fault) for fault in forbidden(function)]
        except UserMistake as mistake:
            found.mistakes.append((place, mistake))
            continue
        found.by_name[rule.protocol] = function
    return found
