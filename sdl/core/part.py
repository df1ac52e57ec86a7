"""One campaign of a lab at work: all that is its own."""

from __future__ import annotations

from dataclasses import dataclass

from sdl.core import campaign as rules
from sdl.core import events as ev
from sdl.core.asking import Asking
from sdl.core.campaign import CampaignState
from sdl.core.casting import Casting
from sdl.core.commands import Conclude, Dispose, Wait
from sdl.core.commons import Commons
from sdl.core.evidence import judge
from sdl.core.plates import Plates
from sdl.core.porter import PorterTroubles, PorterWork, carry_script
from sdl.core.questions import Questions
from sdl.core.schedule import is_behind
from sdl.core.script import Script
from sdl.core.steps import Steps
from sdl.core.troubles import Troubles
from sdl.core.usage import after
from sdl.core.work import Work
from sdl.model.data import Disposition


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is kept of a campaign that is over, while its lab goes on."""

    name: str
    ending: str
    reason: str
    best_run: str | None
    runs: int
    """Begun."""
    at: float
    """Lab time of its end."""


class Part:
    """A campaign, and those who decide for it."""

    def __init__(self, head: ev.CampaignStarted, work: Work) -> None:
        """``head``: its beginning, as it is on record."""
        self.head = head
        self.head_text = ""
        """The same as JSON, once a snapshot was taken of it."""
        self.work = work
        self.state = work.state
        self.script = work.script
        self.asking = Asking(work)
        self.steps = Steps(work, Troubles(work))
        self.questions = Questions(work)
        self.casting = Casting(work, Plates(head.campaign, head.lab, work.lab))
        self.is_porter = False

    @classmethod
    def begun(cls, head: ev.CampaignStarted, script: Script, commons: Commons) -> Part:
        """A campaign that starts."""
        state = CampaignState(head.campaign, head.at, rules.count_points(head.campaign))
        state.terms = head.terms
        state.enter_prior()
        return cls(head, Work(script, state, commons))

    @classmethod
    def porter(cls, head: ev.CampaignStarted, commons: Commons) -> Part:
        """The porter at the beginning; at work like a campaign, and none."""
        state = CampaignState(head.campaign, head.at, None)
        return cls.of_porter(head, PorterWork(carry_script(), state, commons))

    @classmethod
    def of_porter(cls, head: ev.CampaignStarted, work: PorterWork) -> Part:
        """The porter with the work that it has."""
        part = cls(head, work)
        part.steps, part.is_porter = Steps(work, PorterTroubles(work)), True
        return part

    @property
    def name(self) -> str:
        """Of the campaign on record."""
        return self.state.spec.name

    @property
    def priority(self) -> int:
        """Of the campaign now: one more than it has where it falls behind its deadline."""
        state = self.state
        if state.terms.deadline is None:
            return state.terms.priority
        late = is_behind(
            at=self.work.at,
            started_at=state.started_at,
            deadline=state.terms.deadline,
            done=state.ended / state.spec.stop.runs,
        )
        return state.terms.priority + late

    def time_out(self) -> None:
        """Be woken when its hours are over."""
        hours = self.state.spec.stop.hours
        if hours is not None:
            until = self.state.started_at + 3600.0 * hours
            self.work.out.append(Wait(timer=f"{self.name}/hours", until=until))

    def look_for_end(self) -> None:
        """Begin no more runs where a stop rule holds."""
        reason = rules.stop_reason(self.state, self.work.at)
        if reason:
            self.state.close(*reason)

    def conclude(self) -> None:
        """Nothing is in flight any more, and nothing will be."""
        state = self.state
        assert state.closing is not None
        ending, reason = state.closing
        if ending == "target":  # what ended since may lie closer
            now = rules.stop_reason(state, self.work.at)
            reason = now[1] if now and now[0] == "target" else reason
        for suggestion in state.ready:
            end: Disposition = "abandoned" if suggestion in state.requeued else "unused"
            self.work.out.append(Dispose(suggestion=suggestion, disposition=end, reason=reason))
        state.ready.clear()
        state.requeued.clear()
        state.suggestions.clear()
        verdict = None
        if state.spec.hypothesis:
            verdict = (
                judge(state.spec.hypothesis, state.evidence) if state.evidence else "undecided"
            )
            if verdict == "undecided" and ending == "stopped":
                verdict = "abandoned"
        state.concluded = Conclude(
            campaign=self.name if self.work.commons.is_shared else "",
            ending=ending,
            reason=reason,
            best_run=state.best.run if state.best else None,
            verdict=verdict,
            front=tuple(point.suggestion for point in state.front),
            best_suggestion=state.best.suggestion if state.best and state.spec.batch else "",
            usage=after(self.work.lab.usage(self.work.at), state.usage_before),
        )
        self.work.out.append(state.concluded)

    def folded(self) -> Ended:
        """What is left of it once it is concluded."""
        end = self.state.concluded
        assert end is not None
        return Ended(
            name=self.name,
            ending=end.ending,
            reason=end.reason,
            best_run=end.best_run,
            runs=self.state.begun,
            at=self.work.at,
        )
