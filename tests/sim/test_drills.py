"""Campaigns under faults: nothing twice, nothing lost, and the same again from the same seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sdl.shell.crash import POINTS
from sdl.shell.record import Record
from sdl.sim.disk import Disk, SimRecord
from sdl.sim.drill import Report, drill
from sdl.sim.faults import BROKER, ORCHESTRATOR, PERSON, Fault
from sdl.sim.sweep import Totals, drills
from sdl.wire.journal import Line
from tests.sim.drills import CAMPAIGN, WITHIN_S, prepared, told

SEEDS = range(1000)
DOWN_S = 3.0


def shown(seed: int, *faults: Fault) -> Report:
    """The report of a campaign under these faults; fails where an invariant does not hold."""
    report = drill(prepared(), seed, faults=faults)
    assert not report.broken, told(report)
    return report


@pytest.mark.timeout(400)
def test_a_thousand_seeds_keep_every_invariant_and_come_to_their_end() -> None:
    totals = Totals()
    for report in drills(CAMPAIGN, SEEDS, jobs=2):
        totals.add(report)
        assert not report.broken, told(report)
        assert report.ending, told(report)
    assert totals.seeds == len(SEEDS)
    assert totals.commands > 15 * len(SEEDS), totals
    assert {role for role, count in totals.kills.items() if count} == {
        *("orchestrator", "node", "planner", "broker")
    }, totals
    assert 0 < totals.happened < totals.unknown, totals


def killed_at(point: str, passing: int) -> tuple[Fault, ...]:
    """The faults by which a process comes past a point as often as that, and dies there."""
    role = point.partition(".")[0]
    target = "node-1" if role == "node" else role
    death = Fault(kind="point", target=target, point=point, passing=passing, for_s=DOWN_S)
    match point:
        case "node.halted":  # only where somebody stops it
            stops = [Fault(kind="stop", target=PERSON, at=at, for_s=4.0) for at in (5.0, 40.0)]
            return (death, *stops)
        case "orchestrator.lease.taken":  # once for each start
            starts = Fault(kind="kill", target=ORCHESTRATOR, at=5.0, for_s=1.0)
            return (death, starts) if passing > 1 else (death,)
        case _:
            return (death,)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("passing", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_a_process_may_die_at_every_crash_point(point: str, passing: int, seed: int) -> None:
    report = shown(seed, *killed_at(point, passing))
    assert report.points[point] == 1, f"seed {seed}: {point} was not passed {passing} times"
    assert report.ending, told(report)


@pytest.mark.parametrize("at", [0.002, 0.5, 4.02, 8.03, 15.0, 25.0])
def test_the_broker_may_die_at_any_time(at: float) -> None:
    report = shown(1, Fault(kind="broker", target=BROKER, at=at, for_s=DOWN_S))
    assert report.kills[BROKER] == 1
    assert report.ending == "budget"


SPLITS = ("", "silently", "frozen")


@pytest.mark.parametrize("how", SPLITS)
@pytest.mark.parametrize("seed", range(3))
def test_of_two_orchestrators_one_leads(how: str, seed: int) -> None:
    split = Fault(kind="split", target=ORCHESTRATOR, at=3.0 + seed, for_s=60.0, how=how)
    assert shown(seed, split).ending == "budget"


def test_without_faults_every_command_is_done_and_none_is_unknown() -> None:
    report = shown(7)
    assert (report.commands, report.done, report.unknown) == (20, 20, 0)
    assert report.ending == "budget"


def traces(hash_seed: str) -> list[list[str]]:
    """Hashes of some seeds' traces and heads, from a process of its own."""
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from sdl.sim.sweep import drills\n"
        "reports = drills(Path(sys.argv[1]), range(20, 40))\n"
        "print(json.dumps([[r.trace_sha256, r.head] for r in reports]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(CAMPAIGN)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_one_seed_gives_one_trace_and_one_journal_in_every_process() -> None:
    first = traces("1")
    assert first == traces("2"), "seeds 20 to 39"
    assert len({trace for trace, _ in first}) == 20


class Recorded(SimRecord):
    """A simulated record that writes to a real one at the same moment."""

    def __init__(
        self, disk: Disk, kept: Callable[[Sequence[Line]], None], url: str, open_: list[Record]
    ) -> None:
        super().__init__(disk, kept)
        self._url = url
        self._open = open_
        self._by_epoch: dict[int, Record] = {}

    def _write(self, lines: Sequence[Line], lab: str, epoch: int) -> None:
        super()._write(lines, lab, epoch)
        self._record(lab, epoch).append(lines)

    def _record(self, lab: str, epoch: int) -> Record:
        """The connection of the orchestrator of this epoch, which holds the real lease."""
        if epoch not in self._by_epoch:
            record = self._by_epoch[epoch] = Record.open(self._url)
            self._open.append(record)
            held = record.leases.held(lab)
            assert record.leases.swap(lab, f"epoch {epoch}", epoch, held)
            record.fence(lab, epoch)
        return self._by_epoch[epoch]


@pytest.mark.parametrize("seed", range(40, 48))
def test_a_real_record_holds_together_under_faults(tmp_path: Path, seed: int) -> None:
    url, opened = f"sqlite:///{tmp_path / 'record.sqlite'}", list[Record]()
    report = drill(
        prepared(),
        seed,
        faults=WITHIN_S,
        recorded=lambda disk, kept: Recorded(disk, kept, url, opened),
    )
    assert not report.broken, told(report)
    for record in opened:
        record.close()
    record = Record.open(url, create=False)
    try:
        assert record.verify() is None, told(report)
        assert record.rebuild(check=True) == [], told(report)
        assert list(record.lines(report.campaign))[-1].hash == report.head, told(report)
    finally:
        record.close()
