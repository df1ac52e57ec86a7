"""``sdl run``: starts broker, node and planner as child processes, runs a campaign, ends them.

Whatever happens, the children are ended and the record is closed; what was committed stays, and
``resume`` goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from sdl.errors import LabFault
from sdl.model.campaign import Campaign
from sdl.model.lab import Lab
from sdl.model.provenance import Clock
from sdl.shell import opening
from sdl.shell.bench_file import BENCH_FILE
from sdl.shell.broker import URL_FILE, EmbeddedBroker, remove_ours, write_secret, written
from sdl.shell.children import Child
from sdl.shell.clock import WallClock
from sdl.shell.collecting import short_pauses
from sdl.shell.crash import crash_point, die_as_told
from sdl.shell.desk import Beside
from sdl.shell.first_failure import first_of_group
from sdl.shell.lab_lock import PATIENCE_S
from sdl.shell.leading import Led, leading
from sdl.shell.lease import Lease
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node_child import node_child
from sdl.shell.outcome import Outcome
from sdl.shell.planner_client import PlannerClient
from sdl.shell.planner_worker import WORKER, planner_child
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.presence import Presence
from sdl.shell.record import Record
from sdl.shell.redact import hidden
from sdl.shell.runtime import Runtime, Watch
from sdl.shell.snapshots import Keeping
from sdl.shell.writer import Writer
from sdl.wire.topics import Topics

CHILD_RESTARTS = 5
"""Times that a node or broker which died is started again before the run is given up, ..."""
CHILD_MEMORY_S = 600.0
"""... counted over these last wall seconds; a campaign may go on for weeks."""
CHILD_PAUSES_S = (1.0, 2.0, 5.0)
"""Wall seconds between the tries of one restart: a dead process's port may still be busy."""
DESK_S = 1.0
"""Wall seconds that people wait at most for the first command to leave, before they are let in."""
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
    record = Record.open(prepared.lab.record_url)
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

    @property
    def elsewhere_after_s(self) -> float | None:
        """When to go on although another node hosts the instruments; None: that ends the run."""
        if not self.choice.resume and not self.choice.standby:
            return None
        return FROZEN_S if self.led.is_frozen else PATIENCE_S


async def _lead(task: _Task) -> Outcome:
    began = time.perf_counter()
    prepared, record, choice, lease = task.prepared, task.record, task.choice, task.lease
    if choice.standby:
        ended = await asyncio.to_thread(_ended_meanwhile, task)
        if ended is not None:
            return ended
    name, goes_on = opening.choose(
        record,
        prepared.campaign.campaign.name,
        resume=choice.resume or choice.standby,
        anew=choice.anew,
    )
    lab, campaign = prepared.lab.lab, opening.renamed(prepared.campaign.campaign, name)
    folder = prepared.lab.folder / ".sdl" / name
    _make_folder(folder, goes_on=goes_on)
    # In a thread: to read a long journal takes seconds, in which the lease has to be renewed.
    resumed = await asyncio.to_thread(_resumed, task, campaign) if goes_on else None
    async with AsyncExitStack() as stack:
        place = await _start(stack, task, folder)
        # Only now: the lab's time does not pass while the children load their libraries.
        clock = WallClock(lab.speed, start=resumed.first[0].at if resumed else None)
        await place.presence.begin(clock.now)
        opened = resumed or _begun(task, campaign, clock)
        keeping = _keeping(stack, task, opened)  # closed after the writer
        writer = Writer(record)
        stack.callback(writer.close)
        runtime = Runtime(
            engine=opened.engine,
            chain=opened.chain,
            append=writer.append,
            bus=place.bus,
            planner=place.planner,
            clock=clock,
            topics=Topics(lab.name),
            watch=task.watch,
            presence=place.presence,
            vouch=lease.vouch,
            keep=keeping.look,
        )
        for perform in opened.sent:
            runtime.remember(perform)
        stack.enter_context(short_pauses())
        await _work(runtime, opened, place, task)
    return _outcome(opened, prepared, folder, time.perf_counter() - began)


def _ended_meanwhile(task: _Task) -> Outcome | None:
    """How the campaign that a standby stood by for has ended; None where there is work left."""
    prepared, record = task.prepared, task.record
    campaign = prepared.campaign.campaign
    latest = opening.latest(record, campaign.name)
    if latest is None or opening.unfinished(record, campaign.name) is not None:
        return None
    opened = _resumed(task, opening.renamed(campaign, latest))
    return _outcome(opened, prepared, prepared.lab.folder / ".sdl" / latest, 0.0)


def _make_folder(folder: Path, *, goes_on: bool) -> None:
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
    keeping = Keeping(record.snapshots, task.prepared.script, after=opened.restored)
    stack.callback(lambda: keeping.close(engine, chain, record.head))
    return keeping


def _begun(task: _Task, campaign: Campaign, clock: WallClock) -> opening.Opening:
    lab = task.prepared.lab.lab
    kind: Clock = "wall" if lab.speed == 1.0 else "scaled"
    return opening.new(
        task.prepared.script,
        campaign,
        lab,
        at=clock.now(),
        clock=kind,
        speed=lab.speed,
        file_name=task.prepared.campaign.campaign.name,
        epoch=task.lease.epoch,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What stands ready around the runtime."""

    bus: MqttBus
    presence: Presence
    planner: PlannerClient
    broker: EmbeddedBroker | None
    node: Child | None


async def _start(stack: AsyncExitStack, task: _Task, folder: Path) -> _Place:
    prepared, choice, lease = task.prepared, task.choice, task.lease
    lab, boot = prepared.lab.lab, secrets.token_hex(8)
    broker, url = await _broker(stack, lab, folder)
    # A name of its own: one that was frozen must not end the line of whoever took over.
    bus = MqttBus(url, f"sdl-{lab.name}-orchestrator-{boot}")
    stack.push_async_callback(bus.aclose)
    presence = Presence(
        bus,
        Topics(lab.name),
        boot=boot,
        epoch=lease.epoch,
        may_speak=lease.is_fresh,
    )
    # Before the children, whose logs would tell of a broker out of reach much later.
    await bus.connect(will=presence.will(), on_connect=presence.announce)
    broker_file = folder / URL_FILE
    node = (
        node_child(
            lab,
            prepared.lab.folder,
            run_folder=folder,
            broker_file=broker_file,
            elsewhere_after_s=task.elsewhere_after_s,
        )
        if choice.host
        else None
    )
    worker = (
        planner_child(lab.name, run_folder=folder, broker_file=broker_file)
        if choice.planner is None
        else None
    )
    with first_of_group():
        async with asyncio.TaskGroup() as group:
            for child in (node, worker):
                if child is not None:
                    stack.push_async_callback(child.stop)
                    group.create_task(child.start())
    planner = PlannerClient(
        lab=lab.name,
        bus=MqttBus(url, f"sdl-{lab.name}-asks-{boot}"),
        restart=worker.restart if worker else None,
        worker=choice.planner or WORKER,
    )
    stack.push_async_callback(planner.aclose)
    await planner.start()
    return _Place(bus=bus, presence=presence, planner=planner, broker=broker, node=node)


async def _broker(
    stack: AsyncExitStack, lab: Lab, folder: Path
) -> tuple[EmbeddedBroker | None, str]:
    if lab.broker == "embedded":
        broker = EmbeddedBroker(folder)
        stack.push_async_callback(broker.stop)
        return broker, await broker.start()
    write_secret(folder / URL_FILE, lab.broker)
    stack.callback(remove_ours, folder / URL_FILE, written(folder / URL_FILE))
    return None, lab.broker


async def _work(runtime: Runtime, opened: opening.Opening, place: _Place, task: _Task) -> None:
    """Run the campaign beside those who watch over the children; the first failure is raised."""
    with first_of_group():
        async with asyncio.TaskGroup() as group:
            others = [
                group.create_task(_keep_node(place.node)),
                group.create_task(_keep_broker(place.broker)),
                group.create_task(_await_stop(runtime, task.stop)),
                group.create_task(_open_desk(runtime, task)),
            ]
            await runtime.run(*opened.first)
            for other in others:
                other.cancel()


async def _open_desk(runtime: Runtime, task: _Task) -> None:
    """Let people in once there is something to see, until cancelled."""
    if task.beside is None:
        return
    await runtime.begun.wait()
    with suppress(TimeoutError):  # what serves them takes half a second to load: work goes first
        await asyncio.wait_for(runtime.moving.wait(), DESK_S)
    lab = task.prepared.lab
    async with task.beside(runtime, lab.folder / ".sdl", lab.lab.name):
        await asyncio.Event().wait()


async def _keep_node(node: Child | None) -> None:
    """Start the node again when it dies; the engine asks it what became of its commands."""
    if node is not None:
        await _keep(node, node.restart)


async def _keep_broker(broker: EmbeddedBroker | None) -> None:
    """Start it again where it was; all clients come back by themselves and ask what they missed."""
    if broker is not None:
        await _keep(broker.child, broker.restart)


async def _keep(child: Child, restart: Callable[[], Awaitable[None]]) -> None:
    deaths: deque[float] = deque()
    while True:
        await child.wait()
        now = time.monotonic()
        deaths.append(now)
        while deaths[0] < now - CHILD_MEMORY_S:
            deaths.popleft()
        if len(deaths) > CHILD_RESTARTS:
            raise LabFault(
                f"the {child.name} process died {len(deaths)} times in {CHILD_MEMORY_S / 60:g} "
                f"minutes; its log {child.log} ends with:\n{child.last_lines()}\n"
                "Mend the cause, then go on with: sdl run ... --resume"
            )
        log.warning("the %s process died; it is started again", child.name)
        await _start_again(restart)


async def _start_again(restart: Callable[[], Awaitable[None]]) -> None:
    """Start a dead child; LabFault says why the last try failed."""
    for pause_s in CHILD_PAUSES_S:
        try:
            await restart()
        except LabFault as fault:
            log.warning("%s\nNext try in %g s", fault, pause_s)
            await asyncio.sleep(pause_s)
        else:
            return
    await restart()


async def _await_stop(runtime: Runtime, stop: asyncio.Event | None) -> None:
    if stop is not None:
        await stop.wait()
        runtime.stop("Ctrl-C or SIGTERM", "asked to stop")


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
