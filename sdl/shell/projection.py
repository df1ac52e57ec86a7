"""From one journal line to the rows it makes or changes: pure, without state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TypeAlias, assert_never

from sdl.core import commands as c
from sdl.core import events as e
from sdl.core.commands import Command
from sdl.core.events import Event
from sdl.core.ids import campaign_of, run_of
from sdl.core.plan import PlanArrived
from sdl.core.usage import Usage
from sdl.shell.beginnings import campaign_rows, session_rows, terms_of
from sdl.shell.changes import (
    Cell,
    Change,
    Insert,
    Update,
    acted,
    insert,
    json_of,
    said_by,
    text_of,
    update,
)
from sdl.shell.projection_of_labware import labware
from sdl.shell.projection_of_runs import run_rows
from sdl.shell.projection_of_stocks import materials
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
        e.WellsLeft,
        e.CommandUnheard,
        e.TimerFired,
    )
)
"""Types whose lines change no row, so that nobody need read their bodies."""


def rows(line: Line, value: Event | Command) -> list[Change]:
    """The row changes of one line; ``value`` is what its body holds."""
    match value:
        case (
            c.Perform()
            | e.CommandAccepted()
            | e.CommandStarted()
            | e.CommandDone()
            | e.CommandFailed()
            | e.CommandUnknown()
            | c.Refuse()
        ):
            return [_step(line, value)]
        case e.CampaignStarted():
            return campaign_rows(line, value)
        case e.OrchestratorStarted() | e.StopRequested() | e.TermsChanged() | c.Conclude():
            return _course(line, value)
        case e.LabOpened() | e.LabDownRequested() | c.CloseLab():
            return _session(line, value)
        case e.InstrumentOnline() | e.InstrumentLost() | e.InstrumentMadeSafe():
            return [_instrument(line, value)]
        case c.Halt() | c.Release():
            return [_instrument(line, value)]
        case e.PauseRequested() | e.ResumeRequested() | e.AbortRequested() | e.LabStopRequested():
            return _act(line, value)
        case e.StepResolved() | c.Flag() | c.BreakWindow():
            return _doubt(line, value)
        case c.AskPlanner() | e.SuggestionsArrived() | e.PlannerFailed():
            return [_request(line, value)]
        case PlanArrived():
            return [_plan(line, value)]
        case c.AcceptSuggestion() | c.Dispose():
            return [_suggestion(line, value)]
        case c.BeginRun() | c.EndRun() | c.Weigh():
            return run_rows(line, value)
        case c.Book() | c.AskRefill() | e.StockRefilled() | e.StockLeft():
            return materials(line, value)
        case c.BeginCarry() | c.EndCarry() | e.CarryDone() | e.LabwarePlaced() | e.LabwareDoubted():
            return labware(line, value)
        case (
            c.Resend()
            | c.Query()
            | c.Wait()
            | c.Greet()
            | e.CommandNotSeen()
            | e.CommandUnheard()
            | e.TimerFired()
            | e.CommandConflict()
            | e.WellsLeft()
        ):
            return []
        case _:
            assert_never(value)


StepChange: TypeAlias = c.Perform | c.Refuse | e.CommandWord


def _step(line: Line, value: StepChange) -> Change:
    values: dict[str, Cell]
    match value:
        case c.Perform():
            return _perform(line, value)
        case c.Refuse():
            return _refused(line, value)
        case e.CommandAccepted():
            values = {"status": "accepted"}
        case e.CommandStarted():
            values = {"status": "started", "started_at": value.at}
        case e.CommandDone():
            values = {
                "status": "done",
                "ended_at": value.at,
                "duration_s": value.duration_s,
                "result": json_of(value.result),
            }
        case e.CommandFailed():
            values = {
                "status": "failed",
                "ended_at": value.at,
                "phase": value.phase,
                "fault": value.kind,
                "reason": text_of(value.reason),
            }
        case e.CommandUnknown():
            values = {"status": "unknown", "ended_at": value.at, "reason": text_of(value.reason)}
        case _:
            assert_never(value)
    values["last_seq"] = line.seq
    return Update("step", (value.cid,), values)


def _refused(line: Line, value: c.Refuse) -> Insert:
    """As of one that its driver has refused."""
    row = _perform(line, value)
    said: dict[str, Cell] = {
        "status": "failed",
        "ended_at": line.at,
        "phase": "before_start",
        "fault": "material",
        "reason": text_of(value.reason),
    }
    return Insert(row.table, row.key, {**row.values, **said})


def _perform(line: Line, value: c.Perform | c.Refuse) -> Insert:
    return Insert(
        "step",
        (value.cid,),
        {
            "cid": value.cid,
            "campaign": campaign_of(value.step),
            "run": run_of(value.step),
            "step": value.step,
            "attempt": value.attempt,
            "instrument": value.instrument,
            "operation": value.operation,
            "effect": value.effect,
            "args": json_of(value.args),
            "not_after": value.not_after,
            "status": "issued",
            "issued_at": line.at,
            "seq": line.seq,
            "last_seq": line.seq,
        },
    )


def _course(
    line: Line, value: e.OrchestratorStarted | e.StopRequested | e.TermsChanged | c.Conclude
) -> list[Change]:
    match value:
        case e.OrchestratorStarted():
            opened: dict[str, Cell] = {"epoch": value.epoch, "status": "open", "closed_at": None}
            session = update(line, "session", (line.campaign,), opened)
            return [update(line, "campaign", (line.campaign,), {"epoch": value.epoch}), session]
        case e.StopRequested():
            name = value.campaign or line.campaign
            said: dict[str, Cell] = {"stop_asked": said_by(value.by, value.reason)}
            asked = update(line, "campaign", (name,), said)
            return [asked, acted(line, name, "stop", "", value.by, value.reason)]
        case e.TermsChanged(campaign=name):
            changed = update(line, "campaign", (name,), terms_of(value.terms))
            return [changed, acted(line, name, "terms", "", value.by, value.note)]
        case c.Conclude():
            end: dict[str, Cell] = {
                "status": "ended",
                "ending": value.ending,
                "reason": text_of(value.reason),
                "best_run": value.best_run,
                "ended_at": line.at,
            }
            key = (value.campaign or line.campaign,)
            ended = [update(line, "campaign", key, end), *_used(line, key[0], value.usage)]
            if value.verdict is None:
                return ended
            return [*ended, update(line, "hypothesis", key, {"verdict": value.verdict})]
        case _:
            assert_never(value)


def _session(line: Line, value: e.LabOpened | e.LabDownRequested | c.CloseLab) -> list[Change]:
    key = (line.campaign,)
    match value:
        case e.LabOpened():
            return session_rows(line, value)
        case e.LabDownRequested():
            return [acted(line, line.campaign, "down", "", value.by, value.note)]
        case c.CloseLab():
            closed: dict[str, Cell] = {
                "status": "closed",
                "reason": text_of(value.reason),
                "closed_at": line.at,
            }
            used = _used(line, line.campaign, value.usage)
            return [update(line, "session", key, closed), *used]
        case _:
            assert_never(value)


def _used(line: Line, campaign: str, usages: Iterable[Usage]) -> Iterable[Change]:
    """What the instruments spent the time on until this line."""
    for usage in usages:
        spent: dict[str, Cell] = {f"{name}_s": s for name, s in usage.by_activity.items()}
        spent |= {"instrument": usage.instrument, "begin_at": usage.begin, "end_at": usage.end}
        key = (campaign, usage.instrument, line.seq)
        yield insert(line, campaign, "utilisation", key, spent)


def _of_journal(line: Line, values: Mapping[str, Cell]) -> list[Change]:
    """A change of whatever the journal is of: a campaign alone, or a lab's session.

    The other one has no row, and so nothing of it changes.
    """
    return [update(line, table, (line.campaign,), values) for table in ("campaign", "session")]


PersonsAct: TypeAlias = e.PauseRequested | e.ResumeRequested | e.AbortRequested | e.LabStopRequested


def _act(line: Line, value: PersonsAct) -> list[Change]:
    said = said_by(value.by, value.note)
    match value:
        case e.PauseRequested(what=what, campaign=campaign):
            name = campaign or line.campaign
            told = acted(line, name, "pause", what, value.by, value.note)
            return [told, *_paused(line, what, campaign, said)]
        case e.ResumeRequested(what=what, campaign=campaign):
            name = campaign or line.campaign
            told = acted(line, name, "resume", what, value.by, value.note)
            if not what:
                return [told, *_paused(line, what, campaign, None)]
            free: dict[str, Cell] = {"paused": None, "stopped": None, "held": None}
            return [told, update(line, "instrument", (line.campaign, what), free)]
        case e.AbortRequested(what=what):
            name = value.campaign or (campaign_of(what) if "/" in what else line.campaign)
            return [acted(line, name, "abort", what, value.by, value.note)]
        case e.LabStopRequested():
            told = acted(line, line.campaign, "stop-all", "", value.by, value.note)
            return [told, *_of_journal(line, {"paused": said})]
        case _:
            assert_never(value)


def _paused(line: Line, what: str, campaign: str, said: Cell) -> list[Change]:
    if what:
        return [update(line, "instrument", (line.campaign, what), {"paused": said})]
    if campaign:
        return [update(line, "campaign", (campaign,), {"paused": said})]
    return _of_journal(line, {"paused": said})


def _doubt(line: Line, value: e.StepResolved | c.Flag | c.BreakWindow) -> list[Change]:
    campaign = campaign_of(value.step)
    key = (campaign, line.seq)
    match value:
        case e.StepResolved():
            said: dict[str, Cell] = {
                "run": run_of(value.step),
                "step": value.step,
                "verdict": value.verdict,
                "by": text_of(value.by),
                "note": text_of(value.note),
                "result": None if value.result is None else json_of(value.result),
                "at": value.at,
                "won": True,
            }
            return [insert(line, campaign, "resolution", key, said)]
        case c.Flag():
            flag: dict[str, Cell] = {
                "run": value.run,
                "step": value.step,
                "reason": text_of(value.reason),
                "at": line.at,
            }
            # To a resolution that comes too late or contradicts, a flag is the whole answer, and
            # so stands right behind it; anywhere else there is no such row, and nothing changes.
            late = update(line, "resolution", (campaign, line.seq - 1), {"won": False})
            return [insert(line, campaign, "flag", key, flag), late]
        case c.BreakWindow():
            return [_broken_window(line, value)]
        case _:
            assert_never(value)


def _broken_window(line: Line, value: c.BreakWindow) -> Change:
    key = (value.step,)
    if value.late_s is not None:  # it was said before that it would be late
        return update(line, "broken_window", key, {"late_s": value.late_s})
    missed: dict[str, Cell] = {
        "step": value.step,
        "run": value.run,
        "instrument": value.instrument,
        "due_at": value.due,
        "remedy": value.remedy,
        "at": line.at,
    }
    return insert(line, campaign_of(value.step), "broken_window", key, missed)


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
                "actions": json_of(list(value.actions)),
                "reason": None,
                "stopped": text_of(value.stopped) or None,
                "changed_at": value.at,
            }
        case e.InstrumentLost():
            seen = {"online": False, "reason": text_of(value.reason), "changed_at": value.at}
        case e.InstrumentMadeSafe():
            seen = {} if value.safe else {"held": text_of(value.reason or "it was not made safe")}
        case c.Halt():
            seen = {"stopped": text_of(value.reason)}
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
            return insert(line, campaign_of(value.ask), "planner_request", key, asked)
        case e.SuggestionsArrived():
            answer: dict[str, Cell] = {
                "status": "answered",
                "answered_at": value.at,
                "received": len(value.suggestions),
                "versions": json_of(dict(value.versions)),
            }
        case e.PlannerFailed():
            answer = {"status": "failed", "answered_at": value.at, "reason": text_of(value.reason)}
        case _:
            assert_never(value)
    return update(line, "planner_request", key, answer)


def _plan(line: Line, value: PlanArrived) -> Change:
    came: dict[str, Cell] = {
        "asked_at": value.asked_at,
        "arrived_at": value.at,
        "status": value.status,
        "cause": text_of(value.cause),
        "found_by": value.found_by,
        "seconds": value.seconds,
        "steps": len(value.steps),
        "breaks": len(value.breaks),
    }
    return insert(line, line.campaign, "plan", (line.campaign, line.seq), came)


def _suggestion(line: Line, value: c.AcceptSuggestion | c.Dispose) -> Change:
    key = (value.suggestion,)
    match value:
        case c.AcceptSuggestion():
            point = value.value
            accepted: dict[str, Cell] = {
                "suggestion": value.suggestion,
                "ask": value.ask,
                "origin": point.origin,
                "inputs": json_of(dict(point.inputs)),
                "predicted": json_of({name: asdict(p) for name, p in point.predicted.items()}),
                "acquisition": point.acquisition,
                "seed": point.seed,
                "model_digest": point.model_digest,
                "fall_back": text_of(point.fall_back),
                "why": None if point.reason is None else json_of(asdict(point.reason)),
                "accepted_at": line.at,
            }
            return insert(line, campaign_of(value.suggestion), "suggestion", key, accepted)
        case c.Dispose():
            end: dict[str, Cell] = {
                "disposition": value.disposition,
                "reason": text_of(value.reason),
                "ended_at": line.at,
            }
            return update(line, "suggestion", key, end)
        case _:
            assert_never(value)
