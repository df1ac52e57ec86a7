"""Lets campaigns into a lab's session: every check that `sdl check` makes, then their start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sdl.core import events as ev
from sdl.errors import UserMistake
from sdl.model.campaign import Terms
from sdl.model.provenance import Clock
from sdl.shell.desk import Start, Tell
from sdl.shell.opening import new_name, origin_of, renamed
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.protocols import Protocols, sources_of
from sdl.shell.record import Record
from sdl.shell.redact import without_secrets
from sdl.shell.sessions import differences
from sdl.wire.toml import LabFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """At the door of one session."""

    lab: LabFile
    """At work."""
    record: Record
    protocols: Protocols
    clock: Clock
    at_work: Callable[[], tuple[str, ...]]
    """Names of the campaigns that are at work."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def admit(self, start: Start, tell: Tell) -> str:
        """Check a campaign and start it; its name on record.

        UserMistake(s) with file and line where it may not start, and then nothing has changed.
        """
        async with self.turn:  # two of one name must not come at once
            return await self._admit(start, tell)

    async def _admit(self, start: Start, tell: Tell) -> str:
        prepared = await asyncio.to_thread(prepare, start.path, joins=True)
        self._fits(prepared)
        name = await asyncio.to_thread(self._name, prepared, start)
        campaign = renamed(prepared.campaign.campaign, name)
        signature = prepared.script.signature
        sources = sources_of(campaign, signature, prepared.campaign.folder)
        head = ev.CampaignStarted(
            at=0.0,
            campaign=campaign,
            lab=without_secrets(prepared.lab.lab),
            protocol=signature,
            origin=origin_of(
                prepared.script,
                campaign,
                clock=self.clock,
                speed=self.lab.lab.speed,
                file_name=prepared.campaign.campaign.name,
            ),
            terms=start.terms,
            sources=sources,
            by=start.by,
        )
        self.protocols.admit(name, prepared.script)
        objection = await tell(lambda at: replace(head, at=at, terms=_at(start, at)))
        if objection:
            raise UserMistake(objection)
        return name

    def _fits(self, prepared: Prepared) -> None:
        """UserMistake if the campaign's lab file is not that of the lab at work."""
        found = list(differences(self.lab.lab, prepared.lab.lab))
        if prepared.lab.record_url != self.lab.record_url:
            found.append("its record is another one")
        if found:
            keys = ("campaign", "lab")
            raise prepared.campaign.places.mistake(
                keys, f"the lab file differs from that of the lab at work: {'; '.join(found)}"
            )

    def _name(self, prepared: Prepared, start: Start) -> str:
        wanted = prepared.campaign.campaign.name
        if wanted in self.at_work() and not start.anew:
            raise prepared.campaign.places.mistake(
                ("campaign", "name"),
                f"a campaign {wanted!r} is at work already; give this one another name, or begin "
                "it beside that one with --new",
            )
        return new_name(self.record, wanted)


def _at(start: Start, at: float) -> Terms:
    """Its terms, with the deadline as a moment of lab time."""
    if start.within_s is None:
        return start.terms
    return replace(start.terms, deadline=at + start.within_s)
