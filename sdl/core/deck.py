"""What stands on the sites of a lab, who needs it there, and what of it may be carried now.

A piece is held while something acts on it, and while its run lets it settle. An instrument that is
at work is neither brought to nor taken from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

from sdl.core.admittance import Admittance
from sdl.core.commons import Commons
from sdl.core.floor import PERSON, Floor
from sdl.core.ids import campaign_of
from sdl.core.lab_state import InstrumentState, PieceState
from sdl.core.lacking import KeepsOut, Lacking
from sdl.core.let import Urgency, is_let
from sdl.core.lids import Lids
from sdl.core.roster import Roster
from sdl.core.run import Run, Step, labware_of
from sdl.core.standing import Piece, Standing

InPlace: TypeAlias = list[tuple[Urgency, tuple[str, ...]]]
"""Labware that only waits for its turn where it stands."""


class Deck:
    """The sites of one lab."""

    def __init__(self, commons: Commons, roster: Roster, floor: Floor, lids: Lids) -> None:
        self.floor = floor
        self._lids = lids
        self.given_up: set[str] = set()
        """Pieces whose carry ended within this turn before it began: not again before the next."""
        self._commons = commons
        self._roster = roster
        self._admittance = Admittance(commons, roster)
        self._standing: Standing | None = None
        """As all stood when it was looked at last."""
        self._held: set[str] = set()
        """Pieces that were held then."""
        self.claims = Claims(commons, roster, floor)

    def is_all_to_be_had(self) -> bool:
        """Whether no step that waits now would do so in vain, at the first look."""
        steps = self._commons.steps
        return not (steps.lost or steps.too_many)

    def waiting(self) -> tuple[Lacking, InPlace]:
        """Steps that wait for labware; and what waits for its turn where it stands."""
        commons, by_place = self._commons, self.at_instruments()
        lacking = Lacking(commons, self._roster, by_place, self.keeping_out())
        there: InPlace = []
        for name, instrument in commons.lab.instruments.items():
            at_hand = by_place.get(name)
            for run, step in commons.steps.with_labware(name, at_hand) if at_hand else ():
                part = self._roster.of(run.id)
                assert part is not None
                if step.labware and is_let(commons.lab, part.state, step, instrument):
                    there.append((lacking.urgency(run, step), step.labware))
        return lacking, there

    def keeping_out(self) -> KeepsOut | None:
        """Whether the plan has nothing brought for a step yet; None where it keeps nobody now."""
        return self._admittance.keeps_out if self._admittance.may_keep else None

    def at_instruments(self) -> dict[str, set[str]]:
        """By instrument: what stands on its sites, and nobody takes away."""
        lab, place_of = self._commons.lab, self.floor.place_of
        found: dict[str, set[str]] = {}
        for name in self.floor.sites:
            if name in lab.instruments:
                pieces = [lab.pieces[one] for one in self._commons.steps.pieces_at.get(name, ())]
                found[name] = {
                    one.name
                    for one in pieces
                    if one.site in place_of and not (one.leaves or one.lost)
                }
        return found

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
        lab, steps, claims = self._commons.lab, self._commons.steps, self.claims.by_piece()
        free = self.free_carriers()
        held = self._in_hand() | self.given_up | {*self._lids.stay(free)}
        changed = {**steps.moved, **self.claims.changed, **dict.fromkeys(held ^ self._held)}
        self._held = held
        steps.moved.clear()
        self.claims.changed.clear()
        lost = (self.piece_sites(lab.pieces[name]) for name in steps.lost)
        blocked = frozenset(site for sites in lost for site in sites if site)
        known = self._standing
        if known is None or known.blocked != blocked or not self._is_all_known(known):
            known = self._standing = Standing(
                floor=self.floor,
                pieces={
                    name: self._piece(one, claims)
                    for name, one in lab.pieces.items()
                    if name not in steps.lost
                },
                free_carriers=(),
                blocked=blocked,
            )
            changed.clear()
        known.go_on(
            [self._piece(lab.pieces[name], claims) for name in changed if name not in steps.lost],
            free_carriers=(*free, PERSON),
            closed=frozenset(filter(self._is_closed, self.floor.sites)),
        )
        return known

    def _is_all_known(self, standing: Standing) -> bool:
        """Whether it has all pieces but those that are lost now."""
        lost = self._commons.steps.lost.keys()
        some = len(standing.pieces) + len(lost) != len(self._commons.lab.pieces)
        return not (some or lost & standing.pieces.keys())

    def _piece(self, piece: PieceState, claims: Mapping[str, tuple[str, ...]]) -> Piece:
        return Piece(
            name=piece.name,
            site=piece.site,
            leaves=piece.leaves,
            held=piece.name in self._held,
            claim=claims.get(piece.name, ()),
            home=piece.home,
        )

    def free_carriers(self) -> tuple[str, ...]:
        """The transporters that could carry something at once."""
        seats = self._commons.lab.instruments
        return tuple(name for name in self.floor.carriers if self.is_free(seats[name]))

    def _is_closed(self, place: str) -> bool:
        instrument = self._commons.lab.instruments.get(place)
        return instrument is not None and not is_open(instrument)

    @staticmethod
    def piece_sites(piece: PieceState) -> tuple[str, str]:
        """The sites that a piece keeps from others; two while it is carried, or lost on the way."""
        return piece.site, piece.leaves

    def is_free(self, carrier: InstrumentState) -> bool:
        """Whether it could carry something at once."""
        idle = carrier.ready and carrier.busy_with is None and not carrier.mending
        return idle and not self._commons.steps.waiting[carrier.name]

    def is_in_hand(self, piece: str) -> bool:
        """Whether something acts on it, or it settles, or a person is asked about its step."""
        steps = self._commons.steps.naming[piece].values()
        return any(step.state not in ("waits", "mends") for _, step in steps)

    def _in_hand(self) -> set[str]:
        at_work = self._commons.steps.at_work.values()
        return {name for _, step in at_work if step.state != "mends" for name in step.labware}


def is_open(instrument: InstrumentState) -> bool:
    """Whether something may be brought to it, and taken from it."""
    return instrument.able and instrument.busy_with is None and not instrument.approached


class Claims:
    """Where runs in flight may still need the labware that is theirs."""

    def __init__(self, commons: Commons, roster: Roster, floor: Floor) -> None:
        self._commons = commons
        self._roster = roster
        self._floor = floor
        self._by_piece: dict[str, tuple[str, ...]] = {}
        self.changed: dict[str, None] = {}
        """Pieces whose claims are others than when ``Deck`` looked last."""

    def by_piece(self) -> dict[str, tuple[str, ...]]:
        """By piece of a run in flight: the places at which one may need it; not to be changed."""
        steps = self._commons.steps
        for piece in steps.recast:
            runs, before = steps.runs_on[piece].values(), self._by_piece.pop(piece, None)
            if runs:
                self._by_piece[piece] = self._claimed(runs)
            if self._by_piece.get(piece) != before:
                self.changed[piece] = None
        steps.recast.clear()
        return self._by_piece

    def after(self, run: Run, role: str, other: str) -> dict[str, tuple[str, ...]]:
        """Those of the pieces of a run, were another instrument to play one of its roles."""
        recast = replace(run, instruments={**run.instruments, role: other})
        runs_on = self._commons.steps.runs_on
        return {
            piece: self._claimed([recast if one is run else one for one in runs_on[piece].values()])
            for piece in labware_of(run)
            if piece in runs_on
        }

    def _claimed(self, runs: Collection[Run]) -> tuple[str, ...]:
        """The places of several runs, those of the first campaign first."""
        turn = {name: number for number, name in enumerate(self._roster)}
        in_turn = sorted(runs, key=lambda run: (turn[campaign_of(run.id)], run.number))
        players = (name for run in in_turn for name in run.instruments.values())
        return tuple(dict.fromkeys(name for name in players if name in self._floor.sites))
