"""The end of a run: its outcome, its trial, its evidence, and what it means for the campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from sdl.core.aims import counts, score, tallied, with_point
from sdl.core.campaign import CampaignState
from sdl.core.commands import Command, Dispose, EndRun, SampleEnd, Weigh
from sdl.core.evidence import Belief, Outcome
from sdl.core.rivals import with_run
from sdl.core.run import Run
from sdl.core.samples import inputs_of
from sdl.core.script import Script
from sdl.core.trampoline import Crashed, Finished
from sdl.core.view import BestPoint, FrontPoint
from sdl.errors import OutOfMaterial, ProtocolMistake, SdlError, said
from sdl.model.data import Measures, RunOutcome

SLIPS = (AttributeError, ImportError, NameError, TypeError)
"""What a slip of the pen raises: the next run would raise it again."""
CAUSES_TOLD = 20
"""Causes of one failed run that are named."""
SAME = 2
"""Runs in a row that fail for the same reason, after which another one would be a waste."""


def end_run(script: Script, state: CampaignState, run: Run, at: float) -> list[Command]:
    """Close a run whose protocol has ended, or whose outcome is unknown. ``at``: lab time."""
    del state.runs[run.id]
    state.spent = state.spent.with_time(state.spec, at - run.began)
    state.ended += len(run.suggestions)
    end = run.trampoline.end
    if run.broken is not None:
        return _without_measures(state, run, run.outcome, run.broken)
    if isinstance(end, Finished):
        try:
            results = script.results(end.value, len(run.suggestions))
        except Exception as error:  # noqa: BLE001 - what it returned is a protocol's code
            end = Crashed(error)
        else:
            return _with_results(script, state, run, results)
    assert isinstance(end, Crashed)
    reason = _reason(script, end.error)
    if run.disturbed:
        return _without_measures(state, run, "abandoned", f"{run.disturbed}; {reason}")
    _end_if_again(script, state, run, end.error)
    return _without_measures(state, run, "failed", reason)


def _end_if_again(script: Script, state: CampaignState, run: Run, error: Exception) -> None:
    """Begin no more runs if this one failed for the very reason for which the last one did.

    The reason's words are not compared: they may differ in a replay.
    """
    material = _out_of_material(error)
    is_slip = isinstance(error, (ProtocolMistake, *SLIPS))
    cause = f"{type(error).__name__}{_place(script, error)}" if is_slip else ""
    cause = "material" if material is not None else cause
    if cause and cause == state.last_cause:
        if material is not None:
            state.close("material", f"{run.id}: {said(material)}")
        else:
            state.close("failures", f"{SAME} runs in a row: {_reason(script, error)}")
    state.last_cause = cause


def _with_results(
    script: Script, state: CampaignState, run: Run, results: Sequence[Measures | Exception | None]
) -> list[Command]:
    """Its protocol gave something: of a batch, some samples may have no measures."""
    pairs = list(zip(run.suggestions, results, strict=True))
    ends = [
        _measured(state, run, suggestion, result)
        if isinstance(result, Mapping)
        else _lost(suggestion, "failed", _missing(script, result))
        for suggestion, result in pairs
    ]
    lost = [each for each in ends if each.outcome != "measured"]
    if len(lost) == len(ends):
        reason = f"no sample gave a measurement; the first: {lost[0].reason}"
        return _without_measures(state, run, "failed", reason, ends)
    state.failures_in_row = 0
    state.last_cause = ""
    reason = f"{len(lost)} of {len(ends)} samples gave no measurement" if lost else ""
    if lost:
        state.last_failure = f"{run.id}: {lost[-1].suggestion}: {lost[-1].reason}"
    return _told(state, run, "measured", reason, ends)


def _missing(script: Script, result: Exception | None) -> str:
    return "its protocol gave None for it" if result is None else _reason(script, result)


def _measured(state: CampaignState, run: Run, suggestion: str, measures: Measures) -> SampleEnd:
    spec = state.spec
    inputs = inputs_of(state, suggestion)
    state.measured += 1
    loss = None
    if counts(spec, inputs, measures):
        loss = score(spec, measures)
        state.tally = tallied(state.tally, spec.objective, measures[spec.objective.measure])
        if spec.rivals:
            value = measures[spec.objective.measure]
            state.contest = with_run(state.contest, spec.rivals, inputs, value)
        if spec.further:
            _enter_front(state, run, suggestion, measures)
        if loss is not None and (state.best is None or loss < state.best.loss):
            state.best = _best(state, run, suggestion, measures[spec.objective.measure], loss)
    return SampleEnd(suggestion=suggestion, outcome="measured", measures=measures, loss=loss)


def _best(state: CampaignState, run: Run, suggestion: str, value: float, loss: float) -> BestPoint:
    predicted = state.suggestions[suggestion].predicted.get(state.spec.objective.measure)
    return BestPoint(
        run=run.id,
        inputs=inputs_of(state, suggestion),
        value=value,
        loss=loss,
        expected=predicted.mean if predicted else None,
        sd=predicted.sd if predicted else None,
        suggestion=suggestion,
        is_of_batch=state.spec.batch is not None,
    )


def _enter_front(state: CampaignState, run: Run, suggestion: str, measures: Measures) -> None:
    objectives = state.spec.objectives
    new = FrontPoint(
        run=run.id,
        inputs=inputs_of(state, suggestion),
        measures={one.measure: measures[one.measure] for one in objectives},
        suggestion=suggestion,
        is_of_batch=state.spec.batch is not None,
    )
    state.front = with_point(state.front, new, objectives)


def _lost(
    suggestion: str, outcome: Literal["failed", "unknown", "abandoned"], reason: str
) -> SampleEnd:
    return SampleEnd(suggestion=suggestion, outcome=outcome, measures={}, loss=None, reason=reason)


def _told(
    state: CampaignState, run: Run, outcome: RunOutcome, reason: str, ends: Sequence[SampleEnd]
) -> list[Command]:
    """The end of a run and of its samples, on record and for the planner."""
    is_batch = state.spec.batch is not None
    first = ends[0]
    whole = EndRun(
        run=run.id,
        outcome=outcome,
        measures={} if is_batch else first.measures,
        loss=None if is_batch else first.loss,
        reason=reason,
        samples=tuple(ends) if is_batch else (),
    )
    commands: list[Command] = [whole]
    if run.requeued:
        return commands  # its suggestions go on
    for number, end in enumerate(ends, start=1):
        commands.append(
            Dispose(suggestion=end.suggestion, disposition=end.outcome, reason=end.reason)
        )
        if end.outcome == "measured":
            commands += _weigh(state, run, number, end)
        # An unknown outcome says nothing about the point either: it is as good as not tried.
        status = "abandoned" if end.outcome == "unknown" else end.outcome
        late = run.broken_windows > 0
        state.settle_trial(end.suggestion, status, end.measures, broke_window=late)
    return commands


def _weigh(state: CampaignState, run: Run, number: int, end: SampleEnd) -> list[Command]:
    hypothesis = state.spec.hypothesis
    if hypothesis is None:
        return []
    inputs = inputs_of(state, end.suggestion)
    quantity = hypothesis.predicts.quantity
    is_input = quantity in inputs
    if is_input and end.loss is None:
        return []  # which side does better is said by points that count
    found = inputs[quantity] if is_input else end.measures[quantity]
    # A claim about a measure takes no notice of the loss.
    loss = 0.0 if end.loss is None else end.loss
    state.outcomes.append(Outcome(quantity=float(found), loss=loss))
    if state.belief is None:
        runs_max = state.spec.stop.runs
        state.belief = Belief(hypothesis, quantity_is_input=is_input, runs_max=runs_max)
    state.evidence = state.belief.weigh(state.outcomes)
    return [Weigh(run=run.id, evidence=state.evidence, sample=number)]


def _without_measures(
    state: CampaignState,
    run: Run,
    outcome: Literal["failed", "unknown", "abandoned"],
    reason: str,
    ends: Sequence[SampleEnd] = (),
) -> list[Command]:
    """It gave nothing; ``ends``: what is known of each sample, where that is more than of all."""
    if outcome == "abandoned":
        state.abandoned += len(run.suggestions)
    else:
        state.failures_in_row += 1
        state.unknown += len(run.suggestions) if outcome == "unknown" else 0
        state.last_failure = f"{run.id}: {reason}"
    ends = ends or [_lost(suggestion, outcome, reason) for suggestion in run.suggestions]
    return _told(state, run, outcome, reason, ends)


def _out_of_material(error: Exception) -> OutOfMaterial | None:
    """The shortage behind a failed run: the next run would fail in the same way."""
    return next((cause for cause in _causes(error) if isinstance(cause, OutOfMaterial)), None)


def _reason(script: Script, error: Exception) -> str:
    """One line: the class says whose fault it was; a group names every cause."""
    causes = _causes(error)
    told = [
        f"{type(cause).__name__}: {said(cause)}{_place(script, cause)}"
        for cause in causes[:CAUSES_TOLD]
    ]
    if len(causes) > CAUSES_TOLD:
        told.append(f"and {len(causes) - CAUSES_TOLD} more")
    return "; ".join(told)


def _causes(error: Exception) -> list[Exception]:
    """The errors in a group and in the groups of it, in order; else the error itself."""
    causes, waiting = [], [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, ExceptionGroup):
            waiting += reversed(cause.exceptions)
        else:
            causes.append(cause)
    return causes


def _place(script: Script, error: Exception) -> str:
    """The line of the protocol's file where it happened; errors of ours say where by themselves."""
    file = script.function.__code__.co_filename
    trace = None if isinstance(error, SdlError) else error.__traceback__
    place = ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            place = f" ({file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place.encode("utf-8", "replace").decode()
