"""``sdl resolve``: a person says what became of an action of which nobody else knows."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from pydantic import JsonValue

from sdl.cli.console import say, tell, write_json
from sdl.cli.questions import flag, lines
from sdl.cli.reach import By, Json, Lab, Note, caller, meant, person
from sdl.core.events import Verdict
from sdl.service.caller import Caller


def resolve(
    step: Annotated[
        str | None,
        typer.Argument(
            metavar="STEP", help="Such as run-7/step-2; else the open questions are listed."
        ),
    ] = None,
    happened: Annotated[
        bool, typer.Option("--happened", help="It was done; the run goes on from there.")
    ] = False,
    did_not_happen: Annotated[
        bool, typer.Option("--did-not-happen", help="It was not done; it is done now.")
    ] = False,
    discard: Annotated[
        bool,
        typer.Option("--discard", help="It cannot be told, or the sample is spoilt; the run ends."),
    ] = False,
    result: Annotated[
        str | None,
        typer.Option("--result", metavar="JSON", help="With --happened: what the action gave."),
    ] = None,
    attempt: Annotated[
        int | None,
        typer.Option(
            "--attempt", min=1, metavar="N", help="Which attempt was looked at; else the first one."
        ),
    ] = None,
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Say what became of an action, or list those of which nobody knows.

    Look at the bench first. The first answer holds, and what you say is put on record.
    """
    verdicts: list[Verdict] = []
    verdicts += ["happened"] if happened else []
    verdicts += ["did_not_happen"] if did_not_happen else []
    verdicts += ["discard"] if discard else []
    if step is None:
        if verdicts:
            raise typer.BadParameter("name the STEP; `sdl resolve` alone lists them")
        _list(caller(lab), "" if lab is None else str(lab), as_json=as_json)
        return
    if len(verdicts) != 1:
        raise typer.BadParameter("say one of --happened, --did-not-happen, --discard")
    verdict = verdicts[0]
    if result is not None and verdict != "happened":
        raise typer.BadParameter("--result goes with --happened")
    who, speaker = person(by), caller(lab)
    step = meant(step, speaker)
    said: dict[str, JsonValue] = {"verdict": verdict, "by": who, "note": note}
    said["attempt"] = _attempt(speaker, step) if attempt is None else attempt
    taken = speaker.resolve(step, {**said, "result": _read(result)})
    if as_json:
        write_json("sdl.taken/1", step=step, campaign=taken["campaign"], at=taken["at"], **said)
    else:
        say(f"{step}: {flag(verdict)[2:].replace('-', ' ')}, says {who}; it is on record")


def _attempt(speaker: Caller, step: str) -> int:
    """Which attempt is meant where none is named: the first one, and never a later one.

    The same line, typed a second time, must not answer the next question about the step. Where
    none is open, the orchestrator says why.
    """
    open_now = {one.step: one.attempt for one in speaker.questions().questions}
    if open_now.get(step, 1) > 1:
        raise typer.BadParameter(
            f"{step} is at attempt {open_now[step]} by now; if that is the one you looked at, add "
            f"--attempt {open_now[step]}"
        )
    return 1


def _read(result: str | None) -> JsonValue:
    if result is None:
        return None
    try:
        value: JsonValue = json.loads(result, parse_constant=_no_number)
    except ValueError as error:
        raise typer.BadParameter(f"--result is no JSON: {error}") from None
    return value


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _list(speaker: Caller, lab: str, *, as_json: bool) -> None:
    asked = speaker.questions()
    if as_json:
        write_json(
            "sdl.questions/1", campaign=asked.campaign, at=asked.at, questions=asked.questions
        )
        return
    is_shared = bool(asked.questions) and len(speaker.lab().campaigns) > 1
    for number, question in enumerate(asked.questions, start=1):
        for line in lines(number, question, lab, whole=is_shared):
            say(line)
    if not asked.questions:
        tell(f"{asked.campaign}: no question is open")
    else:
        tell('Say why with --note "...". An answer cannot be taken back.')
