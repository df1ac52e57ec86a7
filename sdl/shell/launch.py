"""``sdl run``: starts broker, node and planner as child processes, runs a campaign, ends them.

Whatever happens, the children are ended and the record is closed; what was committed stays, and
``resume`` goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from sdl.model.campaign import Campaign
from sdl.model.lab import Lab
from sdl.model.provenance import Clock
from sdl.shell import opening
from sdl.shell.bench_file import BENCH_FILE
from sdl.shell.clock import WallClock
from sdl.shell.collecting import short_pauses
from sdl.shell.crash import crash_point, die_as_told
from sdl.shell.desk import Beside
from sdl.shell.expectations import Expectations
from sdl.shell.lab_lock import PATIENCE_S
from sdl.shell.leading import Led, leading, record_of
from sdl.shell.lease import Lease
from sdl.shell.left_over import check_fresh, left_over
from sdl.shell.left_standing import doubts
from sdl.shell.outcome import Outcome, Watch
from sdl.shell.planning import planning_for
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.record import Record
from sdl.shell.redact import hidden
from sdl.shell.runtime import Runtime
from sdl.shell.sessions import refuse_left_open
from sdl.shell.snapshots import Keeping
from sdl.shell.surroundings import Needs, stand_up, work
from sdl.shell.writer import Writer
from sdl.wire.topics import Topics

FROZEN_S = 1.0
"""Wall seconds to wait for the instruments of an orchestrator that is frozen; its node is not."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How ``sdl run`` is to go about it."""

    resume: bool = False
    """Go on with the unfinished campaign of this name."""
    anew: bool = False
    """Leave an unfinished one as it is and begin another."""
    host: bool = True
    """Start a node for all instruments; False where ``sdl node`` hosts them elsewhere."""
    bench_checked: bool = False
    """A person has looked at the bench: what an unknown last action left behind is fit for use.
    Only where the campaign goes on."""
    planner: str | None = None
    """Name of an ``sdl planner`` worker that runs elsewhere; None starts one."""
    standby: bool = False
    """Wait until whoever leads the lab ends or dies, then go on as with ``resume``."""
    fresh: tuple[str, ...] = ()
    """Plates that are new ones: none of their wells counts as used before; or *all*. Not where
    anything goes on."""


async def run_campaign(
    campaign_path: Path,
    *,
    watch: Watch = lambda _: None,
    stop: asyncio.Event | None = None,
    choice: Choice = Choice(),
    beside: Beside | None = None,
) -> Outcome:
    """Run a campaign to its end.

    ``beside``: what lets people speak to it while it works.
    ``stop``: set it to end in good order. Cancelling leaves at once; the campaign can be resumed.
    UserMistake before anything starts, LabFault, PlannerFault or RecordFault where one of them
    gives up on the way.
    """
    die_as_told()
    prepared = prepare(campaign_path)
    check_fresh(prepared.lab.lab, choice.fresh)
    record = await record_of(prepared.lab.record_url, standby=choice.standby)
    try:
        lab = prepared.lab.lab.name
        async with leading(record, lab, prepared.lab.folder, standby=choice.standby) as led:
            crash_point("orchestrator.lease.taken")
            return await _lead(_Task(prepared, record, led, watch, stop, choice, beside))
    finally:
        record.close()


@dataclass(frozen=True, slots=True)
class _Task:
    """What was asked for, and under which lease."""

    prepared: Prepared
    record: Record
    led: Led
    watch: Watch
    stop: asyncio.Event | None
    choice: Choice
    beside: Beside | None

    @property
    def lease(self) -> Lease:
        """Under which all is written and sent."""
        return self.led.lease


async def _lead(task: _Task) -> Outcome:
    began = time.perf_counter()
    prepared, record, choice, lease = task.prepared, task.record, task.choice, task.lease
    if choice.standby:
        ended = await asyncio.to_thread(_ended_meanwhile, task)
        if ended is not None:
            return ended
    written = prepared.campaign.campaign.name
    if not choice.anew and opening.unfinished(record, written) is None:
        refuse_left_open(record, prepared.lab.lab.name)
    name, goes_on = opening.choose(
        record,
        written,
        resume=choice.resume or choice.standby,
        anew=choice.anew,
    )
    lab, campaign = prepared.lab.lab, opening.renamed(prepared.campaign.campaign, name)
    folder = prepared.lab.folder / ".sdl" / name
    make_folder(folder, goes_on=goes_on)
    tell_of_frozen(task.led, lab)
    # In a thread: to read a long journal takes seconds, in which the lease has to be renewed.
    resumed = await asyncio.to_thread(_resumed, task, campaign) if goes_on else None
    async with AsyncExitStack() as stack:
        around = await stand_up(stack, _needs(task, folder))
        # Only now: the lab's time does not pass while the children load their libraries.
        clock = WallClock(lab.speed, start=resumed.first[0].at if resumed else None)
        await around.presence.begin(clock.now)
        opened = resumed
        if opened is None:
            opened = await asyncio.to_thread(_begun, task, campaign, clock)
        keeping = _keeping(stack, task, opened)  # closed after the writer
        expectations = Expectations(lab, prepared.lab.folder, record)
        writer = Writer(record)
        stack.callback(writer.close)
        planning = await planning_for(stack, prepared.lab, record, folder, clock.now)
        runtime = Runtime(
            engine=opened.engine,
            chain=opened.chain,
            append=writer.append,
            bus=around.bus,
            planner=around.planner,
            clock=clock,
            topics=Topics(lab.name),
            watch=lambda engine: task.watch(engine.view()),
            presence=around.presence,
            vouch=lease.vouch,
            keep=keeping.look,
            planning=planning,
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
    return _outcome(opened, prepared, folder, time.perf_counter() - began)


def _needs(task: _Task, folder: Path) -> Needs:
    return Needs(
        lab=task.prepared.lab,
        lease=task.lease,
        folder=folder,
        host=task.choice.host,
        planner=task.choice.planner,
        elsewhere_after_s=elsewhere_after_s(task.led, task.choice),
    )


async def _let_in(runtime: Runtime, task: _Task, expectations: Expectations) -> None:
    """Let people in, until cancelled."""
    if task.beside is None:
        return
    lab = task.prepared.lab
    async with task.beside(runtime, lab.folder / ".sdl", lab.lab.name):
        await expectations.keep_learning()


def tell_of_frozen(led: Led, lab: Lab) -> None:
    """Tell a person where nothing can move before a frozen process is ended, and how to do that.

    Its node hears its embedded broker alone, and has the instruments.
    """
    if led.is_frozen and lab.broker == "embedded":
        pid = led.former.rpartition(" ")[2] or "its process id"
        log.warning(
            "the orchestrator of before (%s) is frozen, not dead: its instruments hang on its own "
            "broker, and nothing moves here before it ends. End it, if it does not go on by itself:"
            " kill -9 %s. They are made safe then, and this one goes on. With a broker beside it "
            '(broker = "mqtt://...") a standby need not wait',
            led.former,
            pid,
        )


def elsewhere_after_s(led: Led, choice: Choice) -> float | None:
    """When to go on although another node hosts the instruments; None: that ends the run."""
    if not choice.resume and not choice.standby:
        return None
    return FROZEN_S if led.is_frozen else PATIENCE_S


def _ended_meanwhile(task: _Task) -> Outcome | None:
    """How the campaign that a standby stood by for has ended; None where there is work left."""
    prepared, record = task.prepared, task.record
    campaign = prepared.campaign.campaign
    latest = opening.latest(record, campaign.name)
    if latest is None or opening.unfinished(record, campaign.name) is not None:
        return None
    opened = _resumed(task, opening.renamed(campaign, latest))
    return _outcome(opened, prepared, prepared.lab.folder / ".sdl" / latest, 0.0)


def make_folder(folder: Path, *, goes_on: bool) -> None:
    """The run's folder; a new campaign begins with fresh plates, whatever an old one left."""
    folder.mkdir(parents=True, exist_ok=True)
    if not goes_on:
        (folder / BENCH_FILE).unlink(missing_ok=True)


def _resumed(task: _Task, campaign: Campaign) -> opening.Opening:
    """Where the record ends; found before anything starts, for the files may not fit any more."""
    return opening.again(
        task.prepared.script,
        task.record,
        campaign,
        task.prepared.lab.lab,
        at=time.time(),
        bench_checked=task.choice.bench_checked,
        epoch=task.lease.epoch,
        kept=task.record.snapshots.of(campaign.name),
    )


def _keeping(stack: AsyncExitStack, task: _Task, opened: opening.Opening) -> Keeping:
    """What takes snapshots, the last one when all is written."""
    record, engine, chain = task.record, opened.engine, opened.chain
    keeping = Keeping(record.snapshots, after=opened.restored)
    stack.callback(lambda: keeping.close(engine, chain, record.head))
    return keeping


def _begun(task: _Task, campaign: Campaign, clock: WallClock) -> opening.Opening:
    lab, at = task.prepared.lab.lab, clock.now()
    kind: Clock = "wall" if lab.speed == 1.0 else "scaled"
    return opening.new(
        task.prepared.script,
        campaign,
        lab,
        at=at,
        clock=kind,
        speed=lab.speed,
        file_name=task.prepared.campaign.campaign.name,
        epoch=task.lease.epoch,
        before=(
            *doubts(task.record, lab, at),
            *left_over(task.record, lab, at, task.choice.fresh),
        ),
    )


def _outcome(opened: opening.Opening, prepared: Prepared, folder: Path, wall_s: float) -> Outcome:
    view = opened.engine.view()
    return Outcome(
        view=view,
        record_url=hidden(prepared.lab.record_url),
        seq=opened.chain.seq,
        head=opened.chain.head,
        wall_s=wall_s,
        lab_s=view.at - view.started_at,
        folder=folder,
    )
