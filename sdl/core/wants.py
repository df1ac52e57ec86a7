"""Who wants which labware where: steps that wait, what will follow soon, and what is in the way.

A step that waits for a piece elsewhere is a want, the most urgent first; of several steps that want
one piece, only the first counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from sdl.core.carrying import Standing, Want
from sdl.core.chains import Chains, Promise
from sdl.core.commons import Commons
from sdl.core.deck import Deck, InPlace, Waiting
from sdl.core.let import Urgency, is_let
from sdl.core.roster import Roster
from sdl.model.lab import place_of


class Wants:
    """Of one lab."""

    def __init__(self, commons: Commons, roster: Roster, deck: Deck, chains: Chains) -> None:
        self._commons = commons
        self._roster = roster
        self._deck = deck
        self._chains = chains

    def urgent(self, waiting: Waiting, in_place: InPlace, standing: Standing) -> list[Want]:
        """What is tight, and what will be in a moment, the first to be due first."""
        tight = [one for one in waiting if one[3].not_after is not None]
        due = {step.id: step.not_after or 0.0 for *_, step in tight}
        wants = [(due[want.step], want) for want in self.wants(tight, in_place, standing)]
        for promise in self._chains.promises() if not self._commons.lab.paused else ():
            if promise.step.is_open:
                before = _before(in_place, (promise.due, 0, 0, 0.0, 0))
                due_s = max([promise.due, *self._before_it(promise, tight)])
                wants += [(due_s, want) for want in _ahead(promise, before)]
        return [want for _, want in sorted(wants, key=lambda one: one[0])]

    def wants(self, waiting: Waiting, in_place: InPlace, standing: Standing) -> Iterator[Want]:
        """What steps wait for that may begin once it is there; one want for each piece.

        What could not be brought nearer whoever came first is left out.
        """
        lab, spoken_for = self._commons.lab, set[str]()
        for mine, part, _, step in waiting:
            instrument = lab.instruments[step.instrument]
            mends = not instrument.mending or bool(step.mends)
            if not (mends and is_let(lab, part.state, step, instrument)):
                continue
            for name in step.labware:
                if name in spoken_for:
                    continue
                spoken_for.add(name)
                if not standing.is_shut(name, step.instrument):
                    yield Want(
                        step=step.id,
                        piece=name,
                        place=step.instrument,
                        beside=_before(in_place, mine) | frozenset(step.labware),
                    )

    def _before_it(self, promise: Promise, tight: Waiting) -> Iterator[float]:
        """When windows close of steps that the plan puts before what was promised a place."""
        agenda, at = self._commons.agenda, self._commons.at
        for *_, run, step in tight:
            is_rival = run is not promise.run and step.instrument == promise.instrument
            if is_rival and agenda.is_before(step.id, promise.follows, at):
                yield step.not_after or 0.0

    @staticmethod
    def bound(waiting: Waiting, standing: Standing) -> dict[str, str]:
        """Where what is out of store is wanted, by piece: at its most urgent step."""
        out = {piece.name for piece in standing.out}
        return {
            name: step.instrument
            for *_, step in reversed(waiting)
            for name in step.labware
            if name in out
        }

    def idle(self, standing: Standing) -> Iterator[Want]:
        """What nobody needs where it stands, and somebody may have to wait for later."""
        lab = self._commons.lab
        if lab.paused or lab.untouched:
            return
        needed = self._deck.claims.by_piece()
        left = [
            (piece, place_of(piece.home))
            for piece in standing.out
            if not piece.leaves and piece.name not in needed
        ]
        left = [(piece, home) for piece, home in left if standing.place(piece) != home]
        if not left:
            return
        runs = [run for part in self._roster.values() for run in part.state.runs.values()]
        sought = {place for run in runs for place in run.instruments.values()}
        later = self._later()
        for piece, home in left:
            if standing.place(piece) in sought or piece.name not in later:
                yield Want(step="", piece=piece.name, place=home)

    def _later(self) -> set[str]:
        """Labware on which a campaign at work may still begin a run."""
        if self._commons.lab.closing:
            return set()
        parts = (part for part in self._roster.values() if part.state.closing is None)
        return {name for part in parts for name in part.casting.plates.in_turn()}


def _before(in_place: list[tuple[Urgency, tuple[str, ...]]], urgency: Urgency) -> frozenset[str]:
    """What waits where it stands with more right than somebody who wants the place."""
    return frozenset(name for other, names in in_place if other < urgency for name in names)


def _ahead(promise: Promise, before: frozenset[str]) -> Iterator[Want]:
    """What comes soon, and has to be brought at once when it does."""
    for piece in promise.labware:
        yield Want(
            step=promise.step.id,
            piece=piece,
            place=promise.instrument,
            beside=before | frozenset(promise.labware),
            ahead=True,
        )
