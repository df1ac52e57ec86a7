"""Brokers for the tests of this room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from sdl.shell.broker import embedded_broker


@pytest.fixture(params=["mosquitto", "embedded"])
async def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a real broker: once Mosquitto, once our embedded one."""
    if request.param == "mosquitto":
        yield cast("str", request.getfixturevalue("mosquitto"))
        return
    async with embedded_broker(tmp_path) as url:
        yield url
