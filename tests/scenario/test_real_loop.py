"""The whole runtime in real processes: brokers, nodes and planners that live, die and come back."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from sdl.core.commands import BeginRun, EndRun, Perform
from sdl.shell.record import Record
from sdl.wire.journal import load
from tests.sim.places import place

PATIENCE_S = 60.0


def sdl(*words: str) -> list[str]:
    return [sys.executable, "-m", "sdl", *words]


def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        sdl(*words), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        sdl(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for a moment in another process; only its record tells."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"{what} did not come in {PATIENCE_S:g} s"
        time.sleep(0.05)


def record_of(folder: Path) -> Record:
    return Record.open(f"sqlite:///{folder / 'record.sqlite'}", create=False)


def measured(folder: Path) -> int:
    """Measured samples by now; asked all the time, so without all that belongs to a record."""
    url = f"file:{folder / 'record.sqlite'}?mode=rw"
    try:
        with closing(sqlite3.connect(url, uri=True)) as connection:
            rows = connection.execute("SELECT count(*) FROM sample WHERE outcome = 'measured'")
            return int(rows.fetchone()[0])
    except sqlite3.OperationalError:  # not there yet
        return 0


def sound(record: Record, runs: int) -> None:
    """The record of an ended campaign: whole, and nothing in it was done twice."""
    assert record.verify() is None
    assert record.rebuild(check=True) == []
    values = [load(line.type, line.body) for line in record.lines("dye")]
    performed = [value.cid for value in values if isinstance(value, Perform)]
    begun = [value.run for value in values if isinstance(value, BeginRun)]
    ended = [value.run for value in values if isinstance(value, EndRun)]
    assert len(performed) == len(set(performed))
    assert len(begun) == len(set(begun)) == runs
    assert sorted(begun) == sorted(ended)


def child(process: subprocess.Popen[str], module: str) -> psutil.Process:
    """A child process of ``sdl run``, by the module that it runs."""
    found: list[psutil.Process] = []

    def there() -> bool:
        children = psutil.Process(process.pid).children()
        found.extend(each for each in children if module in " ".join(each.cmdline()))
        return bool(found)

    until(there, module)
    return found[0]


@pytest.mark.parametrize(
    "broker, database",
    [("embedded", "sqlite"), ("mosquitto", "sqlite"), ("mosquitto", "postgresql")],
)
def test_the_loop_closes_on_both_brokers_and_both_databases(
    tmp_path: Path, request: pytest.FixtureRequest, broker: str, database: str
) -> None:
    url = broker if broker == "embedded" else str(request.getfixturevalue("mosquitto"))
    sqlite = "sqlite:///record.sqlite"
    store = sqlite if database == "sqlite" else str(request.getfixturevalue("fresh_postgres"))
    campaign = place(tmp_path, broker=url, record=store)
    told = json.loads(run("run", str(campaign), "--json").stdout)
    assert told["schema"] == "sdl.outcome/1"
    record = Record.open(store if database != "sqlite" else f"sqlite:///{tmp_path}/record.sqlite")
    sound(record, runs=6)
    record.close()


def test_a_killed_orchestrator_is_resumed_and_repeats_no_finished_run(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=8, speed=120)
    with started("run", str(campaign)) as process:
        until(lambda: measured(tmp_path) >= 2, "the second measurement")
        process.kill()
    before = record_of(tmp_path)
    finished = {each.run: each.loss for each in before.runs("dye") if each.outcome == "measured"}
    before.close()
    refused = run("run", str(campaign), code=3)
    assert "--resume" in refused.stderr
    run("run", str(campaign), "--resume")
    after = record_of(tmp_path)
    sound(after, runs=8)
    losses = {each.run: each.loss for each in after.runs("dye")}
    assert {name: losses[name] for name in finished} == finished
    after.close()


def test_children_end_with_a_killed_orchestrator(tmp_path: Path) -> None:
    with started("run", str(place(tmp_path, runs=30, speed=60))) as process:
        until((tmp_path / "record.sqlite").exists, "the record")
        modules = ("sdl.shell.broker", "sdl.shell.node_process", "sdl.shell.planner_worker")
        children = [child(process, module) for module in modules]
        process.kill()
    gone, alive = psutil.wait_procs(children, timeout=15.0)
    assert not alive, f"{alive} outlived their parent"
    assert len(gone) == len(modules)


def test_a_killed_node_comes_back_and_what_it_did_is_unknown_not_repeated(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=8, speed=120, failures=8)
    with started("run", str(campaign)) as process:
        until(lambda: measured(tmp_path) >= 1, "the first measurement")
        child(process, "sdl.shell.node_process").kill()
        assert process.wait(timeout=PATIENCE_S) == 0
    record = record_of(tmp_path)
    sound(record, runs=8)
    assert measured(tmp_path) >= 5
    record.close()


def test_a_killed_planner_is_asked_again(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=10, speed=120)
    with started("run", str(campaign)) as process:
        until(lambda: measured(tmp_path) >= 1, "the first measurement")
        child(process, "sdl.shell.planner_worker").kill()
        assert process.wait(timeout=PATIENCE_S) == 0
    record = record_of(tmp_path)
    sound(record, runs=10)
    record.close()


def test_ctrl_c_finishes_what_runs_and_ends_in_good_order(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=40, speed=120)
    with started("run", str(campaign), "--json") as process:
        until(lambda: measured(tmp_path) >= 1, "the first measurement")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 4, err
    assert "Traceback" not in err
    assert json.loads(out)["ending"] == "stopped"
    record = record_of(tmp_path)
    summary = record.campaign("dye")
    sound(record, runs=summary.runs)
    record.close()


def test_two_ctrl_c_leave_at_once_and_the_campaign_can_be_resumed(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=6, speed=60)
    with started("run", str(campaign)) as process:
        until(lambda: measured(tmp_path) >= 1, "the first measurement")
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)  # two signals at once would be one
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130, err
    run("run", str(campaign), "--resume")
    record = record_of(tmp_path)
    sound(record, runs=6)
    record.close()


def test_a_second_campaign_of_the_same_name_gets_a_number(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=2, speed=1200)
    run("run", str(campaign))
    run("run", str(campaign))
    record = record_of(tmp_path)
    assert [each.campaign.campaign for each in record.campaigns()] == ["dye", "dye-2"]
    record.close()


UNREACHABLE = [
    pytest.param({"broker": "mqtt://127.0.0.1:9"}, 5, "127.0.0.1:9", id="no broker"),
    pytest.param(
        {"record": "postgresql://sdl:secret@127.0.0.1:9/sdl"}, 6, "127.0.0.1", id="no database"
    ),
]


@pytest.mark.parametrize("changes, code, told", UNREACHABLE)
def test_what_cannot_be_reached_is_told_in_a_sentence_without_the_password(
    tmp_path: Path, changes: dict[str, str], code: int, told: str
) -> None:
    done = run("run", str(place(tmp_path, **changes)), code=code)  # type: ignore[arg-type]
    assert told in done.stderr
    assert "secret" not in done.stderr


def test_a_corrupt_record_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    garbage = b"this is no database" * 100
    (tmp_path / "record.sqlite").write_bytes(garbage)
    done = run("run", str(place(tmp_path)), code=6)
    assert "record.sqlite" in done.stderr
    assert (tmp_path / "record.sqlite").read_bytes() == garbage
