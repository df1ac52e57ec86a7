"""Why a person's word makes no sense now, as a sentence for them."""

from __future__ import annotations

from collections.abc import Mapping

from sdl.core import events as ev
from sdl.core.commands import Conclude
from sdl.core.commons import CARRY, Commons
from sdl.core.fresh import Fresh
from sdl.core.halting import Halting
from sdl.core.ids import campaign_of
from sdl.core.part import Ended, Part
from sdl.core.roster import Roster
from sdl.core.storeroom import Storeroom
from sdl.core.transport import Transport

NAMED = (
    ev.StopRequested,
    ev.PauseRequested,
    ev.ResumeRequested,
    ev.AbortRequested,
    ev.TermsChanged,
)
"""What may name the campaign that it is about."""


class Objections:
    """What speaks against the events of people."""

    def __init__(
        self,
        commons: Commons,
        roster: Roster,
        ended: Mapping[str, Ended],
        halting: Halting,
        storeroom: Storeroom,
    ) -> None:
        """``roster``, ``ended``: who is at work, and campaigns that are over; they may change."""
        self._commons = commons
        self._roster = roster
        self.transport: Transport | None = None
        """Who moves labware, if any stands on a site."""
        self._ended = ended
        self._halting = halting
        self._storeroom = storeroom

    def to(self, event: ev.Event) -> str:
        """What speaks against an event; empty if nothing does."""
        lab, name = self._commons.lab, self.named(event)
        if lab.closed:
            return f"{self._commons.name} is closed: {lab.closing}"
        if name and name not in self._roster:
            return self._not_at_work(name)
        part = self._roster.get(name) or self._only()
        if isinstance(event, ev.StepResolved) and CARRY in event.step:
            part = self._roster.porter
            if part is None:
                return "no labware of this lab stands on a site, so that nothing is carried"
        if part is not None and part.state.concluded is not None:
            return _has_ended(part.name, part.state.concluded)
        match event:
            case ev.StepResolved():
                assert part is not None
                return part.questions.objection(event)
            case ev.PauseRequested() | ev.ResumeRequested() | ev.AbortRequested():
                return self._halting.objection(event)
            case ev.StockRefilled():
                return self._storeroom.objection(event)
            case ev.CarryDone() | ev.LabwarePlaced() | ev.PlateBrought():
                return self._to_labware(event)
            case ev.StopRequested():
                return self._not_stopped(part)
            case ev.CampaignStarted(campaign=campaign):
                return self.to_start(campaign.name)
            case ev.LabDownRequested() if not self._commons.is_shared:
                return "no session of the lab is open here; end the campaign with: sdl stop"
            case ev.LabDownRequested() if lab.closing:
                return f"{self._commons.name} closes already: {lab.closing}"
            case _:
                return ""

    def _to_labware(self, event: ev.CarryDone | ev.LabwarePlaced | ev.PlateBrought) -> str:
        """What speaks against a person's word about what stands where."""
        if self.transport is None:
            return "no labware of this lab stands on a site; see at in [labware.x]"
        if isinstance(event, ev.PlateBrought):
            return Fresh(self._commons, self._roster, self.transport).objection(event)
        return self.transport.objection(event)

    def to_start(self, name: str) -> str:
        """What speaks against a campaign of this name."""
        own, lab = self._commons.name, self._commons.lab
        if not self._commons.is_shared:
            return f"{own} has the lab for itself; a lab for several is opened with: sdl lab up"
        if name in self._roster or name in self._ended or name == own:
            return f"there is a campaign {name!r} already"
        return f"{own} closes: {lab.closing}" if lab.closing else ""

    def named(self, event: ev.Event) -> str:
        """The campaign that a person's event is about; empty: the lab, or the only one."""
        if isinstance(event, ev.StepResolved) and self._commons.is_shared:
            return "" if CARRY in event.step else campaign_of(event.step)
        return event.campaign if isinstance(event, NAMED) else ""

    def _not_at_work(self, name: str) -> str:
        if name in self._ended:
            return _has_ended(name, self._ended[name])
        known = ", ".join(self._roster)
        return (
            f"there is no campaign {name!r} at work; {f'at work: {known}' if known else 'none is'}"
        )

    def _not_stopped(self, part: Part | None) -> str:
        if part is None:
            known = ", ".join(self._roster) or "none"
            return f"name the campaign that is meant; at work: {known}. Or: sdl lab down"
        closing = part.state.closing
        return f"{part.name} ends already: {closing[1]}" if closing else ""

    def _only(self) -> Part | None:
        """The campaign that is meant where none is named; None where that is unclear."""
        return next(iter(self._roster.values())) if len(self._roster) == 1 else None


def _has_ended(name: str, end: Conclude | Ended) -> str:
    return f"{name} has ended: {end.reason}"
