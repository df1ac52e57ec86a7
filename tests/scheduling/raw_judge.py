"""Judges schedules as anyone could: from the JSON and the raw instance, with no code of ours."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict


class Operation(TypedDict, total=False):
    """Any of the five kinds of lines."""

    job: int
    op: int
    operation: int
    machine: int
    activity: int
    plate: str
    step: int
    move: int
    station: str
    start: int
    end: int


class Document(TypedDict):
    """What the benchmark writes."""

    instance: str
    status: str
    makespan: int | None
    bound: int | None
    seconds: float
    operations: list[Operation]


def judge(document: Document, path: Path, kind: str) -> list[str]:
    """What is wrong with a schedule; empty if nothing is."""
    operations = document["operations"]
    if document["makespan"] is None:
        return ["operations without a makespan"] if operations else []
    last = max(one["end"] for one in operations)
    wrong = [] if last == document["makespan"] else [f"ends at {last}"]
    bound = document["bound"]
    if bound is not None and bound > last:
        wrong.append(f"bound {bound} is above the makespan")
    if document["status"] == "optimal" and bound != last:
        wrong.append("optimal without a bound that says so")
    judges = {"jsp": shop, "fjsp": shop, "rcpsp_max": project, "slab": slab, "sdl": workcell}
    return wrong + judges[kind](operations, path)


def overlaps(spans: Iterable[tuple[int, int]], capacity: int = 1) -> bool:
    """Whether more than so many of the spans are open at once."""
    turns = sorted([(end, -1) for _, end in spans] + [(start, 1) for start, _ in spans])
    level = 0
    for _, turn in turns:
        level += turn
        if level > capacity:
            return True
    return False


def shop(operations: list[Operation], path: Path) -> list[str]:
    rows = [[int(word) for word in line.split()] for line in path.read_text().splitlines()]
    jobs, machines = rows[0][:2]
    wrong, on = [], defaultdict(list)
    there = {(one["job"], one["op"]): one for one in operations}
    count = 0
    for job, row in enumerate(rows[1 : jobs + 1]):
        plain = len(row) == 2 * machines and sorted(row[::2]) == list(range(machines))
        numbers = iter(row if plain else row[1:])
        before, op = 0, 0
        for first in numbers:
            eligible = (
                {first: next(numbers)}
                if plain
                else {next(numbers): next(numbers) for _ in range(first)}
            )
            one = there[job, op]
            if one["machine"] not in eligible:
                wrong.append(f"{job}.{op} is on machine {one['machine']}")
            elif one["end"] - one["start"] != eligible[one["machine"]]:
                wrong.append(f"{job}.{op} takes {one['end'] - one['start']}")
            if one["start"] < before:
                wrong.append(f"{job}.{op} starts before {before}")
            on[one["machine"]].append((one["start"], one["end"]))
            before, op, count = one["end"], op + 1, count + 1
    wrong += [f"machine {machine} twice" for machine, spans in on.items() if overlaps(spans)]
    return wrong if count == len(operations) else [*wrong, "another number of operations"]


def project(operations: list[Operation], path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    count = int(lines[0].split()[0]) + 2
    at = {one["activity"]: one for one in operations}
    wrong = [] if len(at) == count == len(operations) else ["another number of activities"]
    use: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for line in lines[1 : count + 1]:
        words = line.split()
        number, successors = int(words[0]), int(words[2])
        for other, lag in zip(words[3 : 3 + successors], words[3 + successors :], strict=True):
            if at[int(other)]["start"] < at[number]["start"] + int(lag[1:-1]):
                wrong.append(f"lag {number} to {other}")
    for line in lines[count + 1 : 2 * count + 1]:
        number, _, duration, *needs = [int(word) for word in line.split()]
        one = at[number]
        if one["end"] - one["start"] != duration or one["start"] < 0:
            wrong.append(f"activity {number} takes {one['end'] - one['start']}")
        for resource, need in enumerate(needs):
            use[resource].append((one["start"], one["end"], need))
    for resource, capacity in enumerate(int(word) for word in lines[2 * count + 1].split()):
        for moment, _, _ in use[resource]:
            if sum(n for start, end, n in use[resource] if start <= moment < end) > capacity:
                wrong.append(f"resource {resource} at {moment}")
    return wrong


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    return [dict(zip((str(at) for at in range(len(header))), row, strict=False)) for row in rows]


def slab(operations: list[Operation], path: Path) -> list[str]:
    types = {row["0"]: row["1"] for row in table(path / "machines.tsv")}
    at = {(one["job"], one["operation"]): one for one in operations}
    wrong, on = [], defaultdict(list)
    rows = table(path / "operations.tsv")
    if len(rows) != len(operations):
        wrong.append("another number of operations")
    for row in rows:
        one = at[int(row["0"]), int(row["1"])]
        if types.get(str(one["machine"])) != row["2"] or one["start"] < 0:
            wrong.append(f"{row} on machine {one['machine']}")
        if one["end"] - one["start"] != int(row["3"]):
            wrong.append(f"{row} takes {one['end'] - one['start']}")
        on[one["machine"]].append((one["start"], one["end"]))
    for row in table(path / "dependency.tsv"):
        job = int(row["0"])
        if at[job, int(row["1"])]["end"] > at[job, int(row["2"])]["start"]:
            wrong.append(f"dependency {row}")
    for row in table(path / "tcmb.tsv"):
        job = int(row["0"])
        points = []
        for operation, point in ((row["1"], row["2"]), (row["3"], row["4"])):
            one = at[job, int(operation)]
            points.append(one["start"] if point == "start" else one["end"])
        if abs(points[0] - points[1]) > int(row["5"]):
            wrong.append(f"limit {row}")
    return wrong + [f"machine {one} twice" for one, spans in on.items() if overlaps(spans)]


def workcell(operations: list[Operation], path: Path) -> list[str]:
    cell = json.loads(path.read_text())
    steps = {(one["plate"], one["step"]): one for one in operations if "step" in one}
    moves = {(one["plate"], one["move"]): one for one in operations if "move" in one}
    slots = {one["id"]: one["slots"] for one in cell["stations"]}
    group = {one["id"]: one["group"] for one in cell["stations"]}
    wrong, held, count = [], defaultdict(list), 0
    for plate in cell["plates"]:
        name = plate["id"]
        if moves[name, 0]["start"] < plate["release"]:
            wrong.append(f"{name} before its release")
        for at, step in enumerate(plate["steps"]):
            one, into, out = steps[name, at], moves[name, at], moves[name, at + 1]
            waited = out["start"] - one["end"]
            if one["start"] != into["end"] or one["end"] - one["start"] != step["duration"]:
                wrong.append(f"{name} step {at}")
            if waited < 0 or (step["max_wait"] is not None and waited > step["max_wait"]):
                wrong.append(f"{name} waits {waited} after step {at}")
            if group[one["station"]] != step["group"]:
                wrong.append(f"{name} step {at} at {one['station']}")
            held[one["station"]].append((into["start"], out["end"]))
            count += 1
    if any(one["end"] - one["start"] != cell["move_duration"] for one in moves.values()):
        wrong.append("a move of another duration")
    if (len(steps), len(moves)) != (count, count + len(cell["plates"])):
        wrong.append("another number of steps or moves")
    if overlaps([(one["start"], one["end"]) for one in moves.values()]):
        wrong.append("two moves at once")
    return wrong + [f"{one} is full" for one, spans in held.items() if overlaps(spans, slots[one])]
