"""The table over the instances that come with the project, against what is known of them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common import machine, say
from instance import Instance
from instance_files import read_instance
from sdl.scheduling.check import broken
from sdl.scheduling.cost import outside_s, plan_of
from sdl.scheduling.dispatch import Rule, dispatch
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import insert_all
from sdl.scheduling.model import Answer

DATA = Path(__file__).with_name("scheduling_data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Greatest makespans that are asked for, and in how many seconds of wall time."""

    seconds: float
    first: float | None = None
    ambitious: float | None = None


AIMS: dict[str, Aim] = {
    "slab/qPCR_N5": Aim(seconds=5, first=148, ambitious=148),
    "slab/RNAseq_N5": Aim(seconds=5, first=980, ambitious=973),
    "jsp/ft10.txt": Aim(seconds=10, first=930 * 1.01, ambitious=930),
    "jsp/la29.txt": Aim(seconds=10, first=1152 * 1.03, ambitious=1152 * 1.015),
    "jsp/abz7.txt": Aim(seconds=10, first=656 * 1.07, ambitious=656 * 1.04),
    "jsp/ta21js.txt": Aim(seconds=10, first=1642 * 1.10, ambitious=1642 * 1.06),
    "fjsp/mk10.txt": Aim(seconds=10, first=230, ambitious=210),
    "fjsp/dpp18a.txt": Aim(seconds=10, first=2171, ambitious=2130),
    "rcpsp_max/UBO10_01.sch": Aim(seconds=2),
    "rcpsp_max/ubo50_psp1.sch": Aim(seconds=2),
    "rcpsp_max/ubo50_psp18.sch": Aim(seconds=5, first=163, ambitious=163),
    "rcpsp_max/ubo50_psp41.sch": Aim(seconds=5, first=139, ambitious=139),
    "rcpsp_max/ubo50_psp63.sch": Aim(seconds=5, first=240, ambitious=240),
    "rcpsp_max/ubo50_psp10.sch": Aim(seconds=10, first=196, ambitious=191),
    "sdl/sdl24.json": Aim(seconds=30, first=10300, ambitious=10000),
    "sdl/sdl48.json": Aim(seconds=30, first=17000, ambitious=15500),
}
OTHERS = Aim(seconds=10)
HEAD = (
    f"{'instance':24} {'known':>12} {'FIFO':>11} {'EDF':>11} {'greedy':>7}"
    f" {'ours':>6} {'bound':>6} {'gap %':>6} {'s':>5}  status, aims"
)

Solve = Callable[[Instance, float], Answer]


def print_table(solve: Solve) -> int:
    """Solve every instance for its time and print a line for each. 1 if an aim is missed."""
    print(machine())
    print(HEAD)
    missed = 0
    with (DATA / "bks.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        say(row["file"])
        instance = read_instance(DATA / row["file"])
        aim = AIMS.get(row["file"], OTHERS)
        answer = solve(instance, aim.seconds)
        line, met = _line(row, instance, aim, answer)
        print(line, flush=True)
        missed |= not met
    return int(missed)


def _line(row: dict[str, str], instance: Instance, aim: Aim, answer: Answer) -> tuple[str, bool]:
    index = Indexed(instance.problem)
    inserted = insert_all(index)
    greedy = (
        "-"
        if inserted is None
        else str(plan_of(instance.problem, index.placed(*inserted)).makespan_s)
    )
    known = f"{row['lower_bound']}-{row['upper_bound']}"
    if row["lower_bound"] == row["upper_bound"]:
        known = row["upper_bound"] or row["status"]
    makespan = None if answer.plan is None else answer.plan.makespan_s
    gap = "-"
    if makespan is not None and row["upper_bound"]:
        gap = f"{100 * (makespan / int(row['upper_bound']) - 1):.1f}"
    words, met = _verdict(row, aim, instance, answer)
    return (
        f"{row['file']:24} {known:>12} {_rule(index, 'FIFO'):>11} {_rule(index, 'EDF'):>11}"
        f" {greedy:>7} {makespan if makespan is not None else '-':>6} {answer.bound or '-':>6}"
        f" {gap:>6} {answer.seconds:5.1f}  {words}"
    ), met


def _rule(index: Indexed, rule: Rule) -> str:
    """Makespan of a rule, and behind it how many windows it breaks."""
    arrays = dispatch(index, rule)
    if arrays is None:
        return "locked up"
    plan = plan_of(index.problem, index.placed(*arrays))
    placed = {one.activity: one for one in plan.placed}
    late = sum(outside_s(lag, placed) > 0 for lag in index.problem.lags)
    return f"{plan.makespan_s}/{late}" if late else str(plan.makespan_s)


def _verdict(row: dict[str, str], aim: Aim, instance: Instance, answer: Answer) -> tuple[str, bool]:
    """Status and aims in words, and whether the first aim is met."""
    if answer.plan is not None and broken(instance.problem, answer.plan):
        return "BROKEN SCHEDULE", False
    if row["status"] == "infeasible":
        met = answer.status == "infeasible"
        return f"{answer.status}, first {'met' if met else 'MISSED'}", met
    makespan = None if answer.plan is None else answer.plan.makespan_s
    words, met = [str(answer.status)], makespan is not None
    for name, most in (("first", aim.first), ("ambitious", aim.ambitious)):
        if most is not None:
            reached = makespan is not None and makespan <= most
            words.append(f"{name} {'met' if reached else 'MISSED'}")
            met = met and (reached or name == "ambitious")
    return ", ".join(words), met
