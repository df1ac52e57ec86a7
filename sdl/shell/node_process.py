"""A node as a process of its own: the child of ``sdl run``, or ``sdl node`` on another machine."""

from __future__ import annotations

import asyncio
import logging
import sys
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

from pydantic import TypeAdapter

from sdl.errors import SdlError
from sdl.model.lab import Lab
from sdl.shell.bench import Bench
from sdl.shell.clock import WallClock
from sdl.shell.collecting import short_pauses
from sdl.shell.crash import die_as_told
from sdl.shell.lab_lock import instrument_locks
from sdl.shell.lifeline import announce_ready, until_parent_leaves
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node import Node
from sdl.shell.node_child import LEAVE_S, node_name
from sdl.shell.node_journal_sqlite import SqliteJournal, journal_path

_LOG = logging.getLogger("sdl.node")


async def run_node(
    lab: Lab,
    folder: Path,
    *,
    broker_url: str,
    stop: asyncio.Event,
    finish: asyncio.Event | None = None,
    only: tuple[str, ...] = (),
    name: str = "node",
    bench_file: Path | None = None,
    ready: Callable[[], None] | None = None,
    elsewhere: Callable[[str], None] | None = None,
    patience_s: float | None = None,
) -> None:
    """Host instruments until ``stop`` is set, or ``finish``: then until nothing is in hand.

    ``folder``: that of ``lab.toml``. ``bench_file``: keeps the simulated bench over a
    restart. ``ready`` is called once the node obeys. ``name`` must be unique in the lab.
    What it was told it keeps in the lab folder's journal of nodes. LabFault if another node hosts
    one of the instruments and does not leave within ``patience_s``; where ``elsewhere`` is given,
    that is told instead, in a sentence, and this one takes its place when it leaves. RecordFault
    if the journal cannot be used.
    """
    finish = finish or asyncio.Event()
    hosted = [each.name for each in lab.instruments if not only or each.name in only]
    locks = instrument_locks(folder, lab.name, hosted, patience_s=patience_s, elsewhere=elsewhere)
    async with AsyncExitStack() as stack:
        # Before the node reads the bench's memory: a node that is about to leave may still write.
        if not await _before(stack.enter_async_context(locks), stop, finish):
            return
        clock = WallClock(lab.speed)
        # Sessions at the embedded broker do not outlive a client that is killed: it is locked out.
        lasting = lab.broker != "embedded"
        journal = stack.enter_context(closing(SqliteJournal(journal_path(folder, lab.name))))
        node = Node(
            lab=lab,
            folder=folder,
            bus=MqttBus(broker_url, f"sdl-{lab.name}-{name}", lasting=lasting),
            clock=clock,
            bench=Bench(clock=clock, seed=lab.seed, lab=lab),
            name=name,
            only=only,
            journal=journal,
            bench_file=bench_file,
        )
        await node.start()
        stack.enter_context(short_pauses())
        try:
            if ready is not None:
                ready()
            await node.serve(stop, finish)
        finally:
            await node.aclose()


async def _before(work: Awaitable[None], *ends: asyncio.Event) -> bool:
    """Whether something was done before one of ``ends`` was set; else it is given up."""
    doing = asyncio.ensure_future(work)
    ending = [asyncio.create_task(end.wait()) for end in ends]
    try:
        await asyncio.wait((doing, *ending), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return doing.done()
    finally:
        for task in (doing, *ending):
            task.cancel()
        await asyncio.gather(doing, *ending, return_exceptions=True)


def main() -> None:
    """``python -m sdl.shell.node_process``: host instruments until the parent lets go."""
    parser = ArgumentParser(prog="python -m sdl.shell.node_process", description=main.__doc__)
    parser.add_argument("--lab", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--broker-file", type=Path, required=True)
    parser.add_argument("--bench-file", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--elsewhere-after-s", type=float)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    die_as_told()
    lab = TypeAdapter(Lab).validate_json(chosen.lab.read_bytes())
    only, after_s = tuple(chosen.only), chosen.elsewhere_after_s
    told = list[str]()

    def elsewhere(said: str) -> None:
        _LOG.warning("%s", said)
        told.append(said)
        announce_ready(said)

    def ready() -> None:
        if told:
            _LOG.warning("that node has left; its instruments are hosted here now")
        else:
            announce_ready()

    async def run() -> None:
        finish = asyncio.Event()
        await run_node(
            lab,
            chosen.folder,
            broker_url=chosen.broker_file.read_text(encoding="utf-8"),
            stop=until_parent_leaves(LEAVE_S, finish=finish),
            finish=finish,
            only=only,
            name=node_name(only),
            bench_file=chosen.bench_file,
            ready=ready,
            elsewhere=None if after_s is None else elsewhere,
            patience_s=after_s,
        )

    try:
        asyncio.run(run())
    except SdlError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
