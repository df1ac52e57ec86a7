"""Serves the API in the orchestrator's own loop, for as long as the orchestrator works."""

from __future__ import annotations

import asyncio
import importlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sdl.service.card import Card, left
from sdl.shell.desk import Desk

if TYPE_CHECKING:
    from uvicorn import Server

LOOPBACK = "127.0.0.1"
TOKEN_BYTES = 32
BACKLOG = 32
GRACE_S = 2
"""Wall seconds that answers under way may take once the orchestrator has ended."""


@asynccontextmanager
async def served(desk: Desk, folder: Path, lab: str) -> AsyncIterator[None]:
    """Let people reach the desk during the block.

    ``folder``: the lab's ``.sdl``, where the card with address and token lies meanwhile. ``lab``:
    its name.
    """
    await asyncio.to_thread(_load)  # the loop goes on meanwhile
    with socket.create_server((LOOPBACK, 0), backlog=BACKLOG) as listener:
        port = int(listener.getsockname()[1])
        card = Card(
            lab=lab,
            url=f"http://{LOOPBACK}:{port}",
            token=secrets.token_urlsafe(TOKEN_BYTES),
            host=socket.gethostname(),
            pid=os.getpid(),
            campaign=desk.lab().name,
        )
        server = _server(desk, card)
        serving = asyncio.create_task(server.serve([listener]), name="service")
        try:
            with left(card, folder):  # who calls before the server is ready waits at the socket
                yield
        finally:
            server.should_exit = True
            await serving


def _load() -> None:
    """Load what serves, a matter of half a second."""
    importlib.import_module("uvicorn")
    importlib.import_module("sdl.service.api")


def _server(desk: Desk, card: Card) -> Server:
    """A server of one process, without words of its own."""
    import uvicorn

    from sdl.service.api import api
    from sdl.service.gate import Gate

    class InOurLoop(uvicorn.Server):
        """Leaves signals to those who began the loop."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return InOurLoop(
        uvicorn.Config(
            Gate(api(desk), token=card.token, port=card.port),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
