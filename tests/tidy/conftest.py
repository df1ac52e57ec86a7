"""The files that the house rules hold for: all that git tracks, or would track."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", ".hypothesis", ".mypy_cache", ".ruff_cache", "__pycache__", "dist"}


def listed() -> list[Path]:
    """Every file of the project, relative to its root."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        names = [Path(name) for name in answer.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # unpacked from an archive
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
    return sorted(
        name for name in names if NOT_OURS.isdisjoint(name.parts) and (ROOT / name).is_file()
    )


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the clone."""
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[Path]:
    """Every file of the project, relative to its root."""
    return listed()


@pytest.fixture(scope="session")
def python(files: list[Path]) -> dict[Path, str]:
    """Text of every Python file, by its path relative to the root."""
    return {
        name: (ROOT / name).read_text(encoding="utf-8") for name in files if name.suffix == ".py"
    }


@pytest.fixture(scope="session")
def texts(files: list[Path]) -> dict[Path, str]:
    """Text of every file that is text, by its path relative to the root."""
    found = {}
    for name in files:
        try:
            found[name] = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found
