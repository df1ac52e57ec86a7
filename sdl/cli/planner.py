"""``sdl planner``: host the planners on this machine, one with a GPU for instance."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from sdl.cli.console import tell
from sdl.cli.interrupt import run_until_stopped
from sdl.cli.node import shared_broker
from sdl.cli.places import lab_named
from sdl.model.lab import is_name
from sdl.shell.crash import die_as_told
from sdl.shell.planner_worker import run_worker
from sdl.wire.toml_table import NAME_RULE


def planner(
    lab: Annotated[Path, typer.Argument(metavar="LAB", help="A lab or campaign file.")],
    name: Annotated[str, typer.Option(help="What `sdl run --planner` calls it.")] = "elsewhere",
) -> None:
    """Host a planner for a lab on this machine.

    Needs a broker that all machines reach: `broker = "mqtt://..."` in the lab file. Then, where
    the campaign runs: sdl run CAMPAIGN --planner NAME
    """
    if not is_name(name):
        raise typer.BadParameter(f"{name!r} is no name: {NAME_RULE}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    die_as_told()
    file = lab_named(lab)
    url = shared_broker(file)
    stop = asyncio.Event()
    work = run_worker(file.lab.name, url, stop=stop, worker=name, ready=_ready)
    run_until_stopped(work, stop, "stopping (Ctrl-C again leaves at once)")


def _ready() -> None:
    tell("planning; Ctrl-C stops")
