"""Writes the picture of a campaign, or of a lab's session, as SVG or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sdl.cli.console import short, tell
from sdl.errors import Place, UserMistake

if TYPE_CHECKING:
    from sdl.shell.record import Record

KINDS = (".svg", ".html")


def _drawable(path: Path | None) -> Path | None:
    if path is not None and path.suffix not in KINDS:
        raise typer.BadParameter("name a file that ends in .svg or .html")
    if path is not None and not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}")
    return path


Gantt: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--gantt",
        metavar="FILE",
        callback=_drawable,
        help="Draw instruments against time, planned, expected and actual: .svg or .html.",
    ),
]
Picture: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="FILE", callback=_drawable, help="To write: .svg or .html."),
]


def draw_record(url: str, name: str, folder: Path, path: Path) -> None:
    """Draw a campaign, or a session, of the record at an address."""
    from sdl.shell.record import Record

    record = Record.open(url, create=False)
    try:
        draw(record, name, folder, path)
    finally:
        record.close()


def draw(record: Record, name: str, folder: Path, path: Path) -> None:
    """Draw a campaign, or a session, of an open record.

    ``folder``: of the lab's file. UserMistake if the picture cannot be written.
    """
    from sdl.shell.gantt import svg
    from sdl.shell.gantt_page import page
    from sdl.shell.timetable import timetable

    table = timetable(record, name, folder)
    try:
        path.write_text(svg(table) if path.suffix == ".svg" else page(table), encoding="utf-8")
    except OSError as error:
        raise UserMistake(f"cannot be written: {error.strerror}", Place(str(path))) from error
    tell(f"drawn: {short(path)}")
