"""``sdl protocol run``: the campaign file that is made of a person's words."""

from __future__ import annotations

import shutil
from pathlib import Path

from sdl.cli.protocol import _signature, _written
from sdl.model.campaign import BatchRule, Campaign
from sdl.wire.toml import open_lab, read_campaign

EXAMPLE = Path(__file__).parents[2] / "examples" / "batch"
TIPS = '\n[labware.tips]\nkind = "hamilton_96_tiprack_300uL"\n'


def written(folder: Path, protocol: str, runs: int, *given: str) -> Campaign:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    lab = folder / "lab.toml"
    lab.write_text(lab.read_text() + TIPS)
    file = open_lab(lab)
    reference, signature = _signature(protocol, file)
    said = dict(one.split("=") for one in given)
    return read_campaign(_written(file, lab, reference, signature, said, runs))


def test_wells_are_those_of_all_that_has_wells(tmp_path: Path) -> None:
    campaign = written(tmp_path, "dye-assay", 2, "dye_fraction=0.3")
    assert campaign.roles["well"] == ("plate-1", "plate-2", "plate-3")
    assert campaign.batch is None


def test_runs_of_a_batch_protocol_are_samples_of_one_run(tmp_path: Path) -> None:
    protocol = f"{tmp_path / 'plate_assay.py'}:plate_assay"
    campaign = written(tmp_path, protocol, 5, "dye_fraction=0.3", "settle_s=10 s")
    assert campaign.batch == BatchRule(size=5)
    assert campaign.stop.runs == 5
    many = written(tmp_path / "many", protocol, 500, "dye_fraction=0.3")
    assert many.batch == BatchRule(size=96), "as many as a plate has wells"
    assert campaign.fixed == {"dye_fraction": 0.3, "settle_s": 10.0}
