"""A lab at work for several campaigns: real processes, a broker, and people who come and go."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sdl.cli.why import Replay, reasons
from sdl.core import events as ev
from sdl.core.view import LabView
from sdl.errors import LabFault, UserMistake
from sdl.service.caller import Caller
from sdl.service.card import card_path, read
from sdl.shell.launch import Choice, run_campaign
from sdl.shell.protocols import Protocols
from sdl.shell.record import Record
from sdl.shell.sessions import new_session
from sdl.wire.journal import load
from sdl.wire.toml import open_lab
from tests.scenario.test_real_loop import PATIENCE_S, record_of, started, until
from tests.sim.places import place

NAMES = ("first", "second", "third")
RUNS = 6


def campaigns(folder: Path, *, speed: int = 120) -> list[Path]:
    """Campaigns of one lab."""
    text = place(folder, runs=RUNS, speed=speed, planner="sobol").read_text(encoding="utf-8")
    found = []
    for name in NAMES:
        path = folder / f"{name}.toml"
        path.write_text(text.replace('"dye"', f'"{name}"', 1), encoding="utf-8")
        found.append(path)
    return found


def caller(folder: Path) -> Caller | None:
    """Who speaks to the lab's orchestrator; None while nobody answers."""
    try:
        found = Caller(read(card_path(folder / ".sdl", "bench")))
        found.lab()
    except LabFault:
        return None
    return found


@contextmanager
def at_work(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], Caller]]:
    """``sdl lab up``, once it can be spoken to."""
    with started("lab", "up", str(folder / "lab.toml"), *words) as process:
        until(lambda: process.poll() is not None or caller(folder) is not None, "the lab")
        found = caller(folder)
        assert found is not None, process.communicate()
        yield process, found


def begin(lab: Caller, path: Path, **claim: float) -> str:
    return str(lab.act("campaigns", {"by": "ada", "path": str(path), **claim})["started"])


def ended(lab: Caller, *names: str) -> bool:
    return {one.campaign for one in lab.lab().ended} >= set(names)


def close(process: subprocess.Popen[str], lab: Caller) -> None:
    lab.act("lab/down", {"by": "ada", "note": "night"})
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "night (ada)" in out


def whole(record: Record) -> str:
    """The session's name; everything on record holds together."""
    assert record.verify() is None
    assert record.rebuild(check=True) == []
    (session,) = record.sessions()
    return session.session


def test_a_lab_that_is_killed_with_three_campaigns_in_flight_goes_on_with_all(
    tmp_path: Path,
) -> None:
    paths = campaigns(tmp_path)
    with at_work(tmp_path) as (process, lab):
        assert [begin(lab, path) for path in paths] == list(NAMES)

        def all_fly() -> bool:
            views: LabView = lab.lab()
            return sum(bool(view.in_flight) for view in views.campaigns) == len(NAMES)

        until(all_fly, "a run of each")
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=PATIENCE_S)
    waits = reasons(Replay(record_of(tmp_path), [tmp_path]), None)
    assert {one.who.partition("/")[0] for one in waits} == set(NAMES), "not of the last one only"
    for one in waits:
        assert one in reasons(Replay(record_of(tmp_path), [tmp_path]), one.who), one.who
    for choice in (Choice(), Choice(resume=True)):
        with pytest.raises(UserMistake, match=r"has not ended.*sdl lab up LAB --resume"):
            asyncio.run(run_campaign(paths[0], choice=choice))
    for path in paths:
        path.unlink()  # the record alone is enough
    with at_work(tmp_path, "--resume") as (process, lab):
        until(lambda: ended(lab, *NAMES), "the end of all")
        close(process, lab)
    record = record_of(tmp_path)
    session = whole(record)
    for name in NAMES:
        row = record.campaign(name).campaign
        assert (row.journal, row.ending) == (session, "budget")
        runs = record.runs(name)
        assert len(runs) == RUNS
        for run in runs:
            steps = record.run(run.run).steps
            once = [each.step for each in steps if each.effect == "once" and each.status == "done"]
            assert len(once) == len(set(once)), f"{run.run} did a step twice"
    record.close()


def test_what_may_not_start_changes_nothing_and_what_ends_leaves_the_others(
    tmp_path: Path,
) -> None:
    first, second, third = campaigns(tmp_path)
    with at_work(tmp_path) as (process, lab):
        assert begin(lab, first, priority=2, weight=3.0, runs_at_once=1) == "first"
        wrong = second.read_text(encoding="utf-8").replace("to = 0.95", "to = 0.01")
        second.write_text(wrong, encoding="utf-8")
        with pytest.raises(UserMistake, match=r"second\.toml:\d+"):
            begin(lab, second)
        with pytest.raises(UserMistake, match="at work already"):
            begin(lab, first)
        other = tmp_path / "other"
        other.mkdir()
        far = campaigns(other, speed=60)[0]
        with pytest.raises(UserMistake, match="its speed is 60"):
            begin(lab, far)
        assert [view.campaign for view in lab.lab().campaigns] == ["first"]
        assert begin(lab, third) == "third"
        lab.act("stop", {"by": "ada", "campaign": "third"})
        until(lambda: ended(lab, "third"), "the end of the third")
        until(lambda: ended(lab, "first"), "the end of the first")
        again = begin(lab, first)
        assert again == "first-2"
        close(process, lab)
    record = record_of(tmp_path)
    session = whole(record)
    heads = [
        load(line.type, line.body)
        for line in record.lines(session)
        if line.type == "CampaignStarted"
    ]
    claims = [
        (h.campaign.name, h.terms.priority, h.by)
        for h in heads
        if isinstance(h, ev.CampaignStarted)
    ]
    assert claims == [("first", 2, "ada"), ("third", 0, "ada"), ("first-2", 0, "ada")]
    assert record.campaign("first-2").campaign.ending is None
    record.close()


REAL = """
[lab]
name = "bench"

[instruments.pump]
driver = "./pumps.py:Pump"
sites  = 1

[places.hotel]
sites = 2

[labware.plate-1]
at = "hotel"
"""


def left_elsewhere(folder: Path) -> None:
    """A lab with a real pump, in whose last session a person took the plate from the hotel."""
    pumps = Path(__file__).parents[1] / "testing" / "pumps.py"
    (folder / "pumps.py").write_text(pumps.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "lab.toml").write_text(REAL, encoding="utf-8")
    lab = open_lab(folder / "lab.toml")
    opening = new_session(Protocols(folder), lab.lab, "bench-lab", at=1.0, clock="wall", speed=1.0)
    placed = ev.LabwarePlaced(at=2.0, labware="plate-1", site="pump/1", by="ada")
    record = Record.open(lab.record_url)
    for event in (*opening.first, placed, ev.LabDownRequested(at=3.0, by="ada")):
        values = (event, *opening.engine.handle(event))
        record.append([opening.chain.add(value, event.at) for value in values])
    record.close()


def test_a_plate_that_was_left_elsewhere_is_asked_for_as_a_real_lab_opens(tmp_path: Path) -> None:
    left_elsewhere(tmp_path)
    with at_work(tmp_path) as (process, lab):
        (doubted,) = lab.lab().astray
        assert (doubted.labware, doubted.note) == (
            "plate-1",
            "it stood on pump/1 when bench-lab ended, and lab.toml has it on hotel/1",
        )
        lab.act("place", {"by": "ada", "labware": "plate-1", "site": "pump/1"})
        assert lab.lab().astray == ()
        close(process, lab)
