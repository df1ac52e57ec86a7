"""Questions to the planner, and what is made of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sdl.core import campaign as rules
from sdl.core import events as ev
from sdl.core.bench import Bench
from sdl.core.campaign import CampaignState, OpenAsk
from sdl.core.commands import AcceptSuggestion, AskPlanner, Dispose
from sdl.core.refresh import outdated, revision
from sdl.core.work import Work
from sdl.errors import Bug
from sdl.model.campaign import NO_PLANNER
from sdl.model.data import Suggestion
from sdl.model.planning import Ask
from sdl.model.space import violations

PLANNER_TRIES = 3
"""Times that the same question is asked before the campaign's fall-back holds."""


class Asking:
    """The one question that is open, if any."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._bench = Bench(work)

    @property
    def _state(self) -> CampaignState:
        return self._work.state

    def question(self, ask: str) -> Ask:
        """The open question of this id. Bug if it is not open."""
        open_ask = self._state.open_ask
        if open_ask is None or open_ask.question.id != ask:
            raise Bug(f"{ask} is not an open question")
        return open_ask.question

    def ask(self) -> bool:
        """Ask for points, if some are wanted or out of date, and no question is open.

        Whether there are some at once, as nobody need be asked: then runs may begin.
        """
        count = rules.wanted_suggestions(self._state)
        replaces = outdated(self._state)
        if self._state.spec.planner.kind == NO_PLANNER:
            for _ in range(count):
                self._accept("", Suggestion(inputs={}, origin=NO_PLANNER, predicted={}), "")
            return count > 0
        if count > 0 or replaces:
            bench = self._bench.state(replaces)
            question = rules.question(self._state, count + len(replaces), len(replaces), bench)
            self._state.asks += 1
            self._state.informed = rules.results(self._state)
            self._state.open_ask = OpenAsk(
                question=question,
                attempt=1,
                asked_at=self._work.at,
                trials_sha256=rules.trials_sha256(self._state, len(replaces)),
                replaces=replaces,
            )
            self._send(self._state.open_ask)
        return False

    def ask_after_restart(self) -> None:
        """Ask the open question once more: its answer would go to the process before us."""
        if self._state.open_ask:
            # A new attempt: the record keeps one row, with one end, for each.
            self._state.open_ask.attempt += 1
            self._send(self._state.open_ask)

    def suggested(self, event: ev.SuggestionsArrived) -> None:
        """The planner gave points; they are looked at before they are accepted."""
        open_ask = self._answered(event)
        if open_ask is None:
            return
        question = open_ask.question
        wrong = violations(question.problem, event.suggestions, question.count, question.trials)
        if wrong:
            self._again(open_ask, f"the planner answered nonsense: {'; '.join(wrong[:3])}")
            return
        self._state.open_ask = None
        reason = event.suggestions[0].reason
        rules.listen(self._state, None if reason is None else reason.left)
        if open_ask.replaces:
            if self._state.closing is None:
                self._replace(open_ask, event.suggestions)
            return
        for value in event.suggestions:
            self._accept(event.ask, value, open_ask.fall_back)

    def _replace(self, open_ask: OpenAsk, points: Sequence[Suggestion]) -> None:
        """Let new points take the places of those that still wait for their run."""
        state, question = self._state, open_ask.question
        found = revision(state, question.problem, open_ask.replaces, points)
        for number, suggestion in enumerate(found.withdrawn, start=state.accepted + 1):
            state.withdraw(suggestion)
            reason = f"results came before its run; suggestion-{number} takes its place"
            self._work.out.append(
                Dispose(suggestion=suggestion, disposition="withdrawn", reason=reason)
            )
        for value in found.new:
            self._accept(question.id, value, "")

    def failed(self, event: ev.PlannerFailed) -> None:
        """The planner gave none."""
        open_ask = self._answered(event)
        if open_ask is None:
            return
        if event.exhausted and not open_ask.replaces:
            self._give_up("exhausted", event.reason)
        else:
            self._again(open_ask, event.reason)

    def _answered(self, event: ev.SuggestionsArrived | ev.PlannerFailed) -> OpenAsk | None:
        """The open question that this is the answer to; None if it comes too late."""
        open_ask = self._state.open_ask
        if open_ask is None or open_ask.question.id != event.ask:
            return None
        return open_ask if open_ask.attempt == event.attempt else None

    def _accept(self, ask: str, value: Suggestion, fall_back: str) -> None:
        state = self._state
        state.accepted += 1
        suggestion = f"{state.spec.name}/suggestion-{state.accepted}"
        if fall_back:
            value = replace(value, fall_back=fall_back)
        state.suggestions[suggestion] = value
        state.enter_trial(suggestion, value.inputs)
        state.ready.append(suggestion)
        self._work.out.append(AcceptSuggestion(suggestion=suggestion, ask=ask, value=value))

    def _again(self, open_ask: OpenAsk, reason: str) -> None:
        if open_ask.replaces:
            self._state.open_ask = None  # what is ready stays so; the next results ask anew
            return
        choice = self._state.spec.planner
        open_ask.attempt += 1
        open_ask.failures += 1
        if open_ask.failures >= PLANNER_TRIES:
            planner = open_ask.question.planner
            failed = f"{planner} failed {PLANNER_TRIES} times: {reason}"
            if choice.fall_back in ("stop", planner):
                self._give_up("planner", failed)
                return
            open_ask.fall_back, open_ask.failures = failed, 0
            open_ask.question = replace(open_ask.question, planner=choice.fall_back)
        self._send(open_ask)

    def _give_up(self, ending: rules.Ending, reason: str) -> None:
        self._state.open_ask = None
        if self._state.ready:
            self._state.dry = (ending, reason)  # what was prepared is tried first
        else:
            self._state.close(ending, reason)

    def _send(self, open_ask: OpenAsk) -> None:
        question = open_ask.question
        self._work.out.append(
            AskPlanner(
                ask=question.id,
                attempt=open_ask.attempt,
                planner=question.planner,
                count=question.count,
                seed=question.seed,
                trials=len(question.trials),
                trials_sha256=open_ask.trials_sha256,
                replaces=open_ask.replaces,
                bench=question.problem.bench,
            )
        )
