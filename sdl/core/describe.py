"""Makes the view of a campaign from its state, with one sentence for everything that waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from sdl.authoring import Act
from sdl.core.agenda import Agenda
from sdl.core.amounts import Level, Task
from sdl.core.bringing import carried, carry_view, lid_in_the_way, no_room, not_come
from sdl.core.campaign import CampaignState
from sdl.core.commons import Commons
from sdl.core.hands import stays
from sdl.core.lab_state import InstrumentState, LabState, PieceState
from sdl.core.let import is_let
from sdl.core.part import Ended, Part
from sdl.core.prospect import Prospect
from sdl.core.rivals import standing
from sdl.core.run import AT_A_PERSON, Run, Step
from sdl.core.script import Script
from sdl.core.view import (
    EndedView,
    InFlight,
    InstrumentView,
    LabView,
    LabwareView,
    PlanView,
    Question,
    View,
    Waiting,
)


def describe(
    part: Part, lab: LabState, at: float, prospect: Prospect, porter: Part | None = None
) -> View:
    """One campaign at ``at``, in lab time. ``porter``: where the campaign has the lab alone."""
    state = part.state
    parts = [part, porter] if porter else [part]
    return View(
        campaign=state.spec.name,
        at=at,
        started_at=state.started_at,
        runs_begun=state.samples_begun,
        runs_ended=state.ended,
        runs_measured=state.measured,
        failures=state.failed,
        unknown=state.unknown,
        abandoned=state.abandoned,
        broken_windows=state.broken_windows,
        spent=state.spent.total if state.spent.counts(state.spec) else None,
        spent_max=state.spec.stop.cost,
        last_failure=state.last_failure,
        runs_max=state.spec.stop.runs,
        counted="run" if state.spec.batch is None else "sample",
        measure=state.spec.objective.measure,
        in_flight=tuple(_in_flight(run) for run in state.runs.values() if run.steps),
        best=state.best,
        front=state.front if state.spec.further else None,
        goal=state.spec.objective.goal,
        tally=state.tally,
        rivals=standing(state.contest, state.spec.rivals),
        known_before=state.known_before,
        instruments=tuple(_instrument(one, at) for one in lab.instruments.values()),
        evidence=state.evidence,
        suggestions_ready=len(state.ready),
        planner_state=_planner(state, at),
        waits=tuple(wait for one in parts for wait in _waits(one, lab, at, prospect)),
        questions=tuple(each for one in parts for each in _questions(one, lab, at)),
        paused=lab.paused or state.paused,
        stocks=_stocks(lab),
        refills=_refills(lab),
        plates=(state.wants_plate,) if state.wants_plate else (),
        carries=tuple(map(carry_view, lab.carries.values())) if porter else (),
        astray=tuple(
            one
            for one in map(_place, (*lab.pieces.values(), *lab.lids.values()))
            if porter and one.astray
        ),
        left=tuple(lab.left),
        ended=state.concluded,
    )


def describe_lab(
    commons: Commons,
    parts: Sequence[Part],
    ended: Sequence[Ended],
    prospect: Prospect,
    porter: Part | None = None,
) -> LabView:
    """The whole lab now."""
    lab, at = commons.lab, commons.at
    alone = None if commons.is_shared else porter
    return LabView(
        name=commons.name,
        is_shared=commons.is_shared,
        at=at,
        campaigns=tuple(describe(part, lab, at, prospect, alone) for part in parts),
        terms=tuple(part.state.terms for part in parts),
        ended=tuple(
            EndedView(
                campaign=one.name,
                ending=one.ending,
                reason=one.reason,
                at=one.at,
                runs=one.runs,
                best_run=one.best_run,
            )
            for one in ended
        ),
        instruments=tuple(_instrument(one, at) for one in lab.instruments.values()),
        paused=lab.paused,
        closing=lab.closing,
        closed=lab.closed,
        stocks=_stocks(lab),
        refills=_refills(lab),
        plan=_plan(commons.agenda, at),
        carries=tuple(map(carry_view, lab.carries.values())),
        labware=tuple(map(_place, (*lab.pieces.values(), *lab.lids.values()))),
        left=tuple(lab.left),
        of_carries=tuple(_questions(porter, lab, at)) if porter and not alone else (),
    )


def _place(piece: PieceState) -> LabwareView:
    stays = piece.leaves == piece.site != ""  # while its lid is moved
    way = f"on its way from {piece.leaves} to {piece.site}" if piece.leaves else ""
    return LabwareView(
        labware=piece.name,
        site=piece.site if stays and not piece.lost else piece.shown,
        note=piece.lost or ("its lid is being moved" if stays else way),
        astray=bool(piece.lost and piece.stands),
    )


def _plan(agenda: Agenda, at: float) -> PlanView | None:
    plan = agenda.plan
    if plan is None and not agenda.trouble:
        return None
    if plan is None:
        return PlanView(
            made_at=0.0,
            age_s=0.0,
            status="unknown",
            plans=0,
            found_by="",
            seconds=0.0,
            ends_at=0.0,
            breaks=(),
            trouble=agenda.trouble,
        )
    return PlanView(
        made_at=plan.asked_at,
        age_s=at - plan.asked_at,
        status=plan.status if agenda.is_in_force(at) else "stale",
        plans=agenda.arrived,
        found_by=plan.found_by,
        seconds=plan.seconds,
        ends_at=max((end for _, end in plan.ends), default=plan.asked_at),
        breaks=plan.breaks,
        trouble=agenda.trouble,
    )


def _stocks(lab: LabState) -> tuple[Level, ...]:
    return tuple(map(lab.inventory.level, lab.inventory.sources)) if lab.inventory else ()


def _refills(lab: LabState) -> tuple[Task, ...]:
    return tuple(lab.inventory.tasks.values()) if lab.inventory else ()


def _in_flight(run: Run) -> InFlight:
    step = next(iter(run.steps.values()))
    return InFlight(run=run.id, step=step.id, instrument=step.instrument, state=step.state)


def _instrument(one: InstrumentState, at: float) -> InstrumentView:
    state, note = _standing(one)
    safe = one.online and bool(one.stopped) and not (one.halting or one.held)
    return InstrumentView(
        name=one.name,
        state=state,
        simulated=one.simulated,
        note=note,
        safe=safe,
        usage=one.account.until(one.name, at),
    )


def _standing(
    one: InstrumentState,
) -> tuple[Literal["idle", "busy", "held", "paused", "stopped", "offline"], str]:
    if not one.online:
        return "offline", one.absence
    if one.asking:
        return "held", f"it waits for your answer about {one.asking}"
    if one.held:
        return "held", one.held
    if one.stopped:
        return "stopped", f"{one.stopped}; it is being made safe" if one.halting else one.stopped
    if one.paused:
        return "paused", one.paused
    return ("busy", one.busy_with) if one.busy_with else ("idle", "")


def _questions(part: Part, lab: LabState, at: float) -> Iterator[Question]:
    script, state = part.script, part.state
    for run in state.runs.values():
        for step in run.steps.values():
            if not isinstance(step.request, Act):
                continue
            if step.state in AT_A_PERSON:
                yield _question(script, run, step, step.request, step.since, str(step.error))
            elif step.is_open and lab.instruments[step.instrument].is_lost(at):
                instrument = lab.instruments[step.instrument]
                reason = f"{step.instrument} is away ({instrument.absence}) and may never say"
                yield _question(script, run, step, step.request, instrument.lost_at, reason)


def _question(
    script: Script, run: Run, step: Step, act: Act, since: float, reason: str
) -> Question:
    return Question(
        step=step.id,
        run=run.id,
        instrument=step.instrument,
        operation=act.operation,
        args=act.arguments,
        since=since,
        reason=reason,
        verdicts=step.verdicts,
        attempt=step.attempt,
        gives_result=script.operations[act.role][act.operation].returns not in (None, type(None)),
    )


def _planner(state: CampaignState, at: float) -> str:
    if state.open_ask is None:
        return "idle"
    question, attempt = state.open_ask.question, state.open_ask.attempt
    again = f", try {attempt}" if attempt > 1 else ""
    since_s = at - state.open_ask.asked_at
    return f"asked for {question.count} ({question.planner}{again}) {since_s:.0f} s ago"


def _waits(part: Part, lab: LabState, at: float, prospect: Prospect) -> list[Waiting]:
    state = part.state
    agenda = part.work.commons.agenda
    waits = [
        Waiting(
            who=step.id,
            why=_why_step(part, step, at, prospect) + _or(state, run, step, lab),
        )
        for run in state.runs.values()
        for step in run.steps.values()
    ]
    if part.is_porter:
        return waits
    room = state.runs_at_once - len(state.runs)
    if state.concluded is None and state.closing is None and room > 0:
        who = f"{state.spec.name}/run-{state.begun + 1}"
        why = _shut(state, agenda, at) or _next_run(state, lab, at)
        waits.append(Waiting(who=who, why=why))
    if state.concluded is None and state.closing is not None:
        reason = f"the campaign ends ({state.closing[1]}) once {_last(state, lab)}"
        waits.append(Waiting(who=state.spec.name, why=reason))
    return waits


def _why_step(part: Part, step: Step, at: float, prospect: Prospect) -> str:
    lab, lack = part.work.lab, part.work.materials.lack(step) if step.state == "waits" else ""
    if lack and isinstance(step.request, Act):
        return f"{step.request.operation} on {step.instrument} waits: {lack}{_late(step, at)}"
    kept = _kept(step, part.work.commons.agenda)
    return kept or _why(part.state, step, lab, at, prospect)


def _last(state: CampaignState, lab: LabState) -> str:
    """What keeps a campaign from its end that begins nothing more."""
    if state.runs or lab.is_shared or not lab.carries:
        return "its runs in flight have"
    return f"nothing is carried any more: {', '.join(map(carried, lab.carries.values()))}"


def _kept(step: Step, agenda: Agenda) -> str:
    """Why the plan keeps a step waiting; empty if it does not."""
    if step.id not in agenda.kept or not isinstance(step.request, Act):
        return ""
    what = f"{step.request.operation} on {step.instrument}"
    return f"{what} waits: the plan lets others go first, so that they keep their windows"


def _or(state: CampaignState, run: Run, step: Step, lab: LabState) -> str:
    """Who else may do a step that waits, where its role is pooled, and could as things are."""
    act = step.request
    if step.state != "waits" or not isinstance(act, Act) or act.role not in state.spec.pooled:
        return ""
    if stays(lab, run, act.role, step.instrument):
        return ""
    others = [name for name in state.spec.roles[act.role] if name != step.instrument]
    fit = [name for name in others if is_let(lab, state, step, lab.instruments[name])]
    return f"; {' or '.join(fit)} may do it as well" if fit else ""


def _shut(state: CampaignState, agenda: Agenda, at: float) -> str:
    """Why the plan does not let the next run begin; empty if that is not what it waits for."""
    until = agenda.shut.get(state.spec.name, 0.0)
    if until <= at or not state.ready or state.paused:
        return ""
    return f"the plan lets it begin in {until - at:.0f} s at the latest"


def _why(state: CampaignState, step: Step, lab: LabState, at: float, prospect: Prospect) -> str:
    if step.state == "settles":
        return f"settles for {max(0.0, (step.until or 0.0) - at):.0f} s more"
    assert isinstance(step.request, Act)
    instrument = lab.instruments[step.instrument]
    what = f"{step.request.operation} on {step.instrument}"
    match step.state:
        case "unknown":
            return f"nobody knows whether {what} happened ({step.error}); {resolve(step, lab)}"
        case "asks":
            return f"{what} went wrong ({step.error}); {resolve(step, lab)}"
        case "mends" if step.trouble == "window":
            return f"{what} came too late; its sample is brought to safety"
        case "mends":
            return f"{what} went wrong ({step.error}); a recovery is under way"
        case "rests":
            return f"{what} is tried again in {max(0.0, (step.until or 0.0) - at):.0f} s"
        case "halts":
            return f"{what} was broken off; {step.instrument} has still to say that it is safe"
        case "waits":
            away = [
                lab.pieces[name] for name in step.labware if not lab.are_at([name], step.instrument)
            ]
            is_free = _is_free(state, lab, instrument)
            obstacle = "" if is_free else _obstacle(state, lab, instrument)
            lid = lid_in_the_way(lab, step)
            if away:
                obstacle = not_come(away[0], lab, at, prospect.holder(away[0], step))
                obstacle += no_room(away[0], lab, step.instrument, at)
            elif is_free and lid:
                obstacle = lid
            elif is_free:
                obstacle = prospect.of(step, instrument) or "its turn is next"
            return f"{what} waits: {obstacle}{_late(step, at)}"
        case _ if not instrument.online:
            waits = f"{what} waits: {step.instrument} is offline ({instrument.absence})"
            return f"{waits}; {resolve(step, lab)}" if instrument.is_lost(at) else waits
        case "sent":
            return f"{what} was sent, no word yet"
        case "accepted":
            return f"{what} is queued at the node"
        case _:
            return f"{what} is going on{prospect.until(step)}"


def _late(step: Step, at: float) -> str:
    """That a step is done although its window is broken."""
    if not step.late or step.not_after is None:
        return ""
    return f"; its window closed {at - step.not_after:.0f} s ago, and it is done late"


def resolve(step: Step, lab: LabState) -> str:
    """What a person has to type about a step."""
    short = step.id if lab.is_shared else step.id.partition("/")[2]
    *flags, last = (f"--{verdict.replace('_', '-')}" for verdict in step.verdicts)
    again = f"{short} --attempt {step.attempt}" if step.attempt > 1 else short
    return f"look at {step.instrument}, then: sdl resolve {again} {', '.join(flags)} or {last}"


def _is_free(state: CampaignState, lab: LabState, instrument: InstrumentState) -> bool:
    """Whether it does what waits for it, in its turn."""
    is_paused = lab.paused or state.paused or instrument.paused
    return instrument.able and not (is_paused or instrument.mending)


def _obstacle(state: CampaignState, lab: LabState, instrument: InstrumentState) -> str:
    """Why an instrument does not start what waits for it."""
    standing, note = _standing(instrument)
    match standing:
        case "offline":
            return f"{instrument.name} is offline ({note})"
        case "held" if instrument.asking:
            return f"{note}: sdl resolve"
        case "held":
            return f"{instrument.name} is held ({note}); once it is fit: {_resume(instrument)}"
        case "stopped" if lab.stopped:
            return f"{note}; once all is well: sdl resume"
        case "stopped":
            return f"{instrument.name} has still to say that it is safe"
        case "paused":
            return f"{instrument.name} is {note}; go on with: {_resume(instrument)}"
        case _ if lab.paused or state.paused:
            return f"the campaign is {lab.paused or state.paused}; go on with: {_go_on(state, lab)}"
        case _ if instrument.mending:
            return f"{instrument.name} is being mended for {instrument.mending}"
        case _:
            return f"{instrument.name} works on {note}"


def _resume(instrument: InstrumentState) -> str:
    return f"sdl resume {instrument.name}"


def _go_on(state: CampaignState, lab: LabState) -> str:
    return "sdl resume" if lab.paused else f"sdl campaign resume {state.spec.name}"


def _next_run(state: CampaignState, lab: LabState, at: float) -> str:
    if lab.paused or state.paused:
        paused = lab.paused or state.paused
        return f"the campaign is paused ({paused}); go on with: {_go_on(state, lab)}"
    roles = [
        [lab.instruments[name] for name in names if name in lab.instruments]
        for names in state.spec.roles.values()
    ]
    away = [
        _obstacle(state, lab, one)
        for players in roles
        if players and not any(one.ready for one in players)
        for one in players
    ]
    if away:
        return "; ".join(dict.fromkeys(away))
    if state.short and state.ready:
        return state.short
    return f"waits for a suggestion: the planner was {_planner(state, at)}"
