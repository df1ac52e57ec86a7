"""A commit that is durable though an error came back: it is neither lost nor done twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

import sdl.sim.drill
from sdl.shell.node_journal import CommandId, Entry, Recalled, Remembered, Word
from sdl.shell.node_journal_file import JournalFile
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.sim.disk import Disk, SimJournal, SimRecord
from sdl.sim.drill import Report, drill
from sdl.sim.faults import ORCHESTRATOR, Fault
from sdl.wire.journal import Line
from tests.sim.drills import prepared, told

SEEDS = range(8)
LOST = (
    Fault(kind="record", target=ORCHESTRATOR, at=1.0, for_s=30.0, how="mute"),
    Fault(kind="journal", target="node-1", at=1.0, for_s=30.0, how="mute"),
)
DEATHS = tuple(
    Fault(kind="kill", target=target, at=at, for_s=1.0)
    for target, at in (("node-1", 2.0), (ORCHESTRATOR, 6.0), ("node-1", 12.0), (ORCHESTRATOR, 17.0))
)


def played(*faults: Fault, recorded: Callable[..., SimRecord] = SimRecord) -> list[Report]:
    """The reports of all seeds."""
    return [drill(prepared(), seed, faults=faults, recorded=recorded) for seed in SEEDS]


@pytest.mark.parametrize("deaths", [(), DEATHS], ids=["alive", "killed"])
def test_lost_answers_of_both_journals_neither_lose_nor_repeat_anything(
    deaths: tuple[Fault, ...],
) -> None:
    for report in played(*LOST, *deaths):
        assert not report.broken, told(report)
        assert report.ending == "budget", told(report)
        assert report.rough["lost answer to a commit"] > 10, told(report)


class Forgetful(SimRecord):
    """Writes a group again that it has already."""

    def _missing(self, lines: Sequence[Line]) -> Sequence[Line]:
        return lines


def test_a_record_that_writes_a_group_twice_breaks_its_chain() -> None:
    reports = played(*LOST, recorded=Forgetful)
    assert all("does not continue the chain" in report.broken for report in reports)


def test_a_journal_of_a_node_that_refuses_what_it_holds_already_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one would that took every error for a commit that did not happen."""
    tell = MemoryJournal._tell

    def told_twice(self: MemoryJournal, word: Word) -> None:
        key = word.device, word.memory
        if self._content.words.get(key, [])[word.seq - 1 : word.seq] == [word.payload]:
            raise AssertionError(f"word {word.seq} of {word.device} stands there already")
        tell(self, word)

    monkeypatch.setattr(MemoryJournal, "_tell", told_twice)
    assert any(report.broken for report in played(*LOST))


class InFile(SimJournal):
    """A simulated disk under the node's real journal, in a file."""

    def __init__(self, folder: Path, files: list[JournalFile], name: str, disk: Disk) -> None:
        super().__init__(name, disk)
        self._file = JournalFile(folder / f"{name}.sqlite")
        files.append(self._file)

    @property
    def memory(self) -> str:
        return self._file.memory

    def recall(self, devices: Sequence[str]) -> Recalled:
        return self._file.recall(devices)

    def find(self, device: str, command: CommandId) -> Remembered | None:
        return self._file.find(device, command)

    def words(self, device: str, from_seq: int) -> Sequence[bytes]:
        return self._file.words(device, from_seq)

    def _commit_now(self, entries: Sequence[Entry]) -> None:
        self._file.write([entries])
        self.kept(entries)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_real_journal_of_a_node_holds_together_under_lost_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    files: list[JournalFile] = []
    monkeypatch.setattr(sdl.sim.drill, "SimJournal", partial(InFile, tmp_path, files))
    report = drill(prepared(), seed, faults=(*LOST, *DEATHS))
    for file in files:
        file.close()
    assert not report.broken, told(report)
    assert report.ending == "budget", told(report)
    assert report.rough["lost answer to a commit"] > 10, told(report)
