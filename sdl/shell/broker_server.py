"""The child process of the embedded broker."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import ItemsView, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter  # type: ignore[import-untyped]
from amqtt.broker import Broker  # type: ignore[import-untyped]
from amqtt.errors import AMQTTError  # type: ignore[import-untyped]
from amqtt.plugins.base import BaseAuthPlugin  # type: ignore[import-untyped]
from amqtt.session import Session  # type: ignore[import-untyped]

from sdl.shell.broker import URL_FILE, write_secret
from sdl.shell.lifeline import announce_ready, until_parent_leaves

LISTENER = "default"


class OnePassword(BaseAuthPlugin):  # type: ignore[misc]  # amqtt has no types
    """Lets in whoever knows the user and the password that were made for this run."""

    @dataclass
    class Config:
        """What the plugin is given."""

        user: str
        password: str

    async def authenticate(self, *, session: Session) -> bool:
        """Compare in constant time."""
        given = f"{session.username or ''}:{session.password or ''}"
        wanted = f"{self.context.config.user}:{self.context.config.password}"
        return hmac.compare_digest(given.encode(), wanted.encode())


def _fresh() -> tuple[str, str, int]:
    """A new user and password, and whichever port the system chooses."""
    return f"sdl-{secrets.token_hex(4)}", secrets.token_urlsafe(24), 0


def _former(address: Path) -> tuple[str, str, int] | None:
    """User, password and port of the broker that was here; None if there was none."""
    if not address.exists():
        return None
    parts = urlsplit(address.read_text(encoding="utf-8"))
    assert parts.username
    assert parts.password
    return parts.username, parts.password, parts.port or 0


class Steady(dict[str, list[tuple[Session, int]]]):
    """May be changed while somebody goes through it."""

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self.keys()))

    def items(self) -> ItemsView[str, list[tuple[Session, int]]]:  # type: ignore[override]
        """As they are now."""
        return dict(zip(self.keys(), self.values(), strict=True)).items()


class _SteadyBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt 0.12 goes through all filters, and waits on the way, to give a client what was kept.

    Where another client subscribes meanwhile, that ends in a RuntimeError, and the first one is
    never heard. Nor does it ask whose filters they are: a new client is told what others wanted.
    """

    def __init__(self, config: dict[str, object]) -> None:
        super().__init__(config)
        self._subscriptions = Steady()

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        theirs = self._subscriptions.get(subscription[0], ())
        if any(one.client_id == session.client_id for one, _ in theirs):
            await super()._publish_retained_messages_for_subscription(subscription, session)


async def serve(folder: Path) -> None:
    """Listen on a loopback port, with its address in ``folder``, and end with the parent.

    Where that folder holds an address, its broker has died, and this one takes its place.
    """
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(name)s: %(message)s")
    user, password, port = _former(folder / URL_FILE) or _fresh()
    broker = _SteadyBroker(
        {
            "listeners": {LISTENER: {"type": "external"}},
            "plugins": {
                f"{OnePassword.__module__}.{OnePassword.__qualname__}": {
                    "user": user,
                    "password": password,
                }
            },
        }
    )
    await broker.start()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(AMQTTError, ConnectionError, asyncio.CancelledError):
            await broker.external_connected(
                StreamReaderAdapter(reader), StreamWriterAdapter(writer), LISTENER
            )

    # Our own socket: a port that the system chooses, where amqtt wants to be told one.
    server = await asyncio.start_server(welcome, "127.0.0.1", port)
    port = server.sockets[0].getsockname()[1]
    write_secret(folder / URL_FILE, f"mqtt://{user}:{password}@127.0.0.1:{port}")
    stop = until_parent_leaves()
    announce_ready()
    await stop.wait()
    server.close()
    logging.disable()  # amqtt reports each of its tasks that is cancelled now
