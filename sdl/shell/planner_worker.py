"""The process in which planners think, so that a fit never holds up the bench."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from argparse import ArgumentParser
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sdl.errors import PlannerFault, SdlError
from sdl.model.planning import Answer, Ask
from sdl.shell.bus import Bus, Message
from sdl.shell.children import Child
from sdl.shell.crash import crash_point, die_as_told
from sdl.shell.lifeline import announce_ready, until_parent_leaves
from sdl.shell.mqtt_bus import MqttBus
from sdl.wire.mqtt import Unreadable, WorkerStatus, decode_ask, digest, encode, encode_answer
from sdl.wire.topics import Topics

WORKER = "planner"
"""Name of the one worker that ``sdl run`` starts."""
REMEMBERED = 32
"""Answers kept, so that asking again is free."""

_LOG = logging.getLogger("sdl.planner")


class PlannerWorker:
    """Answers questions from the bus, one after the other, in a thread beside the line."""

    def __init__(
        self,
        *,
        lab: str,
        bus: Bus,
        answer: Callable[[Ask], Answer],
        planners: tuple[str, ...],
        worker: str = WORKER,
        warm: Callable[[str], None] | None = None,
        boot: str | None = None,
    ) -> None:
        """``planners``: what it offers. ``answer`` runs in a thread and never raises.

        ``warm`` makes a planner, by name, load its libraries; called once its first answer is out,
        while the bench has work. ``boot``: id of this start, random if None.
        """
        self._bus = bus
        self._answer = answer
        self._warm = warm
        self._planners = planners
        self._topics = Topics(lab)
        self._worker = worker
        self._boot = boot or secrets.token_hex(8)
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="planner")

    async def start(self) -> None:
        """Open the line. LabFault if the broker cannot be reached."""
        await self._bus.subscribe(self._topics.ask(self._worker))
        await self._bus.connect(will=self._status(online=False), on_connect=self._announce)

    async def serve(self) -> None:
        """Answer until cancelled."""
        async for message in self._bus.messages():
            if not message.retain:
                await self._one(message.payload)

    async def aclose(self) -> None:
        """Say good-bye. A fit that still runs ends with the process."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        await self._send(self._status(online=False))
        await self._bus.aclose()

    async def _one(self, payload: bytes) -> None:
        key = digest(payload.decode(errors="replace"))
        known = self._known.get(key)
        if known is None:
            try:
                ask = decode_ask(payload)
            except Unreadable as error:
                _LOG.warning("question dropped: %s", error)
                return
            crash_point("planner.asked")
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._thread, self._answer, ask)
            known = self._known[key] = encode_answer(answer)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            crash_point("planner.answered")
            self._warm_up(ask.planner)
        await self._send(Message(self._topics.answer(self._worker), known))

    def _warm_up(self, planner: str) -> None:
        warm, self._warm = self._warm, None
        if warm is not None:
            # In the thread that answers: a fit and a warm-up share one stream of chance.
            self._thread.submit(warm, planner)

    def _status(self, *, online: bool) -> Message:
        status = WorkerStatus(boot=self._boot, online=online, planners=self._planners)
        return Message(self._topics.planner_status(self._worker), encode(status), retain=True)

    async def _announce(self) -> None:
        await self._send(self._status(online=True))

    async def _send(self, message: Message) -> None:
        await self._bus.publish(message.topic, message.payload, retain=message.retain)


def planner_child(lab: str, *, run_folder: Path, broker_file: Path) -> Child:
    """The child process that hosts the planners.

    ``run_folder`` receives its log. ``broker_file``: the file, readable by its owner only, that
    holds the broker's URL.
    """
    return Child(
        WORKER,
        "sdl.shell.planner_worker",
        "--lab",
        lab,
        "--broker-file",
        str(broker_file),
        log=run_folder / "planner.log",
        fault=PlannerFault,
    )


async def run_worker(
    lab: str,
    broker_url: str,
    *,
    stop: asyncio.Event,
    worker: str = WORKER,
    ready: Callable[[], None] | None = None,
) -> None:
    """Host the planners that are installed until ``stop`` is set.

    ``worker``: a name that is unique in the lab. ``ready`` is called once it answers. LabFault if
    the broker cannot be reached.
    """
    from sdl.planner.server import answer, known, warm

    # Beside a frozen orchestrator's worker of this name, each needs a line of its own.
    bus = MqttBus(broker_url, f"sdl-{lab}-planner-{worker}-{secrets.token_hex(4)}")
    host = PlannerWorker(
        lab=lab, bus=bus, answer=answer, planners=known(), worker=worker, warm=warm
    )
    await host.start()
    if ready is not None:
        ready()
    serving = asyncio.create_task(host.serve())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
    await host.aclose()
    if serving.done():
        serving.result()


def main() -> None:
    """``python -m sdl.shell.planner_worker``: answer questions until the parent lets go."""
    parser = ArgumentParser(prog="python -m sdl.shell.planner_worker", description=main.__doc__)
    parser.add_argument("--lab", required=True)
    parser.add_argument("--broker-file", type=Path, required=True)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    die_as_told()

    async def run() -> None:
        await run_worker(
            chosen.lab,
            chosen.broker_file.read_text(encoding="utf-8"),
            stop=until_parent_leaves(),
            ready=announce_ready,
        )

    # Before torch is loaded: the same answer on every machine, and a core left for the bench.
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    try:
        asyncio.run(run())
    except SdlError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    sys.stderr.flush()
    os._exit(0)  # a fit under way would hold the interpreter's end up


if __name__ == "__main__":
    main()
