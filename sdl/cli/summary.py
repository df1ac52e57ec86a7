"""The end of a campaign in words: the best point, its cost, the verdict, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sdl.cli.best import told
from sdl.cli.console import say, short
from sdl.cli.places import opened
from sdl.cli.usage import summary, usages
from sdl.cli.words import count, duration, spent
from sdl.core.view import InstrumentView, View
from sdl.errors import SdlError
from sdl.shell.outcome import Outcome


def say_summary(outcome: Outcome, campaign: Path, *, is_virtual: bool = False) -> None:
    """Tell how a campaign ended, on stdout.

    ``is_virtual``: of a simulation, which cannot be resumed.
    """
    view = outcome.view
    ended = view.ended
    unfinished = "not finished" if is_virtual else "not finished; it can be resumed"
    say(f"{view.campaign}: {ended.reason if ended else unfinished}")
    say_best(view)
    say(f"  {view.counted + 's':<10} {_runs(view)}")
    if view.known_before:
        say(f"  known      {count(view.known_before, 'trial')} of before")
    if view.spent is not None:
        say(f"  {'spent':<10} {spent(view.spent, view.spent_max)}")
    if view.broken_windows:
        say(f"  late       {count(view.broken_windows, 'window')} broken")
    if view.questions:
        say(f"  waits      {count(len(view.questions), 'question')} for you, once it goes on")
    if view.evidence is not None:
        verdict = ended.verdict if ended and ended.verdict else "undecided"
        say(f"  hypothesis {verdict} (posterior {view.evidence.posterior:.2f})")
    seconds = f"{duration(outcome.lab_s)} of lab time in {duration(outcome.wall_s)}"
    say(f"  time       {seconds}")
    say_usage(view.instruments)
    say(f"  record     {_record(outcome, campaign) if _is_file(outcome) else outcome.record_url}")
    say(f"  journal    {count(outcome.seq, 'line')}, head {outcome.head}")
    say()
    say(f"Next: {_next(outcome, campaign, is_virtual=is_virtual)}")


def say_usage(instruments: Sequence[InstrumentView]) -> None:
    """Tell what the instruments spent the time on."""
    for place, line in enumerate(summary(instruments)):
        say(f"  {'' if place else 'instrument':<10} {line}")


def say_best(view: View) -> None:
    """Tell the best point, or the front, and what the planner had expected of the best."""
    for heading, line in told(view):
        say(f"  {heading:<10} {line}")


def _next(outcome: Outcome, campaign: Path, *, is_virtual: bool) -> str:
    """The command that helps most after such an ending."""
    view, where = outcome.view, _record(outcome, campaign)
    if view.ended is None and is_virtual:
        return f"sdl why {view.campaign} --in {where}"
    if view.ended is None:
        return f"sdl run {short(campaign)} --resume"
    if view.ended.ending not in ("failures", "planner", "material"):
        return f"sdl runs list {view.campaign} --in {where}"
    if view.failures:
        return f"sdl why {_last_failed(view.campaign, where)} --in {where}"
    if view.ended.ending == "planner":
        return f"sdl doctor {short(campaign)}"
    return f"sdl why {view.campaign} --in {where}"


def _last_failed(campaign: str, where: str) -> str:
    """The last run that ended without a measurement; the campaign if the record is out of reach."""
    try:
        with opened(where) as record:
            runs = record.runs(campaign)
    except SdlError:
        return campaign
    failed = [run for run in runs if run.outcome in ("failed", "unknown")]
    return max(failed, key=lambda run: run.last_seq).run if failed else campaign


def _is_file(outcome: Outcome) -> bool:
    return outcome.record_url.startswith("sqlite")


def _record(outcome: Outcome, campaign: Path) -> str:
    """What to give to ``--in``: the record's file, or the campaign whose lab names a server."""
    if not _is_file(outcome):
        return short(campaign)
    return short(Path(outcome.record_url.partition(":///")[2]))


def _runs(view: View) -> str:
    said = f"{view.runs_ended} ended: {view.runs_measured} measured, "
    unknown = f", {view.unknown} unknown: look at the bench" if view.unknown else ""
    abandoned = f", {view.abandoned} abandoned" if view.abandoned else ""
    return f"{said}{view.failures - view.unknown} failed{abandoned}{unknown}"


def content(outcome: Outcome) -> dict[str, object]:
    """The same as one document."""
    view = outcome.view
    return {
        "campaign": view.campaign,
        "ending": None if view.ended is None else view.ended.ending,
        "reason": None if view.ended is None else view.ended.reason,
        "verdict": None if view.ended is None else view.ended.verdict,
        "measure": view.measure,
        "best": view.best,
        "front": view.front,
        "goal": view.goal,
        "tally": view.tally,
        "rivals": view.rivals,
        "evidence": view.evidence,
        "runs": {
            "begun": view.runs_begun,
            "ended": view.runs_ended,
            "measured": view.runs_measured,
            "failures": view.failures,
            "unknown": view.unknown,
            "abandoned": view.abandoned,
        },
        "utilisation": usages(view.instruments),
        "broken_windows": view.broken_windows,
        "spent": view.spent,
        "wall_s": outcome.wall_s,
        "lab_s": outcome.lab_s,
        "record": outcome.record_url,
        "journal": {"lines": outcome.seq, "head": outcome.head},
    }
