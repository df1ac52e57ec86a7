"""``sdl analyse``: Ax's models of a campaign, from the record alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdl.cli.console import say, short, table, tell, write_json
from sdl.cli.places import Where, chosen_campaign, opened
from sdl.cli.words import count, point

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sdl.model.analysis import Analysis


def analyse(
    campaign: Annotated[
        str | None, typer.Argument(metavar="CAMPAIGN", help="Its name; else the last one.")
    ] = None,
    where: Where = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; else analysis/CAMPAIGN.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Fit Ax's models to a campaign: how well they fit, which inputs matter, the front.

    Also writes ax.json, a snapshot of all trials that any Ax reads, and Ax's plots as a page.
    """
    from sdl.shell.analysis import analysed
    from sdl.shell.tried import tried

    with opened(where) as record:
        name = chosen_campaign(record, campaign)
        problem, trials, origins = tried(record, name)
    folder = out or Path("analysis") / name
    if not as_json:
        told = count(len(trials), "trial")
        tell(f"Ax looks at {told} of {name}; of hundreds, or on a busy machine, that takes minutes")
    found = analysed(name, problem, trials, folder.resolve())
    if as_json:
        write_json("sdl.analysis/1", campaign=name, folder=str(folder), **asdict(found))
        return
    _say(name, folder, found, origins)


def _say(name: str, folder: Path, found: Analysis, origins: Sequence[str]) -> None:
    tried = {
        "measured": found.measured,
        "failed": found.failed,
        "abandoned": found.abandoned,
        "pending": found.pending,
    }
    say(f"{name}: {', '.join(f'{number} {status}' for status, number in tried.items() if number)}")
    say()
    rows = [
        (measure, f"{found.fit[measure]:.2f}" if measure in found.fit else "-", _most(shares))
        for measure, shares in found.sensitivity.items()
    ]
    for line in table(("measure", "fit (R2, left out)", "what it depends on"), rows):
        say(line)
    for one in found.front:
        beyond = f"  (beyond the threshold of {', '.join(one.beyond)})" if one.beyond else ""
        where = origins[one.trial]
        say(f"front  {where}: {point(one.measures)}  at {point(one.inputs)}{beyond}")
    for what in found.not_told:
        tell(f"not told to Ax: {what}")
    for what, why in found.not_made.items():
        tell(f"not made: {what}: {why}")
    say()
    say(f"files in {short(folder)}: {', '.join(found.files)}")


def _most(shares: Mapping[str, float]) -> str:
    """Inputs with their share of the variance that the model explains."""
    return ", ".join(f"{name} {100.0 * share:.0f} %" for name, share in shares.items())
