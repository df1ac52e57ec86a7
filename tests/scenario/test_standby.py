"""A second orchestrator takes over from one that is dead or frozen, and the first knows its place.

Real processes, brokers and databases.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from sdl.shell.lease import STILL_S
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.record import Record
from sdl.wire.topics import Topics, kind_in
from tests.frozen import freeze_between_writes, freeze_in_a_write
from tests.scenario.test_real_loop import (
    PATIENCE_S,
    child,
    measured,
    record_of,
    run,
    sound,
    started,
    until,
)
from tests.sim.places import place

MARGIN_S = 5.0
"""For a machine that is busy with other tests, and for our own looking."""


def measured_at(store: str) -> int:
    record = Record.open(store)
    try:
        return sum(each.measured for each in record.campaigns())
    finally:
        record.close()


def epoch_of(store: str) -> int:
    """Of whoever leads the lab."""
    record = Record.open(store)
    try:
        held = record.leases.held("bench")
    finally:
        record.close()
    assert held is not None
    return held.epoch


def test_a_standby_of_the_same_folder_goes_on_at_once_when_the_first_is_killed(
    tmp_path: Path,
) -> None:
    campaign = place(tmp_path, runs=16, speed=60, failures=16)
    with started("run", str(campaign)) as first:
        until(lambda: measured(tmp_path) >= 2, "the second measurement")
        with started("run", str(campaign), "--standby", "--json") as standby:
            time.sleep(2.0)  # it loads, and stands by
            assert standby.poll() is None
            assert first.poll() is None, "it ended before it could be killed"
            first.kill()
            out, err = standby.communicate(timeout=PATIENCE_S)
            assert standby.returncode == 0, err
    assert json.loads(out)["schema"] == "sdl.outcome/1"
    record = record_of(tmp_path)
    sound(record, runs=16)
    record.close()


def test_a_standby_whose_campaign_ends_well_tells_how_it_ended(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=4, speed=120)
    with started("run", str(campaign)) as first:
        until(lambda: measured(tmp_path) >= 1, "the first measurement")
        with started("run", str(campaign), "--standby", "--json") as standby:
            assert first.wait(timeout=PATIENCE_S) == 0
            out, err = standby.communicate(timeout=PATIENCE_S)
            assert standby.returncode == 0, err
    assert json.loads(out)["ending"] == "budget"


def test_a_standby_with_nothing_to_stand_by_for_says_so(tmp_path: Path) -> None:
    done = run("run", str(place(tmp_path)), "--standby", code=3)
    assert "no unfinished campaign" in done.stderr


async def spied(url: str, heard: list[tuple[str, int]]) -> None:
    """Every command and control of the lab, with the epoch under which it was sent."""
    bus = MqttBus(url, "spy-of-standby")
    topics = Topics("bench")
    await bus.subscribe(topics.command("+"), topics.control("+"))
    await bus.connect()
    async for message in bus.messages():
        epoch = json.loads(message.payload)["epoch"]
        heard.append((kind_in(message.topic), epoch))


@pytest.mark.drill
@pytest.mark.parametrize("database", ["sqlite", "postgresql", "postgresql, in a write"])
async def test_a_frozen_orchestrator_is_taken_over_from_and_sends_nothing_when_it_goes_on(
    tmp_path: Path, request: pytest.FixtureRequest, mosquitto: str, database: str
) -> None:
    shared = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    store = shared if database == "sqlite" else str(request.getfixturevalue("fresh_postgres"))
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    # Both machines have the lab's folder; a third one hosts the instruments.
    files = {"broker": mosquitto, "record": store, "runs": 20, "speed": 60, "failures": 20}
    here, there = (place(tmp_path / name, **files) for name in ("here", "there"))  # type: ignore[arg-type]
    heard: list[tuple[str, int]] = []
    spy = asyncio.create_task(spied(mosquitto, heard))
    with ExitStack() as stack:
        stack.enter_context(started("node", str(tmp_path / "here" / "lab.toml")))
        first = stack.enter_context(started("run", str(here), "--no-host"))
        await asyncio.to_thread(until, lambda: measured_at(store) >= 2, "the second measurement")
        second = stack.enter_context(started("run", str(there), "--no-host", "--standby"))
        lock = tmp_path / "there" / ".sdl" / "locks" / "bench.orchestrator.lock"
        await asyncio.to_thread(until, lock.exists, "the second, which stands by")
        assert second.poll() is None
        assert first.poll() is None, "it ended before it could be frozen"
        if database == "sqlite":
            await asyncio.to_thread(freeze_between_writes, first.pid, tmp_path / "shared.sqlite")
        elif database == "postgresql":
            first.send_signal(signal.SIGSTOP)
        else:
            await asyncio.to_thread(freeze_in_a_write, first.pid, store)
        frozen_at = time.monotonic()
        epoch = heard[-1][1]
        await asyncio.to_thread(until, lambda: epoch_of(store) > epoch, "the second's lease")
        assert time.monotonic() - frozen_at < STILL_S + MARGIN_S
        await asyncio.to_thread(
            until, lambda: any(each > epoch for _, each in heard), "a word of the second"
        )
        first.send_signal(signal.SIGCONT)
        _, err = await asyncio.to_thread(first.communicate, timeout=PATIENCE_S)
        assert first.returncode == 5, err
        assert "another orchestrator" in err
        assert "leads lab 'bench' now" in err
        _, err = await asyncio.to_thread(second.communicate, timeout=PATIENCE_S)
        assert second.returncode == 0, err
    spy.cancel()
    epochs = [each for _, each in heard]
    assert epochs == sorted(epochs), "the frozen one sent something when it went on"
    assert len(set(epochs)) == 2
    record = Record.open(store)
    sound(record, runs=20)
    record.close()


def test_an_embedded_broker_that_dies_comes_back_where_it_was(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=10, speed=120, failures=10)
    with started("run", str(campaign)) as process:
        until(lambda: measured(tmp_path) >= 2, "the second measurement")
        child(process, "sdl.shell.broker").kill()
        died_at, before = time.monotonic(), measured(tmp_path)
        until(lambda: measured(tmp_path) > before + 1, "two more measurements")
        took_s = time.monotonic() - died_at
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
    assert took_s < 15.0  # 5 s on an idle machine, with the runs themselves
    assert "the broker process died; it is started again" in err
    assert "Traceback" not in err
    record = record_of(tmp_path)
    sound(record, runs=10)
    record.close()
