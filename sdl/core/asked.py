"""What planners were asked and answered, put together from a journal without its protocols.

A question stands in the journal as a digest; all that it was made of stands in the lines before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sdl.core import campaign as rules
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.campaign import CampaignState
from sdl.core.commands import Command
from sdl.core.ids import campaign_of
from sdl.model.campaign import Campaign
from sdl.model.data import Disposition, Measures, Suggestion
from sdl.model.planning import Ask


@dataclass(slots=True, kw_only=True)
class Answered:
    """A question as it was, and the answer that counted."""

    question: Ask
    trials_sha256: str
    """On record, of the trials that the planner was shown."""
    found_sha256: str
    """Of those that were put together here: the same, or this is not the question."""
    points: tuple[Suggestion, ...]
    """As they came, before they were looked at."""
    versions: Mapping[str, str]
    """Packages that had a part in it."""
    accepted: dict[str, Suggestion] = field(default_factory=dict)
    """By name, those that became suggestions."""


def answers(lines: Iterable[ev.Event | Command], campaign: str) -> Iterator[Answered]:
    """Each answer that was taken, in order. ``lines``: of the journal in which it stands."""
    past: _Past | None = None
    found: Answered | None = None
    for line in lines:
        if isinstance(line, ev.CampaignStarted) and line.campaign.name == campaign:
            past = _Past(line.campaign)
        if past is None:
            continue
        match line:
            case do.AcceptSuggestion() if campaign_of(line.suggestion) == campaign:
                past.accept(line)
                if found is not None:
                    found.accepted[line.suggestion] = line.value
            case ev.SuggestionsArrived() if campaign_of(line.ask) == campaign:
                if found is not None:
                    yield found
                found = past.answer(line)
            case _:
                past.note(line)
    if found is not None:
        yield found


class _Past:
    """What a campaign's planner would be shown next, line by line."""

    def __init__(self, spec: Campaign) -> None:
        self._state = CampaignState(spec, 0.0, None)
        self._state.enter_prior()
        self._samples: dict[str, tuple[str, ...]] = {}
        """Suggestions of each run."""
        self._run: dict[str, str] = {}
        """The last run of each suggestion."""
        self._late: set[str] = set()
        self._measures: dict[str, Measures] = {}
        self._open: do.AskPlanner | None = None
        self._question: Ask | None = None
        self._sha256 = ""

    def accept(self, line: do.AcceptSuggestion) -> None:
        """A point will be tried."""
        self._state.suggestions[line.suggestion] = line.value
        self._state.enter_trial(line.suggestion, line.value.inputs)
        self._state.ready.append(line.suggestion)

    def answer(self, line: ev.SuggestionsArrived) -> Answered | None:
        """The open question with its answer; None if that came too late."""
        asked, question = self._open, self._question
        if asked is None or question is None:
            return None
        if (line.ask, line.attempt) != (asked.ask, asked.attempt):
            return None
        return Answered(
            question=question,
            trials_sha256=asked.trials_sha256,
            found_sha256=self._sha256,
            points=line.suggestions,
            versions=dict(line.versions),
        )

    def note(self, line: ev.Event | Command) -> None:
        """Whatever else has to do with trials."""
        match line:
            case do.AskPlanner():
                if campaign_of(line.ask) == self._state.spec.name:
                    self._ask(line)
            case do.BeginRun(run=run):
                self._samples[run] = line.suggestions or (line.suggestion,)
                self._run.update(dict.fromkeys(self._samples[run], run))
            case do.BreakWindow(run=run):
                self._late.add(run)
            case do.EndRun(run=run):
                for end in line.samples:
                    self._measures[end.suggestion] = end.measures
                if not line.samples and run in self._samples:
                    self._measures[self._samples[run][0]] = line.measures
            case do.Dispose():
                if line.suggestion in self._state.suggestions:
                    self._end(line.suggestion, line.disposition)
            case _:
                pass

    def _ask(self, line: do.AskPlanner) -> None:
        if self._open is None or self._open.ask != line.ask:
            left_out = len(line.replaces)
            self._sha256 = rules.trials_sha256(self._state, left_out)
            shown = rules.question(self._state, line.count, left_out, line.bench)
            self._question = replace(shown, id=line.ask, planner=line.planner, seed=line.seed)
        elif self._question is not None:  # a fall-back is asked what the planner was asked
            self._question = replace(self._question, planner=line.planner)
        self._open = line

    def _end(self, suggestion: str, end: Disposition) -> None:
        late = self._run.get(suggestion) in self._late
        match end:
            case "measured" | "failed":
                measures = self._measures.get(suggestion, {}) if end == "measured" else {}
                self._state.settle_trial(suggestion, end, measures, broke_window=late)
            case "unknown" | "abandoned":
                self._state.settle_trial(suggestion, "abandoned", {}, broke_window=late)
            case "withdrawn":
                self._state.withdraw(suggestion)
            case "refused" | "unused":
                pass
