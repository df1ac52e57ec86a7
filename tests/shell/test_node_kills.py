"""A real node process kills itself at every named point, and comes back over the same journal."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sdl.shell.broker import URL_FILE, write_secret
from sdl.shell.crash import POINTS, VARIABLE
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node_child import node_child
from sdl.wire.mqtt import Control
from tests.shell.bench_of_buses import FOLDER, JOURNAL, Caller, command, probe_lab

CID = "c/run-1/step-1/try-1"


@dataclass(frozen=True)
class Kill:
    """Where it dies, what was asked of it, and what becomes of that."""

    point: str
    op: str
    st: str
    phase: str = ""
    traces: int = 1
    waits: bool = False
    """Whether the command comes in before the greeting."""


KILLS = {
    "received": Kill("node.command.received", "act", "done"),
    "received-early": Kill("node.command.received", "act", "done", waits=True),
    "accepted": Kill("node.accepted.committed", "act", "done", waits=True),
    "accepted-with-start": Kill("node.accepted.committed", "act", "unknown", "during", 0),
    "started": Kill("node.started.committed", "act", "unknown", "during", 0),
    "started-probed": Kill("node.started.committed", "dose", "failed", "before_start", 0),
    "acted": Kill("node.action.ended", "act", "unknown", "during"),
    "acted-probed": Kill("node.action.ended", "dose", "done"),
    "ended": Kill("node.ended.committed", "act", "done"),
    "told": Kill("node.ended.published", "act", "done"),
    "halted": Kill("node.halted", "stop", "failed", "before_start", 0),
}


def test_every_point_of_a_node_is_in_the_table() -> None:
    points = {point for point in POINTS if point.startswith("node.")}
    assert {kill.point for kill in KILLS.values()} == points


@pytest.mark.parametrize("name", KILLS)
async def test_a_node_that_is_killed_acts_once_and_loses_no_word(
    mosquitto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kill, log = KILLS[name], tmp_path / "log"
    lab = replace(probe_lab(f"kill-{name}", log=log), broker=mosquitto)
    folder = tmp_path / "lab"
    folder.mkdir()
    shutil.copy(FOLDER / "probe_device.py", folder)
    broker = tmp_path / URL_FILE
    write_secret(broker, mosquitto)
    child = node_child(lab, folder, run_folder=tmp_path, broker_file=broker)
    bus = MqttBus(mosquitto, f"caller-{name}")
    async with Caller(bus, lab.name, greets=not kill.waits) as caller:

        def seqs() -> set[int]:
            return {event.seq for event in caller.events if event.cid == CID and event.seq}

        monkeypatch.setenv(VARIABLE, kill.point)
        await child.start()
        try:
            birth = await caller.birth_of("probe")
            if not kill.waits:
                await caller.ready()
            if kill.op == "stop":
                await caller.control(Control(id="1", op="stop", epoch=1))
                order = command(CID, "act", what="ok")
            else:
                order = command(CID, kill.op, what="ok")
                order = order.model_copy(update={"memory": birth.memory})
                await caller.send(order)
            await child.wait()
            monkeypatch.delenv(VARIABLE)
            caller.greets = True
            await child.start()
            again = await caller.birth_of("probe", 2)
            assert again.memory == birth.memory
            order = order.model_copy(update={"memory": birth.memory})
            if kill.op == "stop":
                await caller.send(order)
            await caller.greet(again, from_seq=1)
            end = await caller.end(CID)
            assert end.st == kill.st, end
            assert (end.error.phase if end.error else "") == kill.phase
            await caller.send(order)
            await caller.heard(end, 2)
            await caller.until(lambda: seqs() == set(range(1, max(seqs()) + 1)))
        finally:
            await child.stop()
    traces = log.read_text().splitlines() if log.exists() else []
    assert traces == [f"{JOURNAL}:{CID}"] * kill.traces
