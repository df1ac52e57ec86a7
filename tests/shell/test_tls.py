"""``mqtts://`` speaks TLS to a real broker, and to none whose certificate nobody vouches for."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from sdl.errors import LabFault
from sdl.shell.bus import Message
from sdl.shell.mqtt_bus import MqttBus
from sdl.testing.servers import Certificate
from sdl.testing.servers import mosquitto as running

PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secure(
    mosquitto: str, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """URL of a broker with a certificate; the plain one is asked for to skip alike."""
    folder = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("localhost")
    certificate = Certificate(chain=folder / "chain.pem", key=folder / "key.pem")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(certificate.chain, append=True)
    issued.private_key_pem.write_to_path(certificate.key)
    with running(folder, certificate=certificate) as url:
        yield url


async def test_a_message_goes_there_and_back_over_tls(
    secure: str, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    bus = MqttBus(secure, "tls")
    await bus.subscribe("sdl/tls")
    await bus.connect()
    await bus.publish("sdl/tls", b"hello")
    async with asyncio.timeout(PATIENCE_S):
        assert await anext(bus.messages()) == Message("sdl/tls", b"hello")
    await bus.aclose()


async def refusal(url: str) -> str:
    bus = MqttBus(url, "stranger")
    try:
        await bus.connect()
    except LabFault as fault:
        return str(fault)
    finally:
        await bus.aclose()
    return "it connected"


def test_a_broker_that_nobody_vouches_for_is_refused(secure: str) -> None:
    with warnings.catch_warnings():
        # paho forgets to close the socket of a handshake that failed; collect it here and now.
        warnings.simplefilter("ignore", ResourceWarning)
        told = asyncio.run(refusal(secure))
        gc.collect()
    assert "certificate" in told
