"""Questions of a campaign to a person, in words: what was asked, what is known, what to type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sdl.cli.words import count, quantity

if TYPE_CHECKING:
    from pydantic import JsonValue

    from sdl.core.events import Verdict
    from sdl.core.view import InstrumentView, LabView, LabwareView, Question, View

MEANS: Mapping[Verdict, str] = {
    "happened": "it was done; the run goes on from there",
    "did_not_happen": "it was not done; it is done now",
    "discard": "it cannot be told, or the sample is spoilt; the run ends",
}
"""What a verdict leads to."""


def flag(verdict: Verdict) -> str:
    """How a verdict is said on the command line."""
    return f"--{verdict.replace('_', '-')}"


def short_step(question: Question) -> str:
    """``run-7/step-2``."""
    return question.step.partition("/")[2]


def known(question: Question) -> str:
    """The arguments of the action in one line."""
    said = [f"{name} = {_shown(name, value)}" for name, value in question.args.items()]
    return ", ".join(said) or "nothing more"


def _shown(name: str, value: JsonValue) -> str:
    """A value with the unit that its name says; a well as ``plate-1/A7``."""
    match value:
        case {"labware": str(labware), "name": str(well)}:
            return f"{labware}/{well}"
        case dict():
            return " + ".join(f"{_shown(name, part)} {key}" for key, part in value.items())
        case bool() | None | list():
            return str(value)
        case _:
            return quantity(name, value)


def why(question: Question) -> str:
    """What is known of it; its own name need not be said twice."""
    named = f"{question.step} ({question.operation} on {question.instrument}): "
    return question.reason.removeprefix(named)


def typed(question: Question, lab: str = "", *, whole: bool = False) -> dict[Verdict, str]:
    """What to type for each answer.

    ``lab``: what to give to ``--lab``; empty: not needed. ``whole``: with the campaign's name, as
    there are others.
    """
    step = question.step if whole else short_step(question)
    start, where = f"sdl resolve {step}", f" --lab {lab}" if lab else ""
    if question.attempt > 1:
        where = f" --attempt {question.attempt}{where}"
    result = {"happened": " --result JSON"} if question.gives_result else {}
    return {
        verdict: f"{start} {flag(verdict)}{result.get(verdict, '')}{where}"
        for verdict in question.verdicts
    }


def lines(number: int, question: Question, lab: str = "", *, whole: bool = False) -> Iterator[str]:
    """One question, whole."""
    again = f" (attempt {question.attempt})" if question.attempt > 1 else ""
    yield f"{number}. {question.step}: {question.asks}{again}"
    yield f"   with     {known(question)}"
    yield f"   why      {why(question)}"
    since = datetime.fromtimestamp(question.since, UTC)
    yield f"   since    {since:%Y-%m-%d %H:%M:%S} UTC (lab time)"
    yield f"   Look at {question.instrument} and its samples, then type one of:"
    commands = typed(question, lab, whole=whole)
    width = max(map(len, commands.values()), default=0)
    for verdict, command in commands.items():
        yield f"     {command:<{width}}  {MEANS[verdict]}"


def stands(view: View) -> list[str]:
    """What keeps a person's attention: a pause, questions, instruments that do nothing."""
    paused = [f"{view.paused}; go on with: sdl resume"] if view.paused else []
    return [*paused, *wanted(view), *astray(view), *to_answer(view), *out_of_work(view)]


def wanted(view: View | LabView) -> list[str]:
    """What a person should bring."""
    refills = [f"refill wanted: {task.reason}" for task in view.refills]
    plates = [f"plate wanted: {task.reason}" for task in view.plates]
    return [*refills, *plates, *(one.asks for one in view.carries if not one.carrier)]


def to_answer(view: View | LabView) -> list[str]:
    """That there are questions."""
    asked = len(view.questions)
    return [f"{count(asked, 'question')} for you; see: sdl resolve"] if asked else []


def kept_open(view: View | LabView) -> str:
    """What an end in good order waits for, and how not to; empty where it waits for nobody."""
    asked = [*wanted(view), *astray(view), *to_answer(view), *out_of_work(view)]
    if not asked:
        return ""
    return (
        f"the end waits for a person: {'; '.join(asked)}. Or leave at once (Ctrl-C twice where it "
        "runs); with --resume it goes on from there"
    )


def out_of_work(view: View | LabView) -> list[str]:
    """The instruments that do nothing before a person has done something."""
    return [
        f"{idle(one)}; {way_out(view, one.name, one.state)}"
        for one in view.instruments
        if one.state in ("held", "paused", "stopped")
    ]


def shared_stands(lab: LabView) -> list[str]:
    """The same of a lab that campaigns share: what concerns them all, said once."""
    paused = [f"{lab.paused}; go on with: sdl resume"] if lab.paused else []
    return [*paused, *wanted(lab), *astray(lab), *out_of_work(lab)]


def own_stands(view: View, lab: LabView) -> list[str]:
    """What of that concerns one of its campaigns alone."""
    is_own = bool(view.paused) and not lab.paused
    way = f"{view.paused}; go on with: sdl campaign resume {view.campaign}"
    return [*([way] if is_own else []), *to_answer(view)]


def astray(view: View | LabView) -> list[str]:
    """Labware that a person should look for, and why."""
    return list(map(sought, view.astray))


def sought(one: LabwareView) -> str:
    """What is wrong with a piece, and what to type once it is found."""
    return f"{one.labware}: {one.note}; say where it is: sdl place {one.labware} SITE"


def idle(one: InstrumentView) -> str:
    """Which instrument does nothing, and why."""
    if one.note.startswith(one.state):  # "paused by anna" says it all
        return f"{one.name} is {one.note}"
    return f"{one.name} is {one.state}: {one.note}" if one.note else f"{one.name} is {one.state}"


def way_out(view: View | LabView, instrument: str, state: str) -> str:
    """What to type so that an instrument works again."""
    if any(question.instrument == instrument for question in view.questions):
        return "see: sdl resolve"
    if state == "stopped" and not view.paused:  # for a run that was broken off
        return "it goes on by itself once it is safe"
    if state == "stopped":
        return "once all is well: sdl resume"
    return f"once all is well: sdl resume {instrument}"
