"""A person who is needed is called by a program of the lab's, with bounds, and work goes on."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sdl.core.view import CarryView, InFlight, LabView
from sdl.model.alert import Alert
from sdl.shell.alerting import Alerting
from tests.service.places import of_lab, question, view

CALM = of_lab(view())
ASKS = of_lab(view(question(), state="held"))
CALL = '#!/bin/sh\ncat >> calls.jsonl && printf "\\n" >> calls.jsonl && echo "$1" > word\n'


def script(folder: Path, text: str = CALL) -> Path:
    path = folder / "call.sh"
    path.write_text(text)
    path.chmod(0o755)
    return path


def calls(folder: Path) -> list[list[str]]:
    """What each call told: kind and id of its needs."""
    path = folder / "calls.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [[f"{n['kind']} {n['id']}" for n in json.loads(line)["needs"]] for line in lines]


async def looks(folder: Path, shown: Sequence[LabView], alert: Alert) -> None:
    """Look at these labs, one after the other."""
    views = list(shown)
    alerting = Alerting(alert, folder, lambda: views.pop(0))
    for _ in shown:
        await alerting.look()


def at_once(*words: str, timeout_s: float = 20.0) -> Alert:
    return Alert(command=words or ("./call.sh",), every_s=1e-6, timeout_s=timeout_s)


async def test_a_question_is_told_once_with_what_to_type(tmp_path: Path) -> None:
    script(tmp_path)
    await looks(tmp_path, [ASKS] * 4, at_once("./call.sh", "$(reboot); night"))
    assert calls(tmp_path) == [["question dye/run-2/step-1/1"]]
    told = json.loads((tmp_path / "calls.jsonl").read_text())
    assert told["schema"] == "sdl.alert/1"
    assert told["journal"] == "dye"
    assert "what became of dispense on handler?" in told["needs"][0]["text"]
    assert "sdl resolve" in told["needs"][0]["text"]
    assert (tmp_path / "word").read_text() == "$(reboot); night\n", "a shell has read it"


async def test_what_is_gone_at_the_next_look_calls_nobody(tmp_path: Path) -> None:
    script(tmp_path)
    await looks(tmp_path, [ASKS, CALM, ASKS, CALM], at_once())
    assert calls(tmp_path) == []


async def test_what_comes_up_again_is_told_again(tmp_path: Path) -> None:
    script(tmp_path)
    await looks(tmp_path, [ASKS, ASKS, CALM, ASKS, ASKS], at_once())
    assert len(calls(tmp_path)) == 2


def offline(lab: LabView) -> LabView:
    (one,) = lab.instruments
    return replace(lab, instruments=(replace(one, state="offline", note="its heartbeat stopped"),))


async def test_an_instrument_that_was_there_and_is_lost_is_told(tmp_path: Path) -> None:
    script(tmp_path)
    gone = offline(CALM)
    await looks(tmp_path, [gone, gone, gone], at_once())
    assert calls(tmp_path) == [], "it was never there"
    await looks(tmp_path, [CALM, gone, gone], at_once())
    assert calls(tmp_path) == [["lost handler"]]


async def test_a_carry_for_a_person_and_a_step_that_waits_for_long_are_told_together(
    tmp_path: Path,
) -> None:
    script(tmp_path)
    (flying,) = CALM.campaigns
    waits = InFlight(run="dye/run-2", step="dye/run-2/step-3", instrument="reader", state="waits")
    carry = CarryView(
        carry="dye/carry-1", labware="p", source="a/1", target="b/1", carrier="", step="", since=0.0
    )
    shown = replace(CALM, campaigns=(replace(flying, in_flight=(waits,)),))
    late = replace(shown, at=shown.at + 1900.0, carries=(carry,))
    await looks(tmp_path, [shown, late, late], at_once())
    assert calls(tmp_path) == [["carry dye/carry-1", "waits dye/run-2/step-3"]]


async def test_calls_come_no_faster_than_they_may(tmp_path: Path) -> None:
    script(tmp_path)
    other = of_lab(view(question(), question("dye/run-3/step-1")))
    alert = Alert(command=("./call.sh",), every_s=3600.0)
    await looks(tmp_path, [ASKS, ASKS, other, other, other], alert)
    assert len(calls(tmp_path)) == 1


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("#!/bin/sh\necho no signal >&2; exit 3\n", "ended with code 3: no signal"),
        ("#!/bin/sh\nsleep 60\n", "took longer than 0.5 s"),
        ("#!/nowhere/sh\n", "nobody could be called"),
    ],
)
async def test_a_program_that_fails_is_told_in_the_log_once_and_tried_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    text: str,
    complaint: str,
) -> None:
    script(tmp_path, text)
    monkeypatch.setattr("sdl.shell.alerting.LOOK_S", 0.01)
    alerting = Alerting(at_once(timeout_s=0.5), tmp_path, lambda: ASKS)
    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(alerting.keep_calling())
        async with asyncio.timeout(20.0):
            while complaint not in caplog.text:  # noqa: ASYNC110 - it is a log's
                await asyncio.sleep(0.02)
            script(tmp_path)
            while not calls(tmp_path):  # noqa: ASYNC110 - it is a file's
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert calls(tmp_path) == [["question dye/run-2/step-1/1"]]


async def test_one_that_is_cut_off_leaves_no_process(tmp_path: Path) -> None:
    script(tmp_path, "#!/bin/sh\necho $$ > pid\nexec sleep 60\n")
    task = asyncio.create_task(looks(tmp_path, [ASKS] * 3, at_once()))
    path = tmp_path / "pid"
    async with asyncio.timeout(10.0):
        while not path.exists() or not path.read_text().strip():  # noqa: ASYNC110 - it is a file's
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not psutil.pid_exists(int(path.read_text()))
