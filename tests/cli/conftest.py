"""The ``sdl`` command as a person runs it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sdl.cli.main import main


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 -- JSON of any shape
        """The one JSON document on stdout."""
        return json.loads(self.out)


Sdl = Callable[..., Said]


def command(folder: Path, *words: str) -> Said:
    """Run ``sdl`` in a folder, in this process: most tests need no other."""
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            main(words)
        except SystemExit as left:
            code = left.code
    assert isinstance(code, int)
    return Said(code, out.getvalue(), err.getvalue())


def process(folder: Path, *words: str, **environment: str) -> Said:
    """Run ``sdl`` in a folder, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "sdl", *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder made by ``sdl init``, with a simulated campaign of four runs on record."""
    folder = tmp_path_factory.mktemp("made")
    made = command(folder, "init", "my-lab")
    assert made.code == 0, made.err
    folder /= "my-lab"
    campaign = folder / "campaign.toml"
    text = (
        campaign.read_text()
        .replace('"ensemble" ', '"sobol" ')
        .replace("runs      = 20", "runs = 4")
    )
    campaign.write_text(text)
    simulated = command(folder, "simulate", "campaign.toml", "--record", "record.sqlite")
    assert simulated.code == 0, simulated.err
    return folder


@pytest.fixture
def sdl(lab: Path) -> Sdl:
    """Runs ``sdl`` in that folder."""
    return lambda *words: command(lab, *words)
