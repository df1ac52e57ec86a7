"""One orchestrator leads a lab, on both databases; who was taken over from writes nothing more."""

from __future__ import annotations

import asyncio
import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from sdl.errors import LabFault, LeaseLost, RecordAway, RecordFault
from sdl.shell import database
from sdl.shell import lease as lease_module
from sdl.shell.lab_lock import orchestrator_lock
from sdl.shell.leading import leading, record_of
from sdl.shell.lease import FRESH_S, STILL_S, Lease, Watch, holder_of, is_dead, may_take
from sdl.shell.leases import Held, Leases
from sdl.shell.record import Record
from sdl.shell.writer import Writer
from tests.record.plausible import journal

NOW_S = 1_800_000_000.5
LAB = "bench"


@pytest.fixture
def records(url: str) -> Iterator[tuple[Record, Record]]:
    """The record of one lab as two processes have it open."""
    both = Record.open(url), Record.open(url)
    yield both
    for record in both:
        record.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that are short enough for a test, in the same order."""
    monkeypatch.setattr(lease_module, "RENEW_S", 0.05)
    monkeypatch.setattr(lease_module, "STILL_S", 0.8)


def taken(record: Record, holder: str = "somewhere /lab 7", now_s: float = NOW_S) -> Lease:
    lease = Lease.take(record.leases, LAB, holder, record.leases.held(LAB), now_s)
    assert lease is not None
    return lease


def test_an_epoch_rises_whatever_the_clock_says(records: tuple[Record, Record]) -> None:
    one, other = records
    assert one.leases.held(LAB) is None
    epochs = [taken(one).epoch, taken(other).epoch, taken(one, now_s=5.0).epoch]
    epochs.append(taken(other, now_s=NOW_S + 60.0).epoch)
    assert epochs == [1_800_000_000, 1_800_000_001, 1_800_000_002, 1_800_000_060]


def test_of_two_that_take_at_once_one_gets_it(records: tuple[Record, Record]) -> None:
    one, other = records
    for _ in range(3):  # the first time there is no row yet
        seen = one.leases.held(LAB)
        assert Lease.take(one.leases, LAB, "one", seen, NOW_S) is not None
        assert Lease.take(other.leases, LAB, "other", seen, NOW_S) is None
        assert (held := one.leases.held(LAB)) is not None
        assert held.holder == "one"


def test_a_renewal_changes_the_row_and_a_former_holder_renews_nothing(
    records: tuple[Record, Record],
) -> None:
    first = taken(records[0])
    before = records[1].leases.held(LAB)
    asyncio.run(first.renew())
    after = records[1].leases.held(LAB)
    assert before is not None
    assert after is not None
    assert (after.epoch, after.beat) == (before.epoch, before.beat + 1)
    second = taken(records[1], "elsewhere /lab 8")
    with pytest.raises(LeaseLost, match=r"another orchestrator \(elsewhere /lab 8\) leads lab"):
        asyncio.run(first.renew())
    first.release()
    held = records[0].leases.held(LAB)
    assert held is not None
    assert (held.epoch, held.holder) == (second.epoch, "elsewhere /lab 8"), "a stranger's release"
    second.release()
    assert (held := records[0].leases.held(LAB)) is not None
    assert held.holder == ""


def test_a_line_is_written_only_under_the_lease(records: tuple[Record, Record]) -> None:
    one, other = records
    lines = journal(runs=1)
    one.fence(LAB, taken(one).epoch)
    one.append(lines[:5])
    before = one.leases.held(LAB)
    one.append(lines[5:7])
    after = one.leases.held(LAB)
    assert before is not None
    assert after is not None
    assert after.beat == before.beat + 1, "a line that is written renews the lease"
    other.fence(LAB, taken(other).epoch)
    with pytest.raises(LeaseLost, match="nothing was written"):
        one.append(lines[7:9])
    assert other.head("dye-450")[0] == 7
    other.append(lines[7:10])
    with pytest.raises(LeaseLost):  # and not a quarrel about numbers of lines
        one.append(lines[7:9])
    assert other.verify() is None
    assert other.rebuild(check=True) == []


async def test_a_writer_tells_everybody_that_the_lease_is_lost(
    records: tuple[Record, Record],
) -> None:
    one, other = records
    lines = journal(runs=1)
    one.fence(LAB, taken(one).epoch)
    writer = Writer(one)
    await writer.append(lines[:5])
    taken(other)
    for _ in range(2):
        with pytest.raises(LeaseLost):
            await writer.append(lines[5:8])
    writer.close()


async def test_nothing_is_sent_before_a_late_renewal_has_succeeded(
    records: tuple[Record, Record],
) -> None:
    now_s = 0.0
    first = taken(records[0])
    lease = Lease(records[0].leases, LAB, first.epoch, monotonic=lambda: now_s)
    now_s = FRESH_S + 1.0
    assert not lease.is_fresh()
    await lease.vouch()
    assert lease.is_fresh()
    taken(records[1])
    await lease.vouch()  # it was renewed just now, and nobody takes over in so short a time
    now_s = 2 * FRESH_S + 2.0
    with pytest.raises(LeaseLost):
        await lease.vouch()


def test_a_standby_goes_by_its_own_clock_and_by_what_it_sees(tmp_path: Path) -> None:
    def dead_here(held: Held) -> bool:
        return is_dead(held, tmp_path)

    def never(_: Held) -> bool:
        return False

    now_s = 0.0
    watch = Watch(lambda: now_s)
    held = Held(epoch=5, holder="elsewhere /lab 8", beat=1)
    assert not may_take(held, watch, dead_here)
    now_s = STILL_S - 0.1
    assert not may_take(held, watch, dead_here)
    now_s = STILL_S
    assert may_take(held, watch, dead_here)
    again = Held(epoch=5, holder="elsewhere /lab 8", beat=2)
    assert not may_take(again, watch, dead_here), "it lives"
    assert may_take(None, watch, never)
    assert may_take(Held(epoch=5, holder="", beat=9), watch, never)


@pytest.mark.parametrize(
    "holder, dead",
    [
        ("{host} {folder} 1", True),
        ("{host} {folder}/copy 1", False),
        ("another.host {folder} 1", False),
        ("", False),
    ],
)
def test_the_lock_of_a_folder_tells_only_of_its_own_holders(
    tmp_path: Path, holder: str, *, dead: bool
) -> None:
    words = holder.format(host=platform.node(), folder=tmp_path.resolve())
    assert is_dead(Held(epoch=1, holder=words, beat=0), tmp_path) == dead
    assert holder_of(tmp_path).endswith(f" {os.getpid()}")


@pytest.mark.usefixtures("hasty")
async def test_a_lab_that_is_led_from_elsewhere_is_left_alone(
    records: tuple[Record, Record], tmp_path: Path
) -> None:
    keeping = asyncio.create_task(taken(records[0]).keep())
    with pytest.raises(LabFault, match=r"another sdl run \(somewhere /lab 7\) leads lab 'bench'"):
        async with leading(records[1], LAB, tmp_path, standby=False):
            pass
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    async with leading(records[1], LAB, tmp_path, standby=False):  # its beat stands still now
        pass


@pytest.mark.usefixtures("hasty")
async def test_who_leads_renews_the_lease_from_the_take_to_the_release(
    records: tuple[Record, Record], tmp_path: Path
) -> None:
    async def beat() -> int:
        held = await asyncio.to_thread(records[0].leases.held, LAB)
        assert held is not None
        return held.beat

    async with leading(records[1], LAB, tmp_path, standby=False):
        async with asyncio.timeout(10.0):
            for least in (1, 2, 3):
                while await beat() < least:  # noqa: ASYNC110 - it is a row's
                    await asyncio.sleep(0.01)
    held = records[0].leases.held(LAB)
    assert held is not None
    assert held.holder == "", "it was not given back"


@pytest.mark.usefixtures("hasty")
async def test_who_is_taken_over_from_is_broken_off_whatever_it_does(
    records: tuple[Record, Record], tmp_path: Path
) -> None:
    async def work() -> None:
        async with leading(records[1], LAB, tmp_path, standby=False), asyncio.timeout(10.0):
            taken(records[0])
            await asyncio.Event().wait()

    with pytest.raises(LeaseLost, match="somewhere /lab 7"):
        await work()
    held = records[0].leases.held(LAB)
    assert held is not None
    assert held.holder == "somewhere /lab 7", "it gave back what was another's"


@pytest.mark.usefixtures("hasty")
async def test_who_has_found_out_by_itself_may_leave_in_its_own_time(
    records: tuple[Record, Record], tmp_path: Path
) -> None:
    left: list[str] = []

    async def work() -> None:
        async with leading(records[1], LAB, tmp_path, standby=False) as led:
            taken(records[0])
            led.lease.lose()  # in one step with that: nobody has renewed it meanwhile
            await asyncio.sleep(1.0)  # as long as many renewals take
            left.append("whole")
            raise LeaseLost("a command was refused")

    with pytest.raises(LeaseLost, match="a command was refused"):
        await work()
    assert left == ["whole"]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("ending", ["released", "still", "died here"])
async def test_a_standby_takes_over_from_one_that_ends_stands_still_or_died(
    records: tuple[Record, Record], tmp_path: Path, ending: str
) -> None:
    here = holder_of(tmp_path).rpartition(" ")[0]
    first = taken(records[0], f"{here} 7" if ending == "died here" else "somewhere /lab 7")
    keeping = asyncio.create_task(first.keep())
    entered = asyncio.Event()

    async def stand_by() -> int:
        async with leading(records[1], LAB, tmp_path, standby=True) as led:
            entered.set()
            assert led.is_frozen == (ending != "died here")
            return led.lease.epoch

    with orchestrator_lock(tmp_path, LAB):
        waiting = asyncio.create_task(stand_by())
        await asyncio.sleep(0.3)
        assert not entered.is_set(), "it took over from one that lives"
        if ending != "died here":
            keeping.cancel()
            if ending == "released":
                first.release()
            assert await waiting > first.epoch, "a frozen holder has the lock still"
    assert await waiting > first.epoch
    if ending == "died here":
        with pytest.raises(LeaseLost):
            await keeping
    else:
        with suppress(asyncio.CancelledError):
            await keeping


@pytest.mark.usefixtures("hasty")
async def test_a_standby_goes_on_trying_where_a_frozen_one_keeps_the_database(
    records: tuple[Record, Record],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    swap, refused = type(records[1].leases).swap, ["locked", "locked", "locked again"]

    def locked(leases: Leases, lab: str, holder: str, epoch: int, former: Held | None) -> bool:
        if refused:
            raise RecordFault(refused.pop(0))
        return swap(leases, lab, holder, epoch, former)

    monkeypatch.setattr(Leases, "swap", locked)
    async with leading(records[1], LAB, tmp_path, standby=True) as led:
        assert records[0].leases.held(LAB) == Held(
            holder=holder_of(tmp_path), epoch=led.lease.epoch, beat=0
        )
    told = [each.getMessage().rpartition(": ")[2] for each in caplog.records]
    assert told == ["locked", "locked again"], "each is told once"


async def test_a_standby_waits_where_a_frozen_one_keeps_the_record_from_being_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file, url = tmp_path / "record.sqlite", f"sqlite:///{tmp_path / 'record.sqlite'}"
    Record.open(url).close()
    monkeypatch.setattr(database, "BUSY_MS", 50)
    with closing(sqlite3.connect(file)) as frozen:
        frozen.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordAway, match="another process holds the database"):
            await record_of(url, standby=False)
        waiting = asyncio.create_task(record_of(url, standby=True))
        while not caplog.messages:  # noqa: ASYNC110 - it says nothing else
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert not waiting.done()
        frozen.rollback()
        async with asyncio.timeout(10.0):
            (await waiting).close()
    assert len(caplog.messages) == 1, "it is told once"
