"""Which wells the next run of a campaign is given: of plates that it names, or of a kind.

A plate in use is filled before a fresh one is opened. Who names a plate shares it with all who name
it. A campaign that asks for a kind has each plate that it opens for itself, for good: samples of
two campaigns never come to stand on one plate without both having said so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from sdl.core.lab_state import LabState
from sdl.model.campaign import Campaign, PlateChoice
from sdl.model.lab import Lab
from sdl.model.labware import Labware, LabwareKind, Well

SHARED = ""
"""Stands for the owner of a plate that was opened by name."""
ANY = PlateChoice()


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
        pieces = (*lab.labware, *state.brought.values())
        self._kinds = {piece.kind.name: piece.kind for piece in pieces}
        self._has_stores = any(one.stores for one in lab.places) or any(
            one.stores for one in lab.instruments
        )
        self._by_role = {
            role: tuple(p for p in plates_of(campaign, pieces, role) if p in state.free_wells)
            for role in {**campaign.roles, **campaign.plates}
        }
        self._left = {role: deque(plates) for role, plates in self._by_role.items()}
        """The same without those at the front of which all wells are used."""

    def free(self, role: str, count: int, taken: Collection[Well]) -> tuple[Well, ...]:
        """Unused wells for a role, all on one plate, but for those taken.

        None where no plate has so many.
        """
        free, left = self._state.free_wells, self._left[role]
        while left and not free[left[0]]:
            left.popleft()
        for plate in self._may(role, left):
            if len(free[plate]) < count or not self._is_known(plate):
                continue
            names = (n for n in free[plate] if Well(plate, n) not in taken)
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

    def kind_of(self, name: str) -> LabwareKind:
        """The kind of a plate that a person is asked for. KeyError if the lab has none of it."""
        return self._kinds[name]

    def take_in(self, plate: Labware) -> None:
        """A fresh plate was brought: roles that ask for its kind may be given its wells."""
        for role, plates in self._by_role.items():
            choice = self._choice(role)
            if choice.kind and choice.fits(plate):
                self._by_role[role] = (*plates, plate.name)
                self._left[role].append(plate.name)

    def wanted(self, role: str, count: int) -> PlateChoice | None:
        """What a person may bring where no wells are left for a role; None: nobody is asked.

        Only a kind of which some plates stand on sites is brought, and it is put in a store.
        """
        choice = self._choice(role)
        asks = self._state.attended and self._campaign.stop.full_plates == "ask"
        on_sites = any(plate in self._state.pieces for plate in self._by_role[role])
        if not (asks and choice.kind and on_sites and (choice.at or self._has_stores)):
            return None
        return choice if count <= len(self._kinds[choice.kind].wells) else None

    def astray(self, role: str, count: int) -> str:
        """The plate that would do once a person has said where it is, and how; empty if none."""
        pieces, known = self._state.pieces, self._known(role)
        for plate in self._may(role, self._by_role[role]):
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
        free = self._state.free_wells
        others = [p for p in self._known(role) if free[p] and not self._may_be(role, p)]
        if not others:
            return ""
        return f"; {', '.join(others)}: in use by another campaign, name it in both to share it"

    def may_use(self, plate: str) -> bool:
        """Whether one of the next runs may begin on a plate."""
        if not self._state.free_wells.get(plate) or not self._is_known(plate):
            return False
        roles = (role for role, plates in self._by_role.items() if plate in plates)
        return any(self._may_be(role, plate) for role in roles)

    def _known(self, role: str) -> tuple[str, ...]:
        """Those of which it is known where they are."""
        return tuple(plate for plate in self._by_role[role] if self._is_known(plate))

    def _is_known(self, plate: str) -> bool:
        piece = self._state.pieces.get(plate)
        return piece is None or not piece.lost

    def _may_be(self, role: str, plate: str) -> bool:
        """Whether no other campaign has it."""
        me, owner = self._campaign.name, self._state.opened.get(plate)
        if self._choice(role).kind:
            return owner in (None, me)
        return owner in (None, SHARED, me)

    def _choice(self, role: str) -> PlateChoice:
        return self._campaign.plates.get(role, ANY)

    def _may(self, role: str, plates: Collection[str]) -> Iterator[str]:
        """Those that no other campaign has; of a kind, what it has opened itself comes first."""
        may = (plate for plate in plates if self._may_be(role, plate))
        if not self._choice(role).kind:
            return may
        opened = self._state.opened
        return iter(sorted(may, key=lambda plate: plate not in opened))
