"""The server answers every question, with points or with a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sdl.errors import PlannerFault
from sdl.model.campaign import ChoiceParameter, Objective, RangeParameter
from sdl.model.data import Trial
from sdl.model.planning import Ask, Problem
from sdl.planner import server

X = RangeParameter(name="x", low=0.0, high=1.0)
PROBLEM = Problem(space=(X,), objective=Objective(measure="m", goal="maximise"))

THIRD_PARTY = """
from sdl.model.data import Suggestion

class Broken:
    def versions(self):
        return {}

    def suggest(self, problem, trials, count, seed):
        raise ZeroDivisionError("by nought")

class Lost(Broken):
    def suggest(self, problem, trials, count, seed):
        points = ({"x": 2.0}, {"x": float("nan")})
        return tuple(Suggestion(inputs=p, origin="lost", predicted={}) for p in points)

class Silent(Broken):
    def suggest(self, problem, trials, count, seed):
        return None

class Unmade(Broken):
    def __init__(self):
        raise OSError("no licence")
"""


def asked(planner: str, *, problem: Problem = PROBLEM, count: int = 1) -> Ask:
    return Ask(id="dye/ask-1", planner=planner, problem=problem, trials=(), count=count, seed=1)


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution with planners that misbehave."""
    (tmp_path / "third_party_planners.py").write_text(THIRD_PARTY)
    info = tmp_path / "third_party_planners-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: third_party_planners\nVersion: 1.0\n"
    )
    lines = [
        f"{kind.lower()} = third_party_planners:{kind}"
        for kind in ("Broken", "Lost", "Silent", "Unmade", "Missing")
    ]
    (info / "entry_points.txt").write_text("\n".join(["[sdl.planners]", *lines]))
    monkeypatch.syspath_prepend(tmp_path)


def test_the_answer_carries_points_versions_and_seconds() -> None:
    found = server.answer(asked("sobol", count=3))
    assert found.error == ""
    assert found.id == "dye/ask-1"
    assert len(found.suggestions) == 3
    assert {"sdl-runtime", "scipy"} <= found.versions.keys()
    assert found.seconds > 0.0


@pytest.mark.usefixtures("third_party")
@pytest.mark.parametrize(
    "planner, sentence",
    [
        ("bokeh", "there is no planner 'bokeh'; installed are ax, broken, ensemble, grid, lost, m"),
        ("broken", "planner 'broken' failed with ZeroDivisionError: by nought; this is a fault of"),
        ("silent", "planner 'silent' failed with TypeError"),
        ("missing", "planner 'missing' (third_party_planners:Missing) cannot be loaded: Attribute"),
        ("unmade", "planner 'unmade' (third_party_planners:Unmade) cannot be loaded: OSError: no"),
    ],
)
def test_every_failure_is_a_sentence(planner: str, sentence: str) -> None:
    found = server.answer(asked(planner))
    assert found.suggestions == ()
    assert found.error.startswith(sentence), found.error


@pytest.mark.usefixtures("third_party")
def test_nonsense_is_refused_with_all_that_is_wrong() -> None:
    assert server.answer(asked("lost")).error == (
        "planner 'lost' answered nonsense: 2 suggestions came, 1 were asked for; "
        "suggestion 1 of 2: x = 2.0 is outside 0 to 1; "
        "suggestion 2 of 2: x = nan is not finite"
    )


@pytest.mark.usefixtures("third_party")
def test_a_planner_that_does_not_say_its_options_is_a_sentence() -> None:
    assert server.options_of("grid") == {"levels"}
    with pytest.raises(PlannerFault, match="'broken' does not say which options it reads: Attr"):
        server.options_of("broken")


def test_to_ask_for_options_loads_nothing_heavy() -> None:
    program = (
        "import sys; from sdl.planner.server import options_of\n"
        "for name in ('ax', 'grid', 'sobol'): options_of(name)\n"
        "print([name for name in ('torch', 'ax', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


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
