"""A node's journal knows where it lies: a copy takes another name, one that was moved none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sdl.shell import node_journal_file
from sdl.shell.node_journal import Renewed
from sdl.shell.node_journal_sqlite import SqliteJournal, journal_path
from tests.shell.test_node_journal import filled, reopened


def copied(folder: Path) -> Path:
    """To another folder, with all that is in it."""
    return shutil.copytree(folder, folder.with_name("copied"))


def moved(folder: Path) -> Path:
    """The lab is tidied up."""
    return folder.rename(folder.with_name("moved"))


def left(folder: Path) -> Path:
    """Nothing happens to it."""
    return folder


@pytest.mark.parametrize("happens,noticed", [(left, False), (moved, False), (copied, True)])
async def test_a_copy_of_a_node_s_folder_takes_another_name(
    tmp_path: Path, happens: Callable[[Path], Path], *, noticed: bool
) -> None:
    first = tmp_path / "first"
    await filled(journal_path(first, "lab"), 3)
    memory, _ = reopened(journal_path(first, "lab"))
    path = journal_path(happens(first), "lab")
    assert reopened(path) == (memory, noticed)
    with closing(SqliteJournal(path)) as journal:
        await journal.commit([Renewed()])
        assert journal.memory != memory
    assert not reopened(path)[1], "it lies here now"


async def test_the_same_folder_on_another_machine_is_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = journal_path(tmp_path, "lab")
    await filled(path, 1)
    assert not reopened(path)[1]
    machine = tmp_path / "machine-id"
    machine.write_text("another one")
    monkeypatch.setattr(node_journal_file, "MACHINE_FILE", machine)
    assert reopened(path)[1]


async def test_a_mark_that_does_not_say_where_it_lies_is_believed(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "lab")
    await filled(path, 1)
    mark = path.with_name(f"{path.name}.mark")
    mark.write_bytes(b" ".join(mark.read_bytes().split()[:2]).ljust(63) + b"\n")
    assert not reopened(path)[1]
