"""Our generator within Ax: anybody's experiment, Ax's own storage."""

from __future__ import annotations

from pathlib import Path

import pytest
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.exceptions.core import SearchSpaceExhausted, UnsupportedError

from sdl.planner.ax_node import PlannerNode, strategy
from sdl.planner.ax_problem import told

SOLVENTS = ["water", "2-propanol"]


def _client(seed: int = 1, kind: str = "ensemble") -> Client:
    client = Client(random_seed=seed)
    client.configure_experiment(
        parameters=[
            RangeParameterConfig(
                name="dose", bounds=(0.01, 100.0), parameter_type="float", scaling="log"
            ),
            RangeParameterConfig(name="drops", bounds=(1, 4), parameter_type="int"),
            ChoiceParameterConfig(
                name="solvent", values=SOLVENTS, parameter_type="str", is_ordered=False
            ),
            ChoiceParameterConfig(
                name="heat", values=[20.0, 37.5, 60.0], parameter_type="float", is_ordered=True
            ),
        ],
        parameter_constraints=["drops + heat <= 62"],
    )
    client.configure_optimization(objective="-loss")
    client.set_generation_strategy(strategy(kind, seed))
    return client


def _loss(parameters: dict[str, object]) -> float:
    away = float(str(parameters["dose"])) - 3.0
    return abs(away) + float(str(parameters["heat"])) / 60.0 + (parameters["solvent"] == "water")


def test_ax_keeps_the_trials_and_our_generator_makes_them(tmp_path: Path) -> None:
    client = _client()
    for _ in range(3):
        for index, parameters in client.get_next_trials(max_trials=2).items():
            if index == 2:
                client.mark_trial_failed(index)
            else:
                client.complete_trial(index, raw_data={"loss": _loss(dict(parameters))})
    flying = client.get_next_trials(max_trials=3)
    node = client._generation_strategy._curr
    assert isinstance(node, PlannerNode)
    assert {one.origin for one in node.suggestions} == {"ensemble"}
    assert len({str(parameters) for parameters in flying.values()}) == 3
    seen = told(client._experiment, client._experiment.lookup_data())
    assert [trial.status for trial in seen.trials] == [
        *["measured", "measured", "failed", "measured", "measured", "measured"],
        *["pending"] * 3,
    ]
    assert seen.problem.objective.goal == "minimise"
    assert [c.at_most for c in seen.problem.constraints] == [62.0]

    client.save_to_json_file(str(tmp_path / "ax.json"))
    again = Client.load_from_json_file(str(tmp_path / "ax.json"))
    assert again.get_next_trials(max_trials=1) == client.get_next_trials(max_trials=1)


def test_what_the_node_cannot_do_it_says_before_it_makes_a_point() -> None:
    client = _client()
    with pytest.raises(UnsupportedError, match="cannot hold parameters fixed"):
        client.get_next_trials(max_trials=1, fixed_parameters={"solvent": "water"})
    client = _client(kind="sobol")
    client.configure_optimization(objective="-loss", outcome_constraints=["cost <= 3"])
    with pytest.raises(UnsupportedError, match="cannot do outcome_constraints"):
        client.get_next_trials(max_trials=1)


def test_a_used_up_space_is_told_in_the_words_of_ax() -> None:
    client = Client()
    solvent = ChoiceParameterConfig(
        name="solvent", values=SOLVENTS, parameter_type="str", is_ordered=False
    )
    client.configure_experiment(parameters=[solvent])
    client.configure_optimization(objective="gain")
    client.set_generation_strategy(strategy("grid"))
    assert len(client.get_next_trials(max_trials=2)) == 2
    with pytest.raises(SearchSpaceExhausted, match="every feasible point"):
        client.get_next_trials(max_trials=1)
