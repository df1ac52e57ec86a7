"""The server answers every question, with points or with a sentence."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from sdl.model.campaign import ChoiceParameter, Objective, RangeParameter
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import Ask, Problem
from sdl.planner import server

X = RangeParameter(name="x", low=0.0, high=1.0)
PROBLEM = Problem(space=(X,), objective=Objective(measure="m", goal="maximise"))


def asked(planner: str, *, problem: Problem = PROBLEM, count: int = 1) -> Ask:
    return Ask(id="dye/ask-1", planner=planner, problem=problem, trials=(), count=count, seed=1)


class Broken:
    """Raises."""

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> Sequence[Suggestion]:
        raise ZeroDivisionError("by nought")

    def versions(self) -> dict[str, str]:
        return {}


class Lost(Broken):
    """Leaves the space, and gives too many points."""

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> Sequence[Suggestion]:
        return [
            Suggestion(inputs={"x": value}, origin="lost", predicted={})
            for value in (2.0, math.nan)
        ]


class Silent(Broken):
    """Forgets to answer."""

    def suggest(self, *_: object) -> Sequence[Suggestion]:
        return None  # type: ignore[return-value] # what is to be shown


class Unmade(Broken):
    """Cannot be made."""

    def __init__(self) -> None:
        raise OSError("no licence")


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer the planners of this file besides the installed ones."""
    kinds = (Broken, Lost, Silent, Unmade)
    extra = {k.__name__.lower(): k for k in kinds}
    original = server.entry_points

    class Offered(EntryPoint):
        def load(self) -> type:
            return extra[self.name]

    def offered(**wanted: str) -> EntryPoints:
        points = [Offered(name, f"here:{name}", "sdl.planners") for name in extra]
        return EntryPoints([*original(**wanted), *EntryPoints(points).select(**wanted)])

    monkeypatch.setattr(server, "entry_points", offered)


def test_the_answer_carries_points_versions_and_seconds() -> None:
    found = server.answer(asked("sobol", count=3))
    assert found.error == ""
    assert found.id == "dye/ask-1"
    assert len(found.suggestions) == 3
    assert {"sdl-runtime", "scipy"} <= found.versions.keys()
    assert 0.0 < found.seconds < 60.0


@pytest.mark.parametrize(
    ("planner", "sentence"),
    [
        (
            "bokeh",
            "there is no planner 'bokeh'; installed are ax, broken, grid, lost, silent, sobol",
        ),
        ("broken", "planner 'broken' failed with ZeroDivisionError: by nought; this is a fault of"),
        ("silent", "planner 'silent' failed with TypeError"),
        ("unmade", "planner 'unmade' (here:unmade) cannot be loaded: OSError: no licence"),
        (
            "lost",
            "planner 'lost' answered nonsense: 2 suggestions came, 1 were asked for; "
            "suggestion 1 of 2: x = 2.0 is outside 0 to 1; "
            "suggestion 2 of 2: x = nan is not finite",
        ),
    ],
)
def test_every_failure_is_a_sentence(
    planner: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    found = server.answer(asked(planner))
    assert found.suggestions == ()
    assert found.error.startswith(sentence), found.error


def test_a_question_that_makes_no_sense_is_answered_with_a_sentence() -> None:
    assert "ask for at least 1" in server.answer(asked("sobol", count=0)).error
    empty = Problem(space=(), objective=PROBLEM.objective)
    assert "the search space is empty" in server.answer(asked("sobol", problem=empty)).error


def test_a_used_up_space_is_said() -> None:
    only = ChoiceParameter(name="kind", options=("a",))
    problem = Problem(space=(only,), objective=PROBLEM.objective)
    trial = Trial(inputs={"kind": "a"}, status="measured", measures={"m": 1.0})
    for planner in ("sobol", "grid", "ax"):
        done = Ask(id="a", planner=planner, problem=problem, trials=(trial,), count=1, seed=1)
        assert "every feasible point" in server.answer(done).error, planner


def test_model_free_planners_load_neither_torch_nor_ax() -> None:
    code = (
        "import sys, sdl.planner.ax, sdl.planner.grid, sdl.planner.server, sdl.planner.sobol\n"
        "sys.exit(' '.join({'torch', 'ax', 'botorch'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
