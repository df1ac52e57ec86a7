"""The end of a run: its outcome, its trial, its evidence, and what it means for the campaign."""

from __future__ import annotations

from typing import Literal

from sdl.core.campaign import CampaignState
from sdl.core.commands import Command, Dispose, EndRun, Weigh
from sdl.core.evidence import Outcome, weigh
from sdl.core.run import Run
from sdl.core.script import Script
from sdl.core.trampoline import Crashed, Finished
from sdl.core.view import BestPoint
from sdl.errors import OutOfMaterial, ProtocolMistake, SdlError
from sdl.model.data import Measures

SLIPS = (AttributeError, ImportError, NameError, TypeError)
"""What a slip of the pen raises: the next run would raise it again."""


def end_run(script: Script, state: CampaignState, run: Run) -> list[Command]:
    """Close a run whose protocol has ended, or whose outcome is unknown."""
    del state.runs[run.id]
    state.ended += 1
    end = run.trampoline.end
    if run.broken is not None:
        return _without_measures(state, run, "unknown", run.broken)
    if isinstance(end, Finished):
        try:
            return _measured(state, run, script.measures(end.value))
        except SdlError as error:
            end = Crashed(error)
    assert isinstance(end, Crashed)
    if isinstance(end.error, (ProtocolMistake, *SLIPS)):
        state.close("failures", _reason(script, end.error))
    material = _out_of_material(end.error)
    if material is not None:
        state.close("material", f"{run.id}: {material}")
    return _without_measures(state, run, "failed", _reason(script, end.error))


def _measured(state: CampaignState, run: Run, measures: Measures) -> list[Command]:
    objective = state.spec.objective
    value = measures[objective.measure]
    loss = objective.loss(value)
    state.measured += 1
    state.failures_in_row = 0
    state.settle_trial(run.suggestion, "measured", measures)
    if state.best is None or loss < state.best.loss:
        predicted = state.suggestions[run.suggestion].predicted.get(objective.measure)
        state.best = BestPoint(
            run=run.id,
            inputs=run.inputs,
            value=value,
            loss=loss,
            expected=predicted.mean if predicted else None,
            sd=predicted.sd if predicted else None,
        )
    del state.suggestions[run.suggestion]
    commands: list[Command] = [
        EndRun(run=run.id, outcome="measured", measures=measures, loss=loss),
        Dispose(suggestion=run.suggestion, disposition="measured"),
    ]
    return commands + _weigh(state, run, measures, loss)


def _weigh(state: CampaignState, run: Run, measures: Measures, loss: float) -> list[Command]:
    hypothesis = state.spec.hypothesis
    if hypothesis is None:
        return []
    quantity = hypothesis.predicts.quantity
    is_input = quantity in run.inputs
    found = run.inputs[quantity] if is_input else measures[quantity]
    state.outcomes.append(Outcome(quantity=float(found), loss=loss))
    state.evidence = weigh(
        hypothesis,
        state.outcomes,
        quantity_is_input=is_input,
        runs_max=state.spec.stop.runs,
    )
    return [Weigh(run=run.id, evidence=state.evidence)]


def _without_measures(
    state: CampaignState, run: Run, outcome: Literal["failed", "unknown"], reason: str
) -> list[Command]:
    state.failures_in_row += 1
    state.unknown += outcome == "unknown"
    state.last_failure = f"{run.id}: {reason}"
    state.settle_trial(run.suggestion, "failed", {})
    del state.suggestions[run.suggestion]
    return [
        EndRun(run=run.id, outcome=outcome, measures={}, loss=None, reason=reason),
        Dispose(suggestion=run.suggestion, disposition=outcome, reason=reason),
    ]


def _out_of_material(error: Exception) -> OutOfMaterial | None:
    """The shortage behind a failed run: the next run would fail in the same way."""
    if isinstance(error, OutOfMaterial):
        return error
    if isinstance(error, ExceptionGroup):
        found = (_out_of_material(cause) for cause in error.exceptions)
        return next((shortage for shortage in found if shortage is not None), None)
    return None


def _reason(script: Script, error: Exception) -> str:
    """One line: the class says whose fault it was; a group names every cause."""
    if isinstance(error, ExceptionGroup):
        return "; ".join(_reason(script, cause) for cause in error.exceptions)
    return f"{type(error).__name__}: {error}{_place(script, error)}"


def _place(script: Script, error: Exception) -> str:
    """The line of the protocol's file where it happened; errors of ours say where by themselves."""
    file = script.function.__code__.co_filename
    trace = None if isinstance(error, SdlError) else error.__traceback__
    place = ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            place = f" ({file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place
