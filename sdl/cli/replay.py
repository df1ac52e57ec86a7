"""``sdl replay``: ask the planner once more, and say how exactly it comes to the same."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from sdl.cli.console import say, tell, write_json
from sdl.cli.exits import Exit
from sdl.cli.places import Where, chosen_campaign, full_name, opened
from sdl.cli.words import count
from sdl.core.agreement import GRADES, Agreement
from sdl.core.asked import Answered, answers
from sdl.errors import UserMistake
from sdl.wire.toml_table import did_you_mean

if TYPE_CHECKING:
    from sdl.shell.recomputing import Recomputed
    from sdl.shell.record import Record

WORDS = {
    "identical": "bit-identical",
    "equal": "equal within 1e-9",
    "same point": "same point",
    "different": "different",
}
"""Grades as people read them."""

NO_ANSWER = "no answer"
"""In place of a grade."""

SHOWN = 3
"""Differences that are told; documents have all of them."""


def replay(
    campaign: Annotated[
        str | None,
        typer.Argument(
            metavar="CAMPAIGN", help="Its name, or a suggestion's in full; else the last one."
        ),
    ] = None,
    suggestion: Annotated[
        str | None,
        typer.Argument(metavar="SUGGESTION", help="Such as suggestion-7; else all of them."),
    ] = None,
    where: Where = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Ask the planner again what it was asked, and compare its answers with the record.

    Each question is put together from the journal as it was: trials, count, seed and options.
    """
    with opened(where) as record:
        name, wanted = _named(record, campaign, suggestion)
        found = _answers(record, name, wanted)
        software = _software(record, name)
    if not found:
        tell(f"{name}: no planner was asked")
    told = _silently if as_json else _tell
    done = asyncio.run(_all(found, software, told)) if found else []
    grades = Counter(_grade(one, name) for one in done for name in one.answered.accepted)
    is_same = not grades["different"] and not grades[NO_ANSWER]
    if as_json:
        write_json(
            "sdl.replay/1",
            campaign=name,
            ok=is_same,
            grades=dict(grades),
            answers=[_document(one) for one in done],
        )
    elif done:
        _sum_up(done, grades)
    if grades["different"]:
        raise typer.Exit(Exit.RECORD)
    if grades[NO_ANSWER]:
        raise typer.Exit(Exit.FAULT)


def _named(record: Record, campaign: str | None, suggestion: str | None) -> tuple[str, str]:
    """A campaign, and one of its suggestions, or none for all. UserMistake if there is neither."""
    given, _, own = full_name(record, campaign or "").partition("/")
    name = chosen_campaign(record, given or None)
    if own and suggestion:
        raise UserMistake(
            f"{campaign!r} names one suggestion already; name one, or a campaign for all of them"
        )
    short = (suggestion or own).rpartition("/")[2]
    if not short:
        return name, ""
    if short.startswith("run-"):
        raise UserMistake(
            f"{short} is a run, and suggestions are recomputed; "
            f"`sdl why {name}/{short}` names the one that it tried"
        )
    wanted = f"{name}/{short}"
    names = [one.suggestion for one in record.suggestions(name)]
    if wanted not in names:
        raise UserMistake(
            f"{name} has no suggestion {wanted!r}; {did_you_mean(wanted, names[-9:])}"
        )
    return name, wanted


def _answers(record: Record, campaign: str, wanted: str) -> list[Answered]:
    from sdl.wire.journal import load_all

    every = answers(load_all(record.bodies(record.journal_of(campaign))), campaign)
    found = [one for one in every if not wanted or wanted in one.accepted]
    if not wanted:
        return found
    if not found:
        raise UserMistake(f"{wanted} came from no planner, so there is nobody to ask again")
    return [replace(one, accepted={wanted: one.accepted[wanted]}) for one in found]


def _software(record: Record, campaign: str) -> str:
    """The version of the runtime that began a campaign."""
    row = record.campaign(campaign).campaign
    return str(json.loads(row.software).get("sdl-runtime", "an unknown number"))


Told = Callable[["Recomputed", int, int], None]


async def _all(found: Sequence[Answered], software: str, told: Told) -> list[Recomputed]:
    from sdl.shell.recomputing import fit, planner_at_hand, recomputed

    fit(found, software)
    tell(f"{count(len(found), 'answer')} to be recomputed, in a planner worker")
    done = []
    async with planner_at_hand() as planner:
        for number, one in enumerate(found, start=1):
            done.append(await recomputed(planner, one))
            told(done[-1], number, len(found))
    return done


def _silently(one: Recomputed, number: int, of: int) -> None:
    tell(f"{number} of {of}: {one.answered.question.id} took {one.seconds:.2g} s")


def _tell(one: Recomputed, number: int, of: int) -> None:
    _silently(one, number, of)
    if one.error:
        say(f"{one.answered.question.id}: no answer: {one.error}")
    for name in one.answered.accepted:
        found = one.of(name)
        if found is not None:
            say(f"{name}: {WORDS[found.grade]}{_differences(found)}")


def _differences(found: Agreement) -> str:
    shown = [
        f"{each.what} = {each.recorded} on record, {each.now} now"
        for each in found.differences[:SHOWN]
    ]
    more = len(found.differences) - len(shown)
    return "".join(f"; {each}" for each in shown) + (f"; and {more} more" if more else "")


def _grade(one: Recomputed, suggestion: str) -> str:
    found = one.of(suggestion)
    return NO_ANSWER if found is None else found.grade


def _sum_up(done: Sequence[Recomputed], grades: Counter[str]) -> None:
    points = count(grades.total(), "suggestion")
    told = [
        f"{grades[grade]} {WORDS.get(grade, grade)}"
        for grade in (*GRADES, NO_ANSWER)
        if grades[grade]
    ]
    say(f"{points} of {count(len(done), 'answer')}: {', '.join(told) or 'none was accepted'}")
    changed = dict.fromkeys(each for one in done for each in one.versions)
    for name, recorded, now in changed:
        say(f"  {name}: {recorded or 'not there'} on record, {now or 'not there'} now")


def _document(one: Recomputed) -> dict[str, object]:
    question = one.answered.question
    found = {name: one.of(name) for name in one.answered.accepted}
    return {
        "ask": question.id,
        "planner": question.planner,
        "seed": question.seed,
        "count": question.count,
        "trials": len(question.trials),
        "trials_sha256": one.answered.trials_sha256,
        "error": one.error,
        "seconds": one.seconds,
        "versions": [
            {"package": name, "recorded": recorded, "now": now}
            for name, recorded, now in one.versions
        ],
        "suggestions": [
            {
                "suggestion": name,
                "grade": NO_ANSWER if each is None else each.grade,
                "differences": [] if each is None else each.differences,
            }
            for name, each in found.items()
        ],
    }
