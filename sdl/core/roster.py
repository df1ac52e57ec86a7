"""Who is at work on a lab: its campaigns, and its porter."""

from __future__ import annotations

from sdl.core.commons import CARRY
from sdl.core.ids import campaign_of
from sdl.core.part import Part


class Roster(dict[str, Part]):
    """Campaigns at work by name, in order of their starts.

    One that has the journal for itself stays when it has ended.
    """

    porter: Part | None = None
    """Carries labware; None where no piece of the lab stands on a site."""

    def of(self, name: str) -> Part | None:
        """Whose run, step, command or timer this is, by its id."""
        return self.porter if CARRY in name else self.get(campaign_of(name))

    def everyone(self) -> list[Part]:
        """The campaigns, and the porter."""
        return list(self.values()) if self.porter is None else [*self.values(), self.porter]
