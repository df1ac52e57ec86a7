"""What the code needs is declared, and what the tree holds is in the source archive."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOMS = ("sdl", "sdl_drivers", "sdl_protocols", "sdl_simulators")
BROUGHT_BY = {"gpytorch": "botorch", "pydantic_core": "pydantic", "torch": "botorch"}
"""Libraries whose version is the business of the one that they are a part of."""


def imported(text: str) -> set[str]:
    """First names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def declared(root: Path) -> set[str]:
    """Distributions that pyproject.toml names for those who use or test the project."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        lines += extra
    return {re.split(r"[\[<>=!~ ]", line, maxsplit=1)[0].lower() for line in lines}


def test_every_library_that_is_imported_is_declared(root: Path, python: dict[Path, str]) -> None:
    where = packages_distributions()
    there = declared(root)
    missing = {
        f"{path}: {name}"
        for path, text in python.items()
        if set(path.parts) & set(ROOMS)
        for name in imported(text) - sys.stdlib_module_names - set(ROOMS)
        if not {each.lower() for each in where.get(BROUGHT_BY.get(name, name), [name])} & there
    }
    assert missing == set()


def test_the_source_archive_holds_the_whole_tree(
    root: Path, files: list[Path], tmp_path: Path
) -> None:
    build = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        there = {name.partition("/")[2] for name in opened.getnames()}
    assert {name.as_posix() for name in files} - there == set()
