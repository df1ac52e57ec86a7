"""``sdl run``: starts broker, node and planner as child processes, runs a campaign, ends them.

Whatever happens, the children are ended and the record is closed; what was committed stays, and
``resume`` goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sdl.errors import LabFault, SdlError
from sdl.model.campaign import Campaign
from sdl.model.lab import Lab
from sdl.model.provenance import Clock
from sdl.shell import opening
from sdl.shell.bench_file import BENCH_FILE
from sdl.shell.broker import URL_FILE, EmbeddedBroker, write_secret
from sdl.shell.children import Child
from sdl.shell.clock import WallClock
from sdl.shell.lab_lock import orchestrator_lock
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node_process import node_child
from sdl.shell.outcome import Outcome
from sdl.shell.planner_client import PlannerClient
from sdl.shell.planner_worker import WORKER, planner_child
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.record import Record
from sdl.shell.redact import hidden
from sdl.shell.runtime import Runtime, Watch
from sdl.shell.writer import Writer
from sdl.wire.topics import Topics

NODE_RESTARTS = 5
"""Times that a node process which died is started again before the run is given up, ..."""
NODE_MEMORY_S = 600.0
"""... counted over these last wall seconds; a campaign may go on for weeks."""
NODE_PAUSES_S = (1.0, 2.0, 5.0)
"""Wall seconds between the tries of one restart: a dead process's port may still be busy."""

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


async def run_campaign(
    campaign_path: Path,
    *,
    watch: Watch = lambda _: None,
    stop: asyncio.Event | None = None,
    choice: Choice = Choice(),
) -> Outcome:
    """Run a campaign to its end.

    ``stop``: set it to end in good order. Cancelling leaves at once; the campaign can be resumed.
    UserMistake before anything starts, LabFault, PlannerFault or RecordFault where one of them
    gives up on the way.
    """
    prepared = prepare(campaign_path)
    record = Record.open(prepared.lab.record_url)
    try:
        return await _run(prepared, record, watch, stop, choice)
    finally:
        record.close()


async def _run(
    prepared: Prepared,
    record: Record,
    watch: Watch,
    stop: asyncio.Event | None,
    choice: Choice,
) -> Outcome:
    with orchestrator_lock(prepared.lab.folder, prepared.lab.lab.name):
        return await _run_alone(prepared, record, watch, stop, choice)


async def _run_alone(
    prepared: Prepared,
    record: Record,
    watch: Watch,
    stop: asyncio.Event | None,
    choice: Choice,
) -> Outcome:
    began = time.perf_counter()
    lab = prepared.lab.lab
    name, goes_on = opening.choose(
        record, prepared.campaign.campaign.name, resume=choice.resume, anew=choice.anew
    )
    campaign = opening.renamed(prepared.campaign.campaign, name)
    folder = prepared.lab.folder / ".sdl" / name
    _make_folder(folder, goes_on=goes_on)
    resumed = _resumed(prepared, record, campaign, choice) if goes_on else None
    async with AsyncExitStack() as stack:
        place = await _start(stack, prepared, folder, choice)
        # Only now: the lab's time does not pass while the children load their libraries.
        clock = WallClock(lab.speed, start=resumed.first[0].at if resumed else None)
        opened = resumed or _begun(prepared, campaign, clock)
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
            watch=watch,
        )
        for perform in opened.sent:
            runtime.remember(perform)
        await _work(runtime, opened, place, stop)
    return _outcome(opened, prepared, folder, time.perf_counter() - began)


def _make_folder(folder: Path, *, goes_on: bool) -> None:
    """The run's folder; a new campaign begins with fresh plates, whatever an old one left."""
    folder.mkdir(parents=True, exist_ok=True)
    if not goes_on:
        (folder / BENCH_FILE).unlink(missing_ok=True)


def _resumed(
    prepared: Prepared, record: Record, campaign: Campaign, choice: Choice
) -> opening.Opening:
    """Where the record ends; found before anything starts, for the files may not fit any more."""
    return opening.again(
        prepared.script,
        record,
        campaign,
        prepared.lab.lab,
        at=time.time(),
        bench_checked=choice.bench_checked,
    )


def _begun(prepared: Prepared, campaign: Campaign, clock: WallClock) -> opening.Opening:
    lab = prepared.lab.lab
    kind: Clock = "wall" if lab.speed == 1.0 else "scaled"
    return opening.new(
        prepared.script,
        campaign,
        lab,
        at=clock.now(),
        clock=kind,
        speed=lab.speed,
        file_name=prepared.campaign.campaign.name,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What stands ready around the runtime."""

    bus: MqttBus
    planner: PlannerClient
    broker: EmbeddedBroker | None
    node: Child | None


async def _start(stack: AsyncExitStack, prepared: Prepared, folder: Path, choice: Choice) -> _Place:
    lab = prepared.lab.lab
    broker, url = await _broker(stack, lab, folder)
    bus = MqttBus(url, f"sdl-{lab.name}-orchestrator")
    stack.push_async_callback(bus.aclose)
    await bus.connect()  # before the children, whose logs would tell of it much later
    broker_file = folder / URL_FILE
    node = (
        node_child(lab, prepared.lab.folder, run_folder=folder, broker_file=broker_file)
        if choice.host
        else None
    )
    worker = (
        planner_child(lab.name, run_folder=folder, broker_file=broker_file)
        if choice.planner is None
        else None
    )
    with _first_of_group():
        async with asyncio.TaskGroup() as group:
            for child in (node, worker):
                if child is not None:
                    stack.push_async_callback(child.stop)
                    group.create_task(child.start())
    planner = PlannerClient(
        lab=lab.name,
        bus=MqttBus(url, f"sdl-{lab.name}-asks"),
        restart=worker.restart if worker else None,
        worker=choice.planner or WORKER,
    )
    stack.push_async_callback(planner.aclose)
    await planner.start()
    return _Place(bus=bus, planner=planner, broker=broker, node=node)


async def _broker(
    stack: AsyncExitStack, lab: Lab, folder: Path
) -> tuple[EmbeddedBroker | None, str]:
    if lab.broker == "embedded":
        broker = EmbeddedBroker(folder)
        stack.push_async_callback(broker.stop)
        return broker, await broker.start()
    write_secret(folder / URL_FILE, lab.broker)
    stack.callback((folder / URL_FILE).unlink, missing_ok=True)
    return None, lab.broker


async def _work(
    runtime: Runtime, opened: opening.Opening, place: _Place, stop: asyncio.Event | None
) -> None:
    """Run the campaign beside those who watch over the children; the first failure is raised."""
    with _first_of_group():
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(_keep_node(place.node)),
                group.create_task(_guard(place.broker)),
                group.create_task(_await_stop(runtime, stop)),
            ]
            await runtime.run(*opened.first)
            for task in beside:
                task.cancel()


async def _keep_node(node: Child | None) -> None:
    """Start the node again when it dies; the engine asks it what became of its commands."""
    if node is None:
        return
    deaths: deque[float] = deque()
    while True:
        await node.wait()
        now = time.monotonic()
        deaths.append(now)
        while deaths[0] < now - NODE_MEMORY_S:
            deaths.popleft()
        if len(deaths) > NODE_RESTARTS:
            raise LabFault(
                f"the node process died {len(deaths)} times in {NODE_MEMORY_S / 60:g} minutes; "
                f"its log {node.log} ends with:\n{node.last_lines()}\n"
                "Mend the cause, then go on with: sdl run ... --resume"
            )
        await _start_again(node)


async def _start_again(node: Child) -> None:
    """Start a dead node; LabFault says why the last try failed."""
    for pause_s in NODE_PAUSES_S:
        try:
            await node.restart()
        except LabFault as fault:
            log.warning("%s\nNext try in %g s", fault, pause_s)
            await asyncio.sleep(pause_s)
        else:
            return
    await node.restart()


async def _guard(broker: EmbeddedBroker | None) -> None:
    if broker is None:
        return
    await broker.child.wait()
    raise LabFault(
        f"the embedded broker died (log: {broker.child.log}); "
        "nothing on record is lost, go on with: sdl run ... --resume"
    )


async def _await_stop(runtime: Runtime, stop: asyncio.Event | None) -> None:
    if stop is not None:
        await stop.wait()
        runtime.stop("Ctrl-C or SIGTERM", "asked to stop")


@contextmanager
def _first_of_group() -> Iterator[None]:
    """A task group raises all failures as one; a person is told the first, in its own words."""
    try:
        yield
    except BaseExceptionGroup as failures:
        ours, others = failures.split(SdlError)
        raise _leaf(ours or others or failures) from None


def _leaf(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


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
