"""What `sdl status`, `sdl why` and `sdl doctor` say of a campaign that is at work."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sdl.cli.campaign import campaigns_of as listed
from sdl.cli.exits import Exit
from sdl.cli.status import of_lab, planned, used
from sdl.cli.why import waiting
from sdl.core.usage import Usage
from sdl.core.view import EndedView, PlanView, Waiting
from sdl.service.card import card_path
from sdl.testing.servers import free_port
from sdl.wire.toml import open_lab
from tests.cli.conftest import Said, command
from tests.service.places import Notebook, question, serving, view
from tests.service.places import of_lab as lab_of


@pytest.fixture
def place(lab: Path, tmp_path: Path) -> Path:
    shutil.copytree(lab, tmp_path / "lab")
    return tmp_path / "lab"


def name(place: Path) -> str:
    return open_lab(place / "lab.toml").lab.name


@contextmanager
def at_work(place: Path) -> Iterator[None]:
    desk = Notebook(shown=view(question(), paused="paused by anna (a leak)", state="held"))
    with serving(desk, place, name(place)):
        yield


def test_status_shows_how_the_campaign_at_work_stands(place: Path) -> None:
    with at_work(place):
        said = command(place, "status")
        document = command(place, "status", "--json").document
        record = command(place, "status", "record.sqlite")
    assert said.code == Exit.OK
    assert said.out.splitlines()[-4:] == [
        "dye is at work: run-2 started",
        "  paused by anna (a leak); go on with: sdl resume",
        "  1 question for you; see: sdl resolve",
        "  handler is held; see: sdl resolve",
    ]
    assert document["at_work"]["questions"][0]["step"] == "dye/run-2/step-1"
    assert "at work" not in record.out
    assert command(place, "status", "--json").document["at_work"] is None


def test_status_shows_the_plan_and_why_there_is_none() -> None:
    plan = PlanView(
        made_at=100.0,
        age_s=75.0,
        status="feasible",
        plans=7,
        found_by="local search",
        seconds=1.42,
        ends_at=900.0,
        breaks=("dye/run-2/step-3",),
    )
    shown = Notebook(shown=view(question())).lab()
    assert planned(shown) == []
    assert planned(replace(shown, plan=plan)) == [
        "plan: feasible, 1 min 15 s old, number 7, by local search in 1.42 s, "
        "1 window will be missed"
    ]
    none = replace(plan, plans=0, status="unknown", trouble="the scheduler died")
    assert planned(replace(shown, plan=none)) == ["plan: none; the scheduler died"]


def test_the_list_of_campaigns_tells_what_came_of_those_that_have_ended() -> None:
    over = EndedView(
        campaign="elisa", ending="budget", reason="done", at=1.0, runs=6, best_run="elisa/run-4"
    )
    rows = listed(replace(lab_of(view()), ended=(over,)))
    assert rows[-1][:5] == ("elisa", "budget", "6", "-", "elisa/run-4")


def test_why_begins_with_what_waits_for_a_person() -> None:
    waits = tuple(Waiting(who=f"dye/run-{number}/step-1", why="it waits") for number in (1, 2, 3))
    said = waiting(replace(view(question(), paused="paused by anna"), waits=waits))
    assert [each.who for each in said] == [
        "dye",
        "dye/run-2/step-1",
        "dye/run-1/step-1",
        "dye/run-3/step-1",
    ]
    assert said[0].why == "paused by anna; go on with: sdl resume"


def test_status_says_of_each_step_what_it_waits_for() -> None:
    waits = tuple(
        Waiting(who=f"dye/run-{number}/step-1", why="handler is busy") for number in range(1, 16)
    )
    said = of_lab(lab_of(replace(view(question()), waits=waits)))
    assert said[1:3] == [
        "  1 question for you; see: sdl resolve",
        "  run-1/step-1: handler is busy",
    ]
    assert "  run-2/step-1: handler is busy" not in said, "it is a question already"
    assert said[-1] == "  and 2 more; see: sdl why dye"


def test_status_says_what_instruments_spent_their_time_on() -> None:
    (handler,) = view().instruments
    usage = Usage(
        instrument="handler",
        begin=0.0,
        end=1000.0,
        busy_s=620.0,
        idle_s=300.0,
        person_s=79.0,
        mending_s=1.0,
    )
    shown = replace(view(), instruments=(replace(handler, usage=usage),))
    assert [" ".join(line.split()) for line in used(lab_of(shown))] == [
        "",
        "instrument stands of 16 min 40 s else",
        "handler busy busy 62 % nothing to do 30 %, waits for an answer 8 %",
    ]
    assert used(lab_of(view())) == []


def test_the_doctor_asks_the_orchestrator(place: Path) -> None:
    with at_work(place):
        assert found(command(place, "doctor", "lab.toml")) == "works on dye and answers"
    assert found(command(place, "doctor", "lab.toml")).startswith("none at work")
    dead = {
        "lab": name(place),
        "url": f"http://127.0.0.1:{free_port()}",
        "token": "x",
        "host": socket.gethostname(),
    }
    path = card_path(place / ".sdl", name(place))
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**dead, "pid": os.getpid(), "campaign": "dye"}))
    said = command(place, "doctor", "lab.toml")
    assert said.code == Exit.FAULT
    assert "is gone, and did not say good-bye" in found(said)


def found(said: Said) -> str:
    (line,) = [each for each in said.out.splitlines() if each[4:].startswith("orchestrator")]
    return line[20:]
