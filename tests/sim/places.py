"""A lab and a campaign in a folder, with whatever a test wants to be different."""

from __future__ import annotations

from pathlib import Path

LAB = """
[lab]
name   = "bench"
broker = "{broker}"
record = "{record}"
speed  = {speed}
seed   = 1

[instruments.handler]
simulator  = "liquid-handler"
sources_ul = {{ dye = 20000, buffer = 50000 }}
{handler}
[instruments.handler.limits]
"dispense.volumes_ul" = {{ from = 0, to = {limit} }}

[instruments.reader]
simulator = "absorbance-reader"
{reader}
[labware.plate-1]
kind = "plate-96-flat"
"""
CAMPAIGN = """
[campaign]
name     = "dye"
lab      = "lab.toml"
protocol = "{protocol}"
seed     = 7
parallel = {parallel}

[hypothesis]
claim    = "Less than 40 % dye is enough."
predicts = {{ quantity = "dye_fraction", at = "best", below = 0.40 }}

[roles]
handler = "handler"
reader  = "reader"
well    = "plate-1"

[search]
dye_fraction = {{ from = 0.05, to = 0.95 }}

[fixed]
settle_s = 30.0

[objective]
measure = "absorbance_au"
target  = 0.80

[stop]
runs     = {runs}
failures = {failures}

[planner]
kind = "{planner}"
{options}
"""


def place(
    folder: Path,
    *,
    broker: str = "embedded",
    record: str = "sqlite:///record.sqlite",
    speed: float = 600,
    handler: str = "",
    reader: str = "",
    limit: float = 300,
    protocol: str = "dye-assay",
    parallel: int = 2,
    runs: int = 6,
    failures: int = 3,
    planner: str = "sobol",
    options: str = "",
) -> Path:
    """Write both files; the path of the campaign."""
    (folder / "lab.toml").write_text(
        LAB.format(
            broker=broker, record=record, speed=speed, handler=handler, reader=reader, limit=limit
        ),
        encoding="utf-8",
    )
    campaign = folder / "campaign.toml"
    campaign.write_text(
        CAMPAIGN.format(
            protocol=protocol,
            parallel=parallel,
            runs=runs,
            failures=failures,
            planner=planner,
            options=options,
        ),
        encoding="utf-8",
    )
    return campaign
