"""``sdl check``: everything that can be said about a campaign before it starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from sdl.cli.console import say, short, write_json
from sdl.cli.plan import found
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.windows_check import unkeepable


def check(
    campaign: Annotated[Path, typer.Argument(metavar="CAMPAIGN", help="The campaign file.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Check a campaign, its lab and its protocol, and start nothing.

    Roles, units, ranges, limits, the planner's and drivers' names, and what the protocol does
    between its awaits. Every mistake is told with its file and line. What is sound and yet hardly
    meant is told below it (mind), such as a window that is shorter than any carry.
    """
    prepared = prepare(campaign)
    prepared = replace(prepared, remarks=(*prepared.remarks, *unkeepable(prepared)))
    if as_json:
        write_json("sdl.check/1", ok=True, **_content(prepared))
        return
    say(f"{prepared.campaign.campaign.name}: sound")
    told = ""
    for heading, line in found(prepared):
        say(f"  {'' if heading == told else heading:<13}{line}")
        told = heading
    say()
    say(f"Next: sdl {'simulate' if prepared.lab.lab.simulated else 'run'} {short(campaign)}")


def _content(prepared: Prepared) -> dict[str, object]:
    return {
        "campaign": prepared.campaign.campaign,
        "lab": {
            "name": prepared.lab.lab.name,
            "simulated": prepared.lab.lab.simulated,
            "instruments": [one.name for one in prepared.lab.lab.instruments],
        },
        "protocol": prepared.script.signature,
        "protocol_sha256": prepared.protocol.sha256,
        "remarks": prepared.remarks,
    }
