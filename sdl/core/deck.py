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
from sdl.core.let import Turns, Urgency, is_let
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
        self.claims = Claims(roster, floor)
        self._aside = frozenset(
            site
            for place, sites in floor.sites.items()
            if place not in commons.lab.instruments
            for site in sites
        )
        """Sites that are at no instrument."""

    def is_all_to_be_had(self) -> bool:
        """Whether no step that waits now would do so in vain, at the first look."""
        lab, sites = self._commons.lab, self.floor.sites
        for piece in lab.pieces.values():
            if piece.lost:
                return False
        for name, steps in self._commons.waiting.items():
            room = len(sites.get(name, ()))
            for _, step in steps.values():
                if len(step.labware) > room:
                    return False
        return True

    def waiting(self) -> tuple[Waiting, InPlace]:
        """Steps that wait for labware, the most urgent first; and what waits for its turn."""
        commons, turns = self._commons, Turns(self._commons.lab)
        admittance, may_keep = self._admittance, self._admittance.may_keep
        by_place = self.at_instruments()
        whose = {run: part for part in self._roster.everyone() for run in part.state.runs}
        away: Waiting = []
        there: InPlace = []
        for name, steps in commons.waiting.items():
            instrument, at_hand = commons.lab.instruments[name], by_place.get(name, set())
            for run, step in steps.values():
                part = whose.get(run.id) or self._roster.of(run.id)
                assert part is not None
                if not at_hand.issuperset(step.labware):
                    over = step.deadline is not None and step.deadline < commons.at
                    if not (over or (may_keep and admittance.keeps_out(run, step))):
                        away.append((turns.urgency(part, run, step), part, run, step))
                elif step.labware and is_let(commons.lab, part.state, step, instrument):
                    there.append((turns.urgency(part, run, step), step.labware))
        return sorted(away, key=itemgetter(0)), there

    def at_instruments(self) -> dict[str, set[str]]:
        """By instrument: what stands on its sites, and nobody takes away."""
        place_of, aside = self.floor.place_of, self._aside
        found: dict[str, set[str]] = {}
        for piece in [one for one in self._commons.lab.pieces.values() if one.site not in aside]:
            if piece.site in place_of and not (piece.leaves or piece.lost):
                found.setdefault(place_of[piece.site], set()).add(piece.name)
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
        lab = self._commons.lab
        in_hand = self.in_hand()
        claims = self.claims.by_piece()
        known, former = dict[str, Piece](), self._pieces
        for name, piece in lab.pieces.items():
            if piece.lost:
                continue
            held, claim = name in in_hand or name in self.given_up, claims.get(name, ())
            was = former.get(name)
            if (
                was is None
                or was.claim is not claim
                or was.site != piece.site
                or was.leaves != piece.leaves
                or was.held != held
            ):
                was = Piece(
                    name=name,
                    site=piece.site,
                    leaves=piece.leaves,
                    held=held,
                    claim=claim,
                    home=piece.home,
                )
            known[name] = was
        self._pieces = known
        lost = (self.piece_sites(piece) for piece in lab.pieces.values() if piece.lost)
        carriers = [lab.instruments[name] for name in self.floor.carriers]
        return Standing(
            floor=self.floor,
            pieces=known,
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


def is_open(instrument: InstrumentState) -> bool:
    """Whether something may be brought to it, and taken from it."""
    return instrument.able and instrument.busy_with is None and not instrument.approached


class Claims:
    """Where runs in flight may still need the labware that is theirs."""

    def __init__(self, roster: Roster, floor: Floor) -> None:
        self._roster = roster
        self._floor = floor
        self._begun: list[tuple[str, int, int]] = []
        """Of each campaign when it was looked at last: runs so far, and runs in flight."""
        self._players: list[tuple[Run, dict[str, str]]] = []
        """Who played which role in each run in flight then."""
        self._by_piece: dict[str, tuple[str, ...]] = {}

    def by_piece(self) -> dict[str, tuple[str, ...]]:
        """By piece of a run in flight: the places at which one may need it; not to be changed.

        It is the same as before unless a run has begun or ended, or a role was given to another.
        """
        parts = self._roster.values()
        begun = [(part.name, part.state.begun, len(part.state.runs)) for part in parts]
        changed = begun != self._begun
        for run, players in self._players:
            changed = changed or run.instruments != players
        if changed:
            runs = [run for part in parts for run in part.state.runs.values()]
            self._begun, self._players = begun, [(run, dict(run.instruments)) for run in runs]
            self._by_piece = self._claimed(runs)
        return self._by_piece

    def _claimed(self, runs: list[Run]) -> dict[str, tuple[str, ...]]:
        claims: dict[str, tuple[str, ...]] = {}
        for run in runs:
            mine = [name for name in run.instruments.values() if name in self._floor.sites]
            for piece in labware_of(run):
                both = tuple(dict.fromkeys((*claims.get(piece, ()), *mine)))
                was = self._by_piece.get(piece)
                claims[piece] = was if was == both else both
        return claims
