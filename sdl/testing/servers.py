"""Real servers on a free loopback port for the length of a test: Mosquitto, or any command."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sdl.errors import LabFault

START_S = 30.0
"""Wall seconds that a server may take to listen, or to end."""
SBIN = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/usr/bin", "/opt/homebrew/bin")
"""Where servers stand that are not on everybody's PATH."""


def find_program(name: str, *folders: str) -> str | None:
    """Full path of a program, from PATH or one of the folders; None if it is not installed."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a broker shows to prove who it is, as PEM files."""

    chain: Path
    key: Path


@contextmanager
def mosquitto(
    folder: Path, port: int | None = None, certificate: Certificate | None = None
) -> Iterator[str]:
    """A Mosquitto broker, as a lab should configure it; yields its URL, password included.

    ``folder``: for its files. ``certificate``: speak TLS, as ``localhost``. LabFault if it is not
    installed or does not come up.
    """
    program, passwords = find_program("mosquitto", *SBIN), find_program("mosquitto_passwd", *SBIN)
    if program is None or passwords is None:
        raise LabFault("the program 'mosquitto' is not installed")
    password = secrets.token_hex(16)
    secret = folder / "passwords"
    secret.unlink(missing_ok=True)
    words = [passwords, "-b", "-c", str(secret), "sdl", password]
    subprocess.run(words, check=True, capture_output=True)
    port = port or free_port()
    config = folder / "mosquitto.conf"
    config.write_text(mosquitto_config(port, secret, certificate), encoding="utf-8")
    entry = "mqtt://{}@127.0.0.1:{}" if certificate is None else "mqtts://{}@localhost:{}"
    with server([program, "-c", str(config)], port, folder / "mosquitto.log"):
        yield entry.format(f"sdl:{password}", port)


def mosquitto_config(port: int, passwords: Path, certificate: Certificate | None = None) -> str:
    """The settings that a lab's broker should have, too."""
    lines = [
        f"listener {port} 127.0.0.1",
        "set_tcp_nodelay true",
        "max_inflight_messages 100",
        "max_queued_messages 0",
        "persistence false",
        "allow_anonymous false",
        f"password_file {passwords}",
    ]
    if certificate is not None:
        lines += [f"certfile {certificate.chain}", f"keyfile {certificate.key}"]
    if os.name == "posix" and os.geteuid() == 0:
        lines.append("user root")  # else it changes to a user who cannot read the folder
    return "\n".join(lines) + "\n"


@contextmanager
def server(
    command: Sequence[str], port: int, log: Path, owner: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends. LabFault, with its log, if it does not come up.

    ``owner``: number of the user to run it as; ourselves if None.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            user=owner,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for_port(process, port, log)
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # for PostgreSQL: end now, but in good order
        try:
            process.wait(timeout=START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0):
                return
        except OSError:
            time.sleep(0.02)
    said = log.read_text(encoding="utf-8", errors="replace")
    raise LabFault(f"{process.args!r} did not come up on port {port}:\n{said}")
