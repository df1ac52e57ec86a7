"""Projects with minimum and maximum time lags and limited resources (RCPSP/max, ``.sch``)."""

from __future__ import annotations

import re
from pathlib import Path

from instance import Instance, Operation, data_lines, mistake, text_of, whole_numbers
from sdl.scheduling.model import Activity, Demand, Fixed, Lag, Mode, Plan, Problem, Resource

BRACKETS = re.compile(r"\[([^\]]*)\]")
Line = tuple[int, str]


def read_project(file: Path) -> Instance:
    """The project in a file. UserMistake with file and line if it is none."""
    lines = list(data_lines(text_of(file)))
    head = whole_numbers(file, *lines[0]) if lines else []
    if len(head) != 4 or head[0] < 0 or head[1] < 1:
        raise mistake(file, 1, "expected activities, resources and two zeros on the first line")
    count, resources = head[0] + 2, head[1]
    if len(lines) != 2 * count + 2:
        raise mistake(
            file,
            lines[-1][0],
            f"{len(lines)} lines with data; {head[0]} activities take {2 * count + 2}",
        )
    lags = tuple(lag for at in range(count) for lag in _lags(file, lines[1 + at], at, count))
    work = [_work(file, lines[1 + count + at], at, resources) for at in range(count)]
    last = lines[-1]
    capacities = whole_numbers(file, *last)
    if len(capacities) != resources:
        raise mistake(file, last[0], f"{len(capacities)} capacities of {resources} resources")
    if min(capacities) < 0:
        raise mistake(file, last[0], f"a capacity is below 0: {min(capacities)}")
    problem = Problem(
        name=file.stem,
        resources=tuple(
            Resource(name=str(at), capacity=units) for at, units in enumerate(capacities)
        ),
        activities=tuple(_activity(at, *one) for at, one in enumerate(work)),
        lags=lags,
    )
    return Instance(name=file.stem, kind="rcpsp_max", problem=problem, operations=_operations)


def _operations(plan: Plan) -> list[Operation]:
    return [
        {"activity": int(one.activity), "start": one.start_s, "end": one.end_s}
        for one in plan.placed
    ]


def _activity(at: int, duration_s: int, needs: list[int]) -> Activity:
    demands = tuple(
        Demand(resource=str(resource), amount=amount)
        for resource, amount in enumerate(needs)
        if amount
    )
    return Activity(
        name=str(at),
        group="project",
        modes=(Mode(duration_s=duration_s, demands=demands),),
        fixed=None if at else Fixed(mode=0, start_s=0, end_s=duration_s),
    )


def _lags(file: Path, line: Line, at: int, count: int) -> list[Lag]:
    number, text = line
    lags = whole_numbers(file, number, " ".join(BRACKETS.findall(text)))
    numbers = whole_numbers(file, number, BRACKETS.sub(" ", text))
    if len(numbers) < 3 or numbers[0] != at or numbers[1] != 1:
        raise mistake(file, number, f"expected activity {at} in one mode, and its successors")
    successors = numbers[3:]
    if numbers[2] != len(successors) or len(lags) != len(successors):
        raise mistake(
            file,
            number,
            f"{numbers[2]} successors announced, {len(successors)} named, {len(lags)} lags",
        )
    if any(not 0 <= one < count for one in successors):
        raise mistake(file, number, f"a successor is not in 0 to {count - 1}")
    return [
        Lag(
            before=str(at),
            after=str(successor),
            before_point="start",
            after_point="start",
            minimum_s=lag,
        )
        for successor, lag in zip(successors, lags, strict=True)
    ]


def _work(file: Path, line: Line, at: int, resources: int) -> tuple[int, list[int]]:
    number, text = line
    numbers = whole_numbers(file, number, text)
    if len(numbers) != 3 + resources or numbers[0] != at:
        raise mistake(
            file,
            number,
            f"expected activity {at}, its mode, its duration and {resources} demands",
        )
    if min(numbers[2:]) < 0:
        raise mistake(file, number, "a duration or a demand is below 0")
    return numbers[2], numbers[3:]
