"""S-LAB: a folder of four tables; mutual limits between points of operations (TCMB)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from instance import Instance, Operation, coloured, data_lines, mistake, text_of
from sdl.scheduling.model import (
    Activity,
    Demand,
    Group,
    Lag,
    Mode,
    Placed,
    Plan,
    Point,
    Problem,
    Resource,
)

TABLES = {"machines": 3, "operations": 4, "dependency": 3, "tcmb": 6}
"""The least number of columns of each."""
Row = tuple[int, list[str]]


def read_slab(folder: Path) -> Instance:
    """The instance in a folder. UserMistake with file and line if it is none."""
    tables = {name: _table(folder / f"{name}.tsv", least) for name, least in TABLES.items()}
    machines: dict[str, list[str]] = defaultdict(list)
    for _, row in tables["machines"]:
        machines[row[1]].append(row[0])
    file = folder / "operations.tsv"
    kinds: dict[str, str] = {}
    activities = []
    for number, row in tables["operations"]:
        job, operation, kind = row[:3]
        name = f"{job}.{operation}"
        if kind not in machines:
            raise mistake(file, number, f"there is no machine of type {kind}")
        if name in kinds:
            raise mistake(file, number, f"operation {operation} of job {job} is there twice")
        kinds[name] = kind
        mode = Mode(
            duration_s=_whole(file, number, row[3]), demands=(Demand(resource=kind),), name=kind
        )
        activities.append(Activity(name=name, group=job, modes=(mode,)))
    problem = Problem(
        name=folder.name,
        resources=tuple(Resource(name=kind, capacity=len(each)) for kind, each in machines.items()),
        activities=tuple(activities),
        lags=(
            *_precedence(folder / "dependency.tsv", tables["dependency"], kinds),
            *_limits(folder / "tcmb.tsv", tables["tcmb"], kinds),
        ),
        groups=tuple(Group(name=job) for job in dict.fromkeys(one.group for one in activities)),
    )

    def operations(plan: Plan) -> list[Operation]:
        return _operations(plan, kinds, machines)

    return Instance(name=folder.name, kind="slab", problem=problem, operations=operations)


def _table(file: Path, least: int) -> list[Row]:
    rows = []
    for number, line in list(data_lines(text_of(file)))[1:]:
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) < least:
            raise mistake(file, number, f"{len(cells)} cells, at least {least} are needed")
        rows.append((number, cells))
    return rows


def _whole(file: Path, line: int, cell: str) -> int:
    if not cell.isdecimal():
        raise mistake(file, line, f"{cell!r} is no whole number of 0 or more")
    return int(cell)


def _known(file: Path, line: int, job: str, operation: str, kinds: dict[str, str]) -> str:
    name = f"{job}.{operation}"
    if name not in kinds:
        raise mistake(file, line, f"there is no operation {operation} of job {job}")
    return name


def _precedence(file: Path, rows: list[Row], kinds: dict[str, str]) -> list[Lag]:
    return [
        Lag(
            before=_known(file, number, job, one, kinds),
            after=_known(file, number, job, other, kinds),
        )
        for number, (job, one, other, *_) in rows
    ]


def _limits(file: Path, rows: list[Row], kinds: dict[str, str]) -> list[Lag]:
    lags = []
    for number, (job, one, point, other, its_point, limit, *_) in rows:
        most_s = _whole(file, number, limit)
        lags.append(
            Lag(
                before=_known(file, number, job, one, kinds),
                before_point=_point(file, number, point),
                after=_known(file, number, job, other, kinds),
                after_point=_point(file, number, its_point),
                minimum_s=-most_s,
                maximum_s=most_s,
            )
        )
    return lags


def _point(file: Path, line: int, cell: str) -> Point:
    if cell == "start":
        return "start"
    if cell == "end":
        return "end"
    raise mistake(file, line, f"{cell!r} is neither start nor end")


def _operations(
    plan: Plan, kinds: dict[str, str], machines: dict[str, list[str]]
) -> list[Operation]:
    by_kind: dict[str, list[Placed]] = defaultdict(list)
    for one in plan.placed:
        by_kind[kinds[one.activity]].append(one)
    machine: dict[str, str] = {}
    for kind, each in by_kind.items():
        taken = coloured([(one.start_s, one.end_s) for one in each], machines[kind])
        machine.update({one.activity: name for one, name in zip(each, taken, strict=True)})
    return [
        {
            "job": _as_number(one.activity.partition(".")[0]),
            "operation": _as_number(one.activity.partition(".")[2]),
            "machine": _as_number(machine[one.activity]),
            "start": one.start_s,
            "end": one.end_s,
        }
        for one in plan.placed
    ]


def _as_number(cell: str) -> int | str:
    return int(cell) if cell.isdecimal() else cell
