"""The child's side of a child process: it says when it is ready and leaves with its parent.

The parent holds the other end of the child's standard input. When that closes, be it on purpose
or because the parent was killed, the child ends: this works alike on every operating system. On
the same line a parent can let a child end what it has in hand first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time

READY = "sdl-ready"
"""The line by which a child tells its parent that it does its work now."""
FINISH = b"finish\n"
"""What a parent writes to a child that is to end as soon as it has nothing in hand."""
GRACE_S = 4.0
"""Wall seconds that a child may take to end in good order, unless it says otherwise."""


def announce_ready(though: str = "") -> None:
    """Tell the parent; from here on standard output goes where standard error goes: to the log.

    ``though``: what a person should know all the same, on one line.
    """
    with contextlib.suppress(BrokenPipeError):  # it has died: its end of our input tells us, too
        sys.stdout.write(f"{READY} {though}".rstrip() + "\n")
        sys.stdout.flush()
    os.dup2(2, 1)


def until_parent_leaves(
    grace_s: float = GRACE_S, *, finish: asyncio.Event | None = None
) -> asyncio.Event:
    """An event that is set when the parent closes the line or asks this process to end.

    ``finish`` is set when the parent lets it end what it has in hand first. Ctrl-C reaches every
    process of a terminal; a child leaves it to its parent. A child that does not end in
    ``grace_s`` is ended the hard way.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(NotImplementedError):  # Windows has no such signal handlers
        loop.add_signal_handler(signal.SIGTERM, stop.set)

    def watch() -> None:
        # Not sys.stdin: a buffered reader that waits in a thread breaks the end of the interpreter.
        with contextlib.suppress(OSError):
            while said := os.read(0, 4096):
                if finish is not None and FINISH in said:
                    loop.call_soon_threadsafe(finish.set)
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stop.set)
        time.sleep(grace_s)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    return stop
