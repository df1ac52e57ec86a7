"""What stands on the sites of a lab, who needs it there, and what of it may be carried now.

A piece is held while something acts on it, and while its run lets it settle. An instrument that is
at work is neither brought to nor taken from.
"""

from __future__ import annotations

from typing import TypeAlias

from sdl.core.admittance import Admittance
from sdl.core.carrying import PERSON, Floor, Piece, Standing
from sdl.core.commons import Commons
from sdl.core.lab_state import InstrumentState, PieceState
from sdl.core.let import Urgency, is_let, urgency
from sdl.core.part import Part
from sdl.core.roster import Roster
from sdl.core.run import Run, Step, labware_of

Waiting: TypeAlias = list[tuple[Part, Run, Step]]
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

    def waiting(self) -> Waiting:
        """Steps that wait for labware, the most urgent first."""
        lab = self._commons.lab
        found: Waiting = []
        for instrument, steps in self._commons.waiting.items():
            for run, step in steps.values():
                over = step.deadline is not None and step.deadline < self._commons.at
                if step.labware and not over and not lab.are_at(step.labware, instrument):
                    if self._admittance.keeps_out(run, step):
                        continue
                    part = self._roster.of(run.id)
                    assert part is not None
                    found.append((part, run, step))
        return sorted(found, key=lambda one: urgency(lab, *one))

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
        pieces = {
            piece.name: Piece(
                name=piece.name,
                site=piece.site,
                leaves=piece.leaves,
                held=piece.name in in_hand or piece.name in self.given_up,
                claim=claims.get(piece.name, ()),
                home=piece.home,
            )
            for piece in lab.pieces.values()
            if not piece.lost
        }
        lost = (self.piece_sites(piece) for piece in lab.pieces.values() if piece.lost)
        carriers = [lab.instruments[name] for name in self.floor.carriers]
        return Standing(
            floor=self.floor,
            pieces=pieces,
            free_carriers=(*(one.name for one in carriers if self.is_free(one)), PERSON),
            closed=frozenset(
                place
                for place in self.floor.sites
                if place in lab.instruments and not is_open(lab.instruments[place])
            ),
            blocked=frozenset(site for sites in lost for site in sites if site),
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
                        held.update(step.labware)
        return held

    def claims(self) -> dict[str, tuple[str, ...]]:
        """By piece: the places at which runs in flight may need it."""
        claims: dict[str, dict[str, None]] = {}
        for part in self._roster.values():
            for run in part.state.runs.values():
                places = [name for name in run.instruments.values() if name in self.floor.sites]
                for piece in labware_of(run):
                    claims.setdefault(piece, {}).update(dict.fromkeys(places))
        return {piece: tuple(places) for piece, places in claims.items()}

    def in_place(self) -> InPlace:
        """What stands where its next step is, and only waits for its turn; with its urgency."""
        lab, found = self._commons.lab, list[tuple[Urgency, tuple[str, ...]]]()
        for name, steps in self._commons.waiting.items():
            for run, step in steps.values():
                part = self._roster.of(run.id)
                assert part is not None
                let = step.labware and is_let(lab, part.state, step, lab.instruments[name])
                if let and lab.are_at(step.labware, name):
                    found.append((urgency(lab, part, run, step), step.labware))
        return found


def is_open(instrument: InstrumentState) -> bool:
    """Whether something may be brought to it, and taken from it."""
    return instrument.able and instrument.busy_with is None and not instrument.approached
