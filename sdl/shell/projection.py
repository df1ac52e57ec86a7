"""From one journal line to the rows it makes or changes: pure, without state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TypeAlias, assert_never

from sdl.core import commands as c
from sdl.core import events as e
from sdl.core.commands import Command
from sdl.core.events import Event
from sdl.model.units import unit_of
from sdl.shell.changes import Cell, Change, Insert, Update, acted, as_json, as_text, insert, update
from sdl.shell.projection_of_stocks import declared_lots, materials
from sdl.wire.journal import Line

SILENT = frozenset(
    kind.__name__
    for kind in (
        c.Resend,
        c.Query,
        c.Greet,
        c.Wait,
        e.CommandNotSeen,
        e.CommandConflict,
        e.CommandUnheard,
        e.TimerFired,
    )
)
"""Types whose lines change no row, so that nobody need read their bodies."""


def rows(line: Line, value: Event | Command) -> list[Change]:
    """The row changes of one line; ``value`` is what its body holds."""
    match value:
        case c.Perform() | e.CommandAccepted() | e.CommandStarted() | e.CommandDone():
            return [_step(line, value)]
        case e.CommandFailed() | e.CommandUnknown():
            return [_step(line, value)]
        case e.CampaignStarted():
            return _campaign(line, value)
        case e.OrchestratorStarted() | e.StopRequested() | c.Conclude():
            return _course(line, value)
        case e.InstrumentOnline() | e.InstrumentLost() | e.InstrumentMadeSafe():
            return [_instrument(line, value)]
        case c.Halt() | c.Release():
            return [_instrument(line, value)]
        case e.PauseRequested() | e.ResumeRequested() | e.AbortRequested() | e.LabStopRequested():
            return _act(line, value)
        case e.StepResolved() | c.Flag():
            return _doubt(line, value)
        case c.AskPlanner() | e.SuggestionsArrived() | e.PlannerFailed():
            return [_request(line, value)]
        case c.AcceptSuggestion() | c.Dispose():
            return [_suggestion(line, value)]
        case c.BeginRun() | c.EndRun() | c.Weigh():
            return _run(line, value)
        case c.Book() | c.AskRefill() | e.StockRefilled():
            return materials(line, value)
        case c.Resend() | c.Query() | c.Wait() | c.Greet():
            return []
        case e.CommandNotSeen() | e.CommandUnheard() | e.TimerFired() | e.CommandConflict():
            return []
        case _:
            assert_never(value)


StepChange: TypeAlias = c.Perform | e.CommandWord


def _step(line: Line, value: StepChange) -> Change:
    values: dict[str, Cell]
    match value:
        case c.Perform():
            return _perform(line, value)
        case e.CommandAccepted():
            values = {"status": "accepted"}
        case e.CommandStarted():
            values = {"status": "started", "started_at": value.at}
        case e.CommandDone():
            values = {
                "status": "done",
                "ended_at": value.at,
                "duration_s": value.duration_s,
                "result": as_json(value.result),
            }
        case e.CommandFailed():
            values = {
                "status": "failed",
                "ended_at": value.at,
                "phase": value.phase,
                "fault": value.kind,
                "reason": as_text(value.reason),
            }
        case e.CommandUnknown():
            values = {"status": "unknown", "ended_at": value.at, "reason": as_text(value.reason)}
        case _:
            assert_never(value)
    values["last_seq"] = line.seq
    return Update("step", (value.cid,), values)


def _perform(line: Line, value: c.Perform) -> Insert:
    return Insert(
        "step",
        (value.cid,),
        {
            "cid": value.cid,
            "campaign": line.campaign,
            "run": run_of(value.step),
            "step": value.step,
            "attempt": value.attempt,
            "instrument": value.instrument,
            "operation": value.operation,
            "effect": value.effect,
            "args": as_json(value.args),
            "not_after": value.not_after,
            "status": "issued",
            "issued_at": line.at,
            "seq": line.seq,
            "last_seq": line.seq,
        },
    )


def run_of(step: str) -> str:
    """The run that a step, or a command of it, belongs to: the first two parts of its id."""
    return "/".join(step.split("/", 2)[:2])


def _campaign(line: Line, value: e.CampaignStarted) -> list[Change]:
    campaign, objective, origin = value.campaign, value.campaign.objective, value.origin
    head = insert(
        line,
        "campaign",
        (line.campaign,),
        {
            "lab": value.lab.name,
            "protocol": value.protocol.name,
            "protocol_sha256": origin.protocol_sha256,
            "measure": objective.measure,
            "unit": unit_of(objective.measure),
            "goal": objective.goal,
            "target": objective.target,
            "seed": campaign.seed,
            "parallel": campaign.parallel,
            "planner": campaign.planner.kind,
            "clock": origin.clock,
            "speed": origin.speed,
            "simulated": value.lab.simulated,
            "space": as_json([asdict(parameter) for parameter in campaign.space]),
            "software": as_json(dict(origin.software)),
            "status": "running",
            "started_at": value.at,
            "epoch": 0,
        },
    )
    lots = declared_lots(line, value)
    return [head, *_hypothesis(line, value), *_instruments(line, value), *lots]


def _hypothesis(line: Line, value: e.CampaignStarted) -> Iterable[Change]:
    stated = value.campaign.hypothesis
    if stated is None:
        return
    predicts = stated.predicts
    yield insert(
        line,
        "hypothesis",
        (line.campaign,),
        {
            "claim": as_text(stated.claim),
            "quantity": predicts.quantity,
            "unit": unit_of(predicts.quantity),
            "scope": predicts.at,
            "direction": predicts.direction,
            "threshold": predicts.threshold,
            "noise_sd": predicts.noise_sd,
            "prior": stated.prior,
            "error_level": stated.error_level,
            "sha256": value.origin.hypothesis_sha256,
            "stated_at": value.at,
        },
    )


def _instruments(line: Line, value: e.CampaignStarted) -> Iterable[Change]:
    for instrument in value.lab.instruments:
        yield insert(
            line,
            "instrument",
            (line.campaign, instrument.name),
            {
                "instrument": instrument.name,
                "driver": instrument.driver,
                "simulated": instrument.simulated,
                "options": as_json(dict(instrument.options)),
                "limits": as_json({name: asdict(held) for name, held in instrument.limits.items()}),
                "online": False,
                "changed_at": value.at,
            },
        )


def _course(
    line: Line, value: e.OrchestratorStarted | e.StopRequested | c.Conclude
) -> list[Change]:
    key = (line.campaign,)
    match value:
        case e.OrchestratorStarted():
            return [update(line, "campaign", key, {"epoch": value.epoch})]
        case e.StopRequested():
            asked = update(line, "campaign", key, {"stop_asked": _said(value.by, value.reason)})
            return [asked, acted(line, "stop", "", value.by, value.reason)]
        case c.Conclude():
            end: dict[str, Cell] = {
                "status": "ended",
                "ending": value.ending,
                "reason": as_text(value.reason),
                "best_run": value.best_run,
                "ended_at": line.at,
            }
            ended = update(line, "campaign", key, end)
            if value.verdict is None:
                return [ended]
            return [ended, update(line, "hypothesis", key, {"verdict": value.verdict})]
        case _:
            assert_never(value)


PersonsAct: TypeAlias = e.PauseRequested | e.ResumeRequested | e.AbortRequested | e.LabStopRequested


def _act(line: Line, value: PersonsAct) -> list[Change]:
    campaign, said = (line.campaign,), _said(value.by, value.note)
    match value:
        case e.PauseRequested(what=what):
            told = acted(line, "pause", what, value.by, value.note)
            return [told, _paused(line, what, said)]
        case e.ResumeRequested(what=what):
            told = acted(line, "resume", what, value.by, value.note)
            if not what:
                return [told, _paused(line, what, None)]
            free: dict[str, Cell] = {"paused": None, "stopped": None, "held": None}
            return [told, update(line, "instrument", (line.campaign, what), free)]
        case e.AbortRequested(what=what):
            return [acted(line, "abort", what, value.by, value.note)]
        case e.LabStopRequested():
            told = acted(line, "stop-all", "", value.by, value.note)
            return [told, update(line, "campaign", campaign, {"paused": said})]
        case _:
            assert_never(value)


def _paused(line: Line, what: str, said: Cell) -> Update:
    if what:
        return update(line, "instrument", (line.campaign, what), {"paused": said})
    return update(line, "campaign", (line.campaign,), {"paused": said})


def _said(by: str, words: str) -> str:
    return as_text(f"{by}: {words}" if words else by)


def _doubt(line: Line, value: e.StepResolved | c.Flag) -> list[Change]:
    key = (line.campaign, line.seq)
    match value:
        case e.StepResolved():
            said: dict[str, Cell] = {
                "run": run_of(value.step),
                "step": value.step,
                "verdict": value.verdict,
                "by": as_text(value.by),
                "note": as_text(value.note),
                "result": None if value.result is None else as_json(value.result),
                "at": value.at,
                "won": True,
            }
            return [insert(line, "resolution", key, said)]
        case c.Flag():
            flag: dict[str, Cell] = {
                "run": value.run,
                "step": value.step,
                "reason": as_text(value.reason),
                "at": line.at,
            }
            # To a resolution that comes too late or contradicts, a flag is the whole answer, and
            # so stands right behind it; anywhere else there is no such row, and nothing changes.
            late = update(line, "resolution", (line.campaign, line.seq - 1), {"won": False})
            return [insert(line, "flag", key, flag), late]
        case _:
            assert_never(value)


InstrumentChange: TypeAlias = (
    e.InstrumentOnline | e.InstrumentLost | e.InstrumentMadeSafe | c.Halt | c.Release
)


def _instrument(line: Line, value: InstrumentChange) -> Change:
    key = (line.campaign, value.instrument)
    match value:
        case e.InstrumentOnline():
            seen: dict[str, Cell] = {
                "online": True,
                "driver": value.driver,
                "simulated": value.simulated,
                "boot": value.boot,
                "actions": as_json(list(value.actions)),
                "reason": None,
                "stopped": as_text(value.stopped) or None,
                "changed_at": value.at,
            }
        case e.InstrumentLost():
            seen = {"online": False, "reason": as_text(value.reason), "changed_at": value.at}
        case e.InstrumentMadeSafe():
            seen = {} if value.safe else {"held": as_text(value.reason or "it was not made safe")}
        case c.Halt():
            seen = {"stopped": as_text(value.reason)}
        case c.Release():
            seen = {"stopped": None}
        case _:
            assert_never(value)
    return update(line, "instrument", key, seen)


def _request(line: Line, value: c.AskPlanner | e.SuggestionsArrived | e.PlannerFailed) -> Change:
    key = (value.ask, value.attempt)
    match value:
        case c.AskPlanner():
            asked: dict[str, Cell] = {
                "ask": value.ask,
                "attempt": value.attempt,
                "planner": value.planner,
                "wanted": value.count,
                "seed": value.seed,
                "trials": value.trials,
                "trials_sha256": value.trials_sha256,
                "asked_at": line.at,
                "status": "asked",
            }
            return insert(line, "planner_request", key, asked)
        case e.SuggestionsArrived():
            answer: dict[str, Cell] = {
                "status": "answered",
                "answered_at": value.at,
                "received": len(value.suggestions),
                "versions": as_json(dict(value.versions)),
            }
        case e.PlannerFailed():
            answer = {"status": "failed", "answered_at": value.at, "reason": as_text(value.reason)}
        case _:
            assert_never(value)
    return update(line, "planner_request", key, answer)


def _suggestion(line: Line, value: c.AcceptSuggestion | c.Dispose) -> Change:
    key = (value.suggestion,)
    match value:
        case c.AcceptSuggestion():
            point = value.value
            accepted: dict[str, Cell] = {
                "suggestion": value.suggestion,
                "ask": value.ask,
                "origin": point.origin,
                "inputs": as_json(dict(point.inputs)),
                "predicted": as_json({name: asdict(p) for name, p in point.predicted.items()}),
                "acquisition": point.acquisition,
                "seed": point.seed,
                "model_digest": point.model_digest,
                "fall_back": as_text(point.fall_back),
                "accepted_at": line.at,
            }
            return insert(line, "suggestion", key, accepted)
        case c.Dispose():
            end: dict[str, Cell] = {
                "disposition": value.disposition,
                "reason": as_text(value.reason),
                "ended_at": line.at,
            }
            return update(line, "suggestion", key, end)
        case _:
            assert_never(value)


def _run(line: Line, value: c.BeginRun | c.EndRun | c.Weigh) -> list[Change]:
    key = (value.run,)
    match value:
        case c.BeginRun():
            begun: dict[str, Cell] = {
                "run": value.run,
                "suggestion": value.suggestion,
                "inputs": as_json(dict(value.inputs)),
                "roles": as_json(dict(value.roles)),
                "begun_at": line.at,
            }
            return [insert(line, "run", key, begun)]
        case c.EndRun():
            ended: dict[str, Cell] = {
                "outcome": value.outcome,
                "loss": value.loss,
                "reason": as_text(value.reason),
                "ended_at": line.at,
            }
            return [update(line, "run", key, ended), *_observations(line, value)]
        case c.Weigh():
            weighed: dict[str, Cell] = {
                "run": value.run,
                "runs": value.evidence.runs,
                "e_for": value.evidence.e_for,
                "e_against": value.evidence.e_against,
                "posterior": value.evidence.posterior,
                "at": line.at,
            }
            return [insert(line, "evidence", key, weighed)]
        case _:
            assert_never(value)


def _observations(line: Line, value: c.EndRun) -> Iterable[Change]:
    for measure, number in value.measures.items():
        yield insert(
            line,
            "observation",
            (value.run, measure),
            {
                "run": value.run,
                "measure": measure,
                "value": number,
                "unit": unit_of(measure),
                "at": line.at,
            },
        )
