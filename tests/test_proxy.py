"""The proxy does to a line what a bad network does, and nothing to a good one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from sdl.testing.proxy import Proxy, proxy

PATIENCE_S = 5.0
MOMENT_S = 0.3


def serve(listener: socket.socket) -> None:
    """Answer every connection with what it says."""

    def answer(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            while said := peer.recv(65536):
                peer.sendall(said)

    with suppress(OSError):
        while True:
            threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


@pytest.fixture
def line() -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        with proxy(listener.getsockname()[1]) as made:
            yield made


def call(line: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), timeout=PATIENCE_S)


def say(peer: socket.socket, text: bytes) -> bytes:
    peer.sendall(text)
    heard = b""
    while len(heard) < len(text) and (more := peer.recv(65536)):
        heard += more
    return heard


def silent(peer: socket.socket) -> bool:
    """Whether nothing comes for a moment, not even an end."""
    peer.settimeout(MOMENT_S)
    try:
        peer.recv(1)
    except TimeoutError:
        return True
    finally:
        peer.settimeout(PATIENCE_S)
    return False


def ended(peer: socket.socket) -> bool:
    with suppress(ConnectionError):
        return peer.recv(1) == b""
    return True


def test_a_good_line_hands_everything_on(line: Proxy) -> None:
    with call(line) as peer:
        text = bytes(range(256)) * 4000
        threading.Thread(target=peer.sendall, args=(text,), daemon=True).start()
        heard = b""
        while len(heard) < len(text):
            heard += peer.recv(65536)
        assert heard == text
        assert line.open_links == 1


def test_a_cut_line_ends_what_is_open_and_refuses_what_comes(line: Proxy) -> None:
    with call(line) as before:
        assert say(before, b"ping") == b"ping"
        line.cut()
        assert ended(before)
    with call(line) as during:
        assert ended(during)
    line.heal()
    with call(line) as after:
        assert say(after, b"ping") == b"ping"


def test_a_half_open_line_swallows_and_tells_nobody_while_new_ones_are_good(line: Proxy) -> None:
    with call(line) as old:
        assert say(old, b"ping") == b"ping"
        line.half_open()
        old.sendall(b"lost")
        assert silent(old)
        with call(line) as new:
            assert say(new, b"ping") == b"ping"
        line.heal()
        old.sendall(b"lost, too")
        assert silent(old)


def test_a_stalled_line_loses_nothing(line: Proxy) -> None:
    with call(line) as old, socket.socket() as new:
        assert say(old, b"ping") == b"ping"
        line.stall()
        old.sendall(b"late")
        assert silent(old)
        new.settimeout(PATIENCE_S)
        new.connect(("127.0.0.1", line.port))  # by the system's queue: nobody has let it in
        new.sendall(b"hello")
        assert silent(new)
        line.heal()
        assert old.recv(16) == b"late"
        assert new.recv(16) == b"hello"


def test_a_slow_line_takes_its_time_until_it_is_healed(line: Proxy) -> None:
    with call(line) as peer:
        assert say(peer, b"ping") == b"ping"
        line.slow(20.0)
        began = time.monotonic()
        assert say(peer, b"12345") == b"12345"
        assert time.monotonic() - began > 5 / 20.0
        line.slow(1.0)
        peer.sendall(b"a minute long" * 5)
        assert silent(peer)
        line.heal()
        heard = b""
        while len(heard) < 65:
            heard += peer.recv(64)
        assert heard == b"a minute long" * 5


def test_a_line_to_nobody_ends_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with proxy(port) as line, call(line) as peer:
        assert ended(peer)
