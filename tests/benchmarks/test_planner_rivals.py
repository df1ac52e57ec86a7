"""The planners that ours is compared with do what they are said to do, on a small set."""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from planner_campaign import MODES, Mode, Task, play
from planner_contract import offered
from planner_sets import DATA, read_set
from sdl.errors import UserMistake
from tests.benchmarks.toys import toy


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("planner", ["random", "botorch"])
def test_a_planner_with_a_list_proposes_free_points_of_it(
    tmp_path: Path, planner: str, mode: Mode
) -> None:
    data = toy(tmp_path)
    played = play(data, offered(planner), Task(planner=planner, mode=mode, seed=1, budget=6))
    assert len(set(played.order)) == 6
    assert played.moved == 0


@pytest.mark.parametrize("planner", ["random", "sobol", "botorch"])
def test_one_seed_gives_one_campaign(planner: str) -> None:
    data = read_set(DATA / "electrochem")
    orders = [
        play(data, offered(planner), Task(planner=planner, mode="flight", seed=s, budget=6)).order
        for s in (1, 1, 2)
    ]
    assert orders[0] == orders[1] != orders[2]


def test_plain_botorch_finds_the_best_of_a_smooth_set_sooner_than_chance(tmp_path: Path) -> None:
    data = toy(tmp_path)
    top = int(np.argmax(data.gains[:, 0]))
    for seed in range(2):
        task = Task(planner="botorch", mode="one", seed=seed, budget=6)
        assert top in play(data, offered("botorch"), task).order, f"seed {seed}"


def test_ax_is_told_of_what_was_measured_in_place_of_its_proposals() -> None:
    from planners.ax_default import AxDefault

    data = read_set(DATA / "photo_wf3")
    space = dict(data.space)
    planner = AxDefault(space, data.pool.copy(), 0)
    free = np.ones(len(data.points), dtype=bool)
    places = []
    for proposal in planner.suggest([], [], 4):
        assert sum(float(part) for part in proposal.values()) == pytest.approx(1.0)
        places.append(data.nearest(proposal, free))
        free[places[-1]] = False
    observed = [(data.points[at], data.observed(at, ["degradation"])) for at in places[:2]]
    (fifth,) = planner.suggest(observed, [data.points[at] for at in places[2:]], 1)

    experiment = planner._client._experiment
    by_status: dict[str, list[list[object]]] = {}
    for trial in experiment.trials.values():
        (arm,) = trial.arms
        by_status.setdefault(trial.status.name, []).append([*arm.parameters.values()])
    parts = [[*data.points[at].values()][:3] for at in places]
    assert by_status["COMPLETED"] == parts[:2]
    assert by_status["RUNNING"] == [*parts[2:], [*fifth.values()][:3]]
    assert len(by_status["FAILED"]) == 4, "one that stays pending would keep Ax away for ever"
    seen = experiment.lookup_data().df
    assert sorted(seen["mean"]) == pytest.approx(sorted(one["degradation"] for _, one in observed))
    assert logging.root.manager.disable == 0


def test_baybe_that_is_missing_is_told_kindly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "baybe", None)
    monkeypatch.delitem(sys.modules, "planners.baybe_default", raising=False)
    with pytest.raises(UserMistake, match=r"BayBE is not installed .* pip install"):
        offered("baybe")


@pytest.mark.skipif(find_spec("baybe") is None, reason="BayBE, the extra benchmark, is not there")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", MODES)
def test_baybe_proposes_free_points_of_the_list(tmp_path: Path, mode: Mode) -> None:
    data = toy(tmp_path)
    played = play(data, offered("baybe"), Task(planner="baybe", mode=mode, seed=1, budget=8))
    assert len(set(played.order)) == 8
    assert played.moved == 0
