"""Measured data as a laboratory that can run only what was measured, and its exact answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from numpy.typing import NDArray

from planner_contract import Point, Space
from sdl.errors import Place, UserMistake

DATA = Path(__file__).with_name("planner_data")
MAIN = ("crossed_barrel", "autoam", "fullerenes", "photo_wf3", "buchwald_a", "suzuki_i", "lnp3")
"""The main sets; the others are told of apart."""

Floats = NDArray[np.float64]
GOALS = ("maximize", "minimize")
TYPES = ("continuous", "discrete", "categorical")


@dataclass(frozen=True)
class MeasuredSet:
    """Points that were measured, each once, with the mean of its repeats.

    ``values`` has a row for each point and a column for each objective, in its own unit.
    """

    name: str
    space: Space
    pool: pd.DataFrame
    values: Floats

    @property
    def objectives(self) -> list[str]:
        """Names of the objectives; the first is the main one."""
        return [str(one["name"]) for one in self.space["objectives"]]

    @cached_property
    def gains(self) -> Floats:
        """``values`` with the sign that makes more better."""
        return self.values * [
            1.0 if one["goal"] == "maximize" else -1.0 for one in self.space["objectives"]
        ]

    @cached_property
    def digest(self) -> str:
        """Twelve digits that change with any point, value or goal.

        Nine digits of each number count, for a mean may differ in its last ones elsewhere.
        """
        rows = [[*point.values(), *row] for point, row in zip(self.points, self.gains, strict=True)]
        text = "\n".join(
            ",".join(one if isinstance(one, str) else f"{one:.9g}" for one in row) for row in rows
        )
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def points(self) -> list[Point]:
        """The points in the order of the pool."""
        return [dict(zip(self.pool, row, strict=True)) for row in self.pool.itertuples(index=False)]

    @cached_property
    def _places(self) -> Mapping[tuple[float | str, ...], int]:
        return {tuple(point.values()): at for at, point in enumerate(self.points)}

    @cached_property
    def _numbers(self) -> list[str]:
        return [str(p["name"]) for p in self.space["parameters"] if p["type"] != "categorical"]

    def observed(self, at: int, objectives: Sequence[str]) -> dict[str, float]:
        """What measuring a point gives."""
        columns = [self.objectives.index(name) for name in objectives]
        return {
            name: float(self.values[at, k]) for name, k in zip(objectives, columns, strict=True)
        }

    def nearest(self, proposal: Mapping[str, float | str], free: NDArray[np.bool_]) -> int:
        """The free point that a proposal is, or else the one nearest to it.

        Numbers count in shares of their range in the pool, another option counts 1; the distance
        is the root of the sum of squares. UserMistake if the proposal is no point of the space.
        """
        missing = [name for name in self.pool if name not in proposal]
        if missing:
            raise UserMistake(f"the proposal {dict(proposal)} lacks {', '.join(missing)}")
        exact = self._places.get(tuple(proposal[name] for name in self.pool))
        if exact is not None and free[exact]:
            return exact
        far = np.zeros(len(self.pool))
        for name in self.pool:
            column = self.pool[name].to_numpy()
            if name in self._numbers:
                try:
                    value = float(proposal[name])
                except ValueError:
                    value = np.nan
                if not np.isfinite(value):
                    raise UserMistake(f"the proposal has {proposal[name]!r} for {name}: no number")
                far += ((column - value) / (np.ptp(column) or 1.0)) ** 2
            else:
                far += column != proposal[name]
        return int(np.argmin(np.where(free, far, np.inf)))


def sets_in(folder: Path, names: Sequence[str] = ()) -> list[MeasuredSet]:
    """The data sets of a folder: itself one, or a folder of such.

    ``names`` leaves only those, in that order; ``main`` and ``further`` stand for the sets that
    come with the project. UserMistake if something is missing or wrong.
    """
    if not folder.is_dir():
        raise UserMistake(f"--data {folder}: there is no such folder")
    if (folder / "data.csv").exists() or (folder / "space.json").exists():
        there = {folder.resolve().name: folder}
    else:
        there = {path.parent.name: path.parent for path in sorted(folder.glob("*/space.json"))}
    if not there:
        raise UserMistake(
            f"--data {folder}: neither data.csv and space.json in it, nor folders with them"
        )
    further = [name for name in there if name not in MAIN]
    main = [name for name in MAIN if name in there]
    wanted: list[str] = []
    for name in names or [*main, *further]:
        wanted += {"main": main, "further": further}.get(name, [name])
    for name in wanted:
        if name not in there:
            raise UserMistake(f"--sets {name}: not in {folder}; there are {', '.join(there)}")
    return [read_set(there[name]) for name in dict.fromkeys(wanted)]


def read_set(folder: Path) -> MeasuredSet:
    """One data set. UserMistake with file and line if it cannot be used."""
    for name in ("data.csv", "space.json"):
        if not (folder / name).is_file():
            raise UserMistake(f"--data {folder}: there is no {name} in it")
    space = _read_space(folder / "space.json")
    parameters = [str(one["name"]) for one in space["parameters"]]
    objectives = [str(one["name"]) for one in space["objectives"]]
    numbers = [str(p["name"]) for p in space["parameters"] if p["type"] != "categorical"]
    rows = _read_rows(folder / "data.csv", parameters, objectives, numbers)
    means = rows.groupby(parameters, sort=True, as_index=False)[objectives].mean()
    return MeasuredSet(
        name=folder.resolve().name,
        space={**space, "parameters": [_whole(one, rows) for one in space["parameters"]]},
        pool=means[parameters].astype(
            dict.fromkeys(parameters, object) | dict.fromkeys(numbers, float)
        ),
        values=means[objectives].to_numpy(dtype=float),
    )


def _whole(parameter: Mapping[str, Any], rows: pd.DataFrame) -> Mapping[str, Any]:
    """A parameter with the range or the options of the data where it names none."""
    column = rows[parameter["name"]]
    if parameter["type"] == "categorical":
        return {"options": sorted(set(column)), **parameter}
    return {"low": float(column.min()), "high": float(column.max()), **parameter}


def _read_space(path: Path) -> Mapping[str, Any]:
    try:
        space = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserMistake(f"no JSON: {error.msg}", Place(str(path), error.lineno)) from error
    if not isinstance(space, dict):
        raise UserMistake("has to be an object with parameters and objectives", Place(str(path)))
    for key, needs in (("parameters", ("name", "type")), ("objectives", ("name", "goal"))):
        entries = space.get(key)
        if not isinstance(entries, list) or not entries:
            raise UserMistake(f"has no {key}", Place(str(path)))
        for number, one in enumerate(entries, start=1):
            for word in needs:
                if not isinstance(one, dict) or word not in one:
                    raise UserMistake(f"entry {number} of {key} has no {word}", Place(str(path)))
    for entries, word, allowed in (("objectives", "goal", GOALS), ("parameters", "type", TYPES)):
        for one in space[entries]:
            if one[word] not in allowed:
                raise UserMistake(
                    f"the {word} of {one['name']} is {one[word]!r}; "
                    f"say one of {', '.join(allowed)}",
                    Place(str(path)),
                )
    return space


def _read_rows(
    path: Path, parameters: Sequence[str], objectives: Sequence[str], numbers: Sequence[str]
) -> pd.DataFrame:
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:  # what pandas raises for every file that is no table
        raise UserMistake(f"cannot be read: {error}", Place(str(path))) from error
    for name in (*parameters, *objectives):
        if name not in rows:
            raise UserMistake(f"has no column {name}, which space.json names", Place(str(path), 1))
    if rows.empty:
        raise UserMistake("has no rows", Place(str(path)))
    for name in (*numbers, *objectives):
        column = pd.to_numeric(rows[name], errors="coerce").astype(float)
        wrong = np.flatnonzero(~np.isfinite(column.to_numpy()))
        if wrong.size:
            raise UserMistake(
                f"{name} is {rows[name].iloc[wrong[0]]!r}, which is no number; "
                "write one, or leave the row out",
                Place(str(path), int(wrong[0]) + 2),
            )
        rows[name] = column
    return rows
