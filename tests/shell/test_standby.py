"""A standby beside an orchestrator that is frozen: real processes, a real broker."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sdl.shell.broker import URL_FILE
from tests.frozen import freeze_between_writes
from tests.sim.places import place

PATIENCE_S = 60.0
LEASE_LOST = 5


@contextmanager
def orchestrator(campaign: Path, log: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """``sdl run`` as a process of its own; it is killed at the end."""
    command = [sys.executable, "-m", "sdl", "run", str(campaign), *words]
    with (
        log.open("wb") as file,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def until(holds: Callable[[], bool], log: Path) -> None:
    """Return when something holds; it fails with the end of a log."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, log.read_text()[-2000:]
        time.sleep(0.05)


@pytest.mark.drill
def test_a_standby_leads_the_node_of_a_frozen_one_and_hosts_when_that_is_gone(
    tmp_path: Path, mosquitto: str
) -> None:
    campaign = place(tmp_path, broker=mosquitto, speed=100, runs=30)
    first_log, second_log = tmp_path / "first.log", tmp_path / "second.log"
    node_log = tmp_path / ".sdl" / "dye" / "node.log"
    with orchestrator(campaign, first_log) as first:
        until(lambda: "dye/run-3 began" in first_log.read_text(), first_log)
        freeze_between_writes(first.pid, tmp_path / "record.sqlite")
        with orchestrator(campaign, second_log, "--standby") as second:
            until(lambda: "of at most 30 runs ended" in second_log.read_text(), second_log)
            assert "another node (process" in second_log.read_text()
            assert "takes its place when it ends" in node_log.read_text()
            first.send_signal(signal.SIGCONT)
            assert first.wait(PATIENCE_S) == LEASE_LOST, first_log.read_text()
            assert (tmp_path / ".sdl" / "dye" / URL_FILE).exists(), "it took the other one's file"
            until(lambda: "its instruments are hosted here now" in node_log.read_text(), node_log)
            assert second.wait(PATIENCE_S) == 0, second_log.read_text()
    assert "30 ended: 30 measured, 0 failed" in second_log.read_text()


@pytest.mark.drill
def test_a_standby_of_a_frozen_one_with_a_broker_of_its_own_says_what_to_do(tmp_path: Path) -> None:
    campaign = place(tmp_path, speed=100, runs=12)
    first_log, second_log = tmp_path / "first.log", tmp_path / "second.log"
    with orchestrator(campaign, first_log) as first:
        until(lambda: "dye/run-3 began" in first_log.read_text(), first_log)
        freeze_between_writes(first.pid, tmp_path / "record.sqlite")
        with orchestrator(campaign, second_log, "--standby") as second:
            until(lambda: "nothing moves here before it ends" in second_log.read_text(), second_log)
            assert f"kill -9 {first.pid}." in second_log.read_text()
            time.sleep(5.0)
            assert second.poll() is None
            first.kill()  # as it was told
            assert second.wait(PATIENCE_S) == 0, second_log.read_text()
    assert "12 ended: 12 measured, 0 failed" in second_log.read_text()
