"""Who wants which labware where: steps that wait, what will follow soon, and what is in the way.

A step that waits for a piece elsewhere is a want, the most urgent first; of several steps that want
one piece, only the first counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from sdl.core.carrying import Want
from sdl.core.chains import Call, Promise
from sdl.core.commons import Commons
from sdl.core.deck import Deck, InPlace
from sdl.core.lacking import Lacked, Lacking
from sdl.core.let import Urgency
from sdl.core.roster import Roster
from sdl.core.run import Step
from sdl.core.standing import Standing
from sdl.model.lab import place_of


class Wants:
    """Of one lab."""

    def __init__(self, commons: Commons, roster: Roster, deck: Deck) -> None:
        self._commons = commons
        self._roster = roster
        self._deck = deck

    def urgent(
        self,
        lacking: Lacking,
        in_place: InPlace,
        standing: Standing,
        promises: Sequence[Promise],
        calls: Sequence[Call],
    ) -> list[Want]:
        """What is tight, and what will be in a moment, the first to be due first."""
        tight = list(lacking.in_turn(standing.is_shut, in_window=True))
        wants = [
            (turn[0], _want(turn, step, piece, in_place, _but(calls, turn[0], step.id)))
            for turn, _, piece, _, step in tight
        ]
        for promise in promises if not self._commons.lab.paused else ():
            if promise.step.is_open:
                before = _before(in_place, (promise.due, 0, 0, 0.0, 0))
                due_s = max([promise.due, *self._before_it(promise, tight)])
                but = _but(calls, promise.due, promise.follows)
                wants += [(due_s, want) for want in _ahead(promise, before, but)]
        return [want for _, want in sorted(wants, key=lambda one: one[0])]

    def _before_it(self, promise: Promise, tight: list[Lacked]) -> Iterator[float]:
        """When windows close of steps that the plan puts before what was promised a place."""
        agenda, at = self._commons.agenda, self._commons.at
        for *_, run, step in tight:
            is_rival = run is not promise.run and step.instrument == promise.instrument
            if is_rival and agenda.is_before(step.id, promise.follows, at):
                yield step.not_after or 0.0

    @staticmethod
    def wants(lacking: Lacking, in_place: InPlace, standing: Standing) -> Iterator[Want]:
        """What steps wait for that may begin once it is there; one want for each piece.

        What could not be brought nearer whoever came first is left out.
        """
        for turn, _, piece, _, step in lacking.in_turn(standing.is_shut):
            yield _want(turn, step, piece, in_place, alike=len(step.labware) == 1)

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
        for piece, home in left:
            sought = lab.playing[standing.place(piece)] > 0
            if sought or not self._may_be_used(piece.name):
                yield Want(step="", piece=piece.name, place=home)

    def _may_be_used(self, labware: str) -> bool:
        """Whether a campaign at work may still begin a run on it."""
        if self._commons.lab.closing:
            return False
        parts = (part for part in self._roster.values() if part.state.closing is None)
        return any(part.casting.plates.may_use(labware) for part in parts)


def _but(calls: Sequence[Call], due: float, step: str) -> frozenset[str]:
    """Transporters that something due by then, for a step, has to leave to what is due before."""
    others = (one.carriers for one in calls if one.due < due and one.follows != step)
    return frozenset(chain.from_iterable(others))


def _want(
    turn: Urgency,
    step: Step,
    piece: str,
    in_place: InPlace,
    but: frozenset[str] = frozenset(),
    *,
    alike: bool = False,
) -> Want:
    return Want(
        step=step.id,
        piece=piece,
        place=step.instrument,
        beside=_before(in_place, turn) | frozenset(step.labware),
        but=but,
        alike=alike,
    )


def _before(in_place: list[tuple[Urgency, tuple[str, ...]]], urgency: Urgency) -> frozenset[str]:
    """What waits where it stands with more right than somebody who wants the place."""
    return frozenset(name for other, names in in_place if other < urgency for name in names)


def _ahead(promise: Promise, before: frozenset[str], but: frozenset[str]) -> Iterator[Want]:
    """What comes soon, and has to be brought at once when it does."""
    for piece in promise.labware:
        yield Want(
            step=promise.step.id,
            piece=piece,
            place=promise.instrument,
            beside=before | frozenset(promise.labware),
            but=but,
            ahead=True,
        )
