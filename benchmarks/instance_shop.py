"""Job shops and flexible job shops: a line for each job, machines counted from 0."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from instance import Instance, Operation, data_lines, mistake, text_of, whole_numbers
from sdl.scheduling.model import Activity, Demand, Group, Lag, Mode, Plan, Problem, Resource

Choice = list[tuple[int, int]]
"""Eligible machines of one operation, each with its duration."""


def read_shop(file: Path) -> Instance:
    """The job shop or flexible job shop in a file. UserMistake with file and line if it is none.

    It is a job shop if most lines hold one pair for each machine and visit each of them once.
    """
    lines = list(data_lines(text_of(file)))
    if not lines:
        raise mistake(file, None, "is empty; a job shop begins with its jobs and machines")
    head = whole_numbers(file, *lines[0])
    if len(head) not in {2, 3} or min(head[:2]) < 1:  # the third one is a mean, of no use here
        raise mistake(file, lines[0][0], "expected two numbers above 0: jobs and machines")
    jobs, machines = head[:2]
    if len(lines) - 1 < jobs:
        raise mistake(file, lines[-1][0], f"ends after {len(lines) - 1} of {jobs} jobs")
    if len(lines) - 1 > jobs:
        raise mistake(file, lines[jobs + 1][0], f"more than the {jobs} jobs of the first line")
    rows = [(number, whole_numbers(file, number, line)) for number, line in lines[1:]]
    visits = [sorted(row[::2]) == list(range(machines)) for _, row in rows if not len(row) % 2]
    plain = 2 * sum(visits) > jobs
    read = _pairs if plain else _choices
    work = [list(read(file, number, row)) for number, row in rows]
    for (number, _), job in zip(rows, work, strict=True):
        _check_job(file, number, job, machines)
    return _instance(file.stem, "jsp" if plain else "fjsp", machines, work)


def _pairs(file: Path, line: int, row: list[int]) -> Iterator[Choice]:
    if len(row) % 2:
        raise mistake(file, line, "expected pairs of machine and duration, one number is left")
    for machine, duration in zip(row[::2], row[1::2], strict=True):
        yield [(machine, duration)]


def _choices(file: Path, line: int, row: list[int]) -> Iterator[Choice]:
    """The operations of a line of a flexible job shop."""
    rest = row[1:]
    for op in range(row[0]):
        if not rest or rest[0] < 1 or len(rest) < 1 + 2 * rest[0]:
            raise mistake(
                file, line, f"operation {op} needs a number of machines and as many pairs behind it"
            )
        count = rest[0]
        numbers, rest = rest[1 : 1 + 2 * count], rest[1 + 2 * count :]
        yield list(zip(numbers[::2], numbers[1::2], strict=True))
    if rest:
        raise mistake(file, line, f"{len(rest)} numbers behind the last of {row[0]} operations")


def _check_job(file: Path, line: int, job: list[Choice], machines: int) -> None:
    for op, choice in enumerate(job):
        for machine, duration in choice:
            if not 0 <= machine < machines:
                raise mistake(
                    file, line, f"operation {op}: machine {machine} is not in 0 to {machines - 1}"
                )
            if duration < 0:
                raise mistake(file, line, f"operation {op}: duration {duration} is below 0")


def _instance(name: str, kind: str, machines: int, work: list[list[Choice]]) -> Instance:
    names = [(job, op) for job, ops in enumerate(work) for op in range(len(ops))]
    problem = Problem(
        name=name,
        resources=tuple(Resource(name=str(machine)) for machine in range(machines)),
        activities=tuple(
            Activity(
                name=f"{job}.{op}",
                group=str(job),
                modes=tuple(
                    Mode(name=str(machine), duration_s=s, demands=(Demand(resource=str(machine)),))
                    for machine, s in work[job][op]
                ),
            )
            for job, op in names
        ),
        lags=tuple(
            Lag(before=f"{job}.{op - 1}", after=f"{job}.{op}") for job, op in names if op > 0
        ),
        groups=tuple(Group(name=str(job)) for job in range(len(work))),
    )

    def operations(plan: Plan) -> list[Operation]:
        return [
            {
                "job": job,
                "op": op,
                "machine": work[job][op][one.mode][0],
                "start": one.start_s,
                "end": one.end_s,
            }
            for (job, op), one in zip(names, plan.placed, strict=True)
        ]

    return Instance(name=name, kind=kind, problem=problem, operations=operations)
