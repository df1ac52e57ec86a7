"""The card that a served orchestrator leaves in its lab: where it listens, and the token for it.

Only the owner may read it. A process that was killed leaves its card behind; who reads it finds
out, and says so.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from sdl.errors import LabFault
from sdl.shell.broker import write_secret

SUFFIX = ".service.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One orchestrator that can be spoken to."""

    lab: str
    url: str
    """``http://127.0.0.1:PORT``."""
    token: str
    """Made anew at each start."""
    host: str
    """Name of the machine whose loopback that is; labs' folders are shared by machines."""
    pid: int
    campaign: str
    """The name on record."""

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return urlsplit(self.url).port or 0


_CARD = TypeAdapter(Card)


def card_path(folder: Path, lab: str) -> Path:
    """Where the card of a lab lies. ``folder``: the lab's ``.sdl``."""
    return folder / f"{lab}{SUFFIX}"


@contextmanager
def left(card: Card, folder: Path) -> Iterator[None]:
    """Leave the card for as long as the block; it appears whole, in place of any former one."""
    path = card_path(folder, card.lab)
    draft = folder / f".{path.name}.{card.pid}"
    folder.mkdir(parents=True, exist_ok=True)
    write_secret(draft, json.dumps(asdict(card)))
    draft.replace(path)
    try:
        yield
    finally:
        if _is(card, path):
            path.unlink(missing_ok=True)


def _is(card: Card, path: Path) -> bool:
    """Whether the card that lies there is this one, and not that of who has taken over."""
    try:
        return read(path) == card
    except LabFault:
        return False


def read(path: Path) -> Card:
    """The card in a file. LabFault if there is none, or none that can be read."""
    try:
        return _CARD.validate_json(path.read_bytes())
    except FileNotFoundError:
        raise LabFault(
            f"no orchestrator works on lab {path.name.removesuffix(SUFFIX)!r}: there is no {path}; "
            "start one with: sdl run CAMPAIGN, or sdl lab up LAB"
        ) from None
    except OSError as error:
        raise LabFault(
            f"{path} cannot be read ({error.strerror}); only who started the orchestrator may "
            "speak to it: do it as that user"
        ) from None
    except ValidationError:
        raise LabFault(
            f"{path} is no card of an orchestrator; if none is running, remove it"
        ) from None


def stale(card: Card) -> str:
    """What to tell a person of a card whose process has gone."""
    return (
        f"the orchestrator of lab {card.lab!r} (process {card.pid}, campaign {card.campaign}) is "
        "gone, and did not say good-bye; go on with: sdl run CAMPAIGN --resume, or, where "
        "campaigns shared the lab, sdl lab up LAB --resume"
    )


def is_elsewhere(card: Card) -> bool:
    """Whether it works on another machine, where its address leads nowhere from here."""
    return card.host != socket.gethostname()


if sys.platform == "win32":

    def is_gone(_card: Card) -> bool:
        """Whether its process has certainly ended; a refused connection tells the rest."""
        return False

else:

    def is_gone(card: Card) -> bool:
        """Whether its process has certainly ended; a refused connection tells the rest."""
        if is_elsewhere(card):
            return False
        try:
            os.kill(card.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # somebody else's: ours has gone, and its number is used again
            return True
        return False
