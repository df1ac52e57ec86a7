"""A planner that is asked once more: what it says, and what it does not say any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.core.asked import Answered
from sdl.errors import PlannerFault, RecordMismatch
from sdl.model.campaign import ChoiceParameter, Objective
from sdl.model.data import Trial
from sdl.model.planning import Ask, Problem
from sdl.planner.server import answer
from sdl.shell.planner_client import DirectPlanner
from sdl.shell.recomputing import fit, recomputed

QUESTION = Ask(
    id="dye/ask-1",
    planner="grid",
    problem=Problem(
        space=(ChoiceParameter(name="x", options=(1, 2, 3)),),
        objective=Objective(measure="y", goal="minimise"),
    ),
    trials=(),
    count=3,
    seed=1,
)
PLANNER = DirectPlanner(answer)


def answered(question: Ask = QUESTION) -> Answered:
    """As a record has it of a time when the planner answered this."""
    said = answer(question)
    return Answered(
        question=question,
        trials_sha256="a",
        found_sha256="a",
        points=said.suggestions,
        versions=said.versions,
        accepted={f"dye/suggestion-{n}": point for n, point in enumerate(said.suggestions, 1)},
    )


async def test_each_point_is_compared_with_the_one_in_its_place() -> None:
    found = await recomputed(PLANNER, answered())
    assert [one.grade for one in found.agreements] == ["identical"] * 3
    assert (found.error, found.versions) == ("", ())


async def test_a_point_that_is_not_suggested_any_more_is_different() -> None:
    fewer = replace(answered(), question=replace(QUESTION, count=2))
    found = await recomputed(PLANNER, fewer)
    last = found.of("dye/suggestion-3")
    assert last is not None
    assert last.grade == "different"
    assert (last.differences[0].recorded, last.differences[0].now) == (3, None)


async def test_a_planner_that_fails_now_says_why() -> None:
    tried = tuple(Trial(inputs={"x": x}, status="failed", measures={}) for x in (1, 2, 3))
    now = replace(answered(), question=replace(QUESTION, trials=tried))
    found = await recomputed(PLANNER, now)
    assert "every feasible point of the grid" in found.error
    assert found.of("dye/suggestion-1") is None


async def test_packages_that_came_went_or_changed_are_named() -> None:
    then = {**answered().versions, "sdl-runtime": "0.0.1", "abacus": "3.0"}
    found = await recomputed(PLANNER, replace(answered(), versions=then))
    names = {name: (recorded, bool(now)) for name, recorded, now in found.versions}
    assert names == {"sdl-runtime": ("0.0.1", True), "abacus": ("3.0", False)}


def test_what_cannot_be_asked_is_found_before_a_worker_starts() -> None:
    fit([answered()], "0.1.0")
    with pytest.raises(PlannerFault, match="'oracle' that answered dye/ask-1 is not installed"):
        fit([replace(answered(), question=replace(QUESTION, planner="oracle"))], "0.1.0")
    with pytest.raises(RecordMismatch, match=r"written by version 0\.0\.1 of the runtime"):
        fit([replace(answered(), found_sha256="b")], "0.0.1")
