"""Measured data sets: a ``data.csv`` of measurements beside a ``space.json`` that describes it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from sdl.errors import DriverFault, UserMistake
from sdl.model.data import InputValue

Point: TypeAlias = tuple[float | str, ...]
"""One point of the space, in the order of the parameters, numbers rounded."""

DIGITS = 9
"""Numbers are the same point if they agree to this many decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One parameter. *discrete* and *continuous* ones are numbers between ``low`` and ``high``."""

    name: str
    type: Literal["discrete", "continuous", "categorical"]
    low: float = 0.0
    high: float = 0.0
    options: tuple[str, ...] = ()
    unit: str = ""

    def parse(self, text: str) -> float | str:
        """The same from the text of a CSV cell."""
        return self.read(text if self.type == "categorical" else float(text))

    def read(self, value: object) -> float | str:
        """The value as this column holds it. DriverFault if it is out of range or no option."""
        if self.type == "categorical":
            if value not in self.options:
                raise DriverFault(
                    f"{self.name} = {value!r} is no option; there are: {', '.join(self.options)}"
                )
            return str(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise DriverFault(f"{self.name} = {value!r} is not a number")
        if not self.low <= value <= self.high:
            raise DriverFault(
                f"{self.name} = {value} {self.unit} was never measured; the data reach from "
                f"{self.low:g} to {self.high:g}"
            )
        return round(float(value), DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One measured quantity of the data."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What ``space.json`` says, as far as it matters here."""

    parameters: tuple[Column, ...]
    objectives: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredData:
    """All measurements of one data set."""

    name: str
    space: Space
    rows: Mapping[Point, tuple[Mapping[str, float], ...]]
    """Point to its repeats, each an objective to its value."""

    def point(self, recipe: Mapping[str, InputValue]) -> Point:
        """A recipe as a point. DriverFault if a column is missing, unknown or out of range."""
        names = [column.name for column in self.space.parameters]
        missing, unknown = set(names) - set(recipe), set(recipe) - set(names)
        if missing or unknown:
            raise DriverFault(
                f"the recipe does not fit the data set {self.name!r}: missing "
                f"{sorted(missing) or 'nothing'}, unknown {sorted(unknown) or 'nothing'}; "
                f"it takes: {', '.join(names)}"
            )
        return tuple(column.read(recipe[column.name]) for column in self.space.parameters)

    def nearest(self, point: Point) -> Point:
        """The measured point next to this one, each numeric column scaled to its range."""
        return min(self.rows, key=lambda measured: self._distance(measured, point))

    def _distance(self, measured: Point, point: Point) -> float:
        return sum(
            float(mine != theirs)
            if isinstance(mine, str) or isinstance(theirs, str)
            else ((mine - theirs) / ((column.high - column.low) or 1.0)) ** 2
            for column, mine, theirs in zip(self.space.parameters, measured, point, strict=True)
        )

    def described(self, point: Point) -> str:
        """The point in words."""
        pairs = zip(self.space.parameters, point, strict=True)
        return ", ".join(f"{column.name}={value}" for column, value in pairs)


_SPACE = TypeAdapter(Space)


def built_in() -> tuple[str, ...]:
    """Names of the data sets that come with the package."""
    return tuple(sorted(entry.name for entry in _package_data().iterdir() if entry.is_dir()))


def read_data(dataset: str) -> MeasuredData:
    """A data set by its name here, or by the path of its folder. UserMistake if unreadable."""
    folder: Traversable = _package_data() / dataset if dataset in built_in() else Path(dataset)
    try:
        space = _SPACE.validate_json((folder / "space.json").read_text(encoding="utf-8"))
        rows = _read_rows(space, (folder / "data.csv").read_text(encoding="utf-8"))
    except OSError as error:
        raise UserMistake(
            f"data set {dataset!r}: {error.strerror}; name one of {', '.join(built_in())}, or a "
            "folder that holds data.csv and space.json"
        ) from error
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in details["loc"])
        raise UserMistake(f"data set {dataset!r}: space.json: {where}: {details['msg']}") from error
    except (KeyError, ValueError, DriverFault) as error:
        raise UserMistake(f"data set {dataset!r}: data.csv: {error}") from error
    return MeasuredData(name=folder.name, space=space, rows=rows)


def _package_data() -> Traversable:
    return files("sdl_simulators") / "data"


def _read_rows(space: Space, text: str) -> dict[Point, tuple[Mapping[str, float], ...]]:
    rows: dict[Point, tuple[Mapping[str, float], ...]] = {}
    for line in csv.DictReader(text.splitlines()):
        point = tuple(column.parse(line[column.name]) for column in space.parameters)
        measured = {outcome.name: float(line[outcome.name]) for outcome in space.objectives}
        rows[point] = (*rows.get(point, ()), measured)
    if not rows:
        raise ValueError("there is no row in it")
    return rows
