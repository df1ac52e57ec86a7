"""One orchestrator for a lab, one node for an instrument, and no lock outlives its process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sdl.errors import LabFault, UserMistake
from sdl.model.lab import Instrument, Lab
from sdl.shell import lab_lock
from sdl.shell.acting import FINISH_S, LAST_WORDS_S
from sdl.shell.action_call import CANCEL_S, MAKE_SAFE_S
from sdl.shell.children import START_TIMEOUT_S
from sdl.shell.lab_lock import instrument_locks, orchestrator_lock
from sdl.shell.node_child import LEAVE_S
from sdl.shell.node_process import run_node

HOLDER = Path(__file__).with_name("lock_holder.py")
PATIENCE_S = 10.0


@contextmanager
def holder(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the locks of a lab; it is killed at the end."""
    command = [sys.executable, str(HOLDER), str(folder), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_orchestrator_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    with holder(tmp_path, "bench") as process:
        with (
            pytest.raises(LabFault, match=rf"another sdl run \(process {process.pid}\)") as caught,
            orchestrator_lock(tmp_path, "bench"),
        ):
            pass
        assert "works on lab 'bench'; wait for it, or stop it" in str(caught.value)
        with orchestrator_lock(tmp_path, "another"):
            pass
        process.kill()
        process.wait()
        with orchestrator_lock(tmp_path, "bench"):
            pass


def test_a_lock_ends_with_its_block(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            orchestrator_lock(tmp_path, "bench"),
            pytest.raises(LabFault, match="another sdl run"),
            orchestrator_lock(tmp_path, "bench"),
        ):
            pass


async def test_an_instrument_has_one_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_lock, "PATIENCE_S", 0.2)
    with holder(tmp_path, "bench", "arm", "reader") as process:
        said = rf"another node \(process {process.pid}\) hosts instrument 'reader' of lab 'bench'"
        with pytest.raises(LabFault, match=said):
            async with instrument_locks(tmp_path, "bench", ("handler", "reader")):
                pass
        async with instrument_locks(tmp_path, "bench", ("handler", "shaker")):
            pass


async def test_who_goes_on_without_an_instrument_is_told_once_and_gets_it_when_it_is_free(
    tmp_path: Path,
) -> None:
    told = list[str]()
    with holder(tmp_path, "bench", "arm") as process:

        async def take() -> None:
            locks = instrument_locks(
                tmp_path, "bench", ("arm", "reader"), patience_s=0.0, elsewhere=told.append
            )
            async with locks:
                pass

        taking = asyncio.create_task(take())
        await asyncio.sleep(3 * lab_lock.LOOK_S)
        assert not taking.done()
        who = f"another node (process {process.pid}) hosts instrument 'arm' of lab 'bench'"
        assert told == [f"{who}; this one takes its place when it ends"]
        process.kill()
        async with asyncio.timeout(PATIENCE_S):
            await taking
    assert len(told) == 1


async def test_a_node_that_waits_for_its_instruments_leaves_when_it_is_told_to(
    tmp_path: Path,
) -> None:
    lab = Lab(
        name="bench",
        instruments=(Instrument(name="arm", driver="./missing.py:Arm", simulated=False),),
    )
    stop, waits = asyncio.Event(), asyncio.Event()
    async with instrument_locks(tmp_path, "bench", ("arm",)), asyncio.timeout(PATIENCE_S):
        node = asyncio.create_task(
            run_node(
                lab,
                tmp_path,
                broker_url="mqtt://127.0.0.1:1",
                stop=stop,
                patience_s=0.0,
                elsewhere=lambda _: waits.set(),
            )
        )
        await waits.wait()
        stop.set()
        await node


def test_a_node_has_the_time_to_make_its_instruments_safe_and_the_next_one_waits_for_it() -> None:
    closing_s = MAKE_SAFE_S + FINISH_S + CANCEL_S + 2 * LAST_WORDS_S
    assert closing_s < LEAVE_S < lab_lock.PATIENCE_S < START_TIMEOUT_S


async def test_a_second_node_does_not_touch_the_instrument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_lock, "PATIENCE_S", 0.0)
    lab = Lab(
        name="bench",
        instruments=(Instrument(name="arm", driver="./missing.py:Arm", simulated=False),),
    )
    async with instrument_locks(tmp_path, "bench", ("arm",)):
        with pytest.raises(LabFault, match="hosts instrument 'arm'"):
            await run_node(lab, tmp_path, broker_url="mqtt://127.0.0.1:1", stop=asyncio.Event())
    with pytest.raises(UserMistake):  # now it gets as far as to look for the driver
        await run_node(lab, tmp_path, broker_url="mqtt://127.0.0.1:1", stop=asyncio.Event())


async def test_a_node_waits_for_one_that_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_lock, "PATIENCE_S", PATIENCE_S)
    waiting = asyncio.Event()

    async def wait_for_it() -> None:
        waiting.set()
        async with instrument_locks(tmp_path, "bench", ("arm",)):
            pass

    with ExitStack() as stack:
        process = stack.enter_context(holder(tmp_path, "bench", "arm"))
        taking = asyncio.create_task(wait_for_it())
        await waiting.wait()
        await asyncio.sleep(0)  # it has looked once, and the loop goes on
        assert not taking.done()
        process.kill()
        await taking


def test_an_instrument_called_orchestrator_is_no_orchestrator(tmp_path: Path) -> None:
    async def run() -> None:
        async with instrument_locks(tmp_path, "bench", ("orchestrator",)):
            pass

    with orchestrator_lock(tmp_path, "bench"):
        asyncio.run(run())


def test_a_folder_that_cannot_hold_locks_is_named(tmp_path: Path) -> None:
    (tmp_path / ".sdl").write_text("a file where a folder should be")
    with (
        pytest.raises(LabFault, match=r"bench\.orchestrator\.lock cannot be used"),
        orchestrator_lock(tmp_path, "bench"),
    ):
        pass
