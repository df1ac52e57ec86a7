"""``sdl lab``: a lab at work for a long time, which several campaigns share."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated

import typer

from sdl.cli.console import say, short, tell, write_json
from sdl.cli.interrupt import run_until_stopped
from sdl.cli.lab_watch import LabLines
from sdl.cli.places import Fresh
from sdl.cli.questions import kept_open
from sdl.cli.reach import By, Json, Lab, Note, caller, person
from sdl.cli.summary import say_usage
from sdl.cli.usage import usages
from sdl.cli.words import count, duration
from sdl.core.view import LabView
from sdl.shell.desk import Desk
from sdl.shell.lab_at_work import SessionOutcome, open_lab_for_work
from sdl.shell.launch import Choice

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def up(
    lab: Annotated[
        Path, typer.Argument(metavar="LAB", help="lab.toml, or its folder; else here.")
    ] = Path("lab.toml"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last session, and all its campaigns.")
    ] = False,
    new: Annotated[
        bool, typer.Option("--new", help="Leave an unfinished session and open another.")
    ] = False,
    bench_checked: Annotated[
        bool,
        typer.Option(
            "--bench-checked",
            help="With --resume: I have looked at the bench; instruments whose last action is "
            "unknown are fit for use.",
        ),
    ] = False,
    elsewhere: Annotated[
        bool, typer.Option("--no-host", help="Start no node: `sdl node` hosts the instruments.")
    ] = False,
    planner: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ask this `sdl planner`, start none.")
    ] = None,
    standby: Annotated[
        bool,
        typer.Option(
            "--standby",
            help="Wait until whoever leads this lab ends or dies, then go on as with --resume.",
        ),
    ] = False,
    fresh: Fresh = None,
    as_json: Json = False,
) -> None:
    """Open a lab for several campaigns, and keep it at work.

    It ends with `sdl lab down`. Campaigns come by `sdl campaign start`. Ctrl-C once: what is
    running is finished, and the session ends; twice: leave at once. `sdl lab up --resume` goes on
    with every campaign.
    """
    if (resume or standby) and new:
        raise typer.BadParameter("--new excludes --resume and --standby")
    if bench_checked and not resume:
        raise typer.BadParameter("--bench-checked goes with --resume")
    if fresh and (resume or standby):
        raise typer.BadParameter("--fresh goes with a new session; it excludes --resume")
    choice = Choice(
        resume=resume,
        anew=new,
        bench_checked=bench_checked,
        host=not elsewhere,
        planner=planner,
        standby=standby,
        fresh=tuple(fresh or ()),
    )
    path = lab / "lab.toml" if lab.is_dir() else lab
    outcome = _up(path, choice)
    if as_json:
        write_json("sdl.session/1", **_content(outcome))
    else:
        _say(outcome, path)


def _up(lab: Path, choice: Choice) -> SessionOutcome:
    stop = asyncio.Event()

    def beside(desk: Desk, folder: Path, name: str) -> AbstractAsyncContextManager[None]:
        from sdl.service import served  # loaded when work is under way

        return served(desk, folder, name)

    if choice.standby:
        tell("standing by: this process goes on when whoever leads the lab ends or dies")
    work = open_lab_for_work(lab, watch=LabLines(), stop=stop, choice=choice, beside=beside)
    first = "closing: what is running is finished (Ctrl-C again leaves at once)"
    try:
        return run_until_stopped(work, stop, first)
    except KeyboardInterrupt:
        tell(f"sdl: left at once; go on with: sdl lab up {short(lab)} --resume")
        raise


@app.command()
def down(note: Note = "", by: By = None, lab: Lab = None, as_json: Json = False) -> None:
    """End the session of a lab in good order.

    What is running is finished, and no run is begun. Campaigns that have not ended go on with
    `sdl lab up --resume`.
    """
    who = person(by)
    desk = caller(lab)
    keeps = kept_open(desk.lab())  # before: once it is told, it may be gone
    taken = desk.act("lab/down", {"by": who, "note": note})
    if as_json:
        write_json("sdl.taken/1", act="down", by=who, note=note, campaign=taken["campaign"])
    else:
        say(f"{taken['campaign']}: closes once the runs in flight have ended")
        if keeps:
            say(keeps)


def _left(view: LabView) -> list[str]:
    return [each.campaign for each in view.campaigns]


def _content(outcome: SessionOutcome) -> dict[str, object]:
    return {
        "session": outcome.lab.name,
        "closed": outcome.lab.closed,
        "reason": outcome.lab.closing,
        "unfinished": _left(outcome.lab),
        "ended": outcome.lab.ended,
        "record": outcome.record_url,
        "lines": outcome.seq,
        "head": outcome.head,
        "utilisation": usages(outcome.lab.instruments),
        "wall_s": outcome.wall_s,
    }


def _say(outcome: SessionOutcome, lab: Path) -> None:
    view = outcome.lab
    say(f"{view.name}: {view.closing or 'left'}")
    for one in view.ended:
        say(f"  {one.campaign}: {one.ending}: {one.reason}")
    for name in _left(view):
        say(f"  {name}: not finished")
    say(f"  time       {duration(outcome.wall_s)}")
    say_usage(view.instruments)
    say(f"  record     {outcome.record_url}")
    say(f"  journal    {count(outcome.seq, 'line')}, head {outcome.head}")
    say()
    way = f"sdl lab up {short(lab)} --resume" if _left(view) else f"sdl status {short(lab)}"
    say(f"Next: {way}")
