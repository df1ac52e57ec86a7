"""What ``sdl run`` starts, in which order, and for how long it keeps it up."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from sdl.errors import LabFault, LeaseLost, UserMistake
from sdl.shell import launch, lease, opening, surroundings
from sdl.shell.children import Child
from sdl.shell.lab_lock import orchestrator_lock
from sdl.shell.preflight import prepare
from sdl.shell.record import Record
from tests.sim.places import place

PATIENCE_S = 20.0


def moody(folder: Path, plan: str) -> Child:
    """A child that acts by a plan."""
    (folder / "plan").write_text(plan)
    return Child(
        "node",
        "moody_child",
        str(folder / "plan"),
        log=folder / "node.log",
        fault=LabFault,
        environment={"PYTHONPATH": str(Path(__file__).parent)},
    )


def words(plan: Path) -> list[str]:
    """What a child has still to do."""
    return plan.read_text().split()


def logs(folder: Path) -> list[Path]:
    """What the processes that were started have left."""
    return list(folder.rglob("*.log"))


async def kept(child: Child, plan: Path) -> None:
    """Keep a child up until its plan is used up."""
    await child.start()
    keeping = asyncio.create_task(surroundings._keep_node(child))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not keeping.done() and (words(plan) or not child.running):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        if keeping.done():
            keeping.result()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await child.stop()


async def test_a_node_that_does_not_come_up_at_once_is_given_more_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "CHILD_PAUSES_S", (0.01, 0.01, 0.01))
    await kept(moody(tmp_path, "die fail fail fail stay"), tmp_path / "plan")
    with pytest.raises(LabFault, match=r"did not start.*\n.*port is still busy"):
        await kept(moody(tmp_path, "die fail fail fail fail stay"), tmp_path / "plan")


async def test_only_the_deaths_of_late_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "CHILD_RESTARTS", 1)
    with pytest.raises(LabFault, match=r"died 2 times in 10 minutes.*\n(.*\n)*.*--resume"):
        await kept(moody(tmp_path, "die die stay"), tmp_path / "plan")
    monkeypatch.setattr(surroundings, "CHILD_MEMORY_S", 0.0)
    await kept(moody(tmp_path, "die die die stay"), tmp_path / "plan")


@pytest.mark.parametrize(
    "error, is_lost, told",
    [
        (LeaseLost("another orchestrator leads"), False, "finish\n"),
        (asyncio.CancelledError(), True, "finish\n"),  # so the keeper of the lease breaks off
        (asyncio.CancelledError(), False, ""),
        (LabFault("the broker is gone"), False, ""),
    ],
)
async def test_a_node_may_end_what_it_has_in_hand_where_another_orchestrator_leads(
    tmp_path: Path, error: BaseException, is_lost: bool, told: str
) -> None:
    child, record = moody(tmp_path, "obey"), Record.open("sqlite://")
    led = lease.Lease(record.leases, "bench", 1)
    if is_lost:
        led.lose()
    await child.start()
    await surroundings._end_of(child, led)(type(error), error, None)
    record.close()
    assert (tmp_path / "plan.told").read_text() == told
    assert led.is_lost == bool(told)


async def test_a_child_that_does_not_finish_in_time_is_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    child = moody(tmp_path, "stay")  # until its line is let go of
    await child.start()
    async with asyncio.timeout(PATIENCE_S):
        await child.finish(0.2)
    assert not child.running
    assert caplog.messages == ["the node process is not done after 0.2 s"]
    await child.finish(0.2)


async def test_a_broker_out_of_reach_is_told_before_any_process_starts(tmp_path: Path) -> None:
    campaign = place(tmp_path, broker="mqtt://me:secret@127.0.0.1:1")
    with pytest.raises(LabFault, match=r"^the broker at 127\.0\.0\.1:1 cannot be reached"):
        await launch.run_campaign(campaign)
    assert logs(tmp_path) == [], "a process was started"


async def test_the_lease_is_renewed_while_a_long_journal_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = place(tmp_path)
    prepared = prepare(campaign)
    record = Record.open(prepared.lab.record_url)
    spec, lab = prepared.campaign.campaign, prepared.lab.lab
    begun = opening.new(prepared.script, spec, lab, at=1.0, clock="wall", speed=1.0)
    record.append([begun.chain.add(event, event.at) for event in begun.first])

    def read_for_long(*_: object, **__: object) -> opening.Opening:
        until_s = time.monotonic() + PATIENCE_S
        beats: set[int] = set()
        while len(beats) < 3 and time.monotonic() < until_s:
            held = record.leases.held(lab.name)
            beats |= {held.beat} if held else set()
            time.sleep(0.01)
        raise UserMistake(f"read while it beat {len(beats)} times")

    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    monkeypatch.setattr(opening, "again", read_for_long)
    with pytest.raises(UserMistake, match="read while it beat 3 times"):
        await launch.run_campaign(campaign, choice=launch.Choice(resume=True))
    record.close()
    assert logs(tmp_path) == [], "a process was started"


async def test_a_lab_that_another_run_works_on_is_left_alone(tmp_path: Path) -> None:
    campaign = place(tmp_path)
    with (
        orchestrator_lock(tmp_path, "bench"),
        pytest.raises(LabFault, match=r"another sdl run .* works on lab 'bench'"),
    ):
        await launch.run_campaign(campaign)
    assert logs(tmp_path) == [], "a process was started"
