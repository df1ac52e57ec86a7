"""Simulated disks: a commit is whole or not there, in order, and refused where the disk is ill."""

from __future__ import annotations

import asyncio
import random

import pytest

from sdl.core.events import StopRequested
from sdl.errors import LeaseLost, RecordAway, RecordFault
from sdl.shell.leases import Held
from sdl.shell.node_journal import Booted, EpochSeen
from sdl.sim.disk import SLOW_S, Disk, Health, SimJournal, SimRecord
from sdl.sim.life import Life
from sdl.sim.loop import run_and_forget
from sdl.wire.journal import Chain, Line


def lines(chain: Chain, count: int) -> list[Line]:
    """So many lines that continue a chain."""
    return [chain.add(StopRequested(at=0.0, by="me", reason="test"), 0.0) for _ in range(count)]


@pytest.mark.parametrize("health, error", [("full", RecordAway), ("failing", RecordFault)])
def test_an_ill_disk_writes_nothing_and_says_so(health: Health, error: type[RecordFault]) -> None:
    async def play() -> int:
        disk = Disk(random.Random(1))
        journal = SimJournal("memory", disk)
        disk.health = health
        with pytest.raises(error):
            await journal.commit([Booted(boot="a")])
        return journal.commits

    assert run_and_forget(play()) == 0


def test_a_slow_disk_takes_its_time() -> None:
    async def play() -> float:
        disk = Disk(random.Random(1))
        disk.health = "slow"
        await SimJournal("memory", disk).commit([Booted(boot="a")])
        return asyncio.get_running_loop().time()

    assert run_and_forget(play()) == pytest.approx(SLOW_S, abs=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_a_commit_of_a_killed_node_is_there_as_a_whole_or_not_at_all(seed: int) -> None:
    async def play() -> tuple[int, int]:
        journal = SimJournal("memory", Disk(random.Random(seed)))
        life = Life("node", "node#1")
        life.start(journal.commit([EpochSeen(epoch=7), Booted(boot="a")]))
        await asyncio.sleep(1e-4)
        life.kill()
        await asyncio.sleep(1.0)
        return journal.commits, journal.recall(()).epoch

    assert run_and_forget(play()) in {(0, 0), (1, 7)}, f"seed {seed}"


def test_commits_keep_their_order() -> None:
    async def play() -> list[str]:
        journal, kept = SimJournal("memory", Disk(random.Random(3))), list[str]()
        journal.kept = lambda entries: kept.extend(
            each.boot for each in entries if isinstance(each, Booted)
        )
        await asyncio.gather(*(journal.commit([Booted(boot=str(n))]) for n in range(50)))
        return kept

    assert run_and_forget(play()) == [str(number) for number in range(50)]


def test_only_the_holder_of_the_lease_writes() -> None:
    async def play() -> tuple[int, int]:
        kept: list[Line] = []
        record, chain = SimRecord(Disk(random.Random(1)), kept.extend), Chain("dye")
        assert record.leases.swap("lab", "first", 10, None)
        await record.append(lines(chain, 2), "lab", 10, lambda: False)
        assert record.leases.swap("lab", "second", 11, record.leases.held("lab"))
        with pytest.raises(LeaseLost, match="its epoch is 11, ours was 10"):
            await record.append(lines(chain, 1), "lab", 10, lambda: False)
        return len(kept), len(list(record.lines("dye")))

    assert run_and_forget(play()) == (2, 2)


def test_a_full_disk_is_tried_again_until_there_is_room() -> None:
    async def play() -> float:
        record = SimRecord(Disk(random.Random(1)), lambda _lines: None)
        assert record.leases.swap("lab", "first", 10, None)
        record.disk.health = "full"
        loop = asyncio.get_running_loop()
        loop.call_later(5.0, lambda: setattr(record.disk, "health", "good"))
        await record.append(lines(Chain("dye"), 1), "lab", 10, lambda: False)
        return loop.time()

    assert run_and_forget(play()) == pytest.approx(5.0, abs=1.1)


def test_a_lease_is_swapped_only_as_it_was_seen() -> None:
    leases = SimRecord(Disk(random.Random(1)), lambda _lines: None).leases
    assert leases.held("lab") is None
    assert leases.swap("lab", "first", 10, None)
    seen = leases.held("lab")
    assert seen == Held(epoch=10, holder="first", beat=0)
    assert leases.renew("lab", 10)
    assert not leases.swap("lab", "second", 11, seen)
    assert leases.release("lab", 10)
    assert not leases.renew("lab", 9)
