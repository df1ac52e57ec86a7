"""A person at the bench: real `sdl run` in a process of its own, and the verbs that speak to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import TypeAdapter

from sdl.cli.exits import Exit
from sdl.core import events as ev
from sdl.core.view import View
from sdl.errors import SdlError
from sdl.service.caller import Caller
from sdl.service.card import card_path, read
from sdl.shell.record import Record
from sdl.wire.journal import load
from tests.cli.conftest import Said, command
from tests.sim.places import place

PATIENCE_S = 60.0
ANSWER_S = 2.0
VIEW = TypeAdapter(View)
NOTHING: dict[str, Any] = {"in_flight": [], "instruments": [], "questions": [], "paused": ""}
BY = ("--by", "anna", "--note", "a leak")


@contextmanager
def running(folder: Path, *words: str, begins: bool = True) -> Iterator[subprocess.Popen[str]]:
    """``sdl run`` at work: it can be spoken to, and its first run has begun if one may."""
    program = [sys.executable, "-m", "sdl", "run", "campaign.toml", *words]
    process = subprocess.Popen(
        program,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        if begins:
            until(process, lambda: bool(now(folder)["in_flight"]), "the first run")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; a process that has ended shows why."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert process.poll() is None, f"it ended before {what}: {process.communicate()}"
        assert time.monotonic() < end, f"{what} did not come in {PATIENCE_S:g} s"
        time.sleep(0.05)


def now(folder: Path) -> dict[str, Any]:
    """The view that the orchestrator gives; an empty one where it does not answer yet.

    Asked all the time, so not by way of `sdl status`, which reads the record, too.
    """
    card = card_path(folder / ".sdl", "bench")
    try:
        view = Caller(read(card), ANSWER_S).view() if card.exists() else None
    except SdlError:
        view = None
    return NOTHING if view is None else dict(VIEW.dump_python(view, mode="json"))


def states(folder: Path) -> dict[str, str]:
    return {each["name"]: each["state"] for each in now(folder)["instruments"]}


def ended(process: subprocess.Popen[str], code: int) -> str:
    """What it said meanwhile."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
    assert "Traceback" not in err
    return err


def said(folder: Path, kind: type[ev.Event]) -> list[Any]:
    """What is on record of one kind."""
    record = Record.open(f"sqlite:///{folder / 'record.sqlite'}", create=False)
    try:
        assert record.verify() is None
        values = [load(line.type, line.body) for line in record.lines("dye")]
    finally:
        record.close()
    return [value for value in values if isinstance(value, kind)]


def well(said: Said) -> None:
    assert said.code == Exit.OK, said.err


def test_a_campaign_is_paused_goes_on_and_is_stopped(tmp_path: Path) -> None:
    place(tmp_path, runs=90, speed=300, parallel=1)
    with running(tmp_path) as process:
        well(command(tmp_path, "pause", *BY))
        assert now(tmp_path)["paused"] == "paused by anna: a leak"
        again = command(tmp_path, "pause")
        assert (again.code, "already paused" in again.err) == (Exit.MISTAKE, True)
        until(process, lambda: not now(tmp_path)["in_flight"], "the end of what ran")
        time.sleep(0.5)
        assert now(tmp_path)["in_flight"] == []
        well(command(tmp_path, "resume", *BY))
        until(process, lambda: bool(now(tmp_path)["in_flight"]), "another run")
        well(command(tmp_path, "stop", *BY))
        ended(process, Exit.STOPPED)
    assert not card_path(tmp_path / ".sdl", "bench").exists()
    for kind in (ev.PauseRequested, ev.ResumeRequested, ev.StopRequested):
        assert [each.by for each in said(tmp_path, kind)] == ["anna"]


def test_an_instrument_is_paused_and_a_run_is_broken_off(tmp_path: Path) -> None:
    place(tmp_path, runs=90, speed=20, parallel=1)  # the first run outlasts the command
    with running(tmp_path) as process:
        well(command(tmp_path, "pause", "reader", *BY))
        until(process, lambda: states(tmp_path)["reader"] == "paused", "the pause")
        run = now(tmp_path)["in_flight"][0]["run"]
        well(command(tmp_path, "abort", run.partition("/")[2], *BY))
        until(
            process,
            lambda: run not in [each["run"] for each in now(tmp_path)["in_flight"]],
            "the end of the run",
        )
        assert command(tmp_path, "abort", run).code == Exit.MISTAKE
        well(command(tmp_path, "resume", "reader"))
        well(command(tmp_path, "abort", "--yes"))
        ended(process, Exit.STOPPED)
    record = command(tmp_path, "runs", "show", run).out
    assert "abandoned" in record


def test_the_whole_lab_is_stopped_and_goes_on(tmp_path: Path) -> None:
    place(tmp_path, runs=90, speed=300)
    with running(tmp_path) as process:
        stopped = command(tmp_path, "stop", "--all", *BY)
        well(stopped)
        assert sorted(stopped.out.splitlines()) == [
            "handler: has made safe",
            "reader: has made safe",
        ]
        assert states(tmp_path) == {"handler": "stopped", "reader": "stopped"}
        well(command(tmp_path, "resume", *BY))
        until(process, lambda: "busy" in states(tmp_path).values(), "work")
        well(command(tmp_path, "stop"))
        ended(process, Exit.STOPPED)
    (stop,) = said(tmp_path, ev.LabStopRequested)
    assert (stop.by, stop.note) == ("anna", "a leak")


def test_a_frozen_orchestrator_does_not_keep_the_lab_from_being_stopped(tmp_path: Path) -> None:
    place(tmp_path, runs=90, speed=300)
    with running(tmp_path) as process:
        process.send_signal(signal.SIGSTOP)
        frozen = command(tmp_path, "stop", "--all", *BY)
        well(frozen)
        assert "did not answer within 2 s" in frozen.err
        assert "handler: has made safe\nreader: has made safe\n" in frozen.out
        process.send_signal(signal.SIGCONT)
        until(process, lambda: bool(now(tmp_path)["paused"]), "its hearing of the stop")
        assert now(tmp_path)["paused"] == "the lab was stopped by anna: a leak"
        well(command(tmp_path, "resume"))
        until(process, lambda: "busy" in states(tmp_path).values(), "work")
        well(command(tmp_path, "stop"))
        ended(process, Exit.STOPPED)


def test_a_lab_that_was_stopped_without_an_orchestrator_waits_for_a_person(
    tmp_path: Path, mosquitto: str
) -> None:
    place(tmp_path, runs=20, speed=300, broker=mosquitto)
    words = [sys.executable, "-m", "sdl", "node", "lab.toml"]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL) as node:
        try:
            with running(tmp_path, "--no-host") as process:
                process.kill()
                process.wait()
                well(command(tmp_path, "stop", "--all", *BY))
            with running(tmp_path, "--no-host", "--resume", begins=False) as process:
                until(
                    process,
                    lambda: set(states(tmp_path).values()) == {"held"},
                    "its knowing that the lab is stopped",
                )
                notes = {each["note"] for each in now(tmp_path)["instruments"]}
                assert notes == {"it was stopped: everything was stopped by anna: a leak"}
                well(command(tmp_path, "resume"))
                ended(process, Exit.OK)
        finally:
            node.terminate()


def test_a_killed_orchestrator_is_told_from_one_that_ended(tmp_path: Path) -> None:
    place(tmp_path, runs=90, speed=300)
    with running(tmp_path) as process:
        process.kill()
        process.wait()
        gone = command(tmp_path, "pause")
    assert gone.code == Exit.FAULT
    assert "is gone, and did not say good-bye; go on with: sdl run CAMPAIGN --resume" in gone.err
    with running(tmp_path, "--resume") as process:
        well(command(tmp_path, "stop"))
        ended(process, Exit.STOPPED)


def nodes(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [each for each in children if "sdl.shell.node_process" in " ".join(each.cmdline())]


def real_bench(folder: Path) -> None:
    """A campaign of two short runs on instruments that count as real: a person is asked."""
    campaign = place(folder, runs=2, speed=1, parallel=1)
    campaign.write_text(campaign.read_text().replace("settle_s = 30.0", "settle_s = 0.2"))
    shutil.copy(Path(__file__).parent / "slow_bench.py", folder)
    text = (folder / "lab.toml").read_text()
    text = text.replace('simulator  = "liquid-handler"', 'driver = "./slow_bench.py:Arm"')
    text = text.replace('simulator = "absorbance-reader"', 'driver = "./slow_bench.py:Eye"')
    lines = [line for line in text.splitlines() if not line.startswith("sources_ul")]
    (folder / "lab.toml").write_text("\n".join(lines))


@pytest.mark.parametrize(
    "verdict,outcomes",
    [
        ("did-not-happen", ["measured", "measured"]),
        pytest.param("happened", ["measured", "measured"], marks=pytest.mark.drill),
        pytest.param("discard", ["measured", "unknown"], marks=pytest.mark.drill),
    ],
)
def test_a_question_waits_and_is_answered(
    tmp_path: Path, verdict: str, outcomes: list[str]
) -> None:
    real_bench(tmp_path)

    def dispensing() -> bool:
        flying = now(tmp_path)["in_flight"]
        return bool(flying) and flying[0]["state"] == "started"

    with running(tmp_path) as process:
        until(process, dispensing, "an action")
        (node,) = nodes(process)
        node.kill()
        until(process, lambda: bool(now(tmp_path)["questions"]), "the question")
        (asked,) = json.loads(command(tmp_path, "resolve", "--json").out)["questions"]
        assert (asked["instrument"], asked["operation"]) == ("handler", "dispense")
        assert states(tmp_path)["handler"] == "held"
        listed = command(tmp_path, "resolve").out
        step = asked["step"].partition("/")[2]
        assert f"sdl resolve {step} --{verdict}" in listed
        assert asked["step"] in command(tmp_path, "why").out
        well(command(tmp_path, "resolve", step, f"--{verdict}", *BY))
        assert command(tmp_path, "resolve", step, "--discard").code == Exit.MISTAKE
        assert now(tmp_path)["questions"] == []
        told = ended(process, Exit.OK)
    assert f"{step}: what became of dispense on handler? Look, then see: sdl resolve" in told
    (word,) = said(tmp_path, ev.StepResolved)
    assert (word.step, word.by, word.note) == (asked["step"], "anna", "a leak")
    runs = command(tmp_path, "runs", "list", "--json").document["runs"]
    assert sorted(each["outcome"] for each in runs) == outcomes
