"""Makes plausible journals for the tests of the record, deterministic by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from sdl.core import commands as c
from sdl.core import events as e
from sdl.core.amounts import Level, Moved
from sdl.core.commands import Command
from sdl.core.events import Event
from sdl.core.plan import PlanArrived, Planned
from sdl.core.usage import Usage
from sdl.model.campaign import Campaign, Objective, RangeParameter
from sdl.model.data import Prediction, Suggestion
from sdl.model.hypothesis import Evidence, Hypothesis
from sdl.model.hypothesis import Prediction as Claim
from sdl.model.lab import Instrument, Lab, Limit
from sdl.model.labware import Labware
from sdl.model.policy import Remedy
from sdl.model.protocol import Input, ProtocolSignature, Role
from sdl.model.provenance import Origin
from sdl.model.reason import Expected, Reason
from sdl.model.stock import Source, Stocks
from sdl.wire.journal import Chain, Line
from sdl.wire.labware_kinds import labware_kind

START = 1_700_000_000.0
INSTRUMENTS = ("handler", "reader")


def journal(name: str = "dye-450", *, runs: int = 6, seed: int = 1) -> list[Line]:
    """A whole campaign from its start to its verdict; some steps fail, one outcome is unknown."""
    chain = Chain(name)
    return [chain.add(value, at) for at, value in story(name, runs, random.Random(seed))]


def session(name: str, *campaigns: str, runs: int = 3) -> list[Line]:
    """A lab's session with some campaigns, one after the other; the first one has the materials."""
    chain, head = Chain(name), started(name, START)
    opened = e.LabOpened(at=START, name=name, lab=head.lab, origin=head.origin)
    lines = [chain.add(opened, START)]
    for number, campaign in enumerate(campaigns):
        for at, value in story(campaign, runs, random.Random(number)):
            match value:
                case c.Book() | c.AskRefill() | e.StockRefilled() if number:
                    continue
                case e.OrchestratorStarted():
                    value = replace(value, epoch=number + 1)  # noqa: PLW2901 - the one to add
                case c.Conclude():
                    value = replace(value, campaign=campaign)  # noqa: PLW2901 - the one to add
                case _:
                    pass
            lines.append(chain.add(value, at))
    return lines


def planned(at: float, *, steps: int) -> PlanArrived:
    """A plan of the scheduler that is 7 s old when it comes; without steps, that none came."""
    step = Planned(step="dye-450/run-1/step-1", instrument="handler", start=at, duration_s=30.0)
    return PlanArrived(
        at=at,
        basis=1,
        asked_at=at - 7.0,
        status="feasible" if steps else "unknown",
        cause="an arrival" if steps else "the scheduler died\0",
        steps=(step,) * steps,
        breaks=("dye-450/run-1/step-1",) if steps else (),
        found_by="local search" if steps else "",
        seconds=1.5 if steps else 0.0,
    )


def story(name: str, runs: int, chance: random.Random) -> Iterator[tuple[float, Event | Command]]:
    """Moments and values, as an engine and a bench would give them."""
    at = START
    yield at, started(name, at)
    yield at, e.OrchestratorStarted(at=at, epoch=1, software=(("sdl-runtime", "0.1.0"),))
    for instrument in INSTRUMENTS:
        yield at, online(instrument, at)
    yield from materials(name, at)
    for number in range(1, runs + 1):
        yield from suggested(name, number, at, chance)
        yield from run(name, number, at, chance)
        at += 100.0 + chance.random()
    yield from people(name, at)
    yield at, e.InstrumentLost(at=at, instrument="reader", reason="no heartbeat\x00")
    yield at, e.StopRequested(at=at, by="a person", reason="lunch — π ≈ 3.14")
    best = f"{name}/run-1" if runs else None
    used = tuple(
        Usage(instrument=name, begin=START, end=at, busy_s=chance.random(), idle_s=40.0 * place)
        for place, name in enumerate(INSTRUMENTS)
    )
    yield (
        at,
        c.Conclude(
            ending="stopped", reason="asked to", best_run=best, verdict="undecided", usage=used
        ),
    )


def materials(name: str, at: float) -> Iterator[tuple[float, Event | Command]]:
    """What is declared, reserved, used, asked for and filled in."""
    full = level(50_000.0)
    yield at, c.Book(why="declared", run="", levels=(full,))
    reserved = replace(full, reserved_ul=100.0, free_ul=49_700.0)
    yield at, c.Book(why="reserved", run=f"{name}/run-1", levels=(reserved,))
    moved = Moved(
        component="dye",
        lot="D1\x00",
        source="handler/dye",
        target="plate-1/A1",
        volume_ul=35.5,
        uncertainty_ul=0.5,
    )
    cid = f"{name}/run-1/step-1/try-1"
    used = level(49_964.5)
    yield at, c.Book(why="used", run=f"{name}/run-1", cid=cid, moves=(moved, moved), levels=(used,))
    task = f"{name}/refill-1"
    reason = "12 mL of dye short"
    yield at, c.AskRefill(task=task, source="handler/dye", missing_ul=12_000.0, reason=reason)
    filled = e.StockRefilled(
        at=at,
        source="handler/dye",
        volume_ul=12_000.0,
        replaces=False,
        by="ada",
        lot="D2",
        expires="2027-03-01",
        note="π\x00",
    )
    yield at, filled
    yield at, c.Book(why="refilled", run="", levels=(level(61_964.5),), task=task)


def level(volume_ul: float) -> Level:
    """Of the one source that is declared."""
    return Level(
        source="handler/dye",
        volume_ul=volume_ul,
        uncertainty_ul=0.5,
        reserved_ul=0.0,
        doubt_ul=0.0,
        free_ul=volume_ul - 200.0,
        lots=("D1",),
    )


def people(name: str, at: float) -> Iterator[tuple[float, Event | Command]]:
    """What persons say of a step, of an instrument and of the campaign, and what follows."""
    step = f"{name}/run-7/step-4"
    said = e.StepResolved(at=at, step=step, verdict="happened", by="ada", note="wet", result=0.5)
    yield at, said
    yield at, e.StepResolved(at=at, step=step, verdict="discard", by="bob\x00")
    yield at, c.Flag(run=f"{name}/run-7", step=step, reason="ada and bob say otherwise")
    yield at, c.Release(instrument="handler")
    yield at, e.PauseRequested(at=at, what="", by="ada", note="lunch")
    yield at, e.PauseRequested(at=at, what="handler", by="ada")
    yield at, e.ResumeRequested(at=at, what="handler", by="bob")
    yield at, e.AbortRequested(at=at, what=f"{name}/run-2", by="bob", note="smoke")
    for number, instrument in enumerate(INSTRUMENTS, start=1):
        yield at, c.Halt(id=f"{name}/halt-{number}", instrument=instrument, reason="bob: smoke")
        safe = instrument == "handler"
        reason = "" if safe else "the lid is stuck"
        made_safe = e.InstrumentMadeSafe(
            at=at, instrument=instrument, boot="boot-1", safe=safe, reason=reason
        )
        yield at, made_safe
    yield at, c.Release(instrument="handler")
    yield at, e.LabStopRequested(at=at, by="eve", note="fire")
    yield at, e.ResumeRequested(at=at, what="", by="ada")
    yield at, e.PauseRequested(at=at, what="", by="ada", note="night")


def started(name: str, at: float) -> e.CampaignStarted:
    """The head of the journal."""
    space = (RangeParameter(name="dye_fraction", low=0.05, high=0.95),)
    claim = Claim(quantity="dye_fraction", at="best", direction="below", threshold=0.4)
    instruments = tuple(
        Instrument(
            name=instrument,
            driver=f"simulated-{instrument}",
            simulated=True,
            options={"sources_ul": {"dye": 20000.0}},
            limits={"dispense.volumes_ul": Limit(low=0.0, high=300.0)},
        )
        for instrument in INSTRUMENTS
    )
    return e.CampaignStarted(
        at=at,
        campaign=Campaign(
            name=name,
            lab="lab.toml",
            protocol="dye-assay",
            roles={"handler": ("handler",), "well": ("plate-1",)},
            space=space,
            objective=Objective(measure="absorbance_au", goal="target", target=0.8),
            hypothesis=Hypothesis(claim="Less than 40 % dye is enough.", predicts=claim),
        ),
        lab=Lab(
            name="bench",
            instruments=instruments,
            labware=(Labware(name="plate-1", kind=labware_kind("plate-96-flat")),),
            stocks=(Stocks(instrument="handler", sources={"dye": Source(volume_ul=5e4)}),),
        ),
        protocol=ProtocolSignature(
            name="dye-assay",
            roles=(Role(name="handler", capability="LiquidHandler", actions=("dispense",)),),
            inputs=(Input(name="dye_fraction", kind="float"),),
            measures=("absorbance_au",),
            source_sha256="ab" * 32,
        ),
        origin=Origin(
            file_name=name,
            clock="virtual",
            speed=1.0,
            software={"sdl-runtime": "0.1.0"},
            protocol_sha256="ab" * 32,
            hypothesis_sha256="cd" * 32,
        ),
    )


def online(instrument: str, at: float) -> e.InstrumentOnline:
    """A node announces an instrument."""
    return e.InstrumentOnline(
        at=at,
        instrument=instrument,
        boot="boot-1",
        driver=f"simulated-{instrument}",
        simulated=True,
        actions=("dispense", "absorbance"),
    )


def suggested(
    name: str, number: int, at: float, chance: random.Random
) -> Iterator[tuple[float, Event | Command]]:
    """A question to the planner, its answer, and the accepted point."""
    ask = f"{name}/ask-{number}"
    point = Suggestion(
        inputs={"dye_fraction": chance.random()},
        origin="botorch",
        predicted={"absorbance_au": Prediction(mean=chance.random(), sd=0.1)},
        acquisition=chance.random(),
        seed=number,
        reason=Reason(
            expected={"absorbance_au": Expected.of_normal(chance.random(), 0.1)},
            surrogates={"absorbance_au": {"a process": 1.0}},
            log_gain=-chance.random(),
        ),
    )
    for attempt in (1, 2):
        yield (
            at,
            c.AskPlanner(
                ask=ask,
                attempt=attempt,
                planner="ax",
                count=1,
                seed=number,
                trials=number - 1,
                trials_sha256="ef" * 32,
            ),
        )
        if number % 3 or attempt == 2:
            break
        yield at, e.PlannerFailed(at=at, ask=ask, attempt=attempt, reason="it died")
    versions = (("ax-platform", "1.3.0"),)
    yield (
        at,
        e.SuggestionsArrived(
            at=at, ask=ask, attempt=attempt, suggestions=(point,), versions=versions
        ),
    )
    suggestion = f"{name}/suggestion-{number}"
    yield at, c.AcceptSuggestion(suggestion=suggestion, ask=ask, value=point)


def run(
    name: str, number: int, at: float, chance: random.Random
) -> Iterator[tuple[float, Event | Command]]:
    """One run of three steps and its end; each fifth fails, each seventh is unknown."""
    run_id, suggestion = f"{name}/run-{number}", f"{name}/suggestion-{number}"
    inputs = {"dye_fraction": chance.random(), "settle_s": 30.0}
    roles = {"handler": "handler", "reader": "reader", "well": f"plate-1/A{number}"}
    yield at, c.BeginRun(run=run_id, suggestion=suggestion, inputs=inputs, roles=roles)
    for step in (1, 2, 3):
        yield from performed(f"{run_id}/step-{step}", at + step, chance)
    at += 10.0
    yield at, c.Wait(timer=f"{run_id}/settle-1", until=at + 30.0)
    yield at + 30.0, e.TimerFired(at=at + 30.0, timer=f"{run_id}/settle-1")
    at += 31.0
    cid = f"{run_id}/step-4/try-1"
    yield from late(f"{run_id}/step-4", at, number)
    yield at, perform(cid, at)
    if number % 5 == 0:
        yield (
            at,
            e.CommandFailed(at=at, cid=cid, phase="during", kind="driver", reason="lamp is out"),
        )
        yield at, c.EndRun(run=run_id, outcome="failed", measures={}, loss=None, reason="lamp")
        yield at, c.Dispose(suggestion=suggestion, disposition="failed", reason="lamp")
        return
    if number % 7 == 0:
        yield at, c.Query(cid=cid)
        yield at, e.CommandUnknown(at=at, cid=cid, reason="the node restarted")
        yield at, c.EndRun(run=run_id, outcome="unknown", measures={}, loss=None, reason="?")
        yield at, c.Dispose(suggestion=suggestion, disposition="unknown", reason="?")
        return
    value = chance.random()
    yield at, e.CommandDone(at=at, cid=cid, result=value, duration_s=chance.random())
    measures = {"absorbance_au": value, "dye_fraction": 0.5}
    loss = abs(value - 0.8)
    yield at, c.EndRun(run=run_id, outcome="measured", measures=measures, loss=loss)
    yield at, c.Dispose(suggestion=suggestion, disposition="measured")
    evidence = Evidence(runs=number, e_for=1.0 + value, e_against=1.0, posterior=0.5)
    yield at, c.Weigh(run=run_id, evidence=evidence)


def late(step: str, at: float, number: int) -> Iterator[tuple[float, Event | Command]]:
    """Each third run breaks a window, and each sixth is late by as many seconds."""
    if number % 3 == 0:
        run = step.rpartition("/")[0]
        remedy: Remedy = "skip" if number % 2 else "flag"
        missed = c.BreakWindow(run=run, step=step, instrument="reader", due=at - 1.0, remedy=remedy)
        yield at, missed
        if remedy == "flag":
            yield at, replace(missed, late_s=float(number))


def performed(
    step: str, at: float, chance: random.Random
) -> Iterator[tuple[float, Event | Command]]:
    """One step from its command to its end."""
    cid = f"{step}/try-1"
    yield at, perform(cid, at)
    yield at, e.CommandAccepted(at=at, cid=cid)
    yield at, e.CommandStarted(at=at, cid=cid)
    yield at, e.CommandDone(at=at, cid=cid, result=None, duration_s=chance.random())


def perform(cid: str, at: float) -> c.Perform:
    """A command to the liquid handler."""
    return c.Perform(
        cid=cid,
        step=cid.rpartition("/")[0],
        attempt=1,
        instrument="handler",
        operation="dispense",
        effect="once",
        args={"well": {"labware": "plate-1", "name": "A1"}, "volumes_ul": {"dye": 35.5}},
        memory="boot-1",
        not_after=at + 60.0,
    )
