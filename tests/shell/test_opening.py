"""How a campaign begins, goes on, and what its first lines hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdl.core.events import CampaignStarted
from sdl.errors import UserMistake
from sdl.shell import opening
from sdl.shell.preflight import prepare
from sdl.shell.record import Record
from sdl.sim.simulate import simulate
from tests.sim.places import place


def head(tmp_path: Path, **changes: str) -> CampaignStarted:
    prepared = prepare(place(tmp_path))
    lab = replace(prepared.lab.lab, **changes)  # type: ignore[arg-type]
    campaign = prepared.campaign.campaign
    opened = opening.new(prepared.script, campaign, lab, at=0.0, clock="virtual", speed=1.0)
    started = opened.first[0]
    assert isinstance(started, CampaignStarted)
    return started


@pytest.mark.parametrize(
    "url, kept",
    [
        ("mqtt://lab:secret@host:1883", "mqtt://lab:***@host:1883"),
        ("mqtts://lab:s@cret@host", "mqtts://lab:***@host"),
        ("mqtt://lab@host", "mqtt://lab@host"),
        ("mqtt://host:1883", "mqtt://host:1883"),
        ("embedded", "embedded"),
    ],
)
def test_no_password_goes_on_record(tmp_path: Path, url: str, kept: str) -> None:
    assert head(tmp_path, broker=url).lab.broker == kept
    store = url.replace("mqtt", "postgresql")
    assert "cret" not in head(tmp_path, record=store).lab.record


def test_the_head_of_a_journal_names_software_and_hashes(tmp_path: Path) -> None:
    origin = head(tmp_path).origin
    assert {"python", "platform", "sdl-runtime", "ax-platform"} <= origin.software.keys()
    assert len(origin.protocol_sha256) == len(origin.hypothesis_sha256) == 64


def test_an_ended_campaign_makes_room_for_a_numbered_one(tmp_path: Path) -> None:
    outcome = simulate(place(tmp_path, runs=2))
    record = Record.open(outcome.record_url)
    assert opening.choose(record, "dye", resume=False, anew=False) == ("dye-2", False)
    assert opening.choose(record, "other", resume=False, anew=False) == ("other", False)
    with pytest.raises(UserMistake, match="run without --resume"):
        opening.choose(record, "dye", resume=True, anew=False)
    record.close()
