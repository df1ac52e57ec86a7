"""``[alert]`` of ``lab.toml``: whom to call when a person is needed."""

from __future__ import annotations

import shutil
from pathlib import Path

from sdl.model.alert import Alert
from sdl.wire.toml_table import Table, said

LONGEST_S = 3600.0
"""Wall seconds that a call may take at most."""


def read_alert(top: Table) -> Alert | None:
    """What the table says; None where there is none. Mistakes are noted in the file."""
    if "alert" not in top:
        return None
    table = top.table("alert")
    usual = Alert(command=("true",))
    alert = Alert(
        command=_command(table),
        timeout_s=_seconds(table, "timeout_s", usual.timeout_s, LONGEST_S),
        every_s=_seconds(table, "every_s", usual.every_s, 24 * LONGEST_S),
        held_s=_seconds(table, "held_s", usual.held_s, 30 * 24 * LONGEST_S),
    )
    table.close()
    return alert


def _command(table: Table) -> tuple[str, ...]:
    value = table.take("command", '["./call.sh", "lab 3"]')
    words = [value] if isinstance(value, str) else value
    if words is None:
        return ()
    if not isinstance(words, list) or not words or not all(isinstance(w, str) for w in words):
        table.mistake("command", f"needs a program and its arguments in a list, not {said(value)}")
        return ()
    return tuple(map(str, words))


def _seconds(table: Table, key: str, usual: float, most: float) -> float:
    seconds = table.number(key, usual)
    if not 0 < seconds <= most:
        table.mistake(key, f"{seconds:g} is out of range; use more than 0, at most {most:g}")
    return seconds


def program_of(alert: Alert, folder: Path) -> Path | None:
    """The program that is run; None where there is none that may be.

    ``folder``: of ``lab.toml``.
    """
    name = alert.command[0]
    found = shutil.which(str(folder / name) if "/" in name else name)
    return None if found is None else Path(found)
