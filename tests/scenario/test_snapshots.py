"""A real campaign leaves snapshots, and its next process begins with one of them."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from sdl.core.view import View
from sdl.shell import launch, opening
from sdl.shell.launch import Choice, run_campaign
from sdl.shell.outcome import Outcome
from sdl.shell.record import Record
from sdl.shell.snapshots import Keeping
from tests.sim.places import place

RUNS = 5
ENOUGH = 2


@dataclass
class Seen:
    """What became of the resumptions."""

    restored: list[int] = field(default_factory=list)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Takes snapshots of a short campaign too, and notes where a campaign went on from."""
    found, again = Seen(), opening.again

    def noted(*args: object, **more: object) -> opening.Opening:
        opened = again(*args, **more)  # type: ignore[arg-type]
        found.restored.append(opened.restored)
        return opened

    monkeypatch.setattr(launch, "Keeping", partial(Keeping, every=20, share=1.0, least=1))
    monkeypatch.setattr(opening, "again", noted)
    return found


async def interrupted(campaign: Path) -> None:
    """A campaign that is cancelled once it has measured something, as by a second Ctrl-C."""
    enough = asyncio.Event()

    def watch(view: View) -> None:
        if view.runs_ended >= ENOUGH:
            enough.set()

    task = asyncio.create_task(run_campaign(campaign, watch=watch))
    waits = asyncio.create_task(enough.wait())
    await asyncio.wait([task, waits], timeout=60.0, return_when=asyncio.FIRST_COMPLETED)
    assert not task.done(), "it ended before it could be interrupted"
    task.cancel()
    await asyncio.gather(task, waits, return_exceptions=True)


def test_a_campaign_goes_on_from_its_last_snapshot(tmp_path: Path, seen: Seen) -> None:
    path = place(tmp_path, runs=RUNS, broker="embedded", speed=50.0)
    asyncio.run(interrupted(path))
    record = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}", create=False)
    kept = record.snapshots.of("dye")
    assert len(kept) == 2
    assert kept[0].seq == record.head("dye")[0], "the last one was not taken at the end"
    assert not [t for t in threading.enumerate() if t.name.startswith("snapshots")]
    outcome: Outcome = asyncio.run(run_campaign(path, choice=Choice(resume=True)))
    assert seen.restored == [kept[0].seq]
    assert outcome.view.ended is not None
    assert outcome.view.runs_ended == RUNS
    assert record.verify() is None
    assert record.rebuild(check=True) == []
    record.close()
