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
from dataclasses import dataclass, field
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


@dataclass(slots=True, kw_only=True)
class Server:
    """A server's process, which can die and come back on its port with what it kept."""

    command: Sequence[str]
    port: int
    log: Path
    """Receives all that it prints; it works in the log's folder."""
    owner: int | None = None
    """Number of the user to run it as; ourselves if None."""
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it, and return once it listens. LabFault, with its log, if it does not come up."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                user=self.owner,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        _wait_for_port(self.process, self.port, self.log)

    def stop(self) -> None:
        """End it in good order, and by force if that takes too long; safe to call twice."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)  # for PostgreSQL: end now, but in good order
        try:
            self.process.wait(timeout=START_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def server(
    command: Sequence[str], port: int, log: Path, owner: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends. LabFault, with its log, if it does not come up.

    ``owner``: number of the user to run it as; ourselves if None.
    """
    running = Server(command=command, port=port, log=log, owner=owner)
    try:
        running.start()
        assert running.process is not None
        yield running.process
    finally:
        running.stop()


@contextmanager
def mosquitto(
    folder: Path, port: int | None = None, certificate: Certificate | None = None
) -> Iterator[str]:
    """A Mosquitto broker, as a lab should configure it; yields its URL, password included.

    ``folder``: for its files. ``certificate``: speak TLS, as ``localhost``. LabFault if it is not
    installed or does not come up.
    """
    broker, url = mosquitto_server(folder, port, certificate)
    with server(broker.command, broker.port, broker.log):
        yield url


def mosquitto_server(
    folder: Path,
    port: int | None = None,
    certificate: Certificate | None = None,
    *,
    persistence: bool = False,
) -> tuple[Server, str]:
    """A Mosquitto broker that has not been started, and its URL, password included.

    ``persistence``: it keeps its sessions over a restart, and over a kill those that it had
    written by then. LabFault if it is not installed.
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
    kept = folder if persistence else None
    config.write_text(mosquitto_config(port, secret, certificate, kept), encoding="utf-8")
    entry = "mqtt://{}@127.0.0.1:{}" if certificate is None else "mqtts://{}@localhost:{}"
    command = [program, "-c", str(config)]
    broker = Server(command=command, port=port, log=folder / "mosquitto.log")
    return broker, entry.format(f"sdl:{password}", port)


def mosquitto_config(
    port: int, passwords: Path, certificate: Certificate | None = None, kept: Path | None = None
) -> str:
    """The settings that a lab's broker should have, too.

    ``kept``: folder for the sessions that outlive it; None: it forgets them.
    """
    lines = [
        f"listener {port} 127.0.0.1",
        "set_tcp_nodelay true",
        "max_inflight_messages 100",
        "max_queued_messages 0",
        "allow_anonymous false",
        f"password_file {passwords}",
    ]
    if kept is None:
        lines.append("persistence false")
    else:
        lines += ["persistence true", f"persistence_location {kept}/", "autosave_interval 1"]
    if certificate is not None:
        lines += [f"certfile {certificate.chain}", f"keyfile {certificate.key}"]
    if os.name == "posix" and os.geteuid() == 0:
        lines.append("user root")  # else it changes to a user who cannot read the folder
    return "\n".join(lines) + "\n"


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
