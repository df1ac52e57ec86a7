"""Lids of plates: taken off and put on where a plate stands, by who carries between both sites.

Each lid has a site of its own, where nothing else comes, so that none is ever in the way. It comes
off when a step is about to begin that needs the plate open, and goes on before the plate is carried
anywhere, or before a step that needs it closed.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdl.authoring import Act
from sdl.core.commons import Commons
from sdl.core.floor import PERSON, Floor
from sdl.model.lab import Lab, place_of

if TYPE_CHECKING:
    from sdl.core.lab_state import PieceState
    from sdl.core.run import Step
    from sdl.core.script import Script
    from sdl.model.action import Lid


MOVES = 3
"""That it takes to bring a plate with a lid: that goes on, the plate moves, and it comes off."""


def moves_for(lids: Collection[object]) -> int:
    """How many moves a carry is taken for in a lab with these lids: as if each plate had one."""
    return MOVES if lids else 1


def need_of(script: Script, step: Step) -> Lid:
    """How the lids of a step's plates have to be."""
    act = step.request
    return script.operations[act.role][act.operation].lid if isinstance(act, Act) else ""


@dataclass(frozen=True, slots=True)
class LidCarry:
    """A lid to be taken off a plate, or put on it."""

    plate: str
    lid: str
    site: str
    """Where the plate stands, and stays."""
    parks: str
    puts_on: bool
    carrier: str
    step: str


class Lids:
    """Of one lab."""

    def __init__(self, commons: Commons, floor: Floor, lab: Lab) -> None:
        self._commons = commons
        self._floor = floor
        self._parks = {one.on: one.parks for one in lab.labware if one.on}
        """By plate."""
        self._names = {one.name: one.on for one in lab.labware if one.on}
        """By lid."""

    def plate_of(self, lid: str) -> str:
        """Whose lid this is; empty if it is none."""
        return self._names.get(lid, "")

    def sites_of(self, plate: str) -> tuple[str, str]:
        """Where the lid of a plate may lie: on the plate, or where it parks."""
        return plate, self._parks[plate]

    def forget(self, instrument: str) -> None:
        """An instrument is about to be looked at anew."""
        self._commons.lab.lid_wants.pop(instrument, None)

    def are_right(self, script: Script, step: Step) -> bool:
        """Whether a step may begin for all lids of its plates; else the first wrong one is wanted.

        It is about to begin otherwise.
        """
        wrong = next(self._wrong(script, step), "")
        if wrong:
            self._commons.lab.lid_wants[step.instrument] = wrong, step.id
        return not wrong

    def _wrong(self, script: Script, step: Step) -> Iterator[str]:
        """Plates of a step whose lid is not as it has to be."""
        need = need_of(script, step) if self._parks else ""
        for plate in step.labware if need else ():
            lid = self._commons.lab.lids.get(plate)
            if lid is not None and not (
                self._is_at_rest(lid) and (lid.site == plate) == (need == "on")
            ):
                yield plate

    @staticmethod
    def _is_at_rest(lid: PieceState) -> bool:
        return not (lid.leaves or lid.lost)

    # What to do about it.

    def next(self, free: Iterable[str], given_up: Container[str]) -> LidCarry | None:
        """One that a step waits for and somebody can do now.

        ``free``: carriers; ``given_up``: plates whose lid was just tried in vain.
        """
        able = {*free, PERSON}
        for instrument, (plate, step) in self._commons.lab.lid_wants.items():
            lab, piece = self._commons.lab, self._commons.lab.pieces.get(plate)
            seat = lab.instruments[instrument]
            is_free = not (seat.busy_with or seat.approached or plate in given_up)
            if piece is None or not piece.is_at(instrument) or not is_free:
                continue
            found = self._carry(plate, able, step)
            if found is not None:
                return found
        return None

    def closing(self, plate: str, free: Iterable[str], step: str) -> LidCarry | None:
        """What puts the lid on a plate that is to be carried; None if it is on, or nobody can."""
        return None if self.is_closed(plate) else self._carry(plate, {*free, PERSON}, step)

    def is_closed(self, plate: str) -> bool:
        """Whether a plate has its lid on, or none at all: it may be carried."""
        lid = self._commons.lab.lids.get(plate)
        return lid is None or (self._is_at_rest(lid) and lid.site == plate)

    def stay(self, free: Iterable[str]) -> Iterator[str]:
        """Plates that cannot be carried now: open ones that nobody can close."""
        able = {*free, PERSON}
        for plate in self._parks:
            if not self.is_closed(plate) and self._carry(plate, able, "") is None:
                yield plate

    def _carry(self, plate: str, able: set[str], step: str) -> LidCarry | None:
        lid, piece = self._commons.lab.lids[plate], self._commons.lab.pieces.get(plate)
        if piece is None or not self._is_at_rest(lid) or piece.leaves or piece.lost:
            return None
        parks = self._parks[plate]
        carriers = self._floor.carriers_between(place_of(piece.site), place_of(parks))
        carrier = next((one for one in carriers if one in able), None)
        if carrier is None:
            return None
        return LidCarry(
            plate=plate,
            lid=lid.name,
            site=piece.site,
            parks=parks,
            puts_on=lid.site != plate,
            carrier=carrier,
            step=step,
        )
