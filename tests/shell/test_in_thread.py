"""Blocking code of vendors neither stops the loop nor ends with a lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sdl.errors import DriverFault, OutcomeUnknown
from sdl.shell import action_call
from sdl.shell.in_thread import VendorProcess, in_thread
from tests.shell import vendor


@pytest.fixture
async def process() -> AsyncIterator[VendorProcess]:
    """A process for a vendor's library."""
    made = VendorProcess()
    yield made
    await made.aclose()
    await made.aclose()


async def test_the_loop_goes_on_while_a_thread_blocks(tmp_path: Path) -> None:
    calling = asyncio.create_task(in_thread(vendor.wait_for, tmp_path / "go"))
    await asyncio.sleep(0.01)
    assert not calling.done()
    (tmp_path / "go").touch()
    assert await calling == "go"


async def test_a_thread_that_is_given_up_on_is_not_over_before_it_is(tmp_path: Path) -> None:
    calling = asyncio.create_task(in_thread(vendor.wait_for, tmp_path / "go"))
    await asyncio.sleep(0.01)
    for _ in range(3):
        calling.cancel()
        await asyncio.sleep(0.01)
    assert not calling.done(), "the node would think that nothing moves any more"
    (tmp_path / "go").touch()
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_a_make_safe_whose_thread_hangs_is_given_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Arm:
        async def connect(self) -> None: ...

        async def disconnect(self) -> None: ...

        async def make_safe(self) -> None:
            await in_thread(vendor.wait_for, tmp_path / "go")

    monkeypatch.setattr(action_call, "MAKE_SAFE_S", 0.02)
    monkeypatch.setattr(action_call, "CANCEL_S", 0.02)
    safe = await action_call.make_safe("arm", Arm())
    assert safe.wrong == "make_safe did not end within 0.02 s"
    assert safe.leftover is not None
    assert not safe.leftover.done(), "the node would think that nothing moves any more"
    (tmp_path / "go").touch()
    await asyncio.wait((safe.leftover,))


@pytest.mark.parametrize(
    "kind,error,says",
    [
        ("value", ValueError, "no such volume"),
        ("vendor", vendor.VendorError, "code 7 at the arm"),
        ("exit", OutcomeUnknown, "fail ended with SystemExit in its thread"),
    ],
)
async def test_what_a_thread_raises_arrives(kind: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        await in_thread(vendor.fail, kind)


async def test_a_process_keeps_its_state_and_the_loop_goes_on(process: VendorProcess) -> None:
    assert [await process.call(vendor.count), await process.call(vendor.count, 0.01)] == [1, 2]
    assert vendor.CALLS == [], "it was called here"


@pytest.mark.parametrize(
    "kind,error,says",
    [
        ("value", ValueError, "no such volume"),
        ("vendor", DriverFault, "VendorError: code 7 at the arm"),
        ("exit", OutcomeUnknown, "the process that called fail died"),
        ("die", OutcomeUnknown, "the process that called fail died"),
    ],
)
async def test_what_a_process_raises_or_its_death_arrives(
    process: VendorProcess, kind: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        await process.call(vendor.fail, kind)
    assert await process.call(vendor.count) == 1, "there is no new process"


async def test_a_process_that_is_given_up_on_ends(process: VendorProcess, tmp_path: Path) -> None:
    calling = asyncio.create_task(process.call(vendor.wait_for, tmp_path / "never"))
    await asyncio.sleep(0.05)
    child = process._process
    assert child is not None
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert not child.is_alive()
