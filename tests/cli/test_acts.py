"""The verbs that speak to a running orchestrator, against the real server of a made-up desk."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from sdl.cli.exits import Exit
from sdl.cli.reach import full
from sdl.core import events as ev
from sdl.core.plate_task import PlateTask
from sdl.errors import RecordFault
from sdl.service.card import Card, card_path
from tests.cli.conftest import Sdl, command
from tests.service.places import AT, Notebook, question, serving, view

LAB = '[lab]\nname = "bench"\nbroker = "embedded"\n'
CAMPAIGN = '[campaign]\nname = "dye"\nlab = "lab.toml"\n'
STEP = "dye/run-2/step-1"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Notebook, Card]]:
    folder, desk = tmp_path_factory.mktemp("lab"), Notebook()
    (folder / "lab.toml").write_text(LAB)
    (folder / "campaign.toml").write_text(CAMPAIGN)
    with serving(desk, folder) as card:
        yield folder, desk, card


@pytest.fixture
def folder(place: tuple[Path, Notebook, Card]) -> Path:
    return place[0]


@pytest.fixture
def desk(place: tuple[Path, Notebook, Card]) -> Notebook:
    desk = place[1]
    desk.shown, desk.objection, desk.fault = view(), "", None
    desk.told.clear()
    desk.stopped.clear()
    return desk


@pytest.fixture
def here(folder: Path) -> Sdl:
    return lambda *words: command(folder, *words)


SAID: list[tuple[tuple[str, ...], ev.Event]] = [
    (
        ("resolve", "run-2/step-1", "--happened", "--result", '{"y": [0.5, null]}'),
        ev.StepResolved(
            at=AT,
            step=STEP,
            verdict="happened",
            by="anna",
            result={"y": [0.5, None]},
            attempt=1,
        ),
    ),
    (
        ("resolve", STEP, "--did-not-happen", "--note", "the tip is full"),
        ev.StepResolved(
            at=AT,
            step=STEP,
            verdict="did_not_happen",
            by="anna",
            note="the tip is full",
            attempt=1,
        ),
    ),
    (
        ("resolve", "run-2/step-1", "--discard"),
        ev.StepResolved(at=AT, step=STEP, verdict="discard", by="anna", attempt=1),
    ),
    (("pause",), ev.PauseRequested(at=AT, what="", by="anna")),
    (
        ("pause", "handler", "--at-once", "--note", "a leak"),
        ev.PauseRequested(at=AT, what="handler", by="anna", note="a leak", at_once=True),
    ),
    (("resume",), ev.ResumeRequested(at=AT, what="", by="anna")),
    (("resume", "handler"), ev.ResumeRequested(at=AT, what="handler", by="anna")),
    (("abort", "run-2"), ev.AbortRequested(at=AT, what="dye/run-2", by="anna")),
    (("abort", "handler"), ev.AbortRequested(at=AT, what="handler", by="anna")),
    (("abort", "--yes"), ev.AbortRequested(at=AT, what="", by="anna")),
    (
        ("refill", "handler/buffer", "50", "mL", "--lot", "B12", "--expires", "2027-03-01"),
        ev.StockRefilled(
            at=AT,
            source="handler/buffer",
            volume_ul=50_000.0,
            replaces=False,
            by="anna",
            lot="B12",
            expires="2027-03-01",
        ),
    ),
    (
        ("refill", "handler/dye", "0.5mL", "--replaces", "--note", "looked at it"),
        ev.StockRefilled(
            at=AT,
            source="handler/dye",
            volume_ul=500.0,
            replaces=True,
            by="anna",
            note="looked at it",
        ),
    ),
    (("stop", "--note", "going home"), ev.StopRequested(at=AT, by="anna", reason="going home")),
]


@pytest.mark.parametrize(
    "words,message",
    [
        (("done",), "say which task is done, as sdl tasks lists them: sdl done carry-3"),
        (("refill", "handler/dye", "900", "L"), "900 L is more than handler/dye can hold"),
    ],
)
def test_a_slip_is_told_with_what_to_type_and_tells_the_lab_nothing(
    desk: Notebook, here: Sdl, words: tuple[str, ...], message: str
) -> None:
    said = here(*words, "--by", "anna")
    assert said.code == Exit.MISTAKE
    assert message in said.err
    assert desk.told == []


@pytest.mark.parametrize("words,event", SAID)
def test_what_is_typed_is_told_with_its_person(
    desk: Notebook, here: Sdl, words: tuple[str, ...], event: ev.Event
) -> None:
    said = here(*words, "--by", "anna")
    assert (said.code, said.err) == (Exit.OK, "")
    assert said.out.count("\n") == 1
    assert desk.told == [event]


@pytest.mark.parametrize("words,event", SAID)
def test_each_answers_in_json(
    desk: Notebook, here: Sdl, words: tuple[str, ...], event: ev.Event
) -> None:
    said = here(*words, "--by", "anna", "--json")
    document = said.document
    assert (document["schema"], document["campaign"], document["at"]) == ("sdl.taken/1", "dye", AT)
    assert document["by"] == "anna"


@pytest.mark.parametrize("words,_event", SAID)
def test_an_objection_is_a_mistake_and_a_broken_record_is_one(
    desk: Notebook, here: Sdl, words: tuple[str, ...], _event: ev.Event
) -> None:
    desk.objection = "nobody asks that"
    said = here(*words)
    assert (said.code, said.out, said.err) == (Exit.MISTAKE, "", "sdl: nobody asks that\n")
    desk.objection, desk.fault = "", RecordFault("the disk is full")
    assert here(*words).code == Exit.RECORD
    assert desk.told == []


def test_without_a_name_it_is_the_user_of_the_machine(
    desk: Notebook, here: Sdl, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "berta")
    assert here("pause").code == Exit.OK
    assert desk.told == [ev.PauseRequested(at=AT, what="", by="berta")]


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("resolve", STEP), "say one of --happened, --did-not-happen, --discard"),
    (("resolve", STEP, "--happened", "--discard"), "say one of"),
    (("resolve", "--happened"), "name the STEP"),
    (("resolve", STEP, "--discard", "--result", "1"), "--result goes with --happened"),
    (("resolve", STEP, "--happened", "--result", "{"), "--result is no JSON"),
    (("resolve", STEP, "--happened", "--result", "NaN"), "NaN is no number"),
    (("abort",), "name a run or an instrument"),
]


@pytest.mark.parametrize("words,why", WRONG)
def test_what_is_wrongly_typed_reaches_nobody(
    desk: Notebook, here: Sdl, words: tuple[str, ...], why: str
) -> None:
    said = here(*words)
    assert said.code == Exit.USAGE
    assert why in " ".join(said.err.replace("│", " ").split())
    assert desk.told == []


def test_open_questions_are_listed_with_what_to_type(desk: Notebook, here: Sdl) -> None:
    desk.shown = view(question(), question("dye/run-3/step-4"))
    said = here("resolve")
    assert said.code == Exit.OK
    lines = said.out.splitlines()
    assert lines[0] == "1. dye/run-2/step-1: what became of dispense on handler?"
    assert "volume_ul = 20.5 µL" in lines[1]
    assert "well = plate-1/A1" in lines[1]
    assert lines[2] == "   why      the node died while it was going on"
    assert lines[3] == "   since    2023-11-14 22:12:17 UTC (lab time)"
    assert [line for line in lines if line.startswith("2. dye/run-3/step-4: what became of ")]


def test_the_page_for_the_bench_shows_what_is_printed(desk: Notebook, here: Sdl) -> None:
    page = Path(__file__).parents[2] / "docs" / "at-the-bench.md"
    shown = page.read_text().partition("```\n$ sdl resolve\n")[2].partition("```")[0]
    volumes: JsonValue = {"dye": 90.0, "buffer": 110.0}
    asked = replace(
        question("dye-450/run-7/step-2"),
        args={"well": {"labware": "plate-1", "name": "A7"}, "volumes_ul": volumes},
        since=datetime(2026, 11, 25, 2, 18, 55, tzinfo=UTC).timestamp(),
        reason="dye-450/run-7/step-2 (dispense on handler): dispense: the node died while it ran, "
        "and nobody saw how it ended",
    )
    desk.shown = view(asked)
    assert here("resolve").out == shown


def test_each_listed_command_can_be_typed_as_it_stands(
    desk: Notebook, here: Sdl, folder: Path, tmp_path: Path
) -> None:
    desk.shown = view(question())
    for listed in (here("resolve"), command(tmp_path, "resolve", "--lab", str(folder))):
        lines = [line.strip() for line in listed.out.splitlines() if "sdl resolve" in line]
        assert len(lines) == 3
        for line in lines:
            words = line.partition("  ")[0].split()[1:]
            where = tmp_path if "--lab" in words else folder
            assert command(where, *words).code == Exit.OK
    verdicts = [each.verdict for each in desk.told if isinstance(each, ev.StepResolved)]
    assert verdicts == ["happened", "did_not_happen", "discard"] * 2


def test_where_a_result_is_needed_it_is_said_so(desk: Notebook, here: Sdl) -> None:
    desk.shown = view(replace(question(), gives_result=True))
    listed = here("resolve").out
    assert "     sdl resolve run-2/step-1 --happened --result JSON  it was done" in listed
    assert listed.count("--result") == 1


def test_questions_come_as_one_document(desk: Notebook, here: Sdl) -> None:
    desk.shown = view(question())
    document = here("resolve", "--json").document
    assert document["schema"] == "sdl.questions/1"
    assert document["questions"][0]["step"] == STEP
    desk.shown = view()
    said = here("resolve")
    assert (said.out, said.err) == ("", "dye: no question is open\n")


def test_an_answer_is_about_the_attempt_that_was_asked_about(desk: Notebook, here: Sdl) -> None:
    desk.shown = view(replace(question(), attempt=2))
    assert "(attempt 2)" in here("resolve").out
    assert here("resolve", "--json").document["questions"][0]["attempt"] == 2
    assert "sdl resolve run-2/step-1 --discard --attempt 2" in here("resolve").out
    said = here("resolve", "run-2/step-1", "--discard")  # typed for the first attempt, once more
    assert (said.code, desk.told) == (2, [])
    assert "add --attempt 2" in " ".join(said.err.split())
    said = here("resolve", "run-2/step-1", "--discard", "--attempt", "2", "--json")
    assert said.document["attempt"] == 2
    here("resolve", "run-2/step-1", "--discard", "--attempt", "1")  # of a list of some time ago
    desk.shown = view()
    here("resolve", "run-2/step-1", "--discard")
    attempts = [each.attempt for each in desk.told if isinstance(each, ev.StepResolved)]
    assert attempts == [2, 1, 1]


def test_the_lab_is_found_from_many_places(desk: Notebook, folder: Path, tmp_path: Path) -> None:
    (folder / "notes").mkdir(exist_ok=True)
    named = [folder, folder / "lab.toml", folder / "campaign.toml"]
    for path in named:
        assert command(tmp_path, "pause", "--lab", str(path)).code == Exit.OK
    for place in (folder, folder.parent):  # here, and the one below that is at work
        assert command(place, "pause").code == Exit.OK
    assert len(desk.told) == 5


def test_a_file_that_was_spoilt_meanwhile_is_in_nobodys_way(desk: Notebook, folder: Path) -> None:
    for name, text in (("lab.toml", LAB), ("campaign.toml", CAMPAIGN)):
        (folder / name).write_text("[lab\nname = ")
        said = command(folder, "pause", "--lab", name)
        (folder / name).write_text(text)
        assert said.code == Exit.OK, said.err
        assert f"{name} cannot be read" in said.err
    assert len(desk.told) == 2


def test_where_nobody_is_at_work_it_is_said_so(tmp_path: Path) -> None:
    said = command(tmp_path, "pause")
    assert said.code == Exit.MISTAKE
    assert "no orchestrator of yours works in a folder below" in said.err
    assert command(tmp_path, "pause", "--lab", "nowhere.toml").code == Exit.MISTAKE
    (tmp_path / "lab.toml").write_text(LAB)
    said = command(tmp_path, "pause")
    assert said.code == Exit.FAULT
    assert "no orchestrator works on lab 'bench'" in said.err


def test_a_card_left_by_a_killed_process_is_told(
    desk: Notebook, place: tuple[Path, Notebook, Card], tmp_path: Path
) -> None:
    path = card_path(tmp_path / ".sdl", "bench")
    path.parent.mkdir()
    dead = {
        "lab": "bench",
        "url": "http://127.0.0.1:9",
        "token": "x",
        "host": socket.gethostname(),
        "pid": 2**22 + 1,
    }
    path.write_text(json.dumps({**dead, "campaign": "dye"}))
    (tmp_path / "lab.toml").write_text(LAB)
    said = command(tmp_path, "pause")
    assert said.code == Exit.FAULT
    assert "is gone, and did not say good-bye; go on with: sdl run CAMPAIGN --resume" in said.err
    (tmp_path / "lab.toml").unlink()
    assert command(tmp_path, "pause").code == Exit.MISTAKE


def test_of_two_labs_one_has_to_be_named(desk: Notebook, folder: Path) -> None:
    other = Notebook(shown=replace(view(), campaign="other"))
    (folder / "line.toml").write_text(LAB.replace("bench", "line"))
    (folder / "lab.toml").rename(folder / "bench.toml")
    (folder / "campaign.toml").rename(folder / "kept.toml")
    try:
        with serving(other, folder, "line"):
            said = command(folder, "pause")
            assert said.code == Exit.MISTAKE
            assert "several labs are at work" in said.err
            assert command(folder, "pause", "--lab", "line.toml").code == Exit.OK
            assert (len(desk.told), len(other.told)) == (0, 1)
    finally:
        (folder / "bench.toml").rename(folder / "lab.toml")
        (folder / "kept.toml").rename(folder / "campaign.toml")


def test_a_card_of_another_user_is_told(desk: Notebook, folder: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = card_path(tmp_path / ".sdl", "bench")
    path.parent.mkdir()
    path.write_text("{}")
    path.chmod(0)
    (tmp_path / "lab.toml").write_text(LAB)
    assert "do it as that user" in command(tmp_path, "pause").err


@pytest.mark.parametrize(
    "name,whole",
    [
        ("run-7", "dye/run-7"),
        ("run-7/step-2.1.1", "dye/run-7/step-2.1.1"),
        ("dye/run-7", "dye/run-7"),
        ("handler", "handler"),
        ("run-in", "run-in"),
        ("", ""),
    ],
)
def test_a_short_name_is_that_of_the_campaign_at_work(name: str, whole: str) -> None:
    assert full(name, "dye") == whole


PLATE = PlateTask(
    id="dye/fresh-2",
    campaign="dye",
    role="well",
    kind="plate-96-flat",
    place="hotel",
    reason="no free well is left; bring fresh plates",
    since=AT - 60.0,
)


def test_a_fresh_plate_that_was_asked_for_is_listed_and_told_with_its_site(
    desk: Notebook, here: Sdl
) -> None:
    desk.shown = replace(view(), plates=(PLATE,))
    listed = here("tasks")
    assert listed.out.startswith("fresh-2: no free well is left; bring fresh plates (asked ")
    assert here("tasks", "--json").document["plates"][0]["reason"] == PLATE.reason
    said = here("done", "fresh-2", "plate-9", "hotel/4", "--by", "anna")
    assert said.code == Exit.OK, said.err
    assert said.out == "dye: plate-9 stands on hotel/4\n"
    brought = ev.PlateBrought(
        at=AT, task="dye/fresh-2", labware="plate-9", site="hotel/4", by="anna"
    )
    assert desk.told == [brought]


@pytest.mark.parametrize(
    "words,message",
    [
        (("fresh-2",), "say which plate you put where: sdl done fresh-2 plate-9 hotel/4"),
        (("fresh-2", "plate-9"), "say which plate you put where"),
        (("fresh-2", "--not-done"), "to end the campaign instead: sdl stop"),
        (("carry-1", "plate-9", "hotel/4"), "carry-1 asks for no fresh plate"),
    ],
)
def test_what_is_half_said_of_a_fresh_plate_tells_the_lab_nothing(
    desk: Notebook, here: Sdl, words: tuple[str, ...], message: str
) -> None:
    desk.shown = replace(view(), plates=(PLATE,))
    said = here("done", *words, "--by", "anna")
    assert said.code == Exit.MISTAKE
    assert message in said.err
    assert desk.told == []
