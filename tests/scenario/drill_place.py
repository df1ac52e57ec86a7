"""The files of a drill: a lab, its nodes' view of it, a campaign, and where its effects are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

BENCH = Path(__file__).with_name("drill_bench.py")
INSTRUMENTS = ("d0", "d1", "d2", "d3")
NAME = "drill"
"""Of the lab and of its campaign."""

Broker: TypeAlias = Literal["mosquitto", "embedded"]
Database: TypeAlias = Literal["sqlite", "postgresql"]

LAB = '[lab]\nname = "{name}"\nbroker = "{broker}"\nrecord = "{record}"\n'
INSTRUMENT = '[instruments.{name}]\ndriver = "{bench}:DrillDoser"\neffects = "{effects}"\n'
CAMPAIGN = """[campaign]
name = "{name}"
lab = "lab.toml"
protocol = "{bench}:dosing"
parallel = 2
[roles]
{roles}
[search]
x = {{ from = 0, to = 100000, integer = true }}
[fixed]
rounds = {rounds}
pause_s = {pause_s}
[objective]
measure = "doses"
goal = "maximise"
[stop]
runs = {runs}
failures = 100000
[planner]
kind = "grid"
timeout_s = 5
fall_back = "sobol"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a drill takes place."""

    folder: Path
    record_url: str
    """For SQLAlchemy, whole."""

    @property
    def effects(self) -> Path:
        """What was done to the world."""
        return self.folder / "effects.txt"

    @property
    def campaign(self) -> Path:
        """The campaign file."""
        return self.folder / "campaign.toml"

    @property
    def lab(self) -> Path:
        """The lab file, as the orchestrator and the planner read it."""
        return self.folder / "lab.toml"

    @property
    def node_lab(self) -> Path:
        """The same lab over the line that the nodes have to the broker."""
        return self.folder / "node.toml"

    @property
    def node_journal(self) -> Path:
        """What the nodes keep."""
        return self.folder / ".sdl" / f"{NAME}.node.sqlite"

    @property
    def logs(self) -> Path:
        """What the processes say."""
        return self.folder / "logs"

    def write(
        self,
        broker: str,
        node_broker: str,
        *,
        runs: int = 10_000,
        rounds: int = 5,
        pause_s: float = 0.01,
    ) -> None:
        """Write the files. The brokers' URLs may lead over different lines to the same one."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.effects.touch()
        instruments = [
            INSTRUMENT.format(name=name, bench=BENCH, effects=self.effects) for name in INSTRUMENTS
        ]
        for path, url in ((self.lab, broker), (self.node_lab, node_broker)):
            head = LAB.format(name=NAME, broker=url, record=self.record_url)
            path.write_text("\n".join((head, *instruments)), encoding="utf-8")
        self.campaign.write_text(
            CAMPAIGN.format(
                name=NAME,
                bench=BENCH,
                roles="\n".join(f'{name} = "{name}"' for name in INSTRUMENTS),
                runs=runs,
                rounds=rounds,
                pause_s=pause_s,
            ),
            encoding="utf-8",
        )
