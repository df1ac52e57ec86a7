"""What a simulation is to bring to its end: a campaign by itself, or several in one session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sdl.core import events as ev
from sdl.core.engine import Scripts
from sdl.core.script import Script
from sdl.errors import UserMistake
from sdl.model.campaign import Campaign, Terms
from sdl.model.lab import Lab
from sdl.model.provenance import Clock
from sdl.shell.opening import Journals, Opening, again, new, origin_of, renamed
from sdl.shell.preflight import Prepared
from sdl.shell.redact import without_secrets
from sdl.shell.sessions import differences, new_session, session_again
from sdl.shell.snapshots import Kept

SESSION = "session"
UNLIKE = (1.0, 3.0, 0.5)
"""Weights of the campaigns of a drill, in turn: there it is to be unlike for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One journal that is to be led to its end."""

    prepared: tuple[Prepared, ...]
    campaigns: tuple[Campaign, ...]
    """As they stand on record; those of ``prepared``, in order."""
    lab: Lab
    weights: tuple[float, ...] = (1.0,)
    """Of the campaigns, in turn, and then from the first one on again."""
    clock: Clock = "virtual"
    """As it stands on record; nobody refills anything where it is virtual."""
    number: int = 1
    """How many were planned so far."""

    @classmethod
    def of(
        cls,
        prepared: Sequence[Prepared],
        campaigns: Sequence[Campaign],
        lab: Lab,
        weights: Sequence[float] = (1.0,),
        clock: Clock = "virtual",
    ) -> Plan:
        """UserMistake if the campaigns do not share one lab, or have one name."""
        first, *others = prepared
        for other in others:
            found = list(differences(first.lab.lab, other.lab.lab))
            if found:
                message = f"its lab is not that of {first.campaign.path}: {'; '.join(found)}"
                raise other.campaign.places.mistake(("campaign", "lab"), message)
        names = [campaign.name for campaign in campaigns]
        for each in sorted(set(names)):
            if names.count(each) > 1:
                raise UserMistake(
                    f"two of the campaigns are called {each!r}; give one another name"
                )
        return cls(
            prepared=tuple(prepared),
            campaigns=tuple(campaigns),
            lab=lab,
            weights=tuple(weights),
            clock=clock,
        )

    @property
    def is_shared(self) -> bool:
        """Whether several campaigns share the lab."""
        return len(self.campaigns) > 1

    @property
    def journal(self) -> str:
        """Its name."""
        if not self.is_shared:
            return self.campaigns[0].name
        return SESSION if self.number == 1 else f"{SESSION}-{self.number}"

    @property
    def scripts(self) -> Scripts:
        """Who gives each campaign its protocol."""
        if not self.is_shared:
            return self.prepared[0].script
        known = {each.campaign.campaign.name: each.script for each in self.prepared}
        return lambda head: known[head.origin.file_name]

    def anew(self) -> Plan:
        """The same again, in another journal and under other names."""
        number = self.number + 1
        names = [each.campaign.campaign.name for each in self.prepared]
        campaigns = (
            renamed(campaign, f"{name}-{number}")
            for campaign, name in zip(self.campaigns, names, strict=True)
        )
        return replace(self, campaigns=tuple(campaigns), number=number)

    def begun(self, at: float, epoch: int) -> Opening:
        """Its first lines."""
        if self.is_shared:
            return new_session(
                self.scripts,
                self.lab,
                self.journal,
                at=at,
                clock=self.clock,
                speed=1.0,
                epoch=epoch,
            )
        return new(
            self._script,
            self.campaigns[0],
            self.lab,
            at=at,
            clock=self.clock,
            speed=1.0,
            epoch=epoch,
        )

    def again(self, record: Journals, at: float, epoch: int, kept: Sequence[Kept]) -> Opening:
        """Its journal, folded."""
        if self.is_shared:
            return session_again(
                self.scripts, record, self.lab, self.journal, at=at, epoch=epoch, kept=kept
            )
        return again(
            self._script, record, self.campaigns[0], self.lab, at=at, epoch=epoch, kept=kept
        )

    def heads(self, at: float) -> list[ev.CampaignStarted]:
        """The starts of the campaigns of a session, at lab time ``at``."""
        return [
            ev.CampaignStarted(
                at=at,
                campaign=campaign,
                lab=without_secrets(self.lab),
                protocol=prepared.script.signature,
                origin=origin_of(
                    prepared.script,
                    campaign,
                    clock=self.clock,
                    speed=1.0,
                    file_name=prepared.campaign.campaign.name,
                ),
                terms=Terms(weight=self.weights[place % len(self.weights)]),
            )
            for place, (campaign, prepared) in enumerate(
                zip(self.campaigns, self.prepared, strict=True)
            )
        ]

    @property
    def _script(self) -> Script:
        return self.prepared[0].script
