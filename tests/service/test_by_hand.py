"""A person carries the plates of a simulated lab: real `sdl run`, and its node dies meanwhile."""

from __future__ import annotations

from pathlib import Path

import psutil

from sdl.cli.exits import Exit
from sdl.core import events as ev
from sdl.service.card import card_path
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


ARM = """
[instruments.arm]
simulator = "arm"
reaches   = ["hotel", "handler", "reader"]
"""


LID = """
[places.lids]
sites = 1

[labware.lid-1]
kind  = "cor_96_wellplate_360uL_Fb_lid"
on    = "plate-1"
parks = "lids/1"
"""


def one_well(folder: Path) -> None:
    """A lab with an arm, and of the kind that its campaign wants one plate with a single well."""
    sites = "sites = 1\n"
    campaign = place(folder, speed=150, runs=2, parallel=1, handler=sites, reader=sites)
    kind = "nest_1_troughplate_195000uL_Vb"
    spec = campaign.read_text(encoding="utf-8").replace('"plate-1"', f'{{ kind = "{kind}" }}')
    campaign.write_text(spec, encoding="utf-8")
    file = folder / "lab.toml"
    lab = file.read_text(encoding="utf-8").replace("plate-96-flat", kind)
    file.write_text(lab + HOTEL.lstrip() + ARM, encoding="utf-8")


def plates(folder: Path) -> list[str]:
    """Which fresh plates a person is asked for."""
    if not card_path(folder / ".sdl", "bench").exists():
        return []
    return [each["id"] for each in command(folder, "tasks", "--json").document["plates"]]


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


def test_a_person_takes_the_lid_off_where_the_plate_stands_and_puts_it_on_again(
    tmp_path: Path,
) -> None:
    bench(tmp_path)
    file = tmp_path / "lab.toml"
    file.write_text(file.read_text(encoding="utf-8") + LID, encoding="utf-8")
    ways = ["handler/1", "lids/1", "plate-1", "reader/1", "lids/1"]
    with running(tmp_path) as process:
        for number, target in enumerate(ways, start=1):
            until(process, lambda to=target: asked(tmp_path) == [to], f"task {number}")  # type: ignore[misc]
            well(command(tmp_path, "done", f"carry-{number}", "--by", "anna"))
        ended(process, Exit.OK)
    assert "measured" in command(tmp_path, "runs", "list").out
    assert len(said(tmp_path, ev.CarryDone)) == len(ways)


def test_a_campaign_without_wells_goes_on_with_the_plate_that_a_person_brings(
    tmp_path: Path,
) -> None:
    one_well(tmp_path)
    with running(tmp_path, begins=False) as process:  # its only run may be over in no time
        until(process, lambda: plates(tmp_path) == ["dye/fresh-1"], "the task")
        assert "bring fresh plates" in command(tmp_path, "why").out
        assert "plate wanted: no free well is left" in command(tmp_path, "status").out
        full = command(tmp_path, "done", "fresh-1", "plate-9", "hotel/1", "--by", "anna")
        assert (full.code, "take it off" in full.err) == (Exit.MISTAKE, True)
        well(command(tmp_path, "done", "fresh-1", "plate-9", "hotel/2", "--by", "anna"))
        ended(process, Exit.OK)
    assert [each.labware for each in said(tmp_path, ev.PlateBrought)] == ["plate-9"]
    listed = command(tmp_path, "runs", "list").out
    assert listed.count("measured") == 2, listed


def test_nobody_brings_a_plate_to_a_simulation_which_ends_and_says_why(tmp_path: Path) -> None:
    one_well(tmp_path)
    simulated = command(tmp_path, "simulate", "campaign.toml")
    assert simulated.code != Exit.OK
    told = "no free well is left on a plate of the kind nest_1_troughplate_195000uL_Vb"
    assert told in simulated.out + simulated.err
