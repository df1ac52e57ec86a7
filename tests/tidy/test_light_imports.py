"""Asking for help, or importing the public names, loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"ax", "botorch", "gpytorch", "pandas", "sqlalchemy", "torch"}
REPORT = "import sys\nprint('loaded:', *sorted({name.split('.')[0] for name in sys.modules}))\n"
HELP = """
import sys
sys.argv = ["sdl", "--help"]
from sdl.cli.main import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""


def loaded(script: str) -> set[str]:
    """Top-level packages that a script has loaded at its end, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script + REPORT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded:")[2].split())


def test_the_public_names_are_light() -> None:
    assert loaded("import sdl\n") & HEAVY == set()


def test_help_is_light() -> None:
    assert loaded(HELP) & HEAVY == set()


def test_the_rule_on_light_imports_sees_a_heavy_one() -> None:
    assert loaded("import sqlalchemy\n") & HEAVY == {"sqlalchemy"}
