"""The end of a campaign in words: the best point, its cost, the verdict, what to do next."""

from __future__ import annotations

from pathlib import Path

from sdl.cli.console import say, short
from sdl.cli.words import count, duration, point, quantity
from sdl.core.view import View
from sdl.shell.outcome import Outcome

_NEXT = {
    "target": "sdl runs list --in {record}",
    "budget": "sdl runs list --in {record}",
    "exhausted": "sdl runs list --in {record}",
    "stopped": "sdl runs list --in {record}",
    "failures": "sdl runs list --in {record}",
    "planner": "sdl doctor {campaign}",
    "material": "sdl runs list --in {record}",
}
"""The command that helps most after each ending."""


def say_summary(outcome: Outcome, campaign: Path) -> None:
    """Tell how a campaign ended, on stdout."""
    view = outcome.view
    ended = view.ended
    say(f"{view.campaign}: {ended.reason if ended else 'not finished; it can be resumed'}")
    if view.best is None:
        say("  best       none: no run was measured")
    else:
        value = quantity(view.measure, view.best.value)
        say(f"  best       {view.measure} = {value}  ({view.best.run})")
        if view.best.sd is not None:
            spread = quantity(view.measure, view.best.sd)
            say(f"  expected   to within ± {spread} (1 sd) by the planner, before it was measured")
        say(f"  at         {point(view.best.inputs)}")
    say(f"  runs       {_runs(view)}")
    if view.evidence is not None:
        verdict = ended.verdict if ended and ended.verdict else "undecided"
        say(f"  hypothesis {verdict} (posterior {view.evidence.posterior:.2f})")
    seconds = f"{duration(outcome.lab_s)} of lab time in {duration(outcome.wall_s)}"
    say(f"  time       {seconds}")
    say(f"  record     {_record(outcome, campaign) if _is_file(outcome) else outcome.record_url}")
    say(f"  journal    {count(outcome.seq, 'line')}, head {outcome.head}")
    say()
    command = _NEXT[ended.ending] if ended else "sdl run {campaign} --resume"
    named = {"campaign": short(campaign), "record": _record(outcome, campaign)}
    say(f"Next: {command.format(**named)}")


def _is_file(outcome: Outcome) -> bool:
    return outcome.record_url.startswith("sqlite")


def _record(outcome: Outcome, campaign: Path) -> str:
    """What to give to ``--in``: the record's file, or the campaign whose lab names a server."""
    if not _is_file(outcome):
        return short(campaign)
    return short(Path(outcome.record_url.partition(":///")[2]))


def _runs(view: View) -> str:
    parts = [f"{view.runs_ended} ended", f"{view.runs_measured} measured"]
    parts.append(count(view.failures, "failure"))
    return ", ".join(parts)


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
        "evidence": view.evidence,
        "runs": {
            "begun": view.runs_begun,
            "ended": view.runs_ended,
            "measured": view.runs_measured,
            "failures": view.failures,
        },
        "wall_s": outcome.wall_s,
        "lab_s": outcome.lab_s,
        "record": outcome.record_url,
        "journal": {"lines": outcome.seq, "head": outcome.head},
    }
