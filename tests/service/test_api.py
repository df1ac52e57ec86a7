"""What may be asked and told over HTTP, by whom, and what becomes of it."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sdl.core import events as ev
from sdl.errors import LabFault, RecordFault, UserMistake
from sdl.model.campaign import Terms
from sdl.service import served
from sdl.service.caller import Caller
from sdl.service.card import Card, card_path
from sdl.service.gate import BODY_CAP
from sdl.service.serving import GRACE_S
from tests.service.places import AT, Notebook, question, request, serving, view

STEP = "dye/run-2/step-1"
ACTS: list[tuple[str, dict[str, object], ev.Event]] = [
    (
        f"steps/{STEP}/resolve",
        {"verdict": "happened", "result": {"y": 0.5}, "attempt": 1},
        ev.StepResolved(
            at=AT,
            step=STEP,
            verdict="happened",
            by="anna",
            note="seen",
            result={"y": 0.5},
            attempt=1,
        ),
    ),
    (
        f"steps/{STEP}/resolve",
        {"verdict": "did_not_happen", "attempt": 2},
        ev.StepResolved(
            at=AT, step=STEP, verdict="did_not_happen", by="anna", note="seen", attempt=2
        ),
    ),
    (
        "pause",
        {"what": "handler", "at_once": True},
        ev.PauseRequested(at=AT, what="handler", by="anna", note="seen", at_once=True),
    ),
    ("pause", {}, ev.PauseRequested(at=AT, what="", by="anna", note="seen")),
    ("resume", {}, ev.ResumeRequested(at=AT, what="", by="anna", note="seen")),
    (
        "abort",
        {"what": "dye/run-2"},
        ev.AbortRequested(at=AT, what="dye/run-2", by="anna", note="seen"),
    ),
    (
        "refill",
        {"source": "handler/dye", "volume_ul": 5.0, "lot": "D2", "expires": "2027-03-01"},
        ev.StockRefilled(
            at=AT,
            source="handler/dye",
            volume_ul=5.0,
            replaces=False,
            by="anna",
            lot="D2",
            expires="2027-03-01",
            note="seen",
        ),
    ),
    (
        "plate",
        {"task": "dye/fresh-1", "labware": "plate-9", "site": "hotel/4"},
        ev.PlateBrought(
            at=AT,
            task="dye/fresh-1",
            labware="plate-9",
            site="hotel/4",
            by="anna",
            note="seen",
        ),
    ),
    ("stop", {}, ev.StopRequested(at=AT, by="anna", reason="seen")),
]


@pytest.mark.parametrize("path,body,event", ACTS)
def test_every_act_is_an_event_with_its_person(
    desk: Notebook, card: Card, path: str, body: dict[str, object], event: ev.Event
) -> None:
    answer = request(card, "POST", f"/{path}", {"by": "anna", "note": "seen", **body})
    assert answer.status == 200, answer.document
    assert answer.document == {"schema": "sdl.taken/1", "campaign": "dye", "at": AT}
    assert desk.told == [event]


@pytest.mark.parametrize("path,body,_event", ACTS)
def test_what_makes_no_sense_now_is_answered_with_the_reason(
    desk: Notebook, card: Card, path: str, body: dict[str, object], _event: ev.Event
) -> None:
    desk.objection = "dye/run-2/step-1 is going on; nobody asks what became of it"
    answer = request(card, "POST", f"/{path}", {"by": "anna", **body})
    assert (answer.status, answer.error) == (409, desk.objection)
    assert desk.told == []


@pytest.mark.parametrize("path,body,_event", ACTS)
def test_nothing_is_answered_before_it_is_on_record(
    desk: Notebook, card: Card, path: str, body: dict[str, object], _event: ev.Event
) -> None:
    desk.hold()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(request, card, "POST", f"/{path}", {"by": "anna", **body})
        # The server answers others meanwhile, and by then it has taken the act in.
        for _ in range(3):
            assert request(card, "GET", "/status").status == 200
        assert not asked.done()
        assert desk.told == []
        desk.recorded.set_result(None)
        assert asked.result().status == 200


def test_a_broken_record_is_told(desk: Notebook, card: Card) -> None:
    desk.fault = RecordFault("the disk is full")
    for path in ("pause", "stop-all"):
        answer = request(card, "POST", f"/{path}", {"by": "anna"})
        assert (answer.status, answer.error) == (503, "the disk is full")


def test_a_stop_of_everything_has_its_person(desk: Notebook, card: Card) -> None:
    assert request(card, "POST", "/stop-all", {"by": "anna", "note": "smoke"}).status == 200
    assert desk.stopped == [("anna", "smoke")]


def test_the_view_and_the_questions_come_back_whole(desk: Notebook, card: Card) -> None:
    desk.shown = view(question(), paused="paused by anna")
    assert request(card, "GET", "/status").document["schema"] == "sdl.view/1"
    assert Caller(card).view() == desk.shown
    assert request(card, "GET", "/questions").document["schema"] == "sdl.questions/1"
    assert Caller(card).questions().questions == (question(),)


TURNED_AWAY: list[tuple[dict[str, str | None], int]] = [
    ({"Authorization": None}, 401),
    ({"Authorization": "Bearer "}, 401),
    ({"Authorization": "Bearer wrong"}, 401),
    ({"Authorization": "Basic YTpi"}, 401),
    ({"Host": "lab.example:80"}, 421),
    ({"Host": "127.0.0.1"}, 421),
    ({"Origin": "http://lab.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Content-Type": None}, 415),
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
]


@pytest.mark.parametrize("headers,status", TURNED_AWAY)
def test_who_is_not_known_is_turned_away(
    desk: Notebook, card: Card, headers: Mapping[str, str | None], status: int
) -> None:
    answer = request(card, "POST", "/pause", {"by": "anna"}, headers)
    assert (answer.status, answer.error != "") == (status, True)
    assert desk.told == []
    assert request(card, "GET", "/status", headers={"Host": None}).status == 400


@pytest.mark.parametrize("path", ["/status", "/questions", "/openapi.json", "/nowhere"])
def test_nothing_is_read_without_the_token(card: Card, path: str) -> None:
    assert request(card, "GET", path, headers={"Authorization": None}).status == 401


@pytest.mark.parametrize(
    "body,where",
    [
        (b"", "body"),
        (b"{", "body"),
        ([], "body"),
        ({}, "body.by"),
        ({"by": ""}, "body.by"),
        ({"by": "anna", "loud": True}, "body.loud"),
        ({"by": "anna", "what": 3}, "body.what"),
        ({"by": "a" * 201}, "body.by"),
    ],
)
def test_a_body_that_is_not_what_it_should_be_is_refused(
    desk: Notebook, card: Card, body: object, where: str
) -> None:
    answer = request(card, "POST", "/pause", body)
    assert answer.status == 422
    assert answer.error.startswith(where), answer.error
    assert desk.told == []


@pytest.mark.parametrize("verdict", ["perhaps", "", None])
def test_a_verdict_is_one_of_three(desk: Notebook, card: Card, verdict: str | None) -> None:
    body = {"by": "anna", "verdict": verdict, "attempt": 1}
    answer = request(card, "POST", f"/steps/{STEP}/resolve", body)
    assert (answer.status, desk.told) == (422, [])


@pytest.mark.parametrize("result", [b"NaN", b"1e999", rb'"\ud800"', rb'[{"\ud800": 1}]'])
def test_a_result_that_no_journal_can_hold_is_refused(
    desk: Notebook, card: Card, result: bytes
) -> None:
    body = b'{"by": "anna", "verdict": "happened", "attempt": 1, "result": %b}' % result
    answer = request(card, "POST", f"/steps/{STEP}/resolve", body)
    assert (answer.status, desk.told) == (422, [])
    assert answer.error.startswith("body.result"), answer.error


@pytest.mark.parametrize("attempt", [{}, {"attempt": 0}, {"attempt": None}])
def test_an_answer_says_which_attempt_it_is_about(
    desk: Notebook, card: Card, attempt: dict[str, object]
) -> None:
    body = {"by": "anna", "verdict": "did_not_happen", **attempt}
    answer = request(card, "POST", f"/steps/{STEP}/resolve", body)
    assert (answer.status, desk.told) == (422, [])
    assert answer.error.startswith("body.attempt"), answer.error


def test_a_body_that_is_too_large_is_not_even_read(desk: Notebook, card: Card) -> None:
    body = {"by": "anna", "note": "x" * BODY_CAP}
    assert request(card, "POST", "/pause", body).status == 413
    chunked = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    assert request(card, "POST", "/pause", b"2\r\n{}\r\n0\r\n\r\n", chunked).status == 411
    assert desk.told == []


def test_what_is_not_there_is_said_in_the_same_form(card: Card) -> None:
    assert request(card, "GET", "/nowhere").document == {"error": "Not Found"}
    assert request(card, "GET", "/pause").document == {"error": "Method Not Allowed"}


def test_the_api_describes_itself(card: Card) -> None:
    document = request(card, "GET", "/openapi.json").document
    paths = {path.removeprefix("/api/v1/") for path in document["paths"]}
    acts = {"pause", "resume", "refill", "abort", "stop", "stop-all", "steps/{step}/resolve"}
    acts |= {"done", "place", "plate"}
    sharing = {"lab", "lab/down", "campaigns", "campaigns/{name}/terms"}
    assert paths == {"status", "questions", "inventory"} | acts | sharing
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["description"].endswith("."), operation


def test_it_listens_on_loopback_alone(card: Card) -> None:
    listening = [
        each.laddr.ip
        for each in psutil.Process().net_connections("inet")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == card.port
    ]
    assert listening == ["127.0.0.1"]


async def test_signals_stay_with_those_who_began_the_loop(desk: Notebook, tmp_path: Path) -> None:
    caught: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, _frame: caught.append(number))
    try:
        async with served(desk, tmp_path / ".sdl", lab="bench"):
            await asyncio.sleep(0.05)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.15)
            assert card_path(tmp_path / ".sdl", "bench").exists()
    finally:
        signal.signal(signal.SIGTERM, former)
    assert caught == [signal.SIGTERM]


def test_an_act_that_never_ends_does_not_keep_the_orchestrator(
    desk: Notebook, tmp_path: Path
) -> None:
    with ThreadPoolExecutor() as pool:
        with serving(desk, tmp_path) as card:
            desk.hold()
            asked = pool.submit(Caller(card).act, "pause", {"by": "anna"})
            assert request(card, "GET", "/status").status == 200
            ending = time.monotonic()
        assert time.monotonic() - ending < GRACE_S + 3
        with pytest.raises(LabFault, match="it may or may not have heard: look with sdl status"):
            asked.result()
    assert desk.told == []


def test_a_refusal_comes_to_the_caller_as_the_error_that_it_is(desk: Notebook, card: Card) -> None:
    desk.objection = "nothing is paused"
    with pytest.raises(UserMistake, match="nothing is paused"):
        Caller(card).act("resume", {"what": "", "by": "anna", "note": ""})
    desk.fault = RecordFault("the disk is full")
    with pytest.raises(RecordFault, match="the disk is full"):
        Caller(card).act("resume", {"what": "", "by": "anna", "note": ""})
    stranger = replace(card, token="guessed")
    with pytest.raises(LabFault, match="the token is not that of this orchestrator"):
        Caller(stranger).view()


def test_many_at_once_are_all_answered(desk: Notebook, card: Card) -> None:
    begin = threading.Barrier(16)

    def ask(number: int) -> int:
        begin.wait()
        body = {"by": f"person-{number}", "what": "handler"}
        return request(card, "POST", "/pause", body).status

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(16))) == [200] * 16
    assert len(desk.told) == 16


def test_a_campaign_is_started_with_its_claim(card: Card, desk: Notebook, tmp_path: Path) -> None:
    path = str(tmp_path / "urgent.toml")
    said = {"by": "ada", "path": path, "priority": 2, "within_s": 60.0, "runs_at_once": 1}
    answer = request(card, "POST", "/campaigns", said)
    assert (answer.status, answer.document["started"]) == (200, "urgent")
    (start,) = desk.started
    assert (str(start.path), start.by, start.within_s, start.anew) == (path, "ada", 60.0, False)
    assert start.terms == Terms(priority=2, runs_at_once=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "urgent.toml"},
        {"path": "/urgent.toml", "priority": 10},
        {"path": "/urgent.toml", "weight": 0.0},
        {"path": "/urgent.toml", "runs_at_once": 0},
        {"path": "/urgent.toml", "within_s": -1.0},
    ],
)
def test_a_claim_out_of_bounds_starts_nothing(
    card: Card, desk: Notebook, wrong: dict[str, object]
) -> None:
    assert request(card, "POST", "/campaigns", {"by": "ada", **wrong}).status == 422
    assert desk.started == []


def test_what_may_not_start_is_told_with_its_reason(card: Card, desk: Notebook) -> None:
    desk.objection = "a.toml:3: there is no planner 'axe'"
    answer = request(card, "POST", "/campaigns", {"by": "ada", "path": "/a.toml"})
    assert (answer.status, answer.document) == (409, {"error": desk.objection})


def test_terms_that_are_not_said_stay_as_they_are(card: Card, desk: Notebook) -> None:
    said = {"by": "ada", "weight": 3.0}
    assert request(card, "POST", "/campaigns/dye/terms", said).status == 200
    (event,) = desk.told
    assert isinstance(event, ev.TermsChanged)
    assert (event.campaign, event.terms, event.by) == ("dye", Terms(weight=3.0), "ada")


def test_a_lab_is_closed_by_a_person(card: Card, desk: Notebook) -> None:
    assert request(card, "POST", "/lab/down", {"by": "ada", "note": "night"}).status == 200
    (event,) = desk.told
    assert event == ev.LabDownRequested(at=event.at, by="ada", note="night")


def test_a_campaign_that_is_named_is_meant(card: Card, desk: Notebook) -> None:
    for verb in ("pause", "resume", "stop", "abort"):
        assert request(card, "POST", f"/{verb}", {"by": "ada", "campaign": "dye"}).status == 200
    assert {each.campaign for each in desk.told} == {"dye"}  # type: ignore[union-attr]
    assert Caller(card).view("dye") == desk.shown
    assert request(card, "GET", "/status?campaign=hens").status == 409
