"""A stop of everything that goes straight to the broker."""

from __future__ import annotations

import pytest

from sdl.errors import LabFault
from sdl.service.alarm import Echo, stop_everything
from sdl.testing.servers import free_port
from tests.service.nodes import SAFE, SILENT, node


async def stopped(url: str, lab: str, listen_s: float = 5.0) -> Echo:
    return await stop_everything(url, lab, by="anna", note="smoke", listen_s=listen_s)


async def test_it_reaches_every_node_and_hears_who_is_safe(mosquitto: str) -> None:
    with node(mosquitto, "alarm-1", {"handler": SAFE, "reader": "the lid is open"}) as heard:
        echo = await stopped(mosquitto, "alarm-1")
    assert [(each.by, each.note) for each in heard] == [("anna", "smoke")]
    assert (echo.safe, echo.unsafe, echo.silent) == (
        {"handler"},
        {"reader": "the lid is open"},
        set(),
    )


async def test_who_says_nothing_is_named(mosquitto: str) -> None:
    with node(mosquitto, "alarm-2", {"handler": SAFE, "reader": SILENT}):
        echo = await stopped(mosquitto, "alarm-2", listen_s=0.3)
    assert (echo.safe, echo.silent) == ({"handler"}, {"reader"})


async def test_it_stops_no_other_lab(mosquitto: str) -> None:
    with node(mosquitto, "alarm-3", {"handler": SAFE}) as heard:
        echo = await stopped(mosquitto, "alarm-4", listen_s=0.3)
    assert (heard, echo.instruments) == ([], set())


async def test_without_a_broker_it_says_so() -> None:
    with pytest.raises(LabFault, match="cannot be reached"):
        await stopped(f"mqtt://127.0.0.1:{free_port()}", "alarm-5")
