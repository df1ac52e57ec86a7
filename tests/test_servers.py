"""The servers that tests ask for are real, closed to strangers, and separate where they say so."""

from __future__ import annotations

from urllib.parse import urlsplit

import aiomqtt
import psycopg
import pytest


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
