"""The planners of this project keep the contract that third parties are held to."""

from __future__ import annotations

import pytest

from sdl.errors import PlannerFault
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import Ability, Problem
from sdl.planner.ax import AxPlanner
from sdl.planner.chance import RandomPlanner
from sdl.planner.contract import Planner
from sdl.planner.grid import GridPlanner
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.sobol import SobolPlanner
from sdl.testing.planner_contract import planner_contract


@pytest.mark.parametrize("planner", [SobolPlanner(), GridPlanner(), RandomPlanner()])
def test_model_free_planners_keep_the_contract(planner: Planner) -> None:
    planner_contract(planner, seeds=range(5))


@pytest.mark.parametrize(
    "planner, read",
    [
        (AxPlanner(), {"prior"}),
        (EnsemblePlanner(), {"costs"}),
        (SobolPlanner(), set()),
        (RandomPlanner(), set()),
        (GridPlanner(), {"levels"}),
    ],
)
def test_a_planner_names_the_options_that_it_reads(planner: Planner, read: set[str]) -> None:
    assert planner.options() == read


@pytest.mark.timeout(300)  # half a minute of a core, on a busy machine two
def test_ax_keeps_the_contract() -> None:
    planner_contract(AxPlanner(), seeds=[3])


@pytest.mark.timeout(300)  # as long as Ax: endless spaces are searched in several rounds
def test_the_ensemble_keeps_the_contract() -> None:
    planner_contract(EnsemblePlanner(), seeds=[1])


class Repeating:
    """Gives the first trial's point again and again."""

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        if not trials:
            return SobolPlanner().suggest(problem, trials, count, seed)
        return count * (
            Suggestion(inputs=trials[0].inputs, origin="repeat", predicted={}, seed=seed),
        )

    def versions(self) -> dict[str, str]:
        return {}

    def options(self) -> frozenset[str]:
        return frozenset()

    def abilities(self) -> frozenset[Ability]:
        return frozenset()


class Forgetful(SobolPlanner):
    """Draws on chance that the seed does not govern."""

    calls = 0

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        self.calls += 1
        return super().suggest(problem, trials, count, seed + self.calls)


class Stubborn(SobolPlanner):
    """Fails as soon as a trial failed."""

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        if any(trial.status == "failed" for trial in trials):
            raise ZeroDivisionError("no measures")
        return super().suggest(problem, trials, count, seed)


class Greedy(SobolPlanner):
    """Claims a key under ``[planner]`` that is the runtime's."""

    def options(self) -> frozenset[str]:
        return frozenset({"timeout_s"})


class Boasting(SobolPlanner):
    """Says that it can do what nobody asks for."""

    def abilities(self) -> frozenset[Ability]:
        return frozenset({"everything"})  # type: ignore[arg-type]


class Twice(SobolPlanner):
    """Gives the first of its points again, which in a real space nobody else would notice."""

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        found = super().suggest(problem, trials, count, seed)
        return found if count == 1 else (*found[:-1], found[0])


@pytest.mark.parametrize(
    "planner, complaint",
    [
        (Twice(), "seed 4: .* is pending, or twice"),
        (Boasting(), "abilities.. has everything, which no campaign asks for"),
        (Repeating(), "seed 4: .* is pending, or twice"),
        (Forgetful(), "seed 4: asked again"),
        (Greedy(), "names timeout_s, which the runtime reads itself"),
        (Stubborn(), "seed 4: raised ZeroDivisionError: no measures"),
    ],
)
def test_the_contract_finds_a_planner_that_breaks_it(planner: Planner, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        planner_contract(planner, seeds=[4])


def test_the_contract_finds_a_planner_that_repeats_points_of_a_used_up_space() -> None:
    for planner in (SobolPlanner(), GridPlanner()):
        with pytest.raises(AssertionError, match="PlannerFault is due"):
            planner_contract(_Endless(planner), seeds=[0])


class _Endless:
    """Answers with the last point that was left where its planner says that none is."""

    def __init__(self, planner: Planner) -> None:
        self.planner = planner

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        try:
            return self.planner.suggest(problem, trials, count, seed)
        except PlannerFault:
            return (Suggestion(inputs=trials[-1].inputs, origin="again", predicted={}),)

    def versions(self) -> dict[str, str]:
        return {}

    def options(self) -> frozenset[str]:
        return frozenset()

    def abilities(self) -> frozenset[Ability]:
        return frozenset()
