"""The servers that tests ask for are real, closed to strangers, and separate where they say so."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import psycopg
import pytest

from sdl.testing.postgres import postgres as running_postgres
from sdl.testing.servers import mosquitto_server


async def test_mosquitto_hands_a_message_on(mosquitto: str) -> None:
    url = urlsplit(mosquitto)
    assert url.hostname is not None
    async with aiomqtt.Client(
        url.hostname, url.port or 0, username=url.username, password=url.password
    ) as client:
        await client.subscribe("test/servers", qos=1)
        await client.publish("test/servers", b"ping", qos=1)
        message = await anext(client.messages)
    assert message.payload == b"ping"


async def test_mosquitto_refuses_a_stranger(mosquitto: str) -> None:
    url = urlsplit(mosquitto)
    assert url.hostname is not None
    client = aiomqtt.Client(url.hostname, url.port or 0, username="sdl", password="wrong")
    with pytest.raises(aiomqtt.MqttError):
        await client.__aenter__()


def test_a_fresh_database_is_empty_and_has_its_own_name(fresh_postgres: str, postgres: str) -> None:
    assert fresh_postgres != postgres
    with psycopg.connect(fresh_postgres.replace("+psycopg", "")) as connection:
        row = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchone()
    assert row == (0,)


def test_postgres_refuses_a_stranger(postgres: str) -> None:
    url = urlsplit(postgres)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=url.hostname, port=url.port, user="sdl", password="wrong")


async def test_a_broker_that_keeps_sessions_hands_on_over_a_restart_on_its_port(
    tmp_path: Path,
) -> None:
    broker, address = mosquitto_server(tmp_path, persistence=True)
    url = urlsplit(address)

    def client() -> aiomqtt.Client:
        return aiomqtt.Client(
            url.hostname or "",
            url.port or 0,
            username=url.username,
            password=url.password,
            identifier="keeps",
            clean_session=False,
        )

    broker.start()
    try:
        async with client() as first:
            await first.subscribe("test/kept", qos=1)
        async with aiomqtt.Client(
            url.hostname or "", url.port or 0, username=url.username, password=url.password
        ) as other:
            await other.publish("test/kept", b"for later", qos=1)
        broker.stop()
        assert not broker.runs
        broker.start()
        async with client() as again:
            message = await anext(again.messages)
        assert message.payload == b"for later"
        broker.kill()
        assert not broker.runs
        broker.start()
        assert broker.runs
    finally:
        broker.stop()


def test_postgres_keeps_what_was_committed_over_a_stop() -> None:
    with running_postgres() as server:
        address = server.add_database().replace("+psycopg", "")
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        with psycopg.connect(address) as broken:
            server.stop()
            with pytest.raises(psycopg.OperationalError):
                broken.execute("SELECT 1")
        server.start()
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
