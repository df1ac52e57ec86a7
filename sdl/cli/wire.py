"""``sdl wire``: the contract between orchestrator and nodes, for drivers in other languages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sdl.cli.console import tell
from sdl.errors import UserMistake
from sdl.wire.asyncapi import SPEC, files


def wire(
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FOLDER", help="Write all documents into this folder."),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="FOLDER", help="Do those in this folder still hold?"),
    ] = None,
) -> None:
    """Print what nodes and orchestrators say to each other, as an AsyncAPI 3.0 document.

    `--write FOLDER` writes it with a JSON Schema of each message, and the document of planner
    workers. The rules that no schema can tell stand in docs/wire/README.md.
    """
    made = files()
    if write is None and check is None:
        typer.echo(made[SPEC], nl=False)
    if write is not None:
        for name, text in made.items():
            path = write / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        tell(f"wrote {len(made)} documents into {write}")
    if check is not None:
        _compare(check, made)


def _compare(folder: Path, made: dict[str, str]) -> None:
    """UserMistake names the documents that are not what this software speaks."""
    wrong = [name for name, text in made.items() if _read(folder / name) != text]
    if wrong:
        raise UserMistake(
            f"{', '.join(wrong)} in {folder}: not what this version speaks; "
            f"write them anew with: sdl wire --write {folder}"
        )
    tell(f"{folder}: {len(made)} documents, all as this version speaks")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
