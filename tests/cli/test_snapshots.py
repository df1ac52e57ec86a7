"""What ``sdl db`` says of snapshots."""

from __future__ import annotations

import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from sdl.cli.exits import Exit
from sdl.cli.why import Replay
from sdl.core.events import EVENTS, CampaignStarted
from sdl.core.replay import fold
from sdl.shell.record import Record
from sdl.shell.snapshots import Kept, digest_of, kept_of, stamp
from sdl.wire.journal import load
from tests.cli.conftest import command


@pytest.fixture
def mine(lab: Path, tmp_path: Path) -> Path:
    """The lab's folder, to be spoilt."""
    return Path(shutil.copytree(lab, tmp_path / "lab"))


def taken(record: Record, folder: Path) -> Kept:
    """A snapshot of the middle of the campaign."""
    lines = list(record.lines("dye-450"))
    values = [load(line.type, line.body) for line in lines]
    assert isinstance(values[0], CampaignStarted)
    script = Replay(record, [folder]).script(values[0])
    seq = next(n for n in range(len(values) // 2, len(values)) if isinstance(values[n], EVENTS))
    return kept_of(
        fold(script, values[:seq]).snapshot(),
        campaign="dye-450",
        seq=seq,
        head=lines[seq - 1].hash,
        as_of=stamp({"dye-450": digest_of(script)}),
    )


def test_one_that_leads_elsewhere_is_found_and_dropped(mine: Path) -> None:
    record = Record.open(f"sqlite:///{mine / 'record.sqlite'}")
    good = taken(record, mine)
    record.snapshots.add(good)
    said = command(mine, "db", "verify", "--json")
    assert said.code == 0, said.err
    assert (said.document["ok"], said.document["snapshots"]) == (True, [])
    text = good.text().replace("state\tbegun\t[", "state\tbegun\t[1")
    record.snapshots.add(replace(good, body=zlib.compress(text.encode())))
    said = command(mine, "db", "verify")
    assert said.code == Exit.RECORD
    assert f"dye-450: snapshot of line {good.seq}: it leads to another state" in said.out
    assert command(mine, "db", "rebuild").code == 0
    assert record.snapshots.of("dye-450") == []
    assert command(mine, "db", "verify").code == 0
    record.close()


def test_without_the_protocol_they_are_not_compared(mine: Path) -> None:
    record = Record.open(f"sqlite:///{mine / 'record.sqlite'}")
    record.snapshots.add(taken(record, mine))
    record.close()
    for file in (mine / "protocols").glob("*.py"):
        file.unlink()
    said = command(mine, "db", "verify")
    assert said.code == 0, said.err
    assert "its snapshots were not compared, for its protocol is not here" in said.err
