"""Both journals of nodes keep the same promises; the file keeps them over a kill and a bad disk."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sdl.cli.exits import Exit
from sdl.errors import Bug, RecordFault
from sdl.shell.clock import LoopClock
from sdl.shell.local_bus import LocalBroker
from sdl.shell.node_journal import (
    Booted,
    CommandId,
    Entry,
    EpochSeen,
    JournalledStage,
    NodeJournal,
    Noted,
    Pruned,
    Renewed,
    Stopped,
    Taken,
    Word,
)
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.shell.node_journal_sqlite import SqliteJournal, journal_path
from sdl.sim.loop import run_virtually
from tests.cli.conftest import command as sdl_command
from tests.shell.bench_of_buses import BOOT, probe_lab, running_node
from tests.sim.places import place

DEVICES = ("a", "b")


@pytest.fixture(params=["memory", "file"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NodeJournal]:
    """An empty journal of each kind."""
    if request.param == "memory":
        yield MemoryJournal()
        return
    with closing(SqliteJournal(tmp_path / "node.sqlite")) as opened:
        yield opened


def taken(journal: NodeJournal, cid: str, device: str = "a") -> Taken:
    """A command as it came in."""
    return Taken(
        device=device,
        id=CommandId("j", cid),
        memory=journal.memory,
        args_sha256=f"sha of {cid}",
        command=f"command {cid}".encode(),
        deadline=12.5,
    )


def word(
    journal: NodeJournal, cid: str, seq: int, stage: JournalledStage = "accepted", device: str = "a"
) -> Word:
    """A word about it."""
    return Word(
        device=device,
        id=CommandId("j", cid),
        memory=journal.memory,
        seq=seq,
        stage=stage,
        payload=f"{cid} {stage}".encode(),
    )


async def test_what_was_committed_is_recalled(journal: NodeJournal) -> None:
    before = journal.recall(DEVICES)
    assert (before.put_back, before.epoch, before.devices["a"].unfinished) == (False, 0, ())
    await journal.commit([Booted(boot="boot-1"), EpochSeen(epoch=7)])
    await journal.commit([taken(journal, "1"), word(journal, "1", 1, "started")])
    await journal.commit([taken(journal, "2"), word(journal, "2", 2)])
    await journal.commit([Noted(device="a", id=CommandId("j", "1"), value={"before_g": 1.5})])
    await journal.commit([taken(journal, "3"), word(journal, "3", 3, "failed"), EpochSeen(epoch=3)])
    await journal.commit([taken(journal, "1", "b"), word(journal, "1", 1, device="b")])
    smell = Stopped(device="a", why="it smells", orders=("dye/halt-1", "panel 1"))
    await journal.commit([smell, Stopped(device="b", why="x", orders=("y",))])
    await journal.commit([Stopped(device="b", why="")])
    after = journal.recall(DEVICES)
    assert (after.put_back, after.epoch) == (False, 7)
    a, b = after.devices["a"], after.devices["b"]
    assert (a.seq, b.seq, a.stopped, b.stopped) == (3, 1, "it smells", "")
    assert (a.orders, b.orders) == (("dye/halt-1", "panel 1"), ())
    assert [(each.id.cid, each.stage) for each in a.unfinished] == [
        ("1", "started"),
        ("2", "accepted"),
    ]
    first = a.unfinished[0]
    assert (first.noted, first.deadline, first.command) == ({"before_g": 1.5}, 12.5, b"command 1")
    assert (first.args_sha256, first.last) == ("sha of 1", b"1 started")
    assert journal.find("a", CommandId("j", "1")) == first
    assert journal.find("a", CommandId("k", "1")) is None
    assert journal.words("a", 2) == (b"2 accepted", b"3 failed")
    assert journal.words("a", 4) == ()
    await journal.commit([word(journal, "1", 4, "done")])
    assert [each.id.cid for each in journal.recall(DEVICES).devices["a"].unfinished] == ["2"]


async def test_a_renewed_journal_counts_anew_and_still_knows(journal: NodeJournal) -> None:
    old = journal.memory
    await journal.commit([taken(journal, "1"), word(journal, "1", 1)])
    await journal.commit([Renewed()])
    assert journal.memory != old
    recalled = journal.recall(DEVICES)
    assert (recalled.put_back, recalled.devices["a"].seq) == (False, 0)
    assert recalled.devices["a"].unfinished == ()
    known = journal.find("a", CommandId("j", "1"))
    assert known is not None
    assert known.memory == old
    assert journal.words("a", 1) == ()
    await journal.commit([taken(journal, "2"), word(journal, "2", 1, "done")])
    assert journal.words("a", 1) == (b"2 done",)


DAY_S = 24 * 3600.0


def said(
    journal: NodeJournal, cid: str, seq: int, stage: JournalledStage, day: float, device: str = "a"
) -> Word:
    """A word with its day in it."""
    payload = json.dumps({"cid": cid, "st": stage, "at": day * DAY_S}).encode()
    return replace(word(journal, cid, seq, stage, device), payload=payload)


async def test_what_ended_more_than_90_days_ago_is_forgotten(journal: NodeJournal) -> None:
    for device in DEVICES:
        await journal.commit(
            [taken(journal, "0", device), said(journal, "0", 1, "done", 0, device)]
        )
    await journal.commit([Renewed()])
    for seq, (cid, stage, day) in enumerate(
        (
            ("1", "accepted", 1),
            ("2", "accepted", 1),
            ("1", "started", 1),
            ("1", "done", 2),
            ("3", "unknown", 3),
            ("4", "accepted", 3),  # and nobody knows more of it to this day
            ("5", "started", 3),
            ("6", "failed", 50),
            ("2", "started", 94),
            ("5", "done", 94),
            ("7", "done", 94),
        ),
        start=1,
    ):
        new = [] if journal.find("a", CommandId("j", cid)) else [taken(journal, cid)]
        await journal.commit([*new, said(journal, cid, seq, stage, day)])  # type: ignore[arg-type]
    await journal.commit([Booted(boot="b"), Pruned(device="a", now=96 * DAY_S)])
    there = [cid for cid in map(str, range(8)) if journal.find("a", CommandId("j", cid))]
    assert there == ["2", "4", "5", "6", "7"]
    a = journal.recall(DEVICES).devices["a"]
    assert a.seq == 11, "numbers go on rising"
    assert sorted(each.id.cid for each in a.unfinished) == ["2", "4"]
    told = [json.loads(payload) for payload in journal.words("a", 1)]
    assert [(each["cid"], each["st"]) for each in told] == [
        ("4", "accepted"),
        ("6", "failed"),
        ("2", "started"),
        ("5", "done"),
        ("7", "done"),
    ]
    assert journal.find("b", CommandId("j", "0")) is not None, "it is for another node to forget"
    await journal.commit([taken(journal, "1"), said(journal, "1", 12, "done", 97)])
    known = journal.find("a", CommandId("j", "1"))
    assert known is not None
    assert json.loads(known.last)["at"] == 97 * DAY_S


def test_a_node_forgets_when_it_starts() -> None:
    async def run() -> None:
        loop, journal = asyncio.get_running_loop(), MemoryJournal(BOOT)
        for seq, day in ((1, 1), (2, 95)):
            cid = str(seq)
            words = said(journal, cid, seq, "done", day, "probe")
            await journal.commit([taken(journal, cid, "probe"), words])
        clock = LoopClock(lambda: loop.time() + 96 * DAY_S)
        bus = LocalBroker().client("node")
        async with running_node(probe_lab("old"), bus, clock, journal=journal):
            known = [journal.find("probe", CommandId("j", cid)) is not None for cid in ("1", "2")]
            assert known == [False, True]

    run_virtually(run())


async def test_a_clock_that_is_years_ahead_makes_nobody_forget(journal: NodeJournal) -> None:
    await journal.commit([taken(journal, "1"), said(journal, "1", 1, "done", 1)])
    await journal.commit([taken(journal, "2"), said(journal, "2", 2, "done", 2)])
    await journal.commit([Pruned(device="a", now=40_000 * DAY_S)])
    assert journal.find("a", CommandId("j", "1")) is not None
    assert len(journal.words("a", 1)) == 2


async def test_commits_that_overlap_are_all_written(journal: NodeJournal) -> None:
    async def chain(device: str) -> None:
        for number in range(1, 51):
            cid = str(number)
            entries: list[Entry] = [taken(journal, cid, device)]
            await journal.commit([*entries, word(journal, cid, number, "done", device)])
            assert journal.find(device, CommandId("j", cid)) is not None, "not durable on return"

    await asyncio.gather(*(chain(f"dev-{number}") for number in range(20)))
    recalled = journal.recall([f"dev-{number}" for number in range(20)])
    assert {device.seq for device in recalled.devices.values()} == {50}


def reopened(path: Path) -> tuple[str, bool]:
    """The name of a journal as the next node finds it, and whether it was put back."""
    with closing(SqliteJournal(path)) as journal:
        recalled = journal.recall(DEVICES)
        return journal.memory, recalled.put_back


def copy_of(path: Path, folder: Path) -> None:
    """All files of a database, but not the mark."""
    folder.mkdir(exist_ok=True)
    for file in path.parent.glob(f"{path.name}*"):
        if not file.name.endswith(".mark"):
            shutil.copy(file, folder / file.name)


async def filled(path: Path, count: int) -> None:
    """Write some commands to the journal of a path."""
    with closing(SqliteJournal(path)) as journal:
        seq = journal.recall(DEVICES).devices["a"].seq
        for number in range(seq + 1, seq + count + 1):
            await journal.commit(
                [taken(journal, str(number)), word(journal, str(number), number, "done")]
            )


def none(path: Path) -> None:
    """Nothing happens to it."""


def deleted(path: Path) -> None:
    """The file is gone, and its mark stays."""
    path.unlink()


def mark_deleted(path: Path) -> None:
    """Somebody tidied up."""
    path.with_name(f"{path.name}.mark").unlink()


def mark_torn(path: Path) -> None:
    """The machine lost its power just then."""
    path.with_name(f"{path.name}.mark").write_bytes(b"\\0" * 10)


def put_back(path: Path) -> None:
    """An older copy is laid over it."""
    for file in (path.parent / "copy").iterdir():
        shutil.copy(file, path.parent / file.name)


@pytest.mark.parametrize(
    "happens,noticed",
    [(none, False), (deleted, True), (mark_deleted, True), (mark_torn, True), (put_back, True)],
)
async def test_a_file_that_is_not_what_it_was_is_noticed(
    tmp_path: Path, happens: Callable[[Path], None], *, noticed: bool
) -> None:
    path = journal_path(tmp_path, "lab")
    await filled(path, 3)
    copy_of(path, path.parent / "copy")
    await filled(path, 1)
    memory, _ = reopened(path)
    happens(path)
    after, is_put_back = reopened(path)
    assert is_put_back == noticed
    assert (after != memory) == (happens is deleted)


async def test_two_node_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    with closing(SqliteJournal(path)) as one, closing(SqliteJournal(path)) as two:
        memory = one.memory
        await asyncio.gather(
            *(
                journal.commit([taken(journal, "1", dev), word(journal, "1", 1, "done", dev)])
                for journal, dev in ((one, "a"), (two, "b"))
            )
        )
        assert (one.memory, two.memory) == (memory, memory)
        await one.commit([Renewed()])
        await two.commit([taken(two, "2", "b"), word(two, "2", 2, "done", "b")])
        assert two.memory == memory, "its instruments were announced under the old name"
    assert reopened(path)[1] is False


WRITER = """
import asyncio, sys
from pathlib import Path
from sdl.shell.node_journal_sqlite import SqliteJournal
from tests.shell.test_node_journal import taken, word

async def run():
    journal = SqliteJournal(Path(sys.argv[1]))
    for number in range(1, 1000000):
        cid = str(number)
        await journal.commit([taken(journal, cid), word(journal, cid, number, "done")])
        print(number, flush=True)

asyncio.run(run())
"""


def test_what_a_killed_process_was_told_is_durable_is_there(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    for _ in range(3):
        path.unlink(missing_ok=True)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            told = [int(process.stdout.readline()) for _ in range(100)]
            os.kill(process.pid, signal.SIGKILL)
            told += [int(line) for line in process.stdout.read().splitlines()]
        with closing(SqliteJournal(path)) as journal:
            recalled = journal.recall(DEVICES)
            assert recalled.devices["a"].seq >= told[-1]
            assert len(journal.words("a", 1)) == recalled.devices["a"].seq
        path.with_name("node.sqlite.mark").unlink()


async def test_a_disk_that_is_full_fails_the_commit_and_works_again(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    with closing(SqliteJournal(path)) as journal:
        await journal.commit([taken(journal, "1"), word(journal, "1", 1, "done")])
        writing = journal._writing
        assert writing is not None
        pages = writing._connection.execute("PRAGMA page_count").fetchone()[0]
        writing._connection.execute(f"PRAGMA max_page_count = {pages}")
        large = Taken(
            device="a",
            id=CommandId("j", "2"),
            memory=journal.memory,
            args_sha256="",
            command=bytes(100_000),
        )
        with pytest.raises(RecordFault, match="cannot be written: database or disk is full"):
            await journal.commit([large, word(journal, "2", 2, "done")])
        assert journal.find("a", CommandId("j", "2")) is None
        await journal.commit([large, word(journal, "2", 2, "done")])  # there is room again
        assert journal.recall(DEVICES).devices["a"].seq == 2


async def test_one_bad_entry_does_not_keep_others_out(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path / "node.sqlite")) as journal:
        await journal.commit([taken(journal, "1"), word(journal, "1", 1, "done")])
        entries: list[list[Entry]] = [[taken(journal, "1"), word(journal, "1", 1, "failed")]]
        entries += [[taken(journal, cid, cid), word(journal, cid, 1, "done", cid)] for cid in "xyz"]
        results = await asyncio.gather(
            *(journal.commit(each) for each in entries), return_exceptions=True
        )
        assert [type(result) for result in results] == [Bug, *[type(None)] * 3]


async def test_a_commit_that_failed_and_was_durable_can_be_tried_again(tmp_path: Path) -> None:
    """As where the disk says so after the commit: the same words stand there once."""
    with closing(SqliteJournal(tmp_path / "node.sqlite")) as journal:
        entries: list[Entry] = [taken(journal, "1"), word(journal, "1", 1, "started")]
        for _ in range(2):
            await journal.commit(entries)
        other = replace(taken(journal, "1"), command=b"another one", deadline=None)
        with pytest.raises(Bug, match="UNIQUE"):
            await journal.commit([other])
        await journal.commit([word(journal, "1", 2, "done")])
        assert len(journal.words("a", 1)) == 2


async def test_a_mark_that_cannot_be_written_undoes_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "node.sqlite"
    with closing(SqliteJournal(path)) as journal:
        for name in ("pwrite", "fsync"):
            monkeypatch.setattr(os, name, refuse)
        await journal.commit([Booted(boot="boot-1")])
        await journal.commit([taken(journal, "1"), word(journal, "1", 1, "done")])
        monkeypatch.undo()
        await journal.commit([taken(journal, "2"), word(journal, "2", 2, "done")])
        memory = journal.memory
    assert "stays behind its journal: [Errno 28] No space left on device" in caplog.text
    with closing(SqliteJournal(path)) as journal:
        recalled = journal.recall(DEVICES)
        assert (recalled.put_back, recalled.devices["a"].seq) == (False, 2)
        assert journal.memory == memory


@pytest.mark.parametrize("content", [b"no database at all", b""])
def test_a_file_that_is_no_journal_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "node.sqlite"
    path.write_bytes(content * 1000)
    if not content:  # an empty file is a database without tables
        assert reopened(path)[1] is False
        return
    with pytest.raises(RecordFault, match=r"node.sqlite cannot be used: file is not a database"):
        SqliteJournal(path)


@pytest.mark.parametrize("name", ["bench.node.sqlite", "bench.node.sqlite.mark"])
def test_a_node_says_which_journal_it_cannot_use(tmp_path: Path, name: str) -> None:
    place(tmp_path, runs=1, broker="mqtt://127.0.0.1:1")
    (tmp_path / ".sdl" / name).mkdir(parents=True)
    said = sdl_command(tmp_path, "node", "lab.toml")
    assert (said.code, said.out) == (Exit.RECORD, "")
    assert f"{name} cannot be used: " in said.err
    assert "see that its folder can be written" in said.err
    assert not (tmp_path / "sdl-error.log").exists(), "it is no fault of ours"


def test_a_file_of_a_later_software_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    reopened(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE head SET version = 99")
        connection.commit()
    with pytest.raises(RecordFault, match="version 99 of a node's journal"):
        SqliteJournal(path)


async def test_a_closed_journal_takes_nothing(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "node.sqlite")
    journal.close()
    journal.close()
    with pytest.raises(RecordFault, match="is closed"):
        await journal.commit([Booted(boot="x")])


async def test_a_copy_in_memory_is_put_back_and_noticed() -> None:
    journal = MemoryJournal()
    await journal.commit([taken(journal, "1"), word(journal, "1", 1, "done")])
    copy = journal.copy()
    await journal.commit([taken(journal, "2"), word(journal, "2", 2, "done")])
    journal.put_back(copy)
    recalled = journal.recall(DEVICES)
    assert (recalled.put_back, recalled.devices["a"].seq) == (True, 1)
    await journal.commit([Renewed()])
    assert journal.recall(DEVICES).put_back is False
    assert journal.commits == 3
