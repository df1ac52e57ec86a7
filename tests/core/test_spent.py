"""What a campaign has spent, and that it ends before it would spend too much."""

from __future__ import annotations

import pytest

from sdl.core import commands as do
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.spent import Spent
from sdl.model.campaign import ChoiceParameter, StopRule
from sdl.model.costs import Costs, Fidelity
from tests.core.dye import SCRIPT
from tests.core.floor import Floor, campaign

SEED = 4


def played(stop: StopRule, costs: Costs, parallel: int = 1) -> tuple[Floor, do.Conclude]:
    floor = Floor(Engine(SCRIPT), seed=SEED)
    floor.play(campaign(stop=stop, costs=costs, parallel=parallel))
    (end,) = floor.commands(do.Conclude)
    assert isinstance(end, do.Conclude)
    return floor, end


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_run_begins_that_would_take_what_is_spent_above_the_budget(parallel: int) -> None:
    floor, end = played(StopRule(runs=40, cost=25.0), Costs(per_run=6.0), parallel)
    assert (end.ending, floor.engine.state.begun) == ("budget", 4), f"seed {SEED}"
    assert end.reason == ("24 of the 25 that may be spent are spent, and the next run would cost 6")
    assert floor.engine.state_sha256() == fold(SCRIPT, floor.journal).state_sha256()


def test_a_budget_may_be_spent_to_the_last_penny() -> None:
    floor, end = played(StopRule(runs=40, cost=1.0), Costs(per_run=0.1))
    assert (end.ending, floor.engine.state.begun) == ("budget", 10), f"seed {SEED}"


def test_hours_are_paid_when_a_run_has_ended() -> None:
    floor, _ = played(StopRule(runs=3), Costs(per_hour=10.0))
    hours = floor.engine.state.spent.total / 10.0
    assert 3 * 30.0 / 3600.0 < hours < 1.0, f"seed {SEED}: each run settles for 30 s"


def test_what_a_sample_costs_follows_from_its_inputs_and_the_one_before() -> None:
    spec = campaign(
        space=(ChoiceParameter(name="ligand", options=("a", "b")),),
        costs=Costs(
            per_run=1.0,
            options={"ligand": {"a": 10.0}},
            per_unit={"dose_mg": 2.0},
            change={"ligand": 100.0},
        ),
        fidelity=Fidelity(input="assay", target="full", costs={"quick": 0.5, "full": 5.0}),
    )
    first = Spent().after(spec, [{"ligand": "a", "dose_mg": 3.0, "assay": "quick"}])
    assert first.total == 1.0 + 10.0 + 6.0 + 0.5, "nothing was changed"
    then = first.after(spec, [{"ligand": "b", "dose_mg": 0.0, "assay": "full"}])
    assert then.total - first.total == 1.0 + 0.0 + 5.0 + 100.0
    assert then.after(spec, [{"ligand": "b", "assay": "full"}]).total - then.total == 6.0


def test_a_campaign_that_states_no_costs_counts_none() -> None:
    floor, _ = played(StopRule(runs=3), Costs())
    assert floor.engine.state.spent.total == 0.0, f"seed {SEED}"
    assert Spent().after(campaign(), [{"x_fraction": 0.5}]) == Spent()
