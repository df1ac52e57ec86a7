"""What a measured point is worth, and what the engine keeps of it and of trials of before."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdl.authoring import protocol
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core.aims import counts, losses, score, tallied, with_point
from sdl.core.campaign import trial_text
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.view import FrontPoint, Tally
from sdl.model.campaign import (
    Campaign,
    ChoiceParameter,
    Goal,
    Objective,
    OutcomeConstraint,
    Prior,
    StopRule,
)
from sdl.model.costs import Fidelity
from sdl.model.data import Trial
from sdl.model.hypothesis import Hypothesis, Prediction
from sdl.model.labware import Well
from tests.core.floor import Floor, campaign, script


@pytest.mark.parametrize(
    "goal, given, expected",
    [
        ("hits", {"at_least": 2.0}, [2.0, 0.0, 0.0, 0.0]),
        ("hits", {"at_least": 1.0, "at_most": 2.0}, [1.0, 0.0, 0.0, 3.0]),
        ("level", {"level": 1.5}, [1.5, 0.0, 0.5, 3.5]),
        ("range", {"low": 1.0, "high": 2.0}, [1.0, 0.0, 0.0, 3.0]),
    ],
)
def test_a_loss_is_how_far_a_value_is_from_where_it_should_be(
    goal: Goal, given: dict[str, float], expected: list[float]
) -> None:
    objective = Objective(measure="y", goal=goal, **given)
    values = [0.0, 1.5 if given != {"at_least": 2.0} else 2.0, 2.0, 5.0]
    assert [objective.loss(value) for value in values] == expected


def test_where_what_is_new_is_sought_no_point_is_the_best() -> None:
    assert score(campaign(objective=Objective(measure="y", goal="novelty")), {"y": 1.0}) is None


def test_a_tally_tells_both_sides_and_both_ends() -> None:
    objective, tally = Objective(measure="y", goal="level", level=0.5), Tally()
    for value in (0.2, 0.9, 0.5, 0.1):
        tally = tallied(tally, objective, value)
    assert tally == Tally(below=2, within=1, above=1, least=0.1, most=0.9)


GAIN = Objective(measure="gain", goal="maximise")
PRICE = Objective(measure="price", goal="minimise")


@dataclass(frozen=True)
class Two:
    gain: float
    price: float


@protocol
async def two(handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float) -> Two:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    return Two(gain=await reader.absorbance(well, wavelength_nm=450.0), price=x_fraction)


SCRIPT = script(two, measures=("gain", "price"))


def spec(**changes: object) -> Campaign:
    return campaign(**{"objective": GAIN, "further": (PRICE,), **changes})


def played(seed: int, **changes: object) -> Floor:
    chance = random.Random(seed)
    floor = Floor(Engine(SCRIPT), seed=seed)

    def answer(command: do.Perform) -> float | None:
        return chance.random() if command.operation == "absorbance" else None

    floor.answer = answer
    floor.play(spec(**changes))
    return floor


def test_what_breaks_a_limit_does_not_count() -> None:
    limited = spec(constraints=(OutcomeConstraint(measure="price", at_least=1.0, at_most=3.0),))
    for price, expected in ((0.9, False), (1.0, True), (3.0, True), (3.1, False)):
        assert counts(limited, {}, {"gain": 0.0, "price": price}) is expected
    useful = replace(spec(), objective=replace(GAIN, threshold=0.5))
    for gain, expected in ((0.4, False), (0.5, True), (0.6, True)):
        assert counts(useful, {}, {"gain": gain, "price": 0.0}) is expected


def test_only_a_close_look_counts() -> None:
    looks = replace(spec(), fidelity=Fidelity(input="assay", target="full"))
    measures = {"gain": 1.0, "price": 1.0}
    assert counts(looks, {"assay": "full"}, measures)
    assert not counts(looks, {"assay": "quick"}, measures)


def test_several_objectives_have_a_score_by_weights_alone() -> None:
    measures = {"gain": 2.0, "price": 3.0}
    assert score(spec(), measures) is None
    assert score(replace(spec(), further=()), measures) == -2.0
    weighted = replace(
        spec(), objective=replace(GAIN, weight=10.0), further=(replace(PRICE, weight=1.0),)
    )
    assert score(weighted, measures) == -17.0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12))
def test_the_front_is_the_same_in_any_order(pairs: list[tuple[int, int]]) -> None:
    def front(order: list[tuple[int, int]]) -> set[tuple[float, ...]]:
        found: tuple[FrontPoint, ...] = ()
        for gain, price in order:
            measures = {"gain": float(gain), "price": float(price)}
            new = FrontPoint(run="r", inputs={}, measures=measures)
            found = with_point(found, new, (GAIN, PRICE))
        return {losses((GAIN, PRICE), one.measures) for one in found}

    beaten = {
        (-g, p) for g, p in pairs if any(a >= g and b <= p and (a, b) != (g, p) for a, b in pairs)
    }
    assert front(pairs) == front(pairs[::-1]) == {(-g, p) for g, p in pairs} - beaten


def test_a_replay_and_a_snapshot_come_to_the_same_front() -> None:
    floor = played(11, stop=StopRule(runs=6))
    state = floor.engine.state
    assert state.best is None
    assert 1 <= len(state.front) <= 6
    again = fold(SCRIPT, floor.journal)
    assert again.state.front == state.front
    restored = Engine.restored(SCRIPT, "".join(floor.engine.snapshot().pieces()))
    assert restored.state.front == state.front
    assert restored.state_sha256() == floor.engine.state_sha256() == again.state_sha256()
    (conclusion,) = [line for line in floor.journal if isinstance(line, do.Conclude)]
    assert conclusion.front == tuple(one.suggestion for one in state.front)
    assert conclusion.best_run is None


def known(*inputs: float) -> tuple[Prior, ...]:
    trials = tuple(
        Trial(
            inputs={"x_fraction": x},
            status="measured",
            measures={"gain": 9.0, "price": x},
            prior="old.csv",
        )
        for x in inputs
    )
    return (Prior(source="old.csv", sha256="0" * 64, trials=trials),)


def test_trials_of_before_are_asked_about_and_are_no_runs() -> None:
    floor = played(3, prior=known(0.25, 0.75), stop=StopRule(runs=3))
    state = floor.engine.state
    ask = next(line for line in floor.journal if isinstance(line, do.AskPlanner))
    assert ask.trials == 2
    assert (state.known_before, state.measured, len(state.trials)) == (2, 3, 5)
    assert all(one.measures["gain"] < 9.0 for one in state.front)
    restored = Engine.restored(SCRIPT, "".join(floor.engine.snapshot().pieces()))
    assert restored.state.trials == state.trials
    assert restored.state_sha256() == fold(SCRIPT, floor.journal).state_sha256()


def test_a_trial_of_this_campaign_is_digested_as_it_always_was() -> None:
    trial = Trial(inputs={"x": 1.0}, status="measured", measures={"y": 2.0})
    assert trial_text(trial) == '{"inputs":{"x":1.0},"measures":{"y":2.0},"status":"measured"}'
    assert '"prior":"old.csv"' in trial_text(replace(trial, prior="old.csv"))


def test_where_all_points_are_known_nothing_begins() -> None:
    space = (ChoiceParameter(name="x_fraction", options=(0.25, 0.75)),)
    floor = played(1, space=space, prior=known(0.25, 0.75))
    state = floor.engine.state
    assert state.concluded is not None
    assert (state.concluded.ending, state.begun) == ("exhausted", 0)


@pytest.mark.parametrize("quantity, at", [("x_fraction", "best"), ("gain", "typical")])
def test_evidence_about_an_input_needs_points_that_count(quantity: str, at: str) -> None:
    predicts = Prediction(quantity=quantity, at=at, direction="below", threshold=0.5)  # type: ignore[arg-type]
    never = (OutcomeConstraint(measure="price", at_least=5.0),)
    floor = played(
        2,
        further=(),
        constraints=never,
        hypothesis=Hypothesis(claim="!", predicts=predicts),
        stop=StopRule(runs=4),
    )
    state = floor.engine.state
    assert state.best is None
    assert state.measured == 4
    assert len(state.outcomes) == (0 if quantity == "x_fraction" else 4)
