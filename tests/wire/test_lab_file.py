"""What people write in ``lab.toml``, and what they are told when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.errors import UserMistake
from sdl.model.alert import Alert
from sdl.model.lab import Instrument, Limit
from sdl.model.stock import Source, Stocks
from sdl.wire.labware_kinds import labware_kind
from sdl.wire.toml import open_lab, read_lab

GOOD = """\
[lab]
name   = "bench"
broker = "mqtt://user:secret@host:1883"
record = "postgresql+psycopg://host/lab"
speed  = 60
seed   = 1

[instruments.handler]
simulator = "liquid-handler"
sources_ul = { dye = 20000, buffer = 50000 }
[instruments.handler.limits]
"dispense.volumes_ul" = { from = 0, to = "0.3 mL" }

[instruments.reader]
simulator = "./simulators/reader.py:Reader"

[labware.plate-1]
kind = "plate-96-flat"
"""


def test_a_lab_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(GOOD)
    lab = read_lab(path)
    assert lab.instruments[0] == Instrument(
        name="handler",
        driver="liquid-handler",
        simulated=True,
        options={"sources_ul": {"dye": 20000, "buffer": 50000}},
        limits={"dispense.volumes_ul": Limit(low=0.0, high=300.0)},
    )
    assert lab.simulated
    assert lab.labware[0].kind == labware_kind("plate-96-flat")
    assert open_lab(path).folder == tmp_path.resolve()


@pytest.mark.parametrize("plan", ["auto", "off"])
def test_whether_anybody_plans_is_read(plan: str, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(f'{GOOD}[scheduling]\nplan = "{plan}"\n')
    assert read_lab(path).plan == plan
    path.write_text(GOOD)
    assert read_lab(path).plan == "auto"
    path.write_text(f'{GOOD}[scheduling]\nplan = "clever"\n')
    with pytest.raises(UserMistake, match='\'clever\' is no way to plan; write "auto" or "off"'):
        read_lab(path)


def test_stocks_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(
        GOOD
        + """
[stocks.handler]
error_ul = 0.5
error_cv = 0.003
[stocks.handler.dye]
volume_ul = "20 mL"
[stocks.handler.buffer]
volume_ul = 50000
dead_volume_ul = "0.2 mL"
capacity_ul = "100 mL"
lot = "B12"
expires = 2027-03-01
"""
    )
    (stocks,) = read_lab(path).stocks
    assert stocks == Stocks(
        instrument="handler",
        sources={
            "dye": Source(volume_ul=20_000.0),
            "buffer": Source(
                volume_ul=50_000.0,
                dead_volume_ul=200.0,
                capacity_ul=100_000.0,
                lot="B12",
                expires="2027-03-01",
            ),
        },
        error_ul=0.5,
        error_cv=0.003,
    )


def test_tips_are_counted_in_pieces_or_by_the_racks_that_they_are_in(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    racks = "".join(
        f'[labware.tips-{number}]\nkind = "hamilton_96_tiprack_300uL"\n' for number in (1, 2)
    )
    counted = "[stocks.handler.tip_waste]\npieces = 0\ncapacity = 500\n"
    named = '[stocks.handler.tips]\nracks = ["tips-1", "tips-2"]\nlot = "T7"\n'
    path.write_text(GOOD + racks + counted + named)
    (stocks,) = read_lab(path).stocks
    assert stocks.sources == {
        "tip_waste": Source(volume_ul=0.0, capacity_ul=500.0, is_counted=True),
        "tips": Source(volume_ul=192.0, capacity_ul=192.0, lot="T7", is_counted=True),
    }


@pytest.mark.parametrize(
    "text,said",
    [
        ("[stocks.handle.dye]\nvolume_ul = 1", "did you mean 'handler'?"),
        ("[stocks.handler]\nerror_ul = 0.5", "names no source"),
        ("[stocks.handler.dye]", "volume_ul: is missing"),
        ("[stocks.handler.dye]\nvolume_ul = -1", "-1 is below 0; give 0 or more"),
        ("[stocks.handler.dye]\nvolume_ul = 5\ncapacity_ul = 4", "4 is below volume_ul (5)"),
        ('[stocks.handler.dye]\nvolume_ul = 5\nexpires = "soon"', "is no day; write expires ="),
        ("[stocks.handler.dye]\nvolume_ul = 5\ncolour = 1", "unknown key"),
        ('[stocks.handler."a/b"]\nvolume_ul = 5', "is no name for a source"),
        ('[stocks.handler.dye]\nvolume_ul = "5 kg"', "cannot be converted"),
        ("[stocks.handler.tips]\npieces = -1", "-1 is below 0; give 0 or more"),
        ("[stocks.handler.tips]\npieces = 1.5", "needs a whole number"),
        ("[stocks.handler.tips]\npieces = 96\ncapacity = 95", "95 is too few for 96 pieces"),
        ("[stocks.handler.tips]\npieces = 96\nvolume_ul = 1", "unknown key"),
        ('[stocks.handler.tips]\nracks = ["plate-1"]', "'plate-1' is no rack of tips"),
        ("[stocks.handler.tips]\nracks = []", "needs names of racks of tips"),
    ],
)
def test_wrong_stocks_are_told_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(f"{GOOD}\n{text}\n")
    with pytest.raises(UserMistake) as caught:
        read_lab(path)
    assert said in str(caught.value)
    assert "lab.toml:2" in str(caught.value)


def test_a_lab_file_of_four_lines_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text('[lab]\nname = "b"\n[instruments.r]\ndriver = "x"\n')
    lab = read_lab(path)
    assert (lab.broker, lab.record, lab.speed) == ("embedded", "sqlite:///record.sqlite", 1.0)
    assert not lab.simulated


CASES: list[tuple[str, str, str]] = [
    (
        "mqtt://user:secret@host:1883",
        "http://host",
        '3: lab.broker: \'http://host\' is no broker; write "embedded" or "mqtt://host:1883"',
    ),
    (
        "mqtt://user:secret@host:1883",
        "mqtt://host:port",
        '3: lab.broker: \'mqtt://host:port\' is no broker; write "embedded" or "mqtt://host:1883"',
    ),
    (
        "postgresql+psycopg://host/lab",
        "record.sqlite",
        "4: lab.record: 'record.sqlite' is no database; "
        'write "sqlite:///record.sqlite" or "postgresql://host/name"',
    ),
    ("speed  = 60", "speed = 0", "5: lab.speed: 0 is out of range; use more than 0, at most 1e+06"),
    (
        'simulator = "liquid-handler"',
        'driver = "pump"',
        "5: lab.speed: time cannot be sped up, handler is a real instrument; remove it",
    ),
    (
        'simulator = "liquid-handler"',
        'simulator = "liquid-handler"\ndriver = "pump"',
        "10: instruments.handler.driver: an instrument has a simulator or a driver, not both",
    ),
    (
        'simulator = "./simulators/reader.py:Reader"',
        "",
        '14: instruments.reader.driver: is missing; write for instance: driver = "entry-point"',
    ),
    (
        "[instruments.reader]",
        "[instruments.Reader]",
        "14: instruments.Reader: is no name for an instrument: "
        "use small letters, digits and hyphens, 40 at most",
    ),
    (
        '"dispense.volumes_ul"',
        "dispense",
        "12: instruments.handler.limits.dispense: name an action and its argument, "
        '"dispense.volumes_ul", in quotes',
    ),
    (
        'from = 0, to = "0.3 mL"',
        "from = 5, to = 3",
        '12: instruments.handler.limits."dispense.volumes_ul": from (5) is above to (3); swap them',
    ),
    (
        'from = 0, to = "0.3 mL"',
        "",
        '12: instruments.handler.limits."dispense.volumes_ul": '
        "a limit needs from, to or both: { from = 0, to = 300 }",
    ),
    (
        'to = "0.3 mL"',
        'to = "3 s"',
        '12: instruments.handler.limits."dispense.volumes_ul".to: "3 s" does not fit: '
        "volumes_ul is in µL, and s cannot be converted to that",
    ),
    (
        "plate-96-flat",
        "plate-96-flt",
        "18: labware.plate-1.kind: 'plate-96-flt' is no kind of labware; the nearest are "
        "plate-96-flat, plate-384-flat, AB_Plate_96_Well; `sdl labware` lists all",
    ),
    (
        "labware.plate-1",
        "labware.reader",
        "17: labware.reader: an instrument has this name; choose another",
    ),
    ("[labware.", "[labwares.", "17: labwares: unknown key; did you mean 'labware'?"),
]


@pytest.mark.parametrize("right,wrong,expected", CASES)
def test_each_mistake_is_told_with_its_line(
    tmp_path: Path, right: str, wrong: str, expected: str
) -> None:
    assert right in GOOD
    path = tmp_path / "lab.toml"
    path.write_text(GOOD.replace(right, wrong, 1))
    with pytest.raises(UserMistake) as caught:
        read_lab(path)
    assert str(caught.value).replace(f"{path}:", "") == expected


def test_whom_to_call_is_read_and_is_no_part_of_the_lab(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(f'{GOOD}[alert]\ncommand = ["./call.sh", "3"]\nevery_s = "5 min"\n')
    file = open_lab(path)
    assert file.alert == Alert(command=("./call.sh", "3"), every_s=300.0)
    path.write_text(f'{GOOD}[alert]\ncommand = "call"\n')
    assert open_lab(path).alert == Alert(command=("call",))
    path.write_text(GOOD)
    assert open_lab(path).alert is None
    assert open_lab(path).lab == file.lab


@pytest.mark.parametrize(
    "words, told",
    [
        ("", "command: is missing"),
        ("command = []", "needs a program and its arguments in a list"),
        ('command = ["x", 3]', "needs a program and its arguments in a list"),
        ('command = "x"\ntimeout_s = 0', "0 is out of range"),
        ('command = "x"\nwebhook = "y"', "unknown key"),
    ],
)
def test_what_is_wrong_with_an_alert_is_told_with_its_line(
    tmp_path: Path, words: str, told: str
) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(f"{GOOD}[alert]\n{words}\n")
    with pytest.raises(UserMistake, match=told):
        open_lab(path)
