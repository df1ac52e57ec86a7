"""What stands around a runtime at work: broker, node and planner worker, started and kept going."""

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
from types import TracebackType
from typing import TypeAlias

from sdl.core.events import Event
from sdl.errors import LabFault, LeaseLost, RecordFault
from sdl.model.lab import Lab
from sdl.shell.alerting import Alerting
from sdl.shell.broker import URL_FILE, EmbeddedBroker, remove_ours, write_secret, written
from sdl.shell.children import Child
from sdl.shell.first_failure import first_of_group
from sdl.shell.lease import Lease
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node_child import IN_HAND_S, node_child
from sdl.shell.planner_client import PlannerClient
from sdl.shell.planner_worker import WORKER, planner_child
from sdl.shell.presence import Presence
from sdl.shell.runtime import Runtime
from sdl.wire.toml import LabFile
from sdl.wire.topics import Topics

CHILD_RESTARTS = 5
"""Times that a node or broker which died is started again before the run is given up, ..."""
CHILD_MEMORY_S = 600.0
"""... counted over these last wall seconds; a campaign may go on for weeks."""
CHILD_PAUSES_S = (1.0, 2.0, 5.0)
"""Wall seconds between the tries of one restart: a dead process's port may still be busy."""
DESK_S = 1.0
"""Wall seconds that people wait at most for the first command to leave, before they are let in."""

Leave: TypeAlias = Callable[
    [type[BaseException] | None, BaseException | None, TracebackType | None], Awaitable[None]
]
"""What a stack calls with the error that ends it, if there is one."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What is to be started, and where."""

    lab: LabFile
    lease: Lease
    folder: Path
    """Of the run: for logs, and for what the children are told."""
    host: bool
    """Whether a node is started for all instruments."""
    planner: str | None
    """Name of a worker that runs elsewhere; None starts one."""
    elsewhere_after_s: float | None
    """When to go on although another node hosts the instruments; None: that ends the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands ready around the runtime."""

    bus: MqttBus
    presence: Presence
    planner: PlannerClient
    broker: EmbeddedBroker | None
    node: Child | None
    lab: LabFile


async def stand_up(stack: AsyncExitStack, needs: Needs) -> Surroundings:
    """Start what is needed; the stack ends it."""
    lab, lease, folder = needs.lab.lab, needs.lease, needs.folder
    boot = secrets.token_hex(8)
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
            needs.lab.folder,
            run_folder=folder,
            broker_file=broker_file,
            elsewhere_after_s=needs.elsewhere_after_s,
        )
        if needs.host
        else None
    )
    worker = (
        planner_child(lab.name, run_folder=folder, broker_file=broker_file)
        if needs.planner is None
        else None
    )
    if node is not None:
        stack.push_async_exit(_end_of(node, lease))
    if worker is not None:
        stack.push_async_callback(worker.stop)
    with first_of_group():
        async with asyncio.TaskGroup() as group:
            for child in (node, worker):
                if child is not None:
                    group.create_task(child.start())
    planner = PlannerClient(
        lab=lab.name,
        bus=MqttBus(url, f"sdl-{lab.name}-asks-{boot}"),
        restart=worker.restart if worker else None,
        worker=needs.planner or WORKER,
    )
    stack.push_async_callback(planner.aclose)
    await planner.start()
    return Surroundings(
        bus=bus, presence=presence, planner=planner, broker=broker, node=node, lab=needs.lab
    )


def _end_of(node: Child, lease: Lease) -> Leave:
    """Ends the node: where the lease or the record is lost, not before what it has in hand.

    What it does was asked for, and is on its journal; whoever goes on will hear how it ended.
    """

    async def end(
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        is_lost = lease.is_lost or isinstance(error, LeaseLost)
        if not is_lost and not lease.is_cut_off and not isinstance(error, RecordFault):
            await node.stop()
            return
        lease.is_leaving = True
        if is_lost:
            lease.lose()
        log.warning(
            "%s; the node ends what it has in hand, in %g min at the latest (Ctrl-C twice cuts it "
            "off)",
            "another orchestrator leads the lab now" if is_lost else "the record is out of reach",
            IN_HAND_S / 60.0,
        )
        await node.finish(IN_HAND_S)

    return end


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


async def work(
    runtime: Runtime,
    first: tuple[Event, ...],
    around: Surroundings,
    *,
    stop: asyncio.Event | None,
    let_in: Callable[[], Awaitable[None]],
) -> None:
    """Run the loop beside those who watch over the children; the first failure is raised.

    ``let_in``: opens the desk to people, until cancelled.
    """
    with first_of_group():
        async with asyncio.TaskGroup() as group:
            others = [
                group.create_task(_keep_node(around.node)),
                group.create_task(_keep_broker(around.broker)),
                group.create_task(_await_stop(runtime, stop)),
                group.create_task(_let_in(runtime, let_in)),
                group.create_task(_alert(runtime, around.lab)),
            ]
            await runtime.run(*first)
            for other in others:
                other.cancel()


async def _let_in(runtime: Runtime, let_in: Callable[[], Awaitable[None]]) -> None:
    """Let people in once there is something to see."""
    await runtime.begun.wait()
    with suppress(TimeoutError):  # what serves them takes half a second to load: work goes first
        await asyncio.wait_for(runtime.moving.wait(), DESK_S)
    await let_in()


async def _alert(runtime: Runtime, lab: LabFile) -> None:
    """Call people when they are needed, where the lab's file says how."""
    if lab.alert is not None:
        await runtime.begun.wait()
        await Alerting(lab.alert, lab.folder, runtime.lab).keep_calling()


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
