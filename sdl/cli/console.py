"""Where output goes: data to stdout, progress and errors to stderr."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sdl.errors import SdlError, UserMistake, UserMistakes

if TYPE_CHECKING:
    from rich.console import Console


def say(line: str = "") -> None:
    """One line of data."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tell(line: str = "") -> None:
    """One line of progress, or of an error."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def screen() -> Console:
    """The error stream as a rich console."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def write_json(schema: str, **content: object) -> None:
    """The one JSON document of a command; ``schema`` is its name and version, ``sdl.check/1``."""
    document = {"schema": schema, **{key: plain(value) for key, value in content.items()}}
    say(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: object) -> object:
    """A value as JSON knows it; a number that is not finite becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(item) for name, item in dataclasses.asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return str(value)


def write_error(error: SdlError, exit_code: int, *, as_json: bool) -> None:
    """Tell an error in words, and as a document too where one was asked for."""
    tell(f"sdl: {error}")
    if not as_json:
        return
    mistakes = error.mistakes if isinstance(error, UserMistakes) else (error,)
    content = {"code": type(error).__name__, "exit": exit_code, "message": str(error)}
    write_json("sdl.error/1", error={**content, "mistakes": [_mistake(m) for m in mistakes]})


def _mistake(error: SdlError) -> dict[str, object]:
    if not isinstance(error, UserMistake):
        return {"message": str(error), "file": None, "line": None}
    place = error.place
    return {
        "message": error.message,
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
    }


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of text, columns aligned, for people and for grep."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [headings, *rows]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in lines
    ]


def short(path: Path) -> str:
    """A path as seen from here, where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
