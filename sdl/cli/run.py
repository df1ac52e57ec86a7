"""``sdl run``: a campaign over a real broker, on instruments or on sped-up simulators."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated

import typer

from sdl.cli.console import short, tell, write_json
from sdl.cli.exits import exit_of_ending
from sdl.cli.interrupt import run_until_stopped
from sdl.cli.places import Fresh
from sdl.cli.summary import content, say_summary
from sdl.cli.watch import Watch, watching
from sdl.cli.words import count
from sdl.core.view import View
from sdl.shell.desk import Desk
from sdl.shell.launch import Choice, run_campaign
from sdl.shell.outcome import Outcome
from sdl.wire.toml import open_campaign


def run(
    campaign: Annotated[Path, typer.Argument(metavar="CAMPAIGN", help="The campaign file.")],
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on from the record, after a crash or after leaving at once."
        ),
    ] = False,
    new: Annotated[
        bool, typer.Option("--new", help="Leave an unfinished one as it is and begin another.")
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
            help="Wait until whoever leads this lab ends or dies, here or on another machine, "
            "then go on as with --resume.",
        ),
    ] = False,
    fresh: Fresh = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Run a campaign on the instruments of its lab, or on their simulators.

    Ctrl-C once: what is running is finished, nothing new begins, and the campaign ends in good
    order. Ctrl-C twice: leave at once; `sdl run CAMPAIGN --resume` goes on.
    """
    if resume and new:
        raise typer.BadParameter("--resume and --new exclude each other")
    if standby and new:
        raise typer.BadParameter("--standby and --new exclude each other")
    if bench_checked and not resume:
        raise typer.BadParameter("--bench-checked goes with --resume")
    if fresh and (resume or standby):
        raise typer.BadParameter("--fresh goes with a new campaign; it excludes --resume")
    choice = Choice(
        resume=resume,
        anew=new,
        bench_checked=bench_checked,
        host=not elsewhere,
        planner=planner,
        standby=standby,
        fresh=tuple(fresh or ()),
    )
    outcome = run_alone(campaign, choice)
    if as_json:
        write_json("sdl.outcome/1", **content(outcome))
    else:
        say_summary(outcome, campaign)
    raise typer.Exit(exit_of_ending(outcome.view))


def run_alone(campaign: Path, choice: Choice) -> Outcome:
    """Run a campaign that has its lab for itself, and show how it goes on."""
    goes_on = choice.resume or choice.standby  # then its name is what the record says
    named = "" if goes_on else open_campaign(campaign).campaign.name
    stop = asyncio.Event()
    tell(f"{short(campaign)}: broker, node and planner are started ...")
    if not choice.host:
        tell("no node is started here: `sdl node` has to host the instruments of this lab")
    if choice.standby:
        tell("standing by: this process goes on when whoever leads the lab ends or dies")

    def beside(desk: Desk, folder: Path, lab: str) -> AbstractAsyncContextManager[None]:
        from sdl.service import served  # loaded when work is under way

        return served(desk, folder, lab)

    async def work(watch: Watch) -> Outcome:
        watch = announcing(watch, named, choice)
        return await run_campaign(campaign, watch=watch, stop=stop, choice=choice, beside=beside)

    first = "stopping: what is running is finished (Ctrl-C again leaves at once)"
    try:
        with watching() as watch:
            return run_until_stopped(work(watch), stop, first)
    except KeyboardInterrupt:
        tell(f"sdl: left at once; go on with: sdl run {short(campaign)} --resume")
        raise


def announcing(watch: Watch, named: str, choice: Choice) -> Watch:
    """Say first under which name the campaign is on record, where that is not the file's.

    ``named``: what ``campaign.toml`` calls it.
    """
    is_first = True

    def show(view: View) -> None:
        nonlocal is_first
        if is_first and (choice.resume or choice.standby):
            tell(f"going on with {view.campaign}: {count(view.runs_ended, 'run')} ended so far")
        elif is_first and view.campaign != named:
            former = "is left as it is" if choice.anew else "has ended"
            is_fresh = all(one.simulated for one in view.instruments)
            tell(f"{named} {former}; this is {view.campaign}{', on fresh plates' * is_fresh}")
        if is_first and not (choice.resume or choice.standby):
            for line in view.left:
                tell(line)
        is_first = False
        watch(view)

    return show
