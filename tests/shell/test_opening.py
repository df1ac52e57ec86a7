"""How a campaign begins, goes on, and what its first lines hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdl.core.events import CampaignStarted
from sdl.errors import UserMistake
from sdl.shell import opening
from sdl.shell.bus import Message
from sdl.shell.local_bus import LocalBroker
from sdl.shell.preflight import prepare
from sdl.shell.record import Record
from sdl.shell.sessions import choose_session
from sdl.sim.simulate import simulate
from sdl.wire.topics import kind_in
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


class Enough(Exception):
    """Ends a simulation in mid-campaign, as a crash would."""


class Breaking(LocalBroker):
    """Breaks with the fifth command."""

    commands = 0

    def route(self, message: Message) -> None:
        self.commands += kind_in(message.topic) == "cmd"
        if self.commands == 5:
            raise Enough
        super().route(message)


def broken_off(campaign: Path, record: Path) -> None:
    with pytest.raises(Enough):
        simulate(campaign, record=record, broker=Breaking())


def test_a_campaign_goes_on_only_as_the_one_that_was_begun(tmp_path: Path) -> None:
    file = tmp_path / "broken.sqlite"
    broken_off(place(tmp_path), file)
    record = Record.open(f"sqlite:///{file}")
    prepared = prepare(tmp_path / "campaign.toml")
    assert opening.choose(record, "dye", resume=True, anew=False) == ("dye", True)
    spec, lab = prepared.campaign.campaign, prepared.lab.lab
    goes_on = opening.again(prepared.script, record, spec, lab, at=1e9)
    assert [type(event).__name__ for event in goes_on.first] == ["OrchestratorStarted"]
    assert goes_on.chain.origin == next(record.lines("dye")).hash

    changed = prepare(place(tmp_path, runs=9)).campaign.campaign
    with pytest.raises(UserMistake, match="began with another stop than"):
        opening.again(prepared.script, record, changed, lab, at=1e9)
    narrower = prepare(place(tmp_path, limit=1)).lab.lab
    with pytest.raises(UserMistake, match=r"began with another bench in lab.toml"):
        opening.again(prepared.script, record, spec, narrower, at=1e9)
    signature = replace(prepared.script.signature, source_sha256="0" * 64)
    edited = replace(prepared.script, signature=signature)
    with pytest.raises(UserMistake, match="began with another protocol file"):
        opening.again(edited, record, spec, lab, at=1e9)
    record.close()


def test_a_campaign_of_before_refreshes_goes_on_without_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "broken.sqlite"
    says_nothing = place(tmp_path).read_text()
    (tmp_path / "campaign.toml").write_text(f"{says_nothing}\nrefresh = false\n")
    broken_off(tmp_path / "campaign.toml", file)
    (tmp_path / "campaign.toml").write_text(says_nothing)
    record = Record.open(f"sqlite:///{file}")
    prepared = prepare(tmp_path / "campaign.toml")
    spec, lab = prepared.campaign.campaign, prepared.lab.lab
    assert spec.planner.refresh
    goes_on = opening.again(prepared.script, record, spec, lab, at=1e9)
    assert not goes_on.engine.state.spec.planner.refresh
    assert "dye began without refresh in [planner], and goes on without it" in caplog.text
    record.close()


def test_a_campaign_that_began_when_ax_was_the_default_keeps_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, campaign = tmp_path / "broken.sqlite", place(tmp_path)
    text = campaign.read_text().replace('kind = "sobol"', 'kind = "ax"')
    assert 'kind = "ax"' in text
    campaign.write_text(text)
    broken_off(campaign, file)
    campaign.write_text(text.replace('kind = "ax"', ""))
    record = Record.open(f"sqlite:///{file}")
    prepared = prepare(campaign)
    spec, lab = prepared.campaign.campaign, prepared.lab.lab
    assert spec.planner.kind == "ensemble"
    goes_on = opening.again(prepared.script, record, spec, lab, at=1e9)
    assert goes_on.engine.state.spec.planner.kind == "ax"
    assert "dye began with the planner ax, and keeps it" in caplog.text
    record.close()


def test_one_that_began_with_refreshes_does_not_go_on_without_them(tmp_path: Path) -> None:
    file = tmp_path / "broken.sqlite"
    campaign = place(tmp_path)
    broken_off(campaign, file)
    campaign.write_text(f"{campaign.read_text()}\nrefresh = false\n")
    record = Record.open(f"sqlite:///{file}")
    prepared = prepare(campaign)
    with pytest.raises(UserMistake, match="began with another planner than"):
        opening.again(prepared.script, record, prepared.campaign.campaign, prepared.lab.lab, at=1e9)
    record.close()


def test_an_unfinished_campaign_does_not_stand_in_the_way_of_one_with_a_shorter_name(
    tmp_path: Path,
) -> None:
    campaign = place(tmp_path)
    text = campaign.read_text(encoding="utf-8")
    campaign.write_text(text.replace('name     = "dye"', 'name     = "dye-450"'), encoding="utf-8")
    file = tmp_path / "broken.sqlite"
    broken_off(campaign, file)
    record = Record.open(f"sqlite:///{file}")
    assert opening.choose(record, "dye", resume=False, anew=False) == ("dye", False)
    with pytest.raises(UserMistake, match="--resume to go on"):
        opening.choose(record, "dye-450", resume=False, anew=False)
    record.close()


def test_no_session_opens_over_a_campaign_that_was_killed_unless_it_is_left(
    tmp_path: Path,
) -> None:
    prepared = prepare(place(tmp_path))
    lab, campaign = prepared.lab.lab, prepared.campaign.campaign
    record = Record.open(f"sqlite:///{tmp_path / 'killed.sqlite'}")
    head = opening.new(prepared.script, campaign, lab, at=5.0, clock="wall", speed=1.0)
    event = head.first[0]
    values = (event, *head.engine.handle(event))
    record.append([head.chain.add(value, event.at) for value in values])
    with pytest.raises(UserMistake, match=r"'dye' of this lab has not ended.*--resume.*--new"):
        choose_session(record, lab, resume=False, anew=False)
    assert choose_session(record, lab, resume=False, anew=True) == ("bench-lab", False)
    assert choose_session(record, replace(lab, name="other"), resume=False, anew=False)
    record.close()
