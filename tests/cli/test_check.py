"""``sdl init`` and ``sdl check``: a start that works, and mistakes told with file and line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sdl.cli.exits import Exit
from sdl.model.units import UNITS
from tests.cli.conftest import Sdl, command


def test_what_init_makes_is_sound(sdl: Sdl) -> None:
    said = sdl("check", "campaign.toml")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("dye-450: sound\n")
    assert said.out.endswith("Next: sdl simulate campaign.toml\n")


def test_the_test_that_init_makes_passes(lab: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=lab,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_init_never_overwrites(sdl: Sdl, lab: Path) -> None:
    before = (lab / "lab.toml").read_bytes()
    said = sdl("init", ".")
    assert said.code == Exit.MISTAKE
    assert "lab.toml is there already and is not overwritten" in said.err
    assert (lab / "lab.toml").read_bytes() == before


def test_check_says_all_that_it_understood(sdl: Sdl) -> None:
    lines = sdl("check", "campaign.toml").out.splitlines()
    told = "\n".join(" ".join(line.split()) for line in lines)
    for line in (
        "objective absorbance_au = 0.8 AU within 0.016 AU",
        "hypothesis An absorbance of 0.80 AU needs less than 40 % dye.",
        "predicts: dye_fraction of the best point is below 0.4",
        "search dye_fraction 0.05 to 0.95",
        "fixed settle_s = 30 s",
        "runs at most 4, 2 at a time, none begun after 6 h; ends after 5 failures in a row",
        "planner sobol; if it fails: stop",
        "instruments handler: simulated by liquid-handler",
        "limit dispense.volumes_ul: 0 to 300 µL",
        "labware plate-1: cor_96_wellplate_360uL_Fb, 96 wells, in the role 'well'",
        "broker embedded",
        "record record.sqlite",
    ):
        assert line in told, told
    assert max(map(len, lines)) <= 100


def test_check_says_all_roles_of_a_plate(lab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    shutil.copytree(lab, folder)
    for path, old, new in (
        (folder / "protocols" / "dye_assay.py", "well: Well,\n", "well: Well,\n    spare: Well,\n"),
        (folder / "campaign.toml", "well    = ", 'spare = "plate-1"\nwell    = '),
    ):
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    told = command(folder, "check", "campaign.toml").out
    assert "in the roles 'spare', 'well'" in " ".join(told.split())


PLACES = """
[instruments.arm]
simulator = "./arm.py:Arm"
reaches   = ["hotel", "reader"]

[places.hotel]
sites = 4

[places.shelf]
sites = 1

[labware.plate-9]
kind = "plate-384-flat"
at   = "hotel"

[labware.tips-1]
kind = "hamilton_96_tiprack_300uL"
at   = "shelf"
"""
ARM = """
class Arm:
    async def connect(self) -> None: ...
    async def disconnect(self) -> None: ...
    async def make_safe(self) -> None: ...
    async def move(self, labware: str, source: str, target: str) -> None: ...
    def __init__(self, *, name: str, bench: object) -> None: ...
"""


def test_check_says_where_labware_stands_and_what_a_person_has_to_carry(
    lab: Path, tmp_path: Path
) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    path = tmp_path / "lab" / "lab.toml"
    text = path.read_text().replace(
        'simulator = "absorbance-reader"', 'simulator = "absorbance-reader"\nsites = 1'
    )
    path.write_text(text + PLACES)
    (tmp_path / "lab" / "arm.py").write_text(ARM)
    said = command(tmp_path / "lab", "check", "campaign.toml")
    assert said.code == 0, said.err
    told = "\n".join(" ".join(line.split()) for line in said.out.splitlines())
    for line in (
        "carries labware between: hotel, reader",
        "1 site, reached by arm",
        "places hotel: 4 sites, reached by arm",
        "shelf: 1 site, which no instrument reaches: a person carries",
        "plate-9: Greiner_384_wellplate_28ul_Fb, 384 wells, at first on hotel/1, not used",
        "tips-1: hamilton_96_tiprack_300uL, 96 tips, at first on shelf/1",
    ):
        assert line in told, told
    assert "arm: simulated by ./arm.py:Arm, not used" not in told, "what carries is of use"


def test_check_hides_passwords(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    path = tmp_path / "lab" / "lab.toml"
    text = path.read_text().replace('"embedded"', '"mqtt://me:secret@broker.example:1883"')
    path.write_text(text.replace("sqlite:///record.sqlite", "postgresql://me:secret@host/db"))
    said = command(tmp_path / "lab", "check", "campaign.toml")
    assert "mqtt://me:***@broker.example:1883" in said.out
    assert "postgresql://me:***@host/db" in said.out
    assert "secret" not in said.out


def test_what_runs_leave_behind_is_ignored_by_git(lab: Path) -> None:
    ignored = (lab / ".gitignore").read_text().splitlines()
    assert {".sdl/", "*.sqlite*", "simulated/"} <= set(ignored)


def test_the_units_are_listed_for_people(lab: Path) -> None:
    settings = Path(__file__).parents[2] / "docs" / "settings.md"
    for page in (lab / "README.md", settings):
        text = page.read_text()
        assert [end for end in UNITS if f"`_{end}`" not in text] == []


def test_check_as_json(sdl: Sdl) -> None:
    document = sdl("check", "campaign.toml", "--json").document
    assert document["schema"] == "sdl.check/1"
    assert document["ok"] is True
    assert document["campaign"]["name"] == "dye-450"


WRONG: list[tuple[str, str, str, str]] = [
    (
        "campaign.toml",
        'reader  = "reader"',
        'reader  = "raeder"',
        "campaign.toml:18: roles.reader: the lab has no instrument 'raeder'; "
        "did you mean 'reader'?",
    ),
    (
        "campaign.toml",
        'reader  = "reader"',
        'readr  = "reader"',
        "campaign.toml:16: roles: the role 'reader' is missing; "
        "name an instrument (PlateReader): reader = ...\n"
        "campaign.toml:18: roles.readr: dye_assay has no such role; did you mean 'reader'?",
    ),
    (
        "campaign.toml",
        'reader  = "reader"',
        'reader  = "handler"',
        "campaign.toml:18: roles.reader: 'handler' cannot absorbance, which a PlateReader must; "
        "choose another instrument or driver",
    ),
    (
        "campaign.toml",
        'well    = "plate-1" ',
        'well    = "reader" ',
        "campaign.toml:19: roles.well: 'reader' is an instrument; the role needs a plate",
    ),
    (
        "campaign.toml",
        "parallel = 2",
        "parallel = 97",
        "campaign.toml:8: campaign.parallel: 97 runs at once need more wells than 'well' has "
        "(96); add a plate",
    ),
    (
        "campaign.toml",
        "dye_fraction = {",
        "dye_fration = {",
        "campaign.toml:12: hypothesis.predicts.quantity: 'dye_fraction' is neither a measure "
        "nor a searched input; did you mean 'dye_fration'?\n"
        "campaign.toml:21: search: the input 'dye_fraction' is missing and has no default; "
        "add it to [search] or to [fixed]\n"
        "campaign.toml:22: search.dye_fration: dye_assay has no such input; "
        "did you mean 'dye_fraction'?",
    ),
    (
        "campaign.toml",
        'settle_s = "30 s"',
        'settle_s = "30 uL"',
        'campaign.toml:25: fixed.settle_s: "30 uL" does not fit: settle_s is in s, '
        "and uL cannot be converted to that",
    ),
    (
        "campaign.toml",
        'settle_s = "30 s"',
        'settle_s = "long"',
        "campaign.toml:25: fixed.settle_s: 'long' does not fit: the protocol needs a number",
    ),
    (
        "campaign.toml",
        'measure = "absorbance_au"',
        'measure = "absorbence_au"',
        "campaign.toml:28: objective.measure: dye_assay does not measure 'absorbence_au'; "
        "did you mean 'absorbance_au'?",
    ),
    (
        "campaign.toml",
        'quantity = "dye_fraction"',
        'quantity = "absorbance_au"',
        "campaign.toml:12: hypothesis.predicts: a measure at best needs noise_sd, "
        "the standard deviation of one measurement in the measure's unit",
    ),
    (
        "campaign.toml",
        'kind = "sobol"',
        'kind = "sobel"',
        "campaign.toml:37: planner.kind: there is no planner 'sobel'; did you mean 'sobol'?",
    ),
    (
        "campaign.toml",
        'kind = "sobol"',
        'levels = 4\nkind = "sobol"',
        "campaign.toml:37: planner.levels: the planner 'sobol' has no such option; "
        "known are: ahead, bench, fall_back, kind, refresh, timeout_s",
    ),
    (
        "campaign.toml",
        'kind = "sobol"',
        'level = 4\nkind = "grid"',
        "campaign.toml:37: planner.level: the planner 'grid' has no such option; "
        "did you mean 'levels'?",
    ),
    (
        "campaign.toml",
        'lab      = "lab.toml"',
        'lab      = "labs.toml"',
        "campaign.toml:5: campaign.lab: there is no file labs.toml; correct the path",
    ),
    (
        "campaign.toml",
        "to = 0.95",
        "to = = 0.95",
        "campaign.toml:22: not valid TOML: Invalid value (column 36)",
    ),
    (
        "lab.toml",
        'simulator = "absorbance-reader"',
        'simulator = "absorbance-raeder"',
        "lab.toml:17: there is no simulator 'absorbance-raeder'; "
        "did you mean 'absorbance-reader'? "
        "There are: absorbance-reader, arm, data-emulator, hotel, incubator, liquid-handler, "
        "sealer, shaker, washer, or name a file of your own, such as './my_file.py:MyClass'",
    ),
    (
        "lab.toml",
        "dispense.volumes_ul",
        "dispense.volume_ul",
        'lab.toml:15: instruments.handler.limits."dispense.volume_ul": '
        "dispense has no argument 'volume_ul'; did you mean 'volumes_ul'?",
    ),
    (
        "protocols/dye_assay.py",
        "await settle(settle_s)",
        "import time; time.sleep(settle_s)",
        "{folder}/protocols/dye_assay.py:31: time.sleep reads a clock; a replay would see "
        "another time. Use settle(seconds) and within(seconds)",
    ),
    (
        "protocols/dye_assay.py",
        "await settle(settle_s)",
        "import asyncio; await asyncio.sleep(settle_s)",
        "{folder}/protocols/dye_assay.py:31: asyncio.sleep works past the engine; "
        "use together, settle and within of sdl",
    ),
    (
        "protocols/dye_assay.py",
        "await settle(settle_s)",
        "await settle(settle_s",
        "{folder}/protocols/dye_assay.py:31: '(' was never closed",
    ),
    (
        "protocols/dye_assay.py",
        "WELL_VOLUME_UL = 200.0",
        "WELL_VOLUME_UL = 200.0 / 0",
        "{folder}/protocols/dye_assay.py:8: running the file failed with ZeroDivisionError: "
        "float division by zero",
    ),
]


def test_costs_are_told_as_they_were_understood(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    campaign = tmp_path / "lab" / "campaign.toml"
    text = campaign.read_text().replace('"sobol"', '"ensemble"')
    costs = "[cost]\nper_run = 5\nper_unit.dye_fraction = 3\nchange.dye_fraction = 10\n"
    campaign.write_text(text + costs)
    said = command(tmp_path / "lab", "check", "campaign.toml").out
    assert (
        "  cost         5 for each run\n"
        "               dye_fraction: 3 for each unit\n"
        "               dye_fraction: 10 for each change from one run to the next\n"
    ) in said


@pytest.mark.parametrize("name,right,wrong,expected", WRONG)
def test_bad_input_is_told_with_file_and_line(
    lab: Path, tmp_path: Path, name: str, right: str, wrong: str, expected: str
) -> None:
    folder = tmp_path / "lab"
    shutil.copytree(lab, folder)
    text = (folder / name).read_text()
    assert right in text
    (folder / name).write_text(text.replace(right, wrong, 1))
    said = command(folder, "check", "campaign.toml", "--json")
    assert said.err == f"sdl: {expected.format(folder=folder.resolve())}\n"
    assert said.code == Exit.MISTAKE
    assert "Traceback" not in said.err
    error = said.document["error"]
    assert said.document["schema"] == "sdl.error/1"
    assert len(error["mistakes"]) == expected.count("\n") + 1
    assert all(mistake["line"] for mistake in error["mistakes"])
