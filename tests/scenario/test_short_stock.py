"""A campaign whose dye runs short, from its file to ``sdl why``, in virtual time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sdl.shell.outcome import Outcome
from sdl.sim.simulate import simulate
from tests.cli.conftest import command

LAB = """\
[lab]
name   = "bench"
broker = "embedded"
record = "sqlite:///record.sqlite"

[instruments.handler]
simulator  = "liquid-handler"
sources_ul = { dye = 20000, buffer = 50000 }

[instruments.reader]
simulator = "absorbance-reader"

[labware.plate-1]

[stocks.handler.dye]
volume_ul = 700
"""
CAMPAIGN = """\
[campaign]
name     = "dye"
lab      = "lab.toml"
protocol = "dye-assay"

[roles]
handler = "handler"
reader  = "reader"
well    = "plate-1"

[search]
dye_fraction = { choices = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9] }
settle_s     = { choices = [10.0, 60.0, 1800.0] }

[objective]
measure = "absorbance_au"
goal    = "maximise"

[cost]
per_run  = 1
per_hour = 4

[stop]
runs = 12

[planner]
kind  = "ensemble"
"""


def played(folder: Path, more: str = "") -> Outcome:
    (folder / "lab.toml").write_text(LAB)
    campaign = CAMPAIGN if more != "bench = false" else CAMPAIGN.replace("per_hour = 4", "")
    (folder / "dye.toml").write_text(f"{campaign}{more}\n")
    return simulate(folder / "dye.toml")


@pytest.fixture(scope="module")
def aware(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    folder = tmp_path_factory.mktemp("aware")
    return folder, played(folder)


def test_a_campaign_that_looks_at_its_stock_gets_more_out_of_it(
    aware: tuple[Path, Outcome], tmp_path: Path
) -> None:
    seeing, blind = aware[1].view, played(tmp_path, "bench = false").view
    assert blind.ended is not None
    assert blind.ended.ending == "material"
    assert seeing.runs_measured > blind.runs_measured
    assert seeing.best is not None
    assert seeing.best.inputs["dye_fraction"] == 0.9, "the best one is found all the same"


def test_why_says_what_a_point_draws_and_what_was_passed_over(
    aware: tuple[Path, Outcome],
) -> None:
    folder, outcome = aware
    record = ("--in", "simulated/dye-0.sqlite")
    numbers = range(1, outcome.view.runs_measured + 1)
    every = [command(folder, "why", *record, f"dye/suggestion-{n}").out for n in numbers]
    assert re.search(r"draws \d+ of 700 uL of handler/dye", every[0])
    assert re.search(r"cost 1, [\d.]+ for [\w ]+ of lab time", every[0])
    passed = r"handler/dye is short: \d+ uL left; \d+ candidates? passed over for want of stock"
    assert re.search(passed, "".join(every))
