"""Whole campaigns of `sdl run --no-host` on the node that knows nothing of `sdl`."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sdl.shell.record import Record
from tests.scenario.foreign import (
    EXAMPLE,
    PATIENCE_S,
    NodeProcess,
    Orchestrator,
    foreign_node,
    orchestrator,
)

RUN_S = 90.0


@pytest.fixture
def lab(tmp_path: Path) -> str:
    """A name of its own, so that tests do not meet each other's retained messages."""
    return f"gravimetry-{abs(hash(str(tmp_path))) % 10**9}"


@pytest.fixture
def campaign(mosquitto: str, lab: str, tmp_path: Path) -> Path:
    """The example's files, on the test's own broker, with a few runs."""
    for name in ("doser.py", "lab.toml", "campaign.toml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    bench = tmp_path / "lab.toml"
    text = bench.read_text().replace("mqtt://127.0.0.1:1883", mosquitto)
    bench.write_text(text.replace('"gravimetry"', f'"{lab}"'))
    question = tmp_path / "campaign.toml"
    question.write_text(question.read_text().replace("runs      = 12", "runs      = 4"))
    return question


@pytest.fixture
def node(mosquitto: str, lab: str, tmp_path: Path) -> Iterator[NodeProcess]:
    process = foreign_node(mosquitto, lab, tmp_path)
    process.start()
    yield process
    process.kill()


@pytest.fixture
async def ear(mosquitto: str, lab: str) -> AsyncIterator[Orchestrator]:
    """Listens; says nothing."""
    async with orchestrator(mosquitto, lab) as one:
        yield one


def sdl(*words: str) -> list[str]:
    return [sys.executable, "-m", "sdl", *words]


async def finished(process: asyncio.subprocess.Process) -> dict[str, object]:
    out, err = await asyncio.wait_for(process.communicate(), RUN_S)
    assert process.returncode == 0, f"exit {process.returncode}\n{out.decode()}\n{err.decode()}"
    told: dict[str, object] = json.loads(out)
    return told


async def started(campaign: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *sdl("run", str(campaign), "--no-host", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def outcomes(folder: Path) -> list[str]:
    record = Record.open(f"sqlite:///{folder / 'record.sqlite'}", create=False)
    try:
        assert record.verify() is None
        return [str(each.outcome) for each in record.runs("gravimetry")]
    finally:
        record.close()


async def test_a_campaign_runs_on_it(node: NodeProcess, campaign: Path) -> None:
    await finished(await started(campaign))
    assert outcomes(campaign.parent) == ["measured"] * 4
    assert len(node.doses) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "verdict", ["did-not-happen", pytest.param("happened", marks=pytest.mark.drill)]
)
async def test_a_kill_in_mid_dose_waits_at_a_person_and_nothing_is_dosed_twice(
    node: NodeProcess, ear: Orchestrator, campaign: Path, verdict: str
) -> None:
    process = await started(campaign)
    cid = await first_dose(ear)
    node.kill()
    fell = len(node.doses)
    node.start()
    await ear.hears(cid, "unknown")
    step = cid.rpartition("/try-")[0]
    words = ("resolve", step, f"--{verdict}", "--note", "by the pan", "--lab", str(campaign))
    await told(*words)
    await finished(process)
    assert outcomes(campaign.parent) == ["measured"] * 4
    again = verdict == "did-not-happen"
    assert len(node.doses) == fell + 3 + again


async def first_dose(ear: Orchestrator) -> str:
    """The command of a dose that has just begun."""

    def begun() -> list[str]:
        starts = [event.cid for event in ear.events if event.st == "started"]
        return [cid for cid in starts if "/step-2/" in cid]

    await ear.until(lambda: bool(begun()), "the start of a dose")
    return begun()[0]


async def told(*words: str) -> None:
    """Say it until the orchestrator has heard of the question itself."""
    said = ""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            process = await asyncio.create_subprocess_exec(
                *sdl(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            out, _ = await process.communicate()
            said = out.decode()
            if process.returncode == 0:
                return
            assert "Traceback" not in said, said
            await asyncio.sleep(0.2)
