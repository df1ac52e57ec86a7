"""A plate workcell: plates visit stations, an arm moves them, a slot is held meanwhile."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from pydantic import BaseModel, NonNegativeInt, ValidationError

from instance import Instance, Operation, coloured, mistake, text_of
from sdl.scheduling.model import (
    Activity,
    Demand,
    Group,
    Hold,
    Lag,
    Mode,
    Placed,
    Plan,
    Problem,
    Resource,
)


class Station(BaseModel):
    """A device with slots; those of one group can do the same."""

    id: str
    group: str
    slots: NonNegativeInt


class Arm(BaseModel):
    """What moves plates, so many at a time."""

    id: str
    slots: NonNegativeInt = 1


class Step(BaseModel):
    """A stay at a station. ``max_wait``: from the end of processing to the start of the move."""

    group: str
    duration: NonNegativeInt
    max_wait: NonNegativeInt | None


class Plate(BaseModel):
    """A plate and its route."""

    id: str
    release: NonNegativeInt = 0
    steps: list[Step]


class Cell(BaseModel):
    """The whole file."""

    name: str
    move_duration: NonNegativeInt
    stations: list[Station]
    transport: list[Arm]
    plates: list[Plate]


def read_workcell(file: Path) -> Instance:
    """The workcell in a file. UserMistake with file and line if it is none.

    A step itself is no activity: it begins as its inbound move ends, so its moves say it all.
    """
    text = text_of(file)
    try:
        cell = Cell.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise mistake(file, _line(text, first["loc"]), f"{where}: {first['msg']}") from error
    groups = {station.group for station in cell.stations}
    for plate in cell.plates:
        for step in plate.steps:
            if step.group not in groups:
                number = _line(text, (plate.id,))
                raise mistake(file, number, f"{plate.id}: no station is of group {step.group!r}")

    def operations(plan: Plan) -> list[Operation]:
        return _operations(plan, cell)

    return Instance(
        name=file.stem, kind="sdl", problem=_problem(file.stem, cell), operations=operations
    )


def _line(text: str, words: tuple[int | str, ...]) -> int:
    """The first line with the last word of a path; 1 where it is not written."""
    named = [f'"{word}"' for word in words if isinstance(word, str)]
    for number, line in enumerate(text.splitlines(), start=1):
        if named and named[-1] in line:
            return number
    return 1


def _move(plate: Plate, at: int) -> str:
    return f"{plate.id}#{at}"


def _problem(name: str, cell: Cell) -> Problem:
    slots: dict[str, int] = defaultdict(int)
    for station in cell.stations:
        slots[station.group] += station.slots
    arms = sum(arm.slots for arm in cell.transport)
    mode = Mode(duration_s=cell.move_duration, demands=(Demand(resource="arm"),))
    visits = [(plate, at, step) for plate in cell.plates for at, step in enumerate(plate.steps)]
    return Problem(
        name=name,
        resources=(
            Resource(name="arm", capacity=arms),
            *(Resource(name=f"at {group}", capacity=many) for group, many in slots.items()),
        ),
        activities=tuple(
            Activity(name=_move(plate, at), group=plate.id, modes=(mode,), release_s=plate.release)
            for plate in cell.plates
            for at in range(len(plate.steps) + 1)
        ),
        holds=tuple(
            Hold(resource=f"at {step.group}", first=_move(plate, at), last=_move(plate, at + 1))
            for plate, at, step in visits
        ),
        lags=tuple(
            Lag(
                before=_move(plate, at),
                after=_move(plate, at + 1),
                minimum_s=step.duration,
                maximum_s=None if step.max_wait is None else step.duration + step.max_wait,
            )
            for plate, at, step in visits
        ),
        groups=tuple(Group(name=plate.id, release_s=plate.release) for plate in cell.plates),
    )


def _operations(plan: Plan, cell: Cell) -> list[Operation]:
    placed: dict[str, Placed] = {one.activity: one for one in plan.placed}
    visits = [(plate, at, step) for plate in cell.plates for at, step in enumerate(plate.steps)]
    station = _stations(cell, placed)
    steps: list[Operation] = [
        {
            "plate": plate.id,
            "step": at,
            "station": station[plate.id, at],
            "start": placed[_move(plate, at)].end_s,
            "end": placed[_move(plate, at)].end_s + step.duration,
        }
        for plate, at, step in visits
    ]
    moves: list[Operation] = [
        {
            "plate": plate.id,
            "move": at,
            "start": placed[_move(plate, at)].start_s,
            "end": placed[_move(plate, at)].end_s,
        }
        for plate in cell.plates
        for at in range(len(plate.steps) + 1)
    ]
    return steps + moves


def _stations(cell: Cell, placed: dict[str, Placed]) -> dict[tuple[str, int], str]:
    """A station for each step such that no slot is held twice."""
    held: dict[str, list[tuple[tuple[str, int], tuple[int, int]]]] = defaultdict(list)
    for plate in cell.plates:
        for at, step in enumerate(plate.steps):
            span = (placed[_move(plate, at)].start_s, placed[_move(plate, at + 1)].end_s)
            held[step.group].append(((plate.id, at), span))
    chosen: dict[tuple[str, int], str] = {}
    for group, each in held.items():
        slots = [one.id for one in cell.stations if one.group == group for _ in range(one.slots)]
        names = coloured([span for _, span in each], slots)
        chosen.update({key: name for (key, _), name in zip(each, names, strict=True)})
    return chosen
