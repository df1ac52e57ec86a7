"""``[objective]``, or several ``[[objective]]``: what is better, and how much of it counts."""

from __future__ import annotations

from sdl.model.campaign import Goal, Objective
from sdl.wire.toml_table import Table, did_you_mean, said

_GOALS: dict[str, Goal] = {
    "maximise": "maximise",
    "maximize": "maximise",
    "minimise": "minimise",
    "minimize": "minimise",
    "hits": "hits",
    "level": "level",
    "novelty": "novelty",
    "discriminate": "discriminate",
}
_ENDS = 2


def read_objectives(top: Table) -> tuple[Objective, ...]:
    """One or more; of none, a stand-in after noting the mistake."""
    if isinstance(top.take("objective"), list):
        found = tuple(_objective(table) for table in top.tables("objective"))
        if found:
            return found
    return (_objective(top.table("objective", needed=True)),)


def _objective(table: Table) -> Objective:
    measure = table.text("measure", example='"absorbance_au"')
    target = table.maybe_number("target", unit_name=measure)
    ends = _range(table, measure) if "range" in table else None
    ways = [key for key in ("target", "range") if key in table]
    goal: Goal = "target"
    if ways:
        goal = "range" if ways == ["range"] else "target"
        if len(ways) > 1:
            table.mistake("range", "an objective has a target or a range, not both")
        if "goal" in table and table.text("goal") != goal:
            table.mistake("goal", f"an objective has a goal or a {goal}, not both")
    elif "goal" in table:
        goal = _goal(table)
    else:
        table.mistake(
            None,
            'say what is better: goal = "maximise", "minimise", or target = 0.8, '
            'or range = [0.7, 0.9]; or what is sought: goal = "hits", "level", "novelty", '
            '"discriminate"',
        )
    table.take("goal")
    at_least, at_most, level = (
        table.maybe_number(key, unit_name=measure) for key in ("at_least", "at_most", "level")
    )
    _check_ends(table, goal)
    found = Objective(
        measure=measure,
        goal=goal,
        target=(0.0 if target is None else target) if goal == "target" else None,
        low=ends[0] if ends and goal == "range" else None,
        high=ends[1] if ends and goal == "range" else None,
        threshold=table.maybe_number("threshold", unit_name=measure),
        weight=table.maybe_number("weight", unit_name="weight_ratio"),
        at_least=at_least if goal == "hits" else None,
        at_most=at_most if goal == "hits" else None,
        level=(0.0 if level is None else level) if goal == "level" else None,
    )
    table.close()
    return found


def _check_ends(table: Table, goal: Goal) -> None:
    """What belongs to the goals *hits* and *level*, to them alone, and has to be there."""
    for key, owner in (("at_least", "hits"), ("at_most", "hits"), ("level", "level")):
        if key in table and goal != owner:
            table.mistake(key, f'belongs to goal = "{owner}"; remove it, or say that goal')
    if goal == "hits" and "at_least" not in table and "at_most" not in table:
        table.mistake("goal", "say what counts as a hit: at_least = 80, or at_most = 5, or both")
    if goal == "level" and "level" not in table:
        table.mistake("goal", "say which value is to be passed: level = 0.5")


def _goal(table: Table) -> Goal:
    word = table.text("goal")
    if word not in _GOALS:
        table.mistake("goal", f"{word!r} is not offered; {did_you_mean(word, _GOALS)}")
    return _GOALS.get(word, "maximise")  # of all goals the one that takes most keys


def _range(table: Table, measure: str) -> tuple[float, float]:
    written = table.take("range")
    if not isinstance(written, list) or len(written) != _ENDS:
        table.mistake("range", f"needs a list of two numbers, not {said(written)}")
        return 0.0, 1.0
    low, high = (table.as_number(end, "range", measure) for end in written)
    if low is None or high is None:
        return 0.0, 1.0
    return low, high
