"""A person carries the plates of a simulated lab: real `sdl run`, and its node dies meanwhile."""

from __future__ import annotations

from pathlib import Path

import psutil

from sdl.cli.exits import Exit
from sdl.core import events as ev
from tests.cli.conftest import command
from tests.service.test_running import ended, now, running, said, until, well
from tests.sim.places import place

HOTEL = """
at   = "hotel"

[places.hotel]
sites = 2
"""


def bench(folder: Path) -> None:
    """A lab without an arm; lab time is that of the wall, so that no window is missed."""
    sites = "sites = 1\n"
    campaign = place(folder, speed=4, runs=1, parallel=1, handler=sites, reader=sites)
    quickly = campaign.read_text(encoding="utf-8").replace("settle_s = 30.0", "settle_s = 4.0")
    campaign.write_text(quickly, encoding="utf-8")
    file = folder / "lab.toml"
    file.write_text(file.read_text(encoding="utf-8") + HOTEL.lstrip(), encoding="utf-8")


def asked(folder: Path) -> list[str]:
    """To which sites a person should carry something."""
    if not now(folder)["in_flight"]:
        return []
    return [each["target"] for each in command(folder, "tasks", "--json").document["carries"]]


def kill_node(orchestrator: int) -> None:
    children = psutil.Process(orchestrator).children(recursive=True)
    (node,) = [each for each in children if "sdl.shell.node_process" in " ".join(each.cmdline())]
    node.kill()


def test_a_simulator_finds_a_plate_where_a_person_has_put_it(tmp_path: Path) -> None:
    bench(tmp_path)
    with running(tmp_path) as process:
        until(process, lambda: asked(tmp_path) == ["handler/1"], "the first task")
        kill_node(process.pid)  # what is said now is told to the one that comes after it
        well(command(tmp_path, "done", "carry-1", "--by", "anna"))
        until(process, lambda: asked(tmp_path) == ["reader/1"], "the second task")
        well(command(tmp_path, "done", "carry-2", "--by", "anna"))
        ended(process, Exit.OK)
    assert [each.by for each in said(tmp_path, ev.CarryDone)] == ["anna", "anna"]
    assert "measured" in command(tmp_path, "runs", "list").out
