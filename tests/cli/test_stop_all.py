"""``sdl stop --all``: through the orchestrator, else straight to the broker, and said as it is."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

import sdl.cli.stop
from sdl.cli.exits import Exit
from sdl.core.view import InstrumentView
from sdl.errors import RecordFault
from sdl.service.card import Card, left
from sdl.shell.broker import URL_FILE, write_secret
from sdl.testing.servers import free_port
from tests.cli.conftest import Said, command
from tests.service.nodes import SAFE, SILENT, node
from tests.service.places import Notebook, serving, view

WORDS = ("stop", "--all", "--by", "anna", "--note", "smoke")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdl.cli.stop, "SERVICE_S", 0.5)
    monkeypatch.setattr(sdl.cli.stop, "LISTEN_S", 0.5)


def lab(folder: Path, name: str, broker: str = "embedded") -> None:
    (folder / "lab.toml").write_text(f'[lab]\nname = "{name}"\nbroker = "{broker}"\n')


def shown(**states: str) -> Notebook:
    instruments = tuple(
        InstrumentView(
            name=name,
            state=state,  # type: ignore[arg-type]
            simulated=True,
            note="jammed" if state == "held" else "",
            safe=state == "stopped",
        )
        for name, state in states.items()
    )
    return Notebook(shown=replace(view(), instruments=instruments))


def cautioned(said: Said) -> bool:
    return said.err.startswith("This is software over a network, and no substitute for")


def test_it_goes_through_the_orchestrator(tmp_path: Path) -> None:
    lab(tmp_path, "all-1")
    desk = shown(handler="stopped", reader="stopped")
    with serving(desk, tmp_path, "all-1"):
        said = command(tmp_path, *WORDS)
    assert (said.code, desk.stopped) == (Exit.OK, [("anna", "smoke")])
    assert said.out == "handler: has made safe\nreader: has made safe\n"
    assert cautioned(said)


def test_a_note_that_is_no_text_does_not_keep_a_stop_back(tmp_path: Path) -> None:
    lab(tmp_path, "all-odd")
    desk = shown(handler="stopped")
    with serving(desk, tmp_path, "all-odd"):
        said = command(tmp_path, "stop", "--all", "--by", "anna", "--note", "smoke \udcff")
    assert (said.code, desk.stopped) == (Exit.OK, [("anna", "smoke ?")])


def test_who_did_not_make_safe_is_named_and_the_code_says_so(tmp_path: Path) -> None:
    lab(tmp_path, "all-2")
    with serving(shown(handler="stopped", arm="held", reader="busy"), tmp_path, "all-2"):
        said = command(tmp_path, *WORDS)
        document = command(tmp_path, *WORDS, "--json").document
    assert said.code == Exit.FAULT
    assert "arm: GO AND LOOK: jammed\n" in said.out
    assert "reader: GO AND LOOK: has not said that it made safe\n" in said.out
    assert document["schema"] == "sdl.stop-all/1"
    assert (document["safe"], document["silent"]) == (["handler"], ["reader"])


@pytest.mark.parametrize("trouble", ["none", "frozen", "broken", "killed"])
def test_where_the_orchestrator_does_not_answer_it_goes_to_the_broker(
    tmp_path: Path, mosquitto: str, trouble: str
) -> None:
    name = f"all-{trouble}"
    lab(tmp_path, name, mosquitto)
    with node(mosquitto, name, {"handler": SAFE}) as heard:
        said = in_trouble(tmp_path, name, trouble)
    assert [(each.by, each.note) for each in heard] == [("anna", "smoke")]
    assert (said.code, said.out) == (Exit.OK, "handler: has made safe\n"), said.err
    assert "stopped through the broker" in said.err
    assert cautioned(said)


def in_trouble(folder: Path, name: str, trouble: str) -> Said:
    """Stop everything while the orchestrator is in some trouble."""
    if trouble == "broken":
        with serving(Notebook(fault=RecordFault("the disk is full")), folder, name):
            return command(folder, *WORDS)
    if trouble == "none":
        return command(folder, *WORDS)
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        port = frozen.getsockname()[1] if trouble == "frozen" else free_port()
        card = Card(
            lab=name,
            url=f"http://127.0.0.1:{port}",
            token="x",
            host=socket.gethostname(),
            pid=os.getpid(),
            campaign="dye",
        )
        with left(card, folder / ".sdl"):
            return command(folder, *WORDS)


def test_the_embedded_broker_is_found_by_the_file_with_its_address(
    tmp_path: Path, mosquitto: str
) -> None:
    lab(tmp_path, "all-3")
    (tmp_path / ".sdl" / "dye").mkdir(parents=True)
    write_secret(tmp_path / ".sdl" / "dye" / URL_FILE, mosquitto)
    with node(mosquitto, "all-3", {"handler": SAFE, "reader": SILENT}) as heard:
        said = command(tmp_path, *WORDS)
    assert (said.code, len(heard)) == (Exit.FAULT, 1)
    assert "reader: GO AND LOOK: has not said that it made safe\n" in said.out
    assert mosquitto not in said.out + said.err


def test_where_nothing_can_be_stopped_it_is_said_loudly(tmp_path: Path) -> None:
    lab(tmp_path, "all-4")
    said = command(tmp_path, *WORDS)
    assert said.code == Exit.MISTAKE
    assert "nothing was stopped by this command" in said.err
    lab(tmp_path, "all-4", f"mqtt://127.0.0.1:{free_port()}")
    said = command(tmp_path, *WORDS)
    assert said.code == Exit.FAULT
    assert "so this command stopped nothing" in said.err
    assert cautioned(said)
