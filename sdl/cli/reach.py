"""From the lab that a person means to the orchestrator that works on it, and what all acts carry.

Reads the lab's files as little as it can: a person who wants to stop something must not be held
up by a mistake that somebody has just made in a file.
"""

from __future__ import annotations

import getpass
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from sdl.cli.console import short, tell
from sdl.errors import LabFault, Place, UserMistake
from sdl.service.caller import Caller
from sdl.service.card import SUFFIX, Card, card_path, is_gone, read

BELOW = ("", "*/", "*/*/", "*/*/*/")
"""Folders that are looked through for cards, where no lab is named and none is here."""
FILES = ("lab.toml", "campaign.toml")
RUN = "run-"

Lab: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--lab",
        "--in",
        metavar="PATH",
        help="lab.toml, campaign.toml or their folder; else here, or the one at work below.",
    ),
]


def _written(text: str | None) -> str | None:
    """A person's words as every message can carry them: a terminal may give what is no Unicode."""
    return text and text.encode("utf-8", "replace").decode()


By: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="NAME", callback=_written, help="Who says so; else your user name."
    ),
]
Note: TypeAlias = Annotated[
    str,
    typer.Option(
        "--note",
        metavar="TEXT",
        callback=_written,
        help="Why, in your words; it is put on record.",
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A lab as far as it need be known to speak to it."""

    folder: Path
    name: str
    """Empty where its file does not say."""
    broker: str = "embedded"

    @property
    def dot_sdl(self) -> Path:
        """Where its runs keep what belongs to them."""
        return self.folder / ".sdl"

    def card(self) -> Card:
        """The card of its orchestrator. LabFault if there is none, UserMistake if several are."""
        if self.name:
            return read(card_path(self.dot_sdl, self.name))
        cards = list(_readable(self.dot_sdl))
        alive = [card for card in cards if not is_gone(card)]
        if len(alive) > 1:
            named = ", ".join(f"{card.lab!r} ({card.campaign})" for card in alive)
            raise UserMistake(f"several labs are at work: {named}; name one by its file: --lab")
        if not cards:
            raise LabFault(
                f"no orchestrator works in {short(self.folder)}; start one with: sdl run CAMPAIGN"
            )
        return (alive or cards)[-1]


def person(by: str | None) -> str:
    """Who speaks. UserMistake if that cannot be told."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise UserMistake("your user name cannot be told here; say it with --by NAME") from None


def caller(lab: Path | None) -> Caller:
    """Who speaks to the orchestrator that is meant.

    UserMistake if there is no such lab, LabFault if nobody works on it.
    """
    return Caller(spot(lab).card())


def spot(lab: Path | None) -> Spot:
    """The lab at a path, or here; else the one below that is at work.

    UserMistake if what is named is not there, or nothing is named and none or several are at work.
    """
    if lab is None:
        here = [Path(name) for name in FILES if Path(name).is_file()]
        return _of_file(here[0]) if here else _at_work_below()
    if lab.is_dir():
        inside = [lab / name for name in FILES if (lab / name).is_file()]
        return _of_file(inside[0]) if inside else Spot(folder=lab.resolve(), name="")
    if not lab.exists():
        raise UserMistake(
            "there is no such file; name a lab or campaign file, or its folder", Place(str(lab))
        )
    return _of_file(lab)


def _at_work_below() -> Spot:
    spots = {  # a set: links may lead to one folder in several ways
        Spot(folder=folder.parent.resolve(), name=card.lab)
        for below in BELOW
        for folder in sorted(Path.cwd().glob(f"{below}.sdl"))
        for card in _readable(folder)
        if not is_gone(card)
    }
    if not spots:
        raise UserMistake(
            "there is no lab.toml here, and no orchestrator of yours works in a folder below; "
            "go to the lab's folder, or name it: --lab lab.toml"
        )
    if len(spots) > 1:
        named = ", ".join(sorted(f"{one.name!r} in {short(one.folder)}" for one in spots))
        raise UserMistake(f"several labs are at work: {named}; name one: --lab FOLDER")
    return spots.pop()


def _of_file(path: Path) -> Spot:
    top = _top(path)
    campaign = top.get("campaign")
    if isinstance(campaign, dict) and isinstance(campaign.get("lab"), str):
        path = path.parent / campaign["lab"]
        top = _top(path)
    lab = top.get("lab")
    known = lab if isinstance(lab, dict) else {}
    return Spot(
        folder=path.resolve().parent,
        name=str(known.get("name", "")),
        broker=str(known.get("broker", "embedded")),
    )


def _top(path: Path) -> dict[str, object]:
    """A file's top table; empty where it cannot be read, and a word about that."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        tell(f"{short(path)} cannot be read ({error}); looking for what runs in its folder")
        return {}


def _readable(folder: Path) -> Iterator[Card]:
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            yield read(path)
        except LabFault as fault:
            tell(str(fault))


def meant(name: str, speaker: Caller) -> str:
    """The whole name of what a person named: of the campaign at work, where there is one alone."""
    campaign = speaker.card.campaign
    if full(name, campaign) != name:
        at_work = speaker.lab().campaigns
        campaign = at_work[0].campaign if len(at_work) == 1 else campaign
    return full(name, campaign)


def full(name: str, campaign: str) -> str:
    """``run-7/step-2`` is that of the campaign at work; any other name stays as it is."""
    first = name.partition("/")[0]
    is_run = first.startswith(RUN) and first.removeprefix(RUN).isdigit()
    return f"{campaign}/{name}" if is_run else name
