"""What stands on the sites of a lab, who needs it there, and what of it may be carried now.

A piece is held while something acts on it, and while its run lets it settle. An instrument that is
at work is neither brought to nor taken from.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TypeAlias

from sdl.core.admittance import Admittance
from sdl.core.carrying import PERSON, Floor, Piece, Standing
from sdl.core.commons import Commons
from sdl.core.lab_state import InstrumentState, PieceState
from sdl.core.let import Urgency, is_let, urgency
from sdl.core.part import Part
from sdl.core.roster import Roster
from sdl.core.run import Run, Step, labware_of

Waiting: TypeAlias = list[tuple[Urgency, Part, Run, Step]]
InPlace: TypeAlias = list[tuple[Urgency, tuple[str, ...]]]
"""Labware that only waits for its turn where it stands."""


class Deck:
    """The sites of one lab."""

    def __init__(self, commons: Commons, roster: Roster, floor: Floor) -> None:
        self.floor = floor
        self.given_up: set[str] = set()
        """Pieces whose carry ended within this turn before it began: not again before the next."""
        self._commons = commons
        self._roster = roster
        self._admittance = Admittance(commons, roster)
        self._pieces: dict[str, Piece] = {}
        """As they stood when they were looked at last."""
        self._claims: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {}
        """By run: its instruments, and then its labware, and the places at which it needs that."""

    def is_all_to_be_had(self) -> bool:
        """Whether no step that waits now would do so in vain, at the first look."""
        lab, sites = self._commons.lab, self.floor.sites
        most = {
            name: max((len(step.labware) for _, step in steps.values()), default=0)
            for name, steps in self._commons.waiting.items()
        }
        lost = any(piece.lost for piece in lab.pieces.values())
        return not lost and all(len(sites.get(name, ())) >= count for name, count in most.items())

    def waiting(self) -> Waiting:
        """Steps that wait for labware, the most urgent first."""
        lab, at = self._commons.lab, self._commons.at
        found: Waiting = []
        where = self._places()
        for instrument, steps in self._commons.waiting.items():
            for run, step in steps.values():
                there = all(where.get(name) == instrument for name in step.labware)
                over = step.deadline is not None and step.deadline < at
                if there or over or self._admittance.keeps_out(run, step):
                    continue
                part = self._roster.of(run.id)
                assert part is not None
                found.append((urgency(lab, part, run, step), part, run, step))
        return sorted(found, key=itemgetter(0))

    def _places(self) -> dict[str, str]:
        """By piece that stands on a site: the instrument or store."""
        place_of = self.floor.place_of
        return {
            name: place_of.get(piece.site, "")
            for name, piece in self._commons.lab.pieces.items()
            if not (piece.leaves or piece.lost)
        }

    def never(self, step: Step) -> str:
        """Why a step waits in vain; empty if it does not."""
        for name in step.labware:
            lost = self._commons.lab.pieces[name].lost
            if lost:
                return f"{name} is not to be had: {lost}; say where it is: sdl place {name} SITE"
        sites = self.floor.sites.get(step.instrument, ())
        if len(sites) >= len(step.labware):
            return ""
        return (
            f"{' and '.join(step.labware)} cannot stand at {step.instrument}, which has "
            f"{len(sites) or 'no'} sites; see sites in [instruments.{step.instrument}]"
        )

    def standing(self) -> Standing:
        """All of it, as the rule of carrying sees it."""
        lab = self._commons.lab
        in_hand = self.in_hand()
        claims = self.claims()
        self._pieces = {
            name: self._piece(piece, name in in_hand or name in self.given_up, claims.get(name, ()))
            for name, piece in lab.pieces.items()
            if not piece.lost
        }
        lost = (self.piece_sites(piece) for piece in lab.pieces.values() if piece.lost)
        carriers = [lab.instruments[name] for name in self.floor.carriers]
        return Standing(
            floor=self.floor,
            pieces=self._pieces,
            free_carriers=(*(one.name for one in carriers if self.is_free(one)), PERSON),
            closed=frozenset(
                place
                for place in self.floor.sites
                if place in lab.instruments and not is_open(lab.instruments[place])
            ),
            blocked=frozenset(site for sites in lost for site in sites if site),
        )

    def _piece(self, piece: PieceState, held: bool, claim: tuple[str, ...]) -> Piece:  # noqa: FBT001 - as it is of a piece
        """The very one that it was when it was looked at last, where nothing has changed."""
        was, site, leaves = self._pieces.get(piece.name), piece.site, piece.leaves
        if was is not None and (was.site, was.leaves, was.held) == (site, leaves, held):
            if was.claim == claim:
                return was
        return Piece(
            name=piece.name, site=site, leaves=leaves, held=held, claim=claim, home=piece.home
        )

    @staticmethod
    def piece_sites(piece: PieceState) -> tuple[str, str]:
        """The sites that a piece keeps from others; two while it is carried, or lost on the way."""
        return piece.site, piece.leaves

    def is_free(self, carrier: InstrumentState) -> bool:
        """Whether it could carry something at once."""
        idle = carrier.ready and carrier.busy_with is None and not carrier.mending
        return idle and not self._commons.waiting.get(carrier.name)

    def in_hand(self) -> set[str]:
        """Pieces that something acts on, or that settle, or about whose step a person is asked."""
        held: set[str] = set()
        for part in self._roster.values():
            for run in part.state.runs.values():
                for step in run.steps.values():
                    if step.state not in ("waits", "mends"):
                        held.update(step.labware if step.instrument else labware_of(run))
        return held

    def claims(self) -> dict[str, tuple[str, ...]]:
        """By piece: the places at which runs in flight may need it."""
        claims: dict[str, tuple[str, ...]] = {}
        former, self._claims = self._claims, {}
        for part in self._roster.values():
            for run in part.state.runs.values():
                players, known = tuple(run.instruments.values()), former.get(run.id)
                if known is None or known[0] != players:
                    places = dict.fromkeys(name for name in players if name in self.floor.sites)
                    known = players, labware_of(run), tuple(places)
                self._claims[run.id] = known
                for piece in known[1]:
                    others = claims.get(piece)
                    claims[piece] = (
                        known[2] if others is None else tuple(dict.fromkeys((*others, *known[2])))
                    )
        return claims

    def in_place(self) -> InPlace:
        """What stands where its next step is, and only waits for its turn; with its urgency."""
        lab, where = self._commons.lab, self._places()
        found: InPlace = []
        for name, steps in self._commons.waiting.items():
            for run, step in steps.values():
                if not step.labware or any(where.get(piece) != name for piece in step.labware):
                    continue
                part = self._roster.of(run.id)
                assert part is not None
                if is_let(lab, part.state, step, lab.instruments[name]):
                    found.append((urgency(lab, part, run, step), step.labware))
        return found


def is_open(instrument: InstrumentState) -> bool:
    """Whether something may be brought to it, and taken from it."""
    return instrument.able and instrument.busy_with is None and not instrument.approached
