"""Whatever is asked: no bad point, no silent fall-back, and the same bytes from another process.

``benchmarks/planner_proof.py`` does the same for 10,000 suggestions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdl.errors import PlannerFault
from sdl.model.campaign import ChoiceParameter, Objective
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import Problem
from sdl.planner.mixture import EnsemblePlanner
from sdl.testing.bench_proof import judged_at_the_bench
from sdl.testing.planner_proof import judged
from sdl.testing.random_questions import Question, random_question
from sdl.testing.replay import REFUSED, digests, digests_elsewhere

SEEDS = st.integers(0, 2**32)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=SEEDS)
def test_the_ensemble_answers_every_question_soundly(seed: int) -> None:
    verdict = judged("ensemble", random_question(seed), models=True)
    assert verdict.faults == (), f"seed {seed}"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=SEEDS, with_pool=st.booleans())
def test_so_does_it_at_the_door_of_a_loop_in_python(seed: int, with_pool: bool) -> None:
    verdict = judged_at_the_bench(random_question(seed), with_pool=with_pool)
    assert verdict.faults == (), f"seed {seed}"


@pytest.mark.parametrize("name", ["grid", "sobol"])
@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_planners_without_a_model_answer_every_question_soundly(name: str, seed: int) -> None:
    verdict = judged(name, random_question(seed), models=False)
    assert verdict.faults == (), f"seed {seed}"


def test_another_process_gives_the_same_bytes_in_any_order() -> None:
    seeds = range(12)
    here = digests("ensemble", seeds)
    assert sum(one != REFUSED for one in here) > 5
    assert digests_elsewhere("ensemble", seeds[::-1], hash_seed=7)[::-1] == here


def _question() -> Question:
    """Five points were tried, a sixth is under way."""
    options = tuple(range(12))
    problem = Problem(
        space=(ChoiceParameter(name="x", options=options),),
        objective=Objective(measure="yield", goal="maximise"),
    )
    trials = tuple(
        Trial(inputs={"x": x}, status="measured", measures={"yield": x * 1.5}) for x in range(4)
    )
    failed = Trial(inputs={"x": 4}, status="failed", measures={})
    pending = Trial(inputs={"x": 5}, status="pending", measures={})
    return Question(problem=problem, trials=(*trials, failed, pending), count=2, seed=3)


Turn = Callable[[int], dict[str, int]]


@pytest.mark.parametrize(
    "turn, complaint",
    [
        (lambda _: {"x": 2}, "measured or pending already"),
        (lambda _: {"x": 5}, "measured or pending already"),
        (lambda _: {"x": 7}, "comes twice"),
        (lambda _: {"x": 99}, "is none of"),
        (lambda x: {"x": x if x % 2 else 4}, "has failed, and 6 points were never tried"),
    ],
)
def test_the_proof_finds_points_that_may_not_come(turn: Turn, complaint: str) -> None:
    def turned(place: int, one: Suggestion) -> Suggestion:
        return replace(one, inputs=turn(6 + place))

    verdict = judged("ensemble", _question(), models=True, planner=_Turned(turned))
    assert complaint in " ".join(verdict.faults)


@pytest.mark.parametrize(
    "left_out, complaint",
    [
        ({"origin": "sobol"}, "silent: point 1 is from sobol although a model is due"),
        ({"model_digest": ""}, "silent: point 1 has no digest of its model, or predicts nothing"),
        ({"predicted": {}}, "silent: point 1 has no digest of its model, or predicts nothing"),
    ],
)
def test_the_proof_finds_a_silent_fall_back(left_out: dict[str, Any], complaint: str) -> None:
    planner = _Turned(lambda _, one: replace(one, **left_out))
    assert complaint in judged("ensemble", _question(), models=True, planner=planner).faults
    spoken = _Turned(lambda _, one: replace(one, **left_out, fall_back="by hand"))
    assert judged("ensemble", _question(), models=True, planner=spoken).faults == ()


def test_the_proof_finds_a_planner_that_fails_or_refuses_without_a_reason() -> None:
    def failing(place: int, one: Suggestion) -> Suggestion:
        raise ZeroDivisionError("no spread")

    def refusing(place: int, one: Suggestion) -> Suggestion:
        raise PlannerFault("not today")

    for turn, fault in ((failing, "raised ZeroDivisionError"), (refusing, "refused: not today")):
        verdict = judged("ensemble", _question(), models=True, planner=_Turned(turn))
        assert verdict.faults[0].startswith(fault)


class _Turned(EnsemblePlanner):
    """The ensemble, each of whose points is turned into something else."""

    def __init__(self, turn: Callable[[int, Suggestion], Suggestion]) -> None:
        self._turn = turn

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        found = super().suggest(problem, trials, count, seed)
        return tuple(self._turn(place, one) for place, one in enumerate(found))
