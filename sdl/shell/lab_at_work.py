"""``sdl lab up``: a lab at work for a long time, into which campaigns come and from which they go.

The same runtime, broker, node and planner worker as of ``sdl run``, with a journal of the session
in place of a campaign's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sdl.core.engine import Engine
from sdl.core.view import LabView
from sdl.errors import UserMistake
from sdl.model.provenance import Clock
from sdl.shell.admission import Admission
from sdl.shell.clock import WallClock
from sdl.shell.collecting import short_pauses
from sdl.shell.crash import crash_point, die_as_told
from sdl.shell.desk import Beside
from sdl.shell.expectations import Expectations
from sdl.shell.launch import Choice, elsewhere_after_s, make_folder, tell_of_frozen
from sdl.shell.leading import Led, leading, record_of
from sdl.shell.left_over import check_fresh, left_over
from sdl.shell.left_standing import doubts
from sdl.shell.opening import Opening
from sdl.shell.planning import planning_for
from sdl.shell.preflight import check_alert, load_drivers
from sdl.shell.protocols import Protocols
from sdl.shell.record import Record
from sdl.shell.redact import hidden
from sdl.shell.runtime import Runtime
from sdl.shell.sessions import choose_session, is_closed, new_session, session_again
from sdl.shell.snapshots import Keeping
from sdl.shell.surroundings import Needs, stand_up, work
from sdl.shell.writer import Writer
from sdl.wire.toml import LabFile, open_lab
from sdl.wire.toml_table import raise_all
from sdl.wire.topics import Topics

LabWatch: TypeAlias = Callable[[LabView], None]
"""Is shown the lab from time to time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOutcome:
    """The end of one process's work on a lab."""

    lab: LabView
    record_url: str
    """SQLAlchemy URL, without a password."""
    seq: int
    """Lines in the session's journal."""
    head: str
    """SHA-256 of the last one."""
    wall_s: float
    folder: Path
    """Holds the logs."""


async def open_lab_for_work(
    lab_path: Path,
    *,
    watch: LabWatch = lambda _: None,
    stop: asyncio.Event | None = None,
    choice: Choice,
    beside: Beside | None = None,
) -> SessionOutcome:
    """Keep a lab at work until a person ends its session.

    ``stop``: set it to end in good order. Cancelling leaves at once; ``choice.resume`` goes on,
    with all campaigns. UserMistake before anything starts; LabFault or RecordFault where one of
    them gives up on the way.
    """
    die_as_told()
    lab = open_lab(lab_path)
    mistakes: list[UserMistake] = []
    load_drivers(lab, mistakes)
    mistakes += check_alert(lab)
    raise_all(mistakes)
    check_fresh(lab.lab, choice.fresh)
    record = await record_of(lab.record_url, standby=choice.standby)
    try:
        async with leading(record, lab.lab.name, lab.folder, standby=choice.standby) as led:
            crash_point("orchestrator.lease.taken")
            return await _lead(_Task(lab, record, led, watch, stop, choice, beside))
    finally:
        record.close()


@dataclass(frozen=True, slots=True)
class _Task:
    """What was asked for, and under which lease."""

    lab: LabFile
    record: Record
    led: Led
    watch: LabWatch
    stop: asyncio.Event | None
    choice: Choice
    beside: Beside | None


async def _lead(task: _Task) -> SessionOutcome:
    began, lab, choice = time.perf_counter(), task.lab.lab, task.choice
    resume = choice.resume or choice.standby
    name, goes_on = choose_session(task.record, lab, resume=resume, anew=choice.anew)
    folder = task.lab.folder / ".sdl" / name
    make_folder(folder, goes_on=goes_on)
    tell_of_frozen(task.led, lab)
    protocols = Protocols(folder)
    if choice.standby and is_closed(task.record, name):  # there is nothing left to take over
        return _outcome(task, _resumed(task, name, protocols), folder, 0.0)
    resumed = await asyncio.to_thread(_resumed, task, name, protocols) if goes_on else None
    async with AsyncExitStack() as stack:
        around = await stand_up(stack, _needs(task, folder))
        clock = WallClock(lab.speed, start=resumed.first[0].at if resumed else None)
        await around.presence.begin(clock.now)
        opened = resumed
        if opened is None:
            opened = await asyncio.to_thread(_begun, task, name, protocols, clock)
        keeping = Keeping(task.record.snapshots, after=opened.restored)
        stack.callback(lambda: keeping.close(opened.engine, opened.chain, task.record.head))
        expectations = Expectations(lab, task.lab.folder, task.record)
        writer = Writer(task.record)
        stack.callback(writer.close)
        planning = await planning_for(stack, task.lab, task.record, folder, clock.now)
        runtime = Runtime(
            engine=opened.engine,
            chain=opened.chain,
            append=writer.append,
            bus=around.bus,
            planner=around.planner,
            clock=clock,
            topics=Topics(lab.name),
            watch=lambda engine: task.watch(engine.lab_view()),
            presence=around.presence,
            vouch=task.led.lease.vouch,
            keep=keeping.look,
            planning=planning,
            admit=_door(task, opened.engine, protocols).admit,
            predictors=(expectations,),
        )
        for perform in opened.sent:
            runtime.remember(perform)
        stack.enter_context(short_pauses())
        await work(
            runtime,
            opened.first,
            around,
            stop=task.stop,
            let_in=lambda: _let_in(runtime, task, expectations),
        )
    return _outcome(task, opened, folder, time.perf_counter() - began)


def _outcome(task: _Task, opened: Opening, folder: Path, wall_s: float) -> SessionOutcome:
    return SessionOutcome(
        lab=opened.engine.lab_view(),
        record_url=hidden(task.lab.record_url),
        seq=opened.chain.seq,
        head=opened.chain.head,
        wall_s=wall_s,
        folder=folder,
    )


def _needs(task: _Task, folder: Path) -> Needs:
    return Needs(
        lab=task.lab,
        lease=task.led.lease,
        folder=folder,
        host=task.choice.host,
        planner=task.choice.planner,
        elsewhere_after_s=elsewhere_after_s(task.led, task.choice),
    )


def _resumed(task: _Task, name: str, protocols: Protocols) -> Opening:
    """Where the record ends; found before anything starts, for the files may not fit any more."""
    return session_again(
        protocols,
        task.record,
        task.lab.lab,
        name,
        at=time.time(),
        epoch=task.led.lease.epoch,
        bench_checked=task.choice.bench_checked,
        kept=task.record.snapshots.of(name),
    )


def _begun(task: _Task, name: str, protocols: Protocols, clock: WallClock) -> Opening:
    lab, at = task.lab.lab, clock.now()
    return new_session(
        protocols,
        lab,
        name,
        at=at,
        clock=_kind(task),
        speed=lab.speed,
        epoch=task.led.lease.epoch,
        before=(
            *doubts(task.record, lab, at),
            *left_over(task.record, lab, at, task.choice.fresh),
        ),
    )


def _kind(task: _Task) -> Clock:
    return "wall" if task.lab.lab.speed == 1.0 else "scaled"


def _door(task: _Task, engine: Engine, protocols: Protocols) -> Admission:
    return Admission(
        lab=task.lab,
        record=task.record,
        protocols=protocols,
        clock=_kind(task),
        at_work=lambda: tuple(engine.campaigns),
    )


async def _let_in(runtime: Runtime, task: _Task, expectations: Expectations) -> None:
    """Let people in, until cancelled."""
    if task.beside is None:
        return
    async with task.beside(runtime, task.lab.folder / ".sdl", task.lab.lab.name):
        await expectations.keep_learning()
