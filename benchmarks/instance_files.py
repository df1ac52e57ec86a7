"""Instances by what stands in their files, whatever these are called."""

from __future__ import annotations

import re
from pathlib import Path

from instance import Instance, mistake, text_of
from instance_project import read_project
from instance_shop import read_shop
from instance_slab import TABLES, read_slab
from instance_workcell import read_workcell

FOUR_NUMBERS = re.compile(r"\s*\d+\s+\d+\s+\d+\s+\d+\s*$")


def read_instance(path: Path) -> Instance:
    """The instance in a file or folder, its format told by its content.

    UserMistake with file and line if it is of none of the five formats, or broken.
    """
    if path.is_dir():
        missing = [name for name in TABLES if not (path / f"{name}.tsv").is_file()]
        if missing:
            raise mistake(path, None, f"has no {missing[0]}.tsv; an S-LAB folder holds 4 tables")
        return read_slab(path)
    text = text_of(path)
    if text.lstrip().startswith("{"):
        return read_workcell(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    return read_project(path) if FOUR_NUMBERS.match(first) else read_shop(path)
