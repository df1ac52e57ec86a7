"""The protocols of a session's campaigns: as they were loaded, or again out of its journal.

A session outlives the files that its campaigns came from: somebody edits a protocol for the next
one, or the record is taken up on another machine. So the text of each file of the lab's own stands
in the journal, with the campaign's start, and is written out where it is needed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from sdl.core.events import CampaignStarted
from sdl.core.script import ProtocolFunction, Script
from sdl.errors import UserMistake
from sdl.model.campaign import Campaign
from sdl.model.policy import WITH_PROTOCOL
from sdl.model.protocol import ProtocolSignature
from sdl.shell.plugins import PROTOCOLS, load
from sdl.wire.signature import read_signature

FOLDER = "protocols"


class Protocols:
    """Gives each campaign of a session its script."""

    def __init__(self, folder: Path) -> None:
        """``folder``: where the texts of the journal are written out, once they are needed."""
        self._folder = folder / FOLDER
        self._known: dict[str, Script] = {}

    def admit(self, campaign: str, script: Script) -> None:
        """A campaign that is about to start was loaded, and passed every check."""
        self._known[campaign] = script

    def __call__(self, head: CampaignStarted) -> Script:
        """The script of a campaign. UserMistake if it cannot be had any more."""
        name = head.campaign.name
        if name not in self._known:
            self._known[name] = self._again(head)
        return self._known[name]

    def _again(self, head: CampaignStarted) -> Script:
        files = self._written(head.sources)
        function = _load(head.campaign.protocol, files)
        signature = read_signature(function, head.campaign.quantities)
        if signature != head.protocol:
            raise UserMistake(
                f"the protocol {head.campaign.protocol!r} of campaign {head.campaign.name!r} is "
                "another one than that which began; install the version that it began with"
            )
        names = recoveries_of(head.campaign, signature)
        return Script.of(function, signature, {each: _load(each, files) for each in names})

    def _written(self, sources: Iterable[tuple[str, str]]) -> Mapping[str, Path]:
        """By name in the files: where the text lies now."""
        found = {}
        for reference, text in sources:
            content = text.encode()
            path = self._folder / _sha256(content)[:16] / Path(reference).name
            if not path.exists() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            found[reference] = path.resolve()
        return found


def _load(reference: str, files: Mapping[str, Path]) -> ProtocolFunction:
    path, _, name = reference.partition(":")
    if path in files:
        reference = f"{files[path]}:{name}"
    return cast("ProtocolFunction", load(PROTOCOLS, reference, Path()).value)


def recoveries_of(campaign: Campaign, signature: ProtocolSignature) -> list[str]:
    """The protocols that the rules of a campaign and of its protocol name to mend the bench."""
    rules = (*campaign.policy, *signature.policy)
    return list(dict.fromkeys(r.protocol for r in rules if r.then in WITH_PROTOCOL and r.protocol))


def sources_of(
    campaign: Campaign, signature: ProtocolSignature, folder: Path
) -> tuple[tuple[str, str], ...]:
    """The text of each protocol file of the lab's own that a campaign needs.

    ``folder``: what their names are relative to. UserMistake if one is no UTF-8.
    """
    names = (campaign.protocol, *recoveries_of(campaign, signature))
    found = tuple(dict.fromkeys(_texts(names, folder)))
    path, _, _ = campaign.protocol.partition(":")
    for each, text in found:
        if each == path and _sha256(text.encode()) != signature.source_sha256:
            raise UserMistake(f"{path} was changed while it was read; say it again")
    return found


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _texts(references: Iterable[str], folder: Path) -> Iterator[tuple[str, str]]:
    for reference in references:
        path, _, _ = reference.partition(":")
        if path.endswith(".py"):
            try:
                yield path, (folder / path).read_bytes().decode()
            except (OSError, UnicodeDecodeError) as error:
                raise UserMistake(f"{path} cannot be kept with the record: {error}") from error
