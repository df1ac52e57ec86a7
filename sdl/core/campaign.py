"""The state of one campaign and the rules that read it: what to ask, when to stop."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Literal, TypeAlias

from sdl.core.commands import Conclude
from sdl.core.evidence import Belief, Outcome
from sdl.core.plate_task import PlateTask
from sdl.core.rivals import Contest, in_words, likelier, standing
from sdl.core.run import Run
from sdl.core.spent import Spent
from sdl.core.usage import Usage
from sdl.core.view import BestPoint, FrontPoint, Tally
from sdl.model.bench import BenchState
from sdl.model.campaign import NO_PLANNER, Campaign, Terms
from sdl.model.data import Inputs, Measures, Suggestion, Trial
from sdl.model.hypothesis import Evidence
from sdl.model.planning import Ask, Problem
from sdl.model.reason import Left
from sdl.model.space import grid_points, is_enumerable, taken

Ending: TypeAlias = Literal[
    "target", "budget", "exhausted", "enough", "stopped", "failures", "planner", "material"
]

QUIET = 3
"""Answers in a row that have to expect too little, for one of them may be mistaken ..."""
LEAST_MEASURED = 10
"""... and measured runs, or samples, before a model's word ends a campaign."""
SHARE_OF_LEAST = 10
"""Runs before the share of failed ones says anything."""
AHEAD = 1
"""Runs whose suggestions are kept ready beyond those in flight, so that the bench does not wait for
a fit, where nothing else is said. Not with one run at a time: there, a suggestion made before the
last result would be a worse one."""


class TrialsDigest:
    """SHA-256 over all trials, without reading again those that are over."""

    def __init__(self) -> None:
        self._over = hashlib.sha256(b"[")
        self._is_empty = True
        self._left: deque[str] = deque()
        """Suggestions whose trial is not in it yet, in order of acceptance."""

    def enter(self, suggestion: str) -> None:
        """There is one more."""
        self._left.append(suggestion)

    def leave(self, suggestion: str) -> None:
        """One that is not over is no trial any more."""
        self._left.remove(suggestion)

    def hexdigest(
        self, trials: Mapping[str, Trial], texts: Mapping[str, str], without: int = 0
    ) -> str:
        """Of all trials as a JSON list; what is over does not change any more.

        ``without``: so many of the last ones are left out, which are all pending.
        """
        while self._left and trials[self._left[0]].status != "pending":
            self._add(self._over, [texts[self._left.popleft()]])
            self._is_empty = False
        whole = self._over.copy()
        shown = islice(self._left, len(self._left) - without)
        self._add(whole, [texts[each] for each in shown])
        whole.update(b"]")
        return whole.hexdigest()

    def _add(self, digest: hashlib._Hash, texts: Sequence[str]) -> None:
        if texts:
            digest.update(("" if self._is_empty else ",").encode() + ",".join(texts).encode())


@dataclass(slots=True)
class OpenAsk:
    """A question that the planner has not answered yet."""

    question: Ask
    attempt: int
    asked_at: float
    trials_sha256: str
    failures: int = 0
    """Attempts of the present planner that failed; a restart of ours is no failure of its."""
    fall_back: str = ""
    """Why another planner than the campaign's was asked; empty if it was not."""
    replaces: tuple[str, ...] = ()
    """Suggestions that were ready, whose trials it left out: the answer may take their places."""


@dataclass(slots=True)
class CampaignState:
    """Everything that changes in a campaign."""

    spec: Campaign
    started_at: float
    points: int | None
    """How many feasible points of an enumerable search space are to be tried, those of before
    left aside; None where it has no end."""
    terms: Terms = field(default_factory=Terms)
    """Its claim on the bench, beside the other campaigns of the lab."""
    asks: int = 0
    open_ask: OpenAsk | None = None
    informed: int = 0
    """Results that the planner knew of when it was asked last."""
    suggestions: dict[str, Suggestion] = field(default_factory=dict)
    """Accepted and not yet disposed of, by id."""
    accepted: int = 0
    ready: deque[str] = field(default_factory=deque)
    """Suggestions that wait for their run, in its order."""
    requeued: dict[str, int] = field(default_factory=dict)
    """How often a suggestion was given another run, of those that are not over."""
    trials: dict[str, Trial] = field(default_factory=dict)
    """By suggestion, in order of acceptance."""
    trial_texts: dict[str, str] = field(default_factory=dict)
    """The same as canonical JSON, so that a digest of all need not write each of them anew."""
    digest: TrialsDigest = field(default_factory=TrialsDigest, repr=False, compare=False)
    runs: dict[str, Run] = field(default_factory=dict)
    """In flight, in order of their beginning."""
    begun: int = 0
    """Runs."""
    samples_begun: int = 0
    """Samples of these: as many, but in a batch. The next four count samples, too."""
    spent: Spent = field(default_factory=Spent)
    ended: int = 0
    measured: int = 0
    unknown: int = 0
    abandoned: int = 0
    broken_windows: int = 0
    """Steps that have missed their maximum lag."""
    untried: int = 0
    """Trials that are as good as not tried."""
    failures_in_row: int = 0
    last_failure: str = ""
    last_cause: str = ""
    """Of the last run, if the next one would fail in the same way; empty otherwise."""
    paused: str = ""
    """Who wants nothing new of it to start, and why; empty while it goes on."""
    paused_at_once: bool = False
    short: str = ""
    """What the next run lacks; empty while materials do not keep it."""
    wants_plate: PlateTask | None = None
    """The fresh plate that a person is asked for; None where none is, or it ends."""
    best: BestPoint | None = None
    front: tuple[FrontPoint, ...] = ()
    """Of several objectives, in the order in which they were measured."""
    tally: Tally = field(default_factory=Tally)
    contest: Contest = field(default_factory=Contest)
    """Of rival hypotheses, where there are such."""
    left: Left | None = None
    """What the planner said last of what is left to be gained."""
    quiet: int = 0
    """Its answers in a row that expected too little."""
    heard_at: int = 0
    """Measured samples when it last answered."""
    outcomes: list[Outcome] = field(default_factory=list)
    belief: Belief | None = field(default=None, repr=False, compare=False)
    """What makes the evidence of them; None before the first one that this process took in."""
    evidence: Evidence | None = None
    usage_before: tuple[Usage, ...] = ()
    """What the instruments had spent their time on when it began, where others share them."""
    dry: tuple[Ending, str] | None = None
    """Why the planner gives no more points, while those that it gave still wait for their run."""
    closing: tuple[Ending, str] | None = None
    """Why no run is begun any more; the campaign ends when the last one in flight has."""
    concluded: Conclude | None = None

    def close(self, ending: Ending, reason: str) -> None:
        """Begin no more runs. The first reason stands."""
        self.wants_plate = None
        if self.closing is None:
            self.closing = (ending, reason)

    def enter_prior(self) -> None:
        """What is known before the first run; the planner sees it like any other trial."""
        known = (trial for prior in self.spec.prior for trial in prior.trials)
        for number, trial in enumerate(known, start=1):
            key = f"{self.spec.name}/prior-{number}"
            self.digest.enter(key)
            self._put(key, trial)

    @property
    def known_before(self) -> int:
        """Trials of before the campaign."""
        return sum(len(prior.trials) for prior in self.spec.prior)

    def enter_trial(self, suggestion: str, inputs: Inputs) -> None:
        """A point will be tried."""
        self.digest.enter(suggestion)
        self._put(suggestion, Trial(inputs=inputs, status="pending", measures={}))

    def _put(self, suggestion: str, trial: Trial) -> None:
        self.trials[suggestion] = trial
        self.trial_texts[suggestion] = trial_text(trial)

    @property
    def runs_at_once(self) -> int:
        """Runs in flight at most."""
        quota = self.terms.runs_at_once
        return self.spec.parallel if quota is None else min(self.spec.parallel, quota)

    @property
    def failed(self) -> int:
        """Samples that ended without a measurement, those aside that a person gave up."""
        return self.ended - self.measured - self.abandoned

    def settle_trial(
        self,
        suggestion: str,
        status: Literal["measured", "failed", "abandoned"],
        measures: Measures,
        *,
        broke_window: bool = False,
    ) -> None:
        """Tell the planner's history how the point ended; nothing more follows of it."""
        self.untried += status == "abandoned"
        ended = replace(
            self.trials[suggestion],
            status=status,
            measures=dict(measures),
            broke_window=broke_window,
        )
        self._put(suggestion, ended)
        self.requeued.pop(suggestion, None)
        del self.suggestions[suggestion]

    def withdraw(self, suggestion: str) -> None:
        """Forget a point whose run has not begun: the planner does not hear of it again."""
        self.digest.leave(suggestion)
        del self.trials[suggestion], self.trial_texts[suggestion], self.suggestions[suggestion]
        self.ready.remove(suggestion)

    @property
    def may_requeue(self) -> bool:
        """Whether another run could still begin for a suggestion that had one.

        A space that is used up is no obstacle: then a point of it is left.
        """
        is_open = self.closing is None or self.closing[0] == "exhausted"
        return is_open and self.samples_begun < self.spec.stop.runs

    def requeue(self, suggestion: str) -> None:
        """Let it wait for another run, before all others."""
        self.closing = None
        self.requeued[suggestion] = self.requeued.get(suggestion, 0) + 1
        self.ready.appendleft(suggestion)


def wanted_suggestions(state: CampaignState) -> int:
    """How many points to ask the planner for now; 0 while it is still busy with a question."""
    if state.closing or state.open_ask or state.dry:
        return 0
    spec = state.spec
    size = 1 if spec.batch is None else spec.batch.size
    ahead = spec.planner.ahead
    if ahead is None:
        ahead = AHEAD if state.runs_at_once > 1 else 0
    in_flight = state.samples_begun - state.ended
    room = (state.runs_at_once + ahead) * size - in_flight - len(state.ready)
    budget = spec.stop.runs - state.samples_begun - len(state.ready)
    left = budget if state.points is None else state.points - _tried(state)
    return max(0, min(room, budget, left))


def results(state: CampaignState) -> int:
    """Points of which it is known what came of them: they were measured, or failed."""
    in_flight = sum(len(run.suggestions) for run in state.runs.values())
    return _tried(state) - in_flight - len(state.ready)


def _tried(state: CampaignState) -> int:
    """Points that need not be suggested again: measured, failed or still to come."""
    return len(state.trials) - state.known_before - state.untried


def problem(spec: Campaign) -> Problem:
    """The campaign as its planner sees it."""
    return Problem(
        space=spec.space,
        objective=spec.objective,
        constraints=spec.linear,
        options=spec.planner.options,
        further=spec.further,
        outcomes=spec.outcomes,
        candidates=spec.candidates,
        costs=spec.costs,
        fidelity=spec.fidelity,
        rivals=spec.rivals,
        left=spec.stop.looks_ahead,
        runs=spec.stop.runs,
        hints=tuple(prior.source for prior in spec.prior if prior.is_hint),
    )


def count_points(spec: Campaign) -> int | None:
    """How many feasible points are to be tried; None if they cannot be listed, or there are none.

    What was measured before, or failed, need not be tried again.
    """
    whole = problem(spec)
    if spec.planner.kind == NO_PLANNER or not is_enumerable(whole):
        return None
    before = [trial for prior in spec.prior for trial in prior.trials]
    known = taken(whole, before, failed=True)
    return sum(values not in known for values in grid_points(whole))


def question(
    state: CampaignState, count: int, without: int = 0, bench: BenchState | None = None
) -> Ask:
    """The next question, a value that holds all the planner may know.

    ``without``: so many of the last trials are left out.
    """
    spec = state.spec
    ask = f"{spec.name}/ask-{state.asks + 1}"
    return Ask(
        id=ask,
        planner=spec.planner.kind,
        problem=replace(problem(spec), bench=bench),
        trials=tuple(islice(state.trials.values(), len(state.trials) - without)),
        count=count,
        seed=spec.seed,
    )


def stop_reason(state: CampaignState, at: float) -> tuple[Ending, str] | None:
    """The first stop rule that holds; None while the campaign should go on."""
    stop, best = state.spec.stop, state.best
    tried = "runs" if state.spec.batch is None else "samples"
    if stop.tolerance is not None and best is not None and best.loss <= stop.tolerance:
        return "target", f"{best.run} is within {stop.tolerance:g} of the target"
    enough = _good_enough(state)
    if enough:
        return "target", enough
    rivals = standing(state.contest, state.spec.rivals)
    if stop.odds is not None and rivals and likelier(rivals).odds >= stop.odds:
        return "target", in_words(rivals)
    if state.failures_in_row >= stop.failures:
        return "failures", (
            f"{state.failures_in_row} runs in a row gave no measurement; the last: "
            f"{state.last_failure}"
        )
    over = state.ended - state.abandoned
    if stop.failed_share is not None and over >= SHARE_OF_LEAST:
        share = state.failed / over
        if share > stop.failed_share:
            return "failures", (
                f"{state.failed} of {over} {tried} gave no measurement, more than "
                f"{stop.failed_share:g} of them; the last: {state.last_failure}"
            )
    if state.quiet >= QUIET and state.measured >= LEAST_MEASURED and state.left is not None:
        return "enough", _enough(state, state.left)
    if state.samples_begun >= stop.runs and not state.runs:
        return "budget", f"all {stop.runs} {tried} are done"
    if stop.hours is not None and at - state.started_at >= stop.hours * 3600.0:
        return "budget", f"{stop.hours:g} hours are over"
    if stop.cost is not None and state.spent.total >= stop.cost:
        return "budget", f"{state.spent.total:.6g} of {stop.cost:.6g} are spent"
    if state.points is not None and _tried(state) >= state.points and not state.ready:
        same = sum(len(prior.trials) for prior in state.spec.prior if not prior.is_hint)
        known = f", {same} trials of before aside" if same else ""
        return "exhausted", f"all {state.points} points of the search space were tried{known}"
    return None if state.ready else state.dry


def _good_enough(state: CampaignState) -> str:
    """What was measured that was to be found; empty while it was not."""
    stop, best = state.spec.stop, state.best
    wanted = None if stop.reached is None else state.spec.objective.loss(stop.reached)
    if wanted is not None and best is not None and best.loss <= wanted:
        return f"{best.run} is as good as {stop.reached:g}, or better"
    if stop.hits is not None and state.tally.within >= stop.hits:
        return f"{state.tally.within} of {stop.hits} hits were found"
    return ""


def listen(state: CampaignState, left: Left | None) -> None:
    """An answer of the planner came: count those in a row that expect too little to be left.

    One that has seen no new measurement repeats the last.
    """
    stop = state.spec.stop
    state.left = left
    is_quiet = left is not None and (
        (stop.expected_gain is not None and left.gain < stop.expected_gain)
        or (stop.chance_of_better is not None and left.chance < stop.chance_of_better)
    )
    if is_quiet and state.measured > state.heard_at:
        state.quiet += 1
    elif not is_quiet:
        state.quiet = 0
    state.heard_at = state.measured


def _enough(state: CampaignState, left: Left) -> str:
    stop, measure = state.spec.stop, state.spec.objective.measure
    if stop.expected_gain is not None and left.gain < stop.expected_gain:
        said = (
            f"no point that is left is believed to be better by more than {stop.expected_gain:g} "
            f"in {measure}: {left.gain:.3g} is expected"
        )
    else:
        said = f"no point that is left is believed to be better: the chance is {left.chance:.2g}"
    return f"{said}, in {QUIET} answers of the planner in a row"


def trials_sha256(state: CampaignState, without: int = 0) -> str:
    """SHA-256 over the trials so far as canonical JSON: keys sorted, no spaces.

    ``without``: so many of the last ones, which are all pending, are left out.
    """
    return state.digest.hexdigest(state.trials, state.trial_texts, without)


def trial_text(trial: Trial) -> str:
    """A trial as canonical JSON: keys sorted, no spaces."""
    plain: dict[str, object] = {
        "inputs": dict(trial.inputs),
        "measures": dict(trial.measures),
        "status": trial.status,
    }
    if trial.broke_window:  # else the text, and its digest, are those of before there was the field
        plain["broke_window"] = True
    if trial.prior:
        plain["prior"] = trial.prior
    if trial.is_hint:
        plain["is_hint"] = True
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))
