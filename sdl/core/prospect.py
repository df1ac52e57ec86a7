"""What is to be expected of what waits: until when, behind whom, and whether its window will hold.

It is for people to read, and nothing is decided by it: what predictors say is given from outside,
at the moment at which somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sdl.authoring import Act
from sdl.core.commons import Commons
from sdl.core.ids import campaign_of, run_of
from sdl.core.lab_state import InstrumentState, PieceState
from sdl.core.predicting import Predictor, foreseen
from sdl.core.roster import Roster
from sdl.core.run import AT_A_PERSON, Step

DAY_S, HOUR_S, MINUTE_S = 86_400, 3_600, 60


class Prospect:
    """The lab at one moment, as far as it can be foreseen."""

    def __init__(
        self,
        commons: Commons,
        roster: Roster,
        queue: Callable[[str], Sequence[str]],
        held_back: Callable[[str], str],
        predictors: Sequence[Predictor],
    ) -> None:
        """``queue``: ids of the steps that wait for an instrument, in the order it will do them.

        ``held_back``: why a step is not begun before what follows it is ready, by its id; empty if
        it may. ``predictors``: whom to believe, first to last.
        """
        self._commons = commons
        self._roster = roster
        self._queue = queue
        self._held_back = held_back
        self._predictors = predictors
        self._places: dict[str, dict[str, int]] = {}
        """By instrument, and step: behind how many others it waits; found out once."""
        self._free: dict[str, float | None] = {}
        """By instrument: when it will be done; found out once."""

    def of(self, step: Step, instrument: InstrumentState) -> str:
        """What is in the way of a step whose instrument is fit for use, and what that leads to.

        One phrase for each thing in the way; what a step needs beside its instrument has its place
        here too.
        """
        held = self._held_back(step.id)
        said = [held] if held else [*self._busy(step, instrument), *self._behind(step)]
        return "; ".join([*said, *self._window(step, instrument)])

    def until(self, step: Step) -> str:
        """How long a step that is under way will take; empty where nobody knows."""
        instrument = self._commons.lab.instruments[step.instrument]
        return self._until(instrument) if instrument.busy_with == step.cid else ""

    def holder(self, piece: PieceState, step: Step) -> str:
        """The other run that keeps a piece which a step waits for where it is, and why.

        Empty where none does.
        """
        mine = run_of(step.id)
        for part in self._roster.values():
            for run, other in part.work.all():
                if piece.name in other.labware and run.id != mine:
                    doing = self._doing(other)
                    if doing:
                        return f"{self._named(run.id, step)} {doing}"
        return ""

    def _doing(self, step: Step) -> str:
        """What a step does with its labware; empty while it only waits."""
        if step.state in AT_A_PERSON:
            return "holds it, and waits for your answer: sdl resolve"
        if isinstance(step.request, Act):
            is_at_it = step.state not in ("waits", "mends")
            return f"holds it ({step.request.operation})" if is_at_it else ""
        return f"lets it settle there for {max(0.0, (step.until or 0.0) - self._commons.at):.0f} s"

    @staticmethod
    def _named(name: str, step: Step) -> str:
        """A run or step, without its campaign where that is the step's own."""
        is_ours = campaign_of(name) == campaign_of(step.id)
        return name.partition("/")[2] if is_ours else name

    def _busy(self, step: Step, instrument: InstrumentState) -> Iterator[str]:
        work = self._work_of(instrument)
        if work is None:
            return
        name = self._named(work.id, step)
        what = work.request.operation if isinstance(work.request, Act) else ""
        yield f"{instrument.name} works on {name} ({what}){self._until(instrument)}"

    def _until(self, instrument: InstrumentState) -> str:
        free_at = self._free_at(instrument)
        if free_at is None:
            return ""
        over_s = self._commons.at - free_at
        late = f", {over_s:.0f} s longer than expected" if over_s >= 1.0 else ""
        return late or f" until about {clock(free_at)}"

    def _behind(self, step: Step) -> Iterator[str]:
        name = step.instrument
        if name not in self._places:
            self._places[name] = {each: place for place, each in enumerate(self._queue(name))}
        place = self._places[name].get(step.id, 0)
        if place:
            yield f"behind {place} other{'s' if place > 1 else ''}"

    def _window(self, step: Step, instrument: InstrumentState) -> Iterator[str]:
        if step.not_after is None:
            return
        ends, free_at = clock(step.not_after), self._free_at(instrument)
        left_s = step.not_after - self._commons.at
        if free_at is not None and max(free_at, self._commons.at) > step.not_after:
            yield f"its window, which ends at {ends}, would break"
        else:
            yield f"its window ends at {ends}, in {max(0.0, left_s):.0f} s"

    def _work_of(self, instrument: InstrumentState) -> Step | None:
        """What it is busy with; None where nothing is known of that."""
        cid = instrument.busy_with
        part = self._roster.of(cid) if cid else None
        found = part.work.by_cid(cid) if part is not None and cid else None
        return None if found is None else found[1]

    def _free_at(self, instrument: InstrumentState) -> float | None:
        """Lab time at which it will be done; None where nobody knows."""
        if instrument.name not in self._free:
            self._free[instrument.name] = self._foreseen_end(instrument)
        return self._free[instrument.name]

    def _foreseen_end(self, instrument: InstrumentState) -> float | None:
        work = self._work_of(instrument)
        if work is None or not isinstance(work.request, Act):
            return None
        act = work.request
        said = foreseen(self._predictors, instrument.name, act.operation, act.arguments)
        return None if said is None else instrument.busy_since + said.duration_s


def clock(at: float) -> str:
    """The time of the day, in UTC, at a moment of lab time; in virtual time since the start."""
    seconds = round(at) % DAY_S
    hours, rest = divmod(seconds, HOUR_S)
    return f"{hours:02d}:{rest // MINUTE_S:02d}:{rest % MINUTE_S:02d}"
