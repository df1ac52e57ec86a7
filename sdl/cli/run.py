"""``sdl run``: a campaign over a real broker, on instruments or on sped-up simulators."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from sdl.cli.console import short, tell, write_json
from sdl.cli.exits import exit_of_ending
from sdl.cli.interrupt import run_until_stopped
from sdl.cli.summary import content, say_summary
from sdl.cli.watch import Watch, watching
from sdl.shell.launch import Choice, run_campaign
from sdl.shell.outcome import Outcome


def run(
    campaign: Annotated[Path, typer.Argument(help="The campaign file.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the record after a stop or a crash.")
    ] = False,
    new: Annotated[
        bool, typer.Option("--new", help="Leave an unfinished one as it is and begin another.")
    ] = False,
    elsewhere: Annotated[
        bool, typer.Option("--no-host", help="Start no node: `sdl node` hosts the instruments.")
    ] = False,
    planner: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ask this `sdl planner`, start none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Run a campaign on the instruments of its lab, or on their simulators.

    Ctrl-C once: what is running is finished, nothing new begins, and the campaign ends in good
    order. Ctrl-C twice: leave at once; `sdl run CAMPAIGN --resume` goes on.
    """
    if resume and new:
        raise typer.BadParameter("--resume and --new exclude each other")
    stop = asyncio.Event()
    choice = Choice(resume=resume, anew=new, host=not elsewhere, planner=planner)

    async def work(watch: Watch) -> Outcome:
        return await run_campaign(campaign, watch=watch, stop=stop, choice=choice)

    first = "stopping: what is running is finished (Ctrl-C again leaves at once)"
    try:
        with watching() as watch:
            outcome = run_until_stopped(work(watch), stop, first)
    except KeyboardInterrupt:
        tell(f"sdl: left at once; go on with: sdl run {short(campaign)} --resume")
        raise
    if as_json:
        write_json("sdl.outcome/1", **content(outcome))
    else:
        say_summary(outcome, campaign)
    raise typer.Exit(exit_of_ending(outcome.view.ended))
