"""The campaign of examples/fault_drill, prepared once for each process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sdl.core.deck import Deck
from sdl.shell.preflight import Prepared, prepare
from sdl.sim.drill import Report
from sdl.sim.sweep import replay

CAMPAIGN = Path(__file__).parents[2] / "examples" / "fault_drill" / "campaign.toml"
SHOWN = Path("examples/fault_drill/campaign.toml")
WITHIN_S = 32.0
"""Virtual seconds in which faults begin; without any, the campaign takes 34."""


@cache
def prepared() -> Prepared:
    """The campaign, its lab and its protocol."""
    return prepare(CAMPAIGN)


def told(report: Report) -> str:
    """What a failing seed says: what broke, by which faults, and the command that shows it."""
    faults = "; ".join(str(fault) for fault in report.faults)
    return f"seed {report.seed}: {report.broken} ({faults}). {replay(SHOWN, report.seed)}"


def everything_everywhere(where: Deck) -> dict[str, set[str]]:
    """A planted defect: every piece is taken to stand at every instrument."""
    return {place: set(where.claims.by_piece()) for place in where.floor.sites}
