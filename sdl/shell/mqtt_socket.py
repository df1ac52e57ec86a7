"""A socket that gathers: one system call for all packets of a turn of the loop, not some for each.

The MQTT library reads a packet byte by byte and writes each by itself; a command is three packets
at its node, and the calls cost more than all else that is done for it.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiomqtt.types import PahoSocket

READ_BYTES = 16 * 1024
"""What is read at once; all of it is handled before anything else has its turn."""
FULL_BYTES = 256 * 1024
"""From here on more has to wait until the line has taken some."""

_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class GatheringSocket:
    """What the MQTT library asks of a socket; nothing leaves before ``flush``."""

    def __init__(self, sock: PahoSocket) -> None:
        self._sock = sock
        self._read = b""
        self._at = 0
        self._unsent = bytearray()
        self._broken: OSError | None = None

    def recv(self, buffer_size: int) -> bytes:
        """At most so many bytes; none at the end of the line. What the socket raises."""
        if self._at >= len(self._read):
            self._read, self._at = self._sock.recv(READ_BYTES), 0
        found = self._read[self._at : self._at + buffer_size]
        self._at += len(found)
        return found

    def pending(self) -> int:
        """Bytes that are here already, so that the loop will not tell of them."""
        here = len(self._read) - self._at
        if here == 0 and isinstance(self._sock, ssl.SSLSocket):
            return self._sock.pending()
        return here

    def send(self, buffer: bytes | bytearray) -> int:
        """Take bytes to be sent. BlockingIOError while too many wait; OSError of the last flush."""
        if self._broken is not None:
            raise self._broken
        if len(self._unsent) >= FULL_BYTES:
            raise BlockingIOError
        self._unsent += buffer
        return len(buffer)

    def flush(self) -> bool:
        """Send what was taken; False if some of it has to wait until the line is free again."""
        try:
            while self._unsent:
                del self._unsent[: self._sock.send(self._unsent)]
        except _NOT_NOW:
            return False
        except OSError as error:  # the library hears of it when it next reads or sends
            self._broken = error
            self._unsent.clear()
        return True

    def close(self) -> None:
        """Send the rest if that can be done at once, and close."""
        if self._sock.fileno() >= 0:
            self.flush()
        self._sock.close()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 -- as the library calls it
        """As the socket itself."""
        self._sock.setblocking(flag)

    def fileno(self) -> int:
        """Of the socket itself."""
        return self._sock.fileno()
