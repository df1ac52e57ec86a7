"""Results on disk: one JSON line for each campaign, so that a long table can be made in sittings.

A folder of results holds ``*.jsonl`` files, which are appended to, ``*.jsonl.gz`` files of the
same form, which are only read, and ``about.json``: machine and versions of each sitting.
"""

from __future__ import annotations

import gzip
import json
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeAlias

from common import machine
from planner_campaign import MODES, Mode, Played, Task
from planner_sets import MeasuredSet
from sdl.errors import Place, UserMistake

LIBRARIES = (
    *("ax-platform", "baybe", "botorch", "gpytorch", "numpy", "pandas", "scikit-learn", "scipy"),
    *("sdl-runtime", "torch"),
)
Key: TypeAlias = tuple[str, str, str, Mode, bool, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One campaign. ``values``: of each objective, in the order of arrival, to six digits."""

    set: str
    data: str
    planner: str
    mode: Mode
    every_objective: bool
    seed: int
    budget: int
    order: list[int]
    values: dict[str, list[float]]
    seconds: list[float]
    cpu_seconds: list[float]
    moved: int

    @property
    def key(self) -> Key:
        """Which campaign it is; the data's digest stands in for the data."""
        return key(self.set, self.data, self.task)

    @property
    def task(self) -> Task:
        """What was asked for."""
        return Task(
            planner=self.planner,
            mode=self.mode,
            seed=self.seed,
            every_objective=self.every_objective,
            budget=self.budget,
        )


def key(name: str, digest: str, task: Task) -> Key:
    """What makes a campaign the same as another."""
    return (name, digest, task.planner, task.mode, task.every_objective, task.seed, task.budget)


def line_of(data: MeasuredSet, task: Task, played: Played) -> Line:
    """What is kept of a campaign."""
    values = {
        name: [float(f"{data.values[at, k]:.6g}") for at in played.order]
        for k, name in enumerate(data.objectives)
    }
    return Line(
        set=data.name,
        data=data.digest,
        planner=task.planner,
        mode=task.mode,
        every_objective=task.every_objective,
        seed=task.seed,
        budget=task.budget,
        order=played.order,
        values=values,
        seconds=[round(one, 3) for one in played.seconds],
        cpu_seconds=[round(one, 3) for one in played.cpu_seconds],
        moved=played.moved,
    )


def append(folder: Path, line: Line) -> None:
    """Write a campaign to the file of its planner and mode, at once."""
    words = [line.planner.replace(":", "-"), line.mode, *(["all"] if line.every_objective else [])]
    with (folder / f"{'_'.join(words)}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line), separators=(",", ":")) + "\n")


def read(folder: Path) -> list[Line]:
    """Every campaign of a folder, each once; none if the folder is not there."""
    found: dict[Key, Line] = {}
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")]):
        for line in _lines(path):
            found.setdefault(line.key, line)
    return list(found.values())


def _lines(path: Path) -> Iterator[Line]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        rows = file.read().split("\n")
    for number, row in enumerate(rows, start=1):
        # What a kill cut off has no end of line; that campaign is played again.
        if number == len(rows):
            return
        try:
            line = Line(**json.loads(row))
        except (ValueError, TypeError) as error:
            raise UserMistake(
                f"no campaign ({error}); take the line out and its campaign is played again",
                Place(str(path), number),
            ) from error
        if line.mode not in MODES:
            raise UserMistake(f"there is no mode {line.mode!r}", Place(str(path), number))
        yield line


def mend(folder: Path) -> None:
    """Take the half lines off that a kill has left at the end of files."""
    for path in folder.glob("*.jsonl"):
        text = path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if whole != text:
            path.write_bytes(whole)


def pack(lines: Iterable[Line], folder: Path) -> None:
    """Write lines compactly, the same bytes for the same lines, a file for each planner."""
    folder.mkdir(parents=True, exist_ok=True)
    by_planner: dict[str, list[Line]] = {}
    for line in sorted(lines, key=lambda line: line.key):
        by_planner.setdefault(line.planner, []).append(line)
    for planner, some in by_planner.items():
        rows = "".join(json.dumps(asdict(one), separators=(",", ":")) + "\n" for one in some)
        path = folder / f"{planner.replace(':', '-')}.jsonl.gz"
        path.write_bytes(gzip.compress(rows.encode(), mtime=0))


def note_sitting(folder: Path, planners: Iterable[str]) -> None:
    """Write down the machine and the versions that results of now are made with."""
    sitting: dict[str, object] = {
        "planners": sorted(planners),
        "machine": machine().partition(", load")[0],
        "system": platform.system(),
        "versions": {name: there for name in LIBRARIES if (there := _version(name))},
    }
    note(folder, [sitting])


def note(folder: Path, sittings: Iterable[dict[str, object]]) -> None:
    """Add sittings to those that a folder knows of."""
    known = noted(folder)
    new = [sitting for sitting in sittings if sitting not in known]
    if new:
        text = json.dumps([*known, *new], indent=1)
        (folder / "about.json").write_text(text + "\n", encoding="utf-8")


def noted(folder: Path) -> list[dict[str, object]]:
    """The sittings that a folder knows of."""
    path = folder / "about.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
