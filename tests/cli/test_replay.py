"""``sdl replay``: the planner is asked again, and says the same, or what differs is told."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from sdl.cli.exits import Exit
from sdl.core.commands import AcceptSuggestion, AskPlanner
from sdl.core.events import SuggestionsArrived
from sdl.wire.journal import chain
from tests.cli.conftest import Said, Sdl, command


@pytest.fixture
def mine(lab: Path, tmp_path: Path) -> Path:
    """A copy of the folder whose record may be spoilt."""
    shutil.copytree(lab, tmp_path / "lab")
    return tmp_path / "lab"


def rewritten(folder: Path, kind: type, old: str, new: str) -> None:
    """As if the lines of a kind had been written otherwise: the hashes follow."""
    connection = sqlite3.connect(folder / "record.sqlite")
    connection.execute("DROP TRIGGER IF EXISTS journal_refuses_update")
    rows = connection.execute(
        "SELECT campaign, seq, at, type, body FROM journal ORDER BY seq"
    ).fetchall()
    head, changed = "0" * 64, 0
    for campaign, seq, at, name, body in rows:
        text = body.replace(old, new) if name == kind.__name__ else body
        changed += text != body
        head = chain(head, campaign, seq, at, name, text)
        connection.execute("UPDATE journal SET body = ?, hash = ? WHERE seq = ?", (text, head, seq))
    connection.commit()
    connection.close()
    assert changed, f"no {kind.__name__} holds {old}"


def replayed(folder: Path, *words: str) -> Said:
    return command(folder, "replay", *words, "--in", "record.sqlite")


def test_a_planner_that_did_not_change_says_the_same_to_the_last_bit(sdl: Sdl) -> None:
    said = sdl("replay", "--in", "record.sqlite")
    assert said.code == Exit.OK
    *points, end = said.out.splitlines()
    assert points[1] == "dye-450/suggestion-2: bit-identical"
    assert end == f"{len(points)} suggestions of 2 answers: {len(points)} bit-identical"
    assert "2 answers to be recomputed, in a planner worker" in said.err
    assert "2 of 2: dye-450/ask-2 took " in said.err


def test_one_suggestion_is_replayed_alone_and_told_as_a_document(sdl: Sdl) -> None:
    for words in (("suggestion-3",), ("dye-450", "suggestion-3")):
        document = sdl("replay", *words, "--in", "record.sqlite", "--json").document
        (answer,) = document["answers"]
        assert document["ok"] is True
        assert answer["planner"] == "sobol"
        (point,) = answer["suggestions"]
        assert point == {
            "suggestion": "dye-450/suggestion-3",
            "grade": "identical",
            "differences": [],
        }


def test_what_was_asked_for_anew_is_replayed_and_why_names_the_successor(mine: Path) -> None:
    campaign = mine / "campaign.toml"
    text = campaign.read_text().replace('kind = "sobol"', 'ahead = 3\nkind = "ensemble"')
    campaign.write_text(text.replace("runs = 4", "runs = 6"))
    made = command(mine, "simulate", "campaign.toml", "--record", "keen.sqlite")
    assert made.code == Exit.OK, made.err
    connection = sqlite3.connect(mine / "keen.sqlite")
    (first,) = connection.execute(
        "SELECT suggestion FROM suggestion WHERE disposition = 'withdrawn' ORDER BY seq"
    ).fetchone()
    connection.close()
    why = command(mine, "why", first, "--in", "keen.sqlite").out
    assert "it ended as withdrawn: results came before its run; suggestion-" in why
    said = command(mine, "replay", "--in", "keen.sqlite", "--json")
    assert said.code == Exit.OK, said.err
    assert set(said.document["grades"]) == {"identical"}


def test_what_differs_is_named_with_the_packages_that_have_changed(mine: Path) -> None:
    body = _point(mine)
    rewritten(mine, SuggestionsArrived, '"seed":7', '"seed":8')
    rewritten(mine, SuggestionsArrived, '["scipy","', '["scipy","0.')
    said = replayed(mine, "dye-450", "suggestion-1")
    assert said.code == Exit.OK, "it is the same point"
    assert "dye-450/suggestion-1: same point; seed = 8 on record, 7 now" in said.out
    assert "scipy: 0.1" in said.out
    other = body.replace("0.", "0.9")
    for kind in (SuggestionsArrived, AcceptSuggestion):
        rewritten(mine, kind, body, other)
    said = replayed(mine, "dye-450", "suggestion-1")
    assert said.code == Exit.RECORD
    assert "dye-450/suggestion-1: different; inputs.dye_fraction = 0.9" in said.out


def _point(folder: Path) -> str:
    """The input of the first suggestion, as it stands in the journal."""
    connection = sqlite3.connect(folder / "record.sqlite")
    (body,) = connection.execute(
        "SELECT body FROM journal WHERE type = 'AcceptSuggestion' ORDER BY seq"
    ).fetchone()
    connection.close()
    return f'"dye_fraction":{json.loads(body)["value"]["inputs"]["dye_fraction"]!r}'


def test_a_planner_that_is_not_here_is_named_with_its_versions(mine: Path) -> None:
    rewritten(mine, AskPlanner, '"planner":"sobol"', '"planner":"oracle"')
    said = replayed(mine)
    assert said.code == Exit.FAULT
    assert "the planner 'oracle' that answered dye-450/ask-1 is not installed here" in said.err
    assert "with the versions on record: " in said.err


def test_a_question_that_cannot_be_put_together_is_not_asked(mine: Path) -> None:
    rewritten(mine, AskPlanner, '"trials_sha256":"', '"trials_sha256":"0')
    said = replayed(mine)
    assert said.code == Exit.RECORD
    assert "the trials that sobol was shown for dye-450/ask-1 cannot be put together" in said.err
    assert "The journal was written by version 0." in said.err


@pytest.mark.parametrize(
    "words,says",
    [
        (("dye-451",), "the record holds no campaign 'dye-451'; did you mean 'dye-450'?"),
        (("dye-450", "suggestion-22"), "dye-450 has no suggestion 'dye-450/suggestion-22'; did"),
        (("suggestion-1", "suggestion-2"), "'suggestion-1' names one suggestion already; name"),
        (
            ("dye-450/run-3",),
            "run-3 is a run, and suggestions are recomputed; `sdl why dye-450/run-3`",
        ),
    ],
)
def test_what_is_not_there_is_told(sdl: Sdl, words: tuple[str, ...], says: str) -> None:
    said = sdl("replay", *words, "--in", "record.sqlite")
    assert said.code == Exit.MISTAKE
    assert says in said.err


def test_a_campaign_that_asked_nobody_has_nothing_to_replay(mine: Path) -> None:
    campaign = mine / "campaign.toml"
    text = campaign.read_text().replace('"sobol"', '"none"').replace("[search]", "[fixed]")
    text = text.replace("{ from = 0.05, to = 0.95 }\n\n[fixed]", "0.3")
    claim, roles = text.index("[hypothesis]"), text.index("[roles]")
    campaign.write_text(text[:claim] + text[roles:])
    made = command(mine, "simulate", "campaign.toml", "--record", "plain.sqlite")
    assert made.code == Exit.OK, made.err
    said = command(mine, "replay", "--in", "plain.sqlite")
    assert (said.code, said.out) == (Exit.OK, "")
    assert "dye-450: no planner was asked" in said.err
    named = command(mine, "replay", "suggestion-1", "--in", "plain.sqlite")
    assert named.code == Exit.MISTAKE
    assert "dye-450/suggestion-1 came from no planner" in named.err
