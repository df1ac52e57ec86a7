"""Makes the view of a campaign from its state, with one sentence for everything that waits."""

from __future__ import annotations

from typing import Literal

from sdl.authoring import Act
from sdl.core.campaign import CampaignState
from sdl.core.lab_state import InstrumentState, LabState
from sdl.core.run import Run, Step
from sdl.core.view import InFlight, InstrumentView, View, Waiting


def describe(state: CampaignState, lab: LabState, at: float) -> View:
    """The campaign at ``at``, in lab time."""
    return View(
        campaign=state.spec.name,
        at=at,
        started_at=state.started_at,
        runs_begun=state.begun,
        runs_ended=state.ended,
        runs_measured=state.measured,
        failures=state.ended - state.measured,
        unknown=state.unknown,
        last_failure=state.last_failure,
        runs_max=state.spec.stop.runs,
        measure=state.spec.objective.measure,
        in_flight=tuple(_in_flight(run) for run in state.runs.values() if run.steps),
        best=state.best,
        instruments=_instruments(lab),
        evidence=state.evidence,
        suggestions_ready=len(state.ready),
        planner_state=_planner(state, at),
        waits=tuple(_waits(state, lab, at)),
        ended=state.concluded,
    )


def _in_flight(run: Run) -> InFlight:
    step = next(iter(run.steps.values()))
    state = step.state
    assert state in ("waits", "settles", "sent", "accepted", "started")
    return InFlight(run=run.id, step=step.id, instrument=step.instrument, state=state)


def _instruments(lab: LabState) -> tuple[InstrumentView, ...]:
    return tuple(
        InstrumentView(
            name=one.name,
            state=_state(one),
            simulated=one.simulated,
            note=one.held or one.busy_with or "" if one.online else one.absence,
        )
        for one in lab.instruments.values()
    )


def _state(one: InstrumentState) -> Literal["idle", "busy", "held", "offline"]:
    if not one.online:
        return "offline"
    return "held" if one.held else "busy" if one.busy_with else "idle"


def _planner(state: CampaignState, at: float) -> str:
    if state.open_ask is None:
        return "idle"
    question, attempt = state.open_ask.question, state.open_ask.attempt
    again = f", try {attempt}" if attempt > 1 else ""
    since_s = at - state.open_ask.asked_at
    return f"asked for {question.count} ({question.planner}{again}) {since_s:.0f} s ago"


def _waits(state: CampaignState, lab: LabState, at: float) -> list[Waiting]:
    waits = [
        Waiting(who=step.id, why=_why(step, lab, at))
        for run in state.runs.values()
        for step in run.steps.values()
    ]
    room = state.spec.parallel - len(state.runs)
    if state.concluded is None and state.closing is None and room > 0:
        who = f"{state.spec.name}/run-{state.begun + 1}"
        waits.append(Waiting(who=who, why=_next_run(state, lab, at)))
    if state.concluded is None and state.closing is not None:
        reason = f"the campaign ends ({state.closing[1]}) once its runs in flight have"
        waits.append(Waiting(who=state.spec.name, why=reason))
    return waits


def _why(step: Step, lab: LabState, at: float) -> str:
    if step.until is not None:
        return f"settles for {max(0.0, step.until - at):.0f} s more"
    assert isinstance(step.request, Act)
    instrument = lab.instruments[step.instrument]
    what = f"{step.request.operation} on {step.instrument}"
    if not instrument.online:
        return f"{what} waits: {step.instrument} is offline ({instrument.absence})"
    if instrument.held:
        return f"{what} waits: {_held(instrument)}"
    if step.state == "waits":
        return f"{what} waits: {step.instrument} works on {instrument.busy_with}"
    heard = {"sent": "was sent, no word yet", "accepted": "is queued at the node"}
    return f"{what} {heard.get(step.state, 'is going on')}"


def _held(instrument: InstrumentState) -> str:
    return (
        f"{instrument.name} is held, for nobody knows whether its last action happened "
        f"({instrument.held}); look at the bench, leave (Ctrl-C twice), then go on with "
        "sdl run CAMPAIGN --resume --bench-checked"
    )


def _next_run(state: CampaignState, lab: LabState, at: float) -> str:
    names = [name for role in state.spec.roles.values() for name in role]
    offline = [
        f"{name} is offline ({lab.instruments[name].absence})"
        for name in names
        if name in lab.instruments and not lab.instruments[name].online
    ]
    held = [_held(one) for one in lab.instruments.values() if one.held and one.name in names]
    if offline or held:
        return "; ".join(offline + held)
    return f"waits for a suggestion: the planner was {_planner(state, at)}"
