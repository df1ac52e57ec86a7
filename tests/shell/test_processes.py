"""Broker, node and planner as real processes: they come up, die, and come up again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sdl.errors import LabFault, PlannerFault
from sdl.model.campaign import Objective, RangeParameter
from sdl.model.lab import Instrument
from sdl.model.planning import Ask, Problem
from sdl.planner.server import answer
from sdl.shell.broker import URL_FILE, EmbeddedBroker, write_secret
from sdl.shell.children import Child
from sdl.shell.lifeline import GRACE_S
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node_child import LAB_FILE, node_child
from sdl.shell.planner_client import DirectPlanner, PlannerClient
from sdl.shell.planner_worker import planner_child
from sdl.wire.mqtt import Status, decode
from tests.shell.bench_of_buses import FOLDER, Caller, command, probe_lab

PATIENCE_S = 30.0


@asynccontextmanager
async def started(child: Child) -> AsyncIterator[Child]:
    """A child that runs, and is ended."""
    await child.start()
    try:
        yield child
    finally:
        await child.stop()
        assert not child.running


def broker_file(url: str, folder: Path) -> Path:
    """The file that tells children of a broker."""
    path = folder / URL_FILE
    write_secret(path, url)
    return path


async def test_the_embedded_broker_keeps_its_password_to_itself(tmp_path: Path) -> None:
    began = time.monotonic()
    broker = EmbeddedBroker(tmp_path)
    url = await broker.start()
    assert time.monotonic() - began < 10.0  # 0.3 s on an idle machine
    assert stat.S_IMODE((tmp_path / URL_FILE).stat().st_mode) == 0o600
    seen = words_of(broker.child.pid)
    assert "sdl.shell.broker" in seen
    password = url.rpartition("@")[0].rpartition(":")[2]
    assert len(password) >= 32
    assert password not in seen
    with pytest.raises(LabFault, match="cannot be reached"):
        await MqttBus(url.replace(password, "guess"), "x").connect()
    await broker.stop()
    await broker.stop()
    assert not (tmp_path / URL_FILE).exists()
    assert (tmp_path / "broker.log").read_text() == ""


def words_of(pid: int | None) -> str:
    """The command line of a process, as everybody on the machine can read it."""
    return Path(f"/proc/{pid}/cmdline").read_text()


def folder_of_probe(tmp_path: Path) -> Path:
    """A lab's folder, for nodes keep their locks there."""
    folder = tmp_path / "lab"
    folder.mkdir()
    shutil.copy(FOLDER / "probe_device.py", folder)
    return folder


def test_a_run_folder_holds_no_password_of_the_lab(tmp_path: Path) -> None:
    lab = replace(
        probe_lab("open"), broker="mqtt://me:secret@host", record="postgresql://me:secret@host/x"
    )
    node_child(lab, tmp_path, run_folder=tmp_path, broker_file=tmp_path / URL_FILE)
    written = tmp_path / LAB_FILE
    assert "secret" not in written.read_text()
    assert "me:***@host" in written.read_text()
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


async def test_a_node_process_serves_dies_and_comes_back(mosquitto: str, tmp_path: Path) -> None:
    lab, log = probe_lab("processes", speed=50.0, log=tmp_path / "log"), tmp_path / "log"
    folder = folder_of_probe(tmp_path)
    child = node_child(
        lab, folder, run_folder=tmp_path, broker_file=broker_file(mosquitto, tmp_path)
    )
    async with Caller(MqttBus(mosquitto, "caller-processes"), lab.name) as caller:
        cid = "c/run-1/step-1/try-1"
        async with started(child):
            birth = await caller.birth_of("probe")
            first = command(cid, "act", what="ok")
            first = first.model_copy(update={"memory": birth.memory})
            done = await caller.run(first)
            await child.kill()
            await caller.until(lambda: online(caller) == [True, False])
            await child.restart()
            again = await caller.birth_of("probe", 2)
            assert (again.memory, again.boot != birth.boot) == (birth.memory, True)
            await caller.send(first)  # a copy that was on its way when the node died
            await caller.query(cid)
            await caller.heard(done, 3)
            second = first.model_copy(update={"cid": "c/run-1/step-2/try-1"})
            assert (await caller.run(second)).st == "done"
        await caller.until(lambda: online(caller) == [True, False, True, False])
        assert len(log.read_text().splitlines()) == 2, "the copy acted"
        assert "Traceback" not in child.log.read_text()


def online(caller: Caller) -> list[bool]:
    """What the node's status said, in order."""
    return [decode(Status, message.payload).online for message in caller.of("status")]


async def test_a_node_makes_its_instruments_safe_however_long_that_takes(
    mosquitto: str, tmp_path: Path
) -> None:
    folder, safe = folder_of_probe(tmp_path), tmp_path / "safe"
    (folder / "slow_device.py").write_text(
        (FOLDER / "probe_device.py").read_text() + "\n\nclass Slow(Probe):\n"
        "    async def make_safe(self):\n"
        f"        await asyncio.sleep({GRACE_S + 0.5})\n"
        f"        Path({str(safe)!r}).touch()\n"
    )
    slow = Instrument(name="slow", driver="./slow_device.py:Slow", simulated=True)
    lab = replace(probe_lab("slow"), instruments=(slow,))
    child = node_child(
        lab, folder, run_folder=tmp_path, broker_file=broker_file(mosquitto, tmp_path)
    )
    async with started(child):
        assert not safe.exists()
    assert safe.exists(), f"it was ended before that: {child.last_lines()}"


async def test_a_node_that_may_finish_ends_its_action_and_leaves(
    mosquitto: str, tmp_path: Path
) -> None:
    folder, cid = folder_of_probe(tmp_path), "c/run-1/step-1/try-1"
    (folder / "slow_device.py").write_text(
        (FOLDER / "probe_device.py").read_text() + "\n\nclass Slow(Probe):\n"
        '    @action("once")\n'
        "    async def act(self, what: str) -> float:\n"
        "        await asyncio.sleep(1.0)\n"
        "        return 7.0\n"
    )
    slow = Instrument(name="slow", driver="./slow_device.py:Slow", simulated=True)
    lab = replace(probe_lab("finish"), instruments=(slow,))
    child = node_child(
        lab, folder, run_folder=tmp_path, broker_file=broker_file(mosquitto, tmp_path)
    )
    async with Caller(MqttBus(mosquitto, "caller-finish"), lab.name) as caller, started(child):
        memory = (await caller.birth_of("slow")).memory
        order = command(cid, "act", "slow", what="ok")
        await caller.send(order.model_copy(update={"memory": memory}))
        await caller.told(cid, "started")
        await child.finish(PATIENCE_S)
        end = await caller.end(cid)
        assert (end.st, end.result) == ("done", 7.0), child.last_lines()
        assert online(caller) == [True, False]


async def test_a_child_that_cannot_start_says_why(tmp_path: Path) -> None:
    child = node_child(
        probe_lab("lonely"),
        folder_of_probe(tmp_path),
        run_folder=tmp_path,
        broker_file=broker_file("mqtt://127.0.0.1:1", tmp_path),
    )
    with pytest.raises(LabFault, match="node process did not start") as caught:
        await child.start()
    assert "the broker at 127.0.0.1:1 cannot be reached" in str(caught.value)
    assert not child.running


def test_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = (
        "import asyncio, sys; from pathlib import Path\n"
        "from sdl.shell.broker import EmbeddedBroker\n"
        "async def run():\n"
        "    broker = EmbeddedBroker(Path(sys.argv[1])); await broker.start()\n"
        "    print(broker.child.pid, flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(run())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and runs(pid):
        time.sleep(0.02)
    assert not runs(pid), f"process {pid} outlived its parent"


def runs(pid: int) -> bool:
    """Whether a process is there and is no corpse."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def question(number: int) -> Ask:
    """A question for a planner that needs no heavy library."""
    return Ask(
        id=f"c/ask-{number}",
        planner="grid",
        problem=Problem(
            space=(RangeParameter(name="x", low=0.0, high=1.0),),
            objective=Objective(measure="y", goal="minimise"),
        ),
        trials=(),
        count=2,
        seed=number,
    )


async def test_a_planner_that_dies_or_hangs_is_started_anew(mosquitto: str, tmp_path: Path) -> None:
    lab = "planning"
    file = broker_file(mosquitto, tmp_path)
    direct = await DirectPlanner(answer).ask(question(1), PATIENCE_S)
    client = PlannerClient(
        lab=lab,
        bus=MqttBus(mosquitto, "planner-client"),
        restart=(child := planner_child(lab, run_folder=tmp_path, broker_file=file)).restart,
    )
    async with started(child):
        await client.start()
        first = await client.ask(question(1), PATIENCE_S)
        assert first.suggestions == direct.suggestions, "the process answers otherwise"
        assert first.error == ""
        assert await client.ask(question(1), PATIENCE_S) == first, "asking again is not free"

        pid = child.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(PlannerFault, match=r"did not answer c/ask-2 within 0.2 s"):
            await client.ask(question(2), 0.2)
        assert child.pid != pid
        second = await client.ask(question(2), PATIENCE_S)
        assert second.suggestions

        pid = child.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # so that it dies with the question in hand
        asking = asyncio.create_task(client.ask(question(3), PATIENCE_S))
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(PlannerFault, match="c/ask-3: the planner process died"):
            await asking
        assert child.pid != pid
        assert (await client.ask(question(3), PATIENCE_S)).suggestions

        pid = child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)  # while nobody asks: it is ready again before it is needed
        async with asyncio.timeout(PATIENCE_S):
            while child.pid in (pid, None):  # noqa: ASYNC110 - another process says nothing
                await asyncio.sleep(0.02)
        assert (await client.ask(question(4), PATIENCE_S)).suggestions
        await client.aclose()


async def test_a_question_that_no_planner_takes_is_answered_in_words() -> None:
    ask = question(1)
    unknown = Ask(id=ask.id, planner="nobody", problem=ask.problem, trials=(), count=1, seed=0)
    told = await DirectPlanner(answer).ask(unknown, PATIENCE_S)
    assert told.suggestions == ()
    assert "there is no planner 'nobody'" in told.error
