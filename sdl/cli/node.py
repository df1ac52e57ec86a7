"""``sdl node``: host a lab's instruments on this machine, for an orchestrator elsewhere."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from sdl.cli.console import tell
from sdl.cli.interrupt import run_until_stopped
from sdl.cli.places import lab_named
from sdl.errors import UserMistake
from sdl.shell.crash import die_as_told
from sdl.shell.node_child import node_name
from sdl.shell.node_process import run_node
from sdl.wire.toml import LabFile


def node(
    lab: Annotated[Path, typer.Argument(metavar="LAB", help="A lab or campaign file.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Host this instrument alone; repeatable.")
    ] = None,
) -> None:
    """Host a lab's instruments, or some of them, on this machine.

    Needs a broker that all machines reach: `broker = "mqtt://..."` in the lab file. Ctrl-C makes
    the instruments safe and leaves.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    die_as_told()
    file = lab_named(lab)
    url = shared_broker(file)
    chosen = tuple(only or ())
    stop = asyncio.Event()
    names = ", ".join(chosen or tuple(one.name for one in file.lab.instruments))
    work = run_node(
        file.lab,
        file.folder,
        broker_url=url,
        stop=stop,
        only=chosen,
        name=node_name(chosen),
        ready=lambda: tell(f"hosting {names}; Ctrl-C stops"),
    )
    run_until_stopped(work, stop, "stopping: instruments are made safe (Ctrl-C again leaves now)")


def shared_broker(file: LabFile) -> str:
    """The URL of a broker that other machines reach. UserMistake if the lab's is embedded."""
    if file.lab.broker == "embedded":
        raise UserMistake(
            'lab.broker: an embedded broker lives inside `sdl run`; write broker = "mqtt://host"',
            file.places.of("lab", "broker"),
        )
    return file.lab.broker
