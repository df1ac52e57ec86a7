"""Which wells the next run of a campaign is given: of plates that it names, or of a kind.

A plate in use is filled before a fresh one is opened. Who names a plate shares it with all who name
it. A campaign that asks for a kind has each plate that it opens for itself, for good: samples of
two campaigns never come to stand on one plate without both having said so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

from sdl.core.lab_state import LabState
from sdl.model.campaign import Campaign, PlateChoice
from sdl.model.lab import Lab
from sdl.model.labware import Labware, Well

SHARED = ""
"""Stands for the owner of a plate that was opened by name."""


def plates_of(campaign: Campaign, labware: Iterable[Labware], role: str) -> tuple[str, ...]:
    """Names of the plates that a role may be given wells of: as named, else in the lab's order."""
    choice = campaign.plates.get(role, PlateChoice())
    if not choice.kind:
        return campaign.roles.get(role, ())
    return tuple(piece.name for piece in labware if choice.fits(piece))


class Plates:
    """The plates of one campaign."""

    def __init__(self, campaign: Campaign, lab: Lab, state: LabState) -> None:
        """``lab``: as its file describes it; ``state``: the one that the campaign is at work on."""
        self._campaign, self._state = campaign, state
        self._by_role = {
            role: tuple(p for p in plates_of(campaign, lab.labware, role) if p in state.free_wells)
            for role in {**campaign.roles, **campaign.plates}
        }

    def free(self, role: str, count: int, taken: Collection[Well]) -> tuple[Well, ...]:
        """Unused wells for a role, all on one plate, but for those taken.

        None where no plate has so many.
        """
        for plate in self._in_turn(role):
            names = (n for n in self._state.free_wells[plate] if Well(plate, n) not in taken)
            found = tuple(Well(plate, name) for name in islice(names, count))
            if len(found) == count:
                return found
        return ()

    def use(self, role: str, wells: Iterable[Well]) -> None:
        """A run begins with these: they are never offered again, and their plate is opened."""
        owner = self._campaign.name if self._choice(role).kind else SHARED
        for well in wells:
            self._state.opened.setdefault(well.labware, owner)
            self._state.use(well)

    def lack(self, role: str, count: int) -> str:
        """Why there are not so many wells for a role, as a sentence."""
        choice = self._choice(role)
        where = f"on {', '.join(self._by_role[role])}"
        if choice.kind:
            where = f"on a plate of the kind {choice.kind}"
            where += f" whose place is {choice.at}" if choice.at else ""
        wells = "no free well is" if count == 1 else f"no {count} free wells are"
        return f"{wells} left {where}{self._lost(role)}{self._kept_apart(role)}"

    def astray(self, role: str, count: int) -> str:
        """The plate that would do once a person has said where it is, and how; empty if none."""
        pieces, known = self._state.pieces, self._known(role)
        for plate in self._may(role):
            lost = pieces[plate].lost if plate not in known and pieces[plate].stands else ""
            if lost and len(self._state.free_wells[plate]) >= count:
                return f"{plate}: {lost}; say where it is: sdl place {plate} SITE"
        return ""

    def _lost(self, role: str) -> str:
        """What would do, and nobody knows where it is."""
        known = self._known(role)
        lost = [p for p in self._by_role[role] if p not in known and self._state.free_wells[p]]
        said = (f"; {plate} is not to be had: {self._state.pieces[plate].lost}" for plate in lost)
        return "".join(said)

    def _kept_apart(self, role: str) -> str:
        """What is there and may not be used."""
        may, free = self._in_turn(role), self._state.free_wells
        others = [plate for plate in self._known(role) if plate not in may and free[plate]]
        if not others:
            return ""
        return f"; {', '.join(others)}: in use by another campaign, name it in both to share it"

    def in_turn(self) -> set[str]:
        """Plates on which the next runs may begin."""
        free = self._state.free_wells
        return {plate for role in self._by_role for plate in self._in_turn(role) if free[plate]}

    def _known(self, role: str) -> tuple[str, ...]:
        """Those of which it is known where they are."""
        pieces = self._state.pieces
        return tuple(p for p in self._by_role[role] if p not in pieces or not pieces[p].lost)

    def _choice(self, role: str) -> PlateChoice:
        return self._campaign.plates.get(role, PlateChoice())

    def _in_turn(self, role: str) -> list[str]:
        """Plates that this campaign may use now."""
        known = self._known(role)
        return [plate for plate in self._may(role) if plate in known]

    def _may(self, role: str) -> list[str]:
        """Those that no other campaign has; of a kind, what it has opened itself comes first."""
        plates, me, opened = self._by_role[role], self._campaign.name, self._state.opened
        if not self._choice(role).kind:
            return [plate for plate in plates if opened.get(plate, SHARED) in (SHARED, me)]
        mine = [plate for plate in plates if opened.get(plate) == me]
        return mine + [plate for plate in plates if plate not in opened]
