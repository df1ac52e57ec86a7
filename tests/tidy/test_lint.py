"""Ruff, mypy and import-linter are content, and would not be with worse code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TYPED = (
    *("sdl", "drivers", "protocols", "simulators", "bootstrap.py"),
    *("tests", "examples", "benchmarks"),
)
PACKAGES = ("sdl", "drivers/sdl_drivers", "protocols/sdl_protocols", "simulators/sdl_simulators")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
BROKEN = {
    "sdl/model/upward.py": "import sdl.wire.journal",
    "sdl/core/waiting.py": "import asyncio",
    "sdl/shell/eager.py": "import sdl_drivers",
    "drivers/sdl_drivers/prying.py": "import sdl.core.events",
    "sdl/shell/pretending.py": "import sdl.sim",
    "sdl/cli/heavy.py": "import torch",
    "sdl/model/measured.py": "import pylabrobot.resources",
    "sdl/shell/solving.py": "import ortools",
}


def run(*command: str, root: Path, text: str = "", **more: str) -> tuple[int, str]:
    """Exit code and output of a tool of this very environment."""
    done = subprocess.run(
        command,
        cwd=root,
        input=text,
        capture_output=True,
        text=True,
        env={**os.environ, **more},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def module(name: str, *arguments: str, root: Path, text: str = "") -> tuple[int, str]:
    """The same, for a tool that is started as a module."""
    return run(sys.executable, "-m", name, *arguments, root=root, text=text)


def test_ruff_finds_nothing(root: Path) -> None:
    code, said = module("ruff", "check", "--quiet", "--output-format=concise", root=root)
    assert code == 0, said


def test_ruff_would_find_a_bare_except(root: Path) -> None:
    sample = "try:\n    pass\nexcept:\n    pass\n"
    code, said = module("ruff", "check", "--stdin-filename=sdl/x.py", "-", root=root, text=sample)
    assert code == 1
    assert "E722" in said


def test_the_formatter_would_change_nothing(root: Path) -> None:
    code, said = module("ruff", "format", "--check", "--quiet", root=root)
    assert code == 0, said


def test_the_formatter_would_change_a_crooked_line(root: Path) -> None:
    arguments = ("format", "--check", "--stdin-filename=sdl/x.py", "-")
    code, said = module("ruff", *arguments, root=root, text="x  =  1\n")
    assert code == 1, said


@pytest.mark.timeout(400)
def test_mypy_finds_nothing(root: Path) -> None:
    there = [name for name in TYPED if has_python(root / name)]
    code, said = module("mypy", *there, root=root)
    assert code == 0, said


def has_python(path: Path) -> bool:
    """Whether mypy has something to read there."""
    return path.suffix == ".py" or any(path.rglob("*.py"))


def test_mypy_would_find_an_untyped_function(root: Path) -> None:
    code, said = module("mypy", "-c", "def f(x): return x", root=root)
    assert code == 1
    assert "no-untyped-def" in said


def test_rooms_import_only_what_they_may(root: Path) -> None:
    code, said = run(str(LINT_IMPORTS), root=root)
    assert code == 0, said


def test_each_contract_on_imports_can_be_broken(root: Path, tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(root / package, tmp_path / package)
    shutil.copy(root / "pyproject.toml", tmp_path)
    for name, line in BROKEN.items():
        (tmp_path / name).write_text(line + "\n", encoding="utf-8")
    search = [tmp_path, *(tmp_path / package for package in ("drivers", "protocols", "simulators"))]
    path = os.pathsep.join(map(str, search))
    code, said = run(str(LINT_IMPORTS), "--no-cache", root=tmp_path, PYTHONPATH=path)
    assert code == 1
    assert f"Contracts: 0 kept, {len(BROKEN)} broken." in said, said
