"""From what a person names, a lab file, a campaign file, a database, to the open record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sdl.cli.console import short
from sdl.errors import Place, RecordFault, UserMistake
from sdl.wire.toml import LabFile, open_campaign, open_lab
from sdl.wire.toml_table import TomlFile, did_you_mean

if TYPE_CHECKING:
    from sdl.shell.record import Record

NAMED = "a lab, campaign or record file, or its folder, or go to the lab's folder and name none"

SHORT = ("run", "suggestion")
"""What may be named without its campaign."""

SIMULATED = "simulated"
"""Folder beside ``lab.toml`` with the records of ``sdl simulate``."""
SHOWN = 3

Where: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--in",
        "--lab",
        metavar="WHERE",
        help="A lab, campaign or record file, its folder, or a database URL; else ./lab.toml.",
    ),
]

Fresh: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--fresh",
        metavar="PLATE",
        help="A new plate stands there, none of whose wells is used; more than once, or all.",
    ),
]


def record_url(where: str | None) -> str:
    """The address of the record that is meant. UserMistake if there is no such thing."""
    if where is None:
        if not Path("lab.toml").exists():
            raise UserMistake("there is no lab.toml here; name a lab, or go to its folder")
        where = "lab.toml"
    if "://" in where:
        return where
    path = Path(where)
    if path.is_dir():
        path /= "lab.toml"
    if path.suffix == ".toml":
        return lab_named(path).record_url
    if not path.exists():
        raise UserMistake(f"there is no such file; name {NAMED}", Place(where))
    return f"sqlite:///{path.resolve()}"


def lab_named(path: Path) -> LabFile:
    """The lab of a lab file, or the one that a campaign file names. UserMistake(s)."""
    is_campaign = "campaign" in TomlFile(path).top
    return open_lab(open_campaign(path).lab_path if is_campaign else path)


@contextmanager
def opened(where: str | None) -> Iterator[Record]:
    """The record, open for as long as the block. RecordFault if it is not there."""
    from sdl.shell.record import Record

    url = record_url(where)
    path = Path(url.partition(":///")[2])
    if url.startswith("sqlite:///") and not path.exists():
        raise RecordFault(f"there is no record at {short(path)}; {_instead(path)}")
    record = Record.open(url, create=False)
    try:
        yield record
    finally:
        record.close()


def _instead(path: Path) -> str:
    """Where a person who misses a lab's record may find one: it may be a simulated one's."""
    folder = path.parent / SIMULATED
    found = sorted(folder.glob("*.sqlite"), key=lambda each: each.stat().st_mtime, reverse=True)
    if not found:
        return "`sdl run CAMPAIGN` makes one"
    named = " or ".join(f"--in {short(each)}" for each in found[:SHOWN])
    more = f" or another of {len(found)} there" if len(found) > SHOWN else ""
    return f"`sdl run CAMPAIGN` makes one. Of simulations: {named}{more}"


def chosen_campaign(record: Record, name: str | None) -> str:
    """The named campaign, or the one that started last. UserMistake if there is none."""
    names = [one.campaign.campaign for one in record.campaigns()]
    if not names:
        raise UserMistake("the record holds no campaign yet; `sdl run CAMPAIGN` begins one")
    if name is None:
        return names[-1]
    if name not in names:
        raise UserMistake(f"the record holds no campaign {name!r}; {did_you_mean(name, names)}")
    return name


def full_name(record: Record, name: str) -> str:
    """``run-7`` is that of the campaign that started last; ``dye-450/run-7`` stays as it is."""
    first = name.partition("/")[0]
    short = first.rpartition("-")[0] in SHORT and first.rpartition("-")[2].isdigit()
    names = [one.campaign.campaign for one in record.campaigns()]
    return f"{names[-1]}/{name}" if short and names and first not in names else name


def folders(where: str | None) -> list[Path]:
    """Folders that a path in the record may be relative to: here, and around the named file."""
    if where is None or "://" in where:
        return [Path.cwd()]
    path = Path(where).resolve()
    return [path if path.is_dir() else path.parent, path.parent.parent, Path.cwd()]
