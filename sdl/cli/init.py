"""``sdl init``: a folder with a simulated lab, a protocol, a test of it, and a campaign."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from sdl.cli.console import say, short, write_json
from sdl.errors import Place, UserMistake

STARTER = {
    "lab.toml": "lab.toml",
    "campaign.toml": "campaign.toml",
    "protocols/dye_assay.py": "dye_assay.py.txt",
    "tests/test_dye_assay.py": "test_dye_assay.py.txt",
    "README.md": "README.md",
    ".gitignore": "gitignore.txt",
}
"""File in the new folder to file in ``sdl/cli/starter``."""


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make.")] = Path(
        "my-lab"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Make a folder with a simulated lab, a protocol and a campaign that work.

    An existing file is never overwritten: the folder must not hold any of the files yet.
    """
    taken = [name for name in STARTER if (folder / name).exists()]
    if taken:
        raise UserMistake(
            f"{taken[0]} is there already and is not overwritten; choose another folder",
            Place(str(folder)),
        )
    starter = files("sdl.cli") / "starter"
    try:
        for name, source in STARTER.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x") as file:
                file.write((starter / source).read_text())
    except OSError as error:
        raise UserMistake(
            f"cannot be written: {error.strerror}; choose another folder", Place(str(folder))
        ) from error
    if as_json:
        write_json("sdl.init/1", folder=folder.resolve(), files=list(STARTER))
        return
    say(f"Made {short(folder)}:")
    for name in STARTER:
        say(f"  {name}")
    say()
    say("Next:")
    say(f"  cd {folder}")
    say("  sdl check campaign.toml       what would be run, and whether it fits together")
    say("  sdl simulate campaign.toml    the whole campaign in virtual time, in seconds")
    say("  sdl run campaign.toml         the same over a real broker, 60 times as fast as a lab")
