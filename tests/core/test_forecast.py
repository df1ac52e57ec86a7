"""A forecast is the run that the engine would make of it, as long as the predictions hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from hypothesis import assume, example, given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, settle, together, within
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.causes import After
from sdl.core.engine import Engine
from sdl.core.forecast import Forecast, ForecastStep, MaximumLag, SoFar, forecast
from sdl.core.script import ProtocolFunction, Script
from sdl.errors import DriverFault
from sdl.model.data import JsonValue
from sdl.model.labware import Well
from sdl.model.prediction import Prediction
from tests.core.floor import script
from tests.core.seats import COUNT, SEATS, Play, acts, play, seated

WELLS = {"well": Well("plate-1", "A1")}
PLAYERS = {"handler": "handler-1", "reader": "reader-1"}


@dataclass(frozen=True)
class Reading:
    y_au: float


@dataclass(frozen=True)
class Always:
    """Predicts the same for each action of a name."""

    durations_s: Mapping[str, float]
    result: object = None

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        if operation not in self.durations_s:
            return None
        result = self.result if operation == "absorbance" else None
        return Prediction(duration_s=self.durations_s[operation], spread_s=1.0, result=result)


PLAIN = Always({"dispense": 20.0, "absorbance": 10.0, "mix": 5.0}, 0.5)


def foreseen(function: ProtocolFunction, *predictors: Always, **more: float) -> Forecast:
    inputs = {"x_fraction": 0.5, **more}
    return forecast(script(function), inputs, WELLS, PLAYERS, predictors or (PLAIN,), at=100.0)


@protocol
async def dye(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    await settle(30.0)
    async with within(60):
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))


def test_steps_carry_what_a_scheduler_asks_for() -> None:
    found = foreseen(dye)
    first, second = found.steps
    assert first == ForecastStep(
        path="1",
        role="handler",
        instrument="handler-1",
        operation="dispense",
        arguments={"well": {"labware": "plate-1", "name": "A1"}, "volumes_ul": {"dye": 100.0}},
        labware=("plate-1",),
        state="to_come",
        duration_s=20.0,
        spread_s=1.0,
        start_s=100.0,
        end_s=120.0,
        after=(After(step=""),),
        windows=(),
        not_after=None,
    )
    assert second.after == (After(step="1", lag_s=30.0),)
    assert second.windows == (MaximumLag(opened=(After(step="1", lag_s=30.0),), within_s=60.0),)
    assert (second.path, second.start_s, second.end_s, second.not_after) == (
        "3",
        150.0,
        160.0,
        210.0,
    )
    assert (found.began_s, found.end_s, found.partial) == (100.0, 160.0, "")
    assert found.after == (After(step="3"),)
    assert found.critical_path() == ("1", "3")


@protocol
async def side_by_side(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    async def rinse() -> None:
        await handler.mix(well, 50.0, 3)
        await settle(100.0)

    async with within(500):
        await handler.dispense(well, {"dye": 10.0})
        await together(rinse(), reader.absorbance(well, 600.0), settle(7.0), together())
        value = await reader.absorbance(well, 450.0)
    await settle(2.0)
    return Reading(value)


def test_what_follows_a_fork_waits_for_each_of_its_branches() -> None:
    found = foreseen(side_by_side)
    by_path = {step.path: step for step in found.steps}
    assert set(by_path) == {"1", "2.1.1", "2.2.1", "3"}
    assert by_path["2.1.1"].after == by_path["2.2.1"].after == (After(step="1"),)
    assert by_path["3"].after == (
        After(step="2.1.1", lag_s=100.0),
        After(step="2.2.1"),
        After(step="1", lag_s=7.0),
    )
    opened = MaximumLag(opened=(After(step=""),), within_s=500.0)
    assert {step.windows for step in found.steps} == {(opened,)}
    assert found.after == (After(step="3", lag_s=2.0),)
    assert found.end_s == 100.0 + 20.0 + 105.0 + 10.0 + 2.0
    assert found.critical_path() == ("1", "2.1.1", "3")


@protocol
async def until_dark(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    value = 0.0
    while value < x_fraction:
        await handler.dispense(well, {"dye": 10.0})
        value = await reader.absorbance(well, 450.0)
    return Reading(value)


def test_a_loop_goes_the_way_of_the_predicted_results() -> None:
    assert len(foreseen(until_dark).steps) == 2
    low = replace(PLAIN, result=0.1)
    endless = foreseen(until_dark, low)
    assert endless.partial == "it goes on after 2000 steps"
    assert len(endless.steps) == 2001
    assert endless.end_s > endless.steps[-2].end_s


def test_a_loop_is_foreseen_anew_as_it_unfolds() -> None:
    of, low = script(until_dark), replace(PLAIN, result=0.9)
    told = [
        ("start", "", 0.0, None),
        ("issue", "1", 0.0, None),
        ("resume", "1", 21.0, None),
        ("issue", "2", 0.0, None),
        ("resume", "2", 32.0, 0.1),
        ("issue", "3", 0.0, None),
    ]
    inputs = {"x_fraction": 0.5}
    so_far = SoFar(fed=told, started={"1": 1.0, "2": 22.0, "3": 33.0})  # type: ignore[arg-type]
    found = forecast(of, inputs, WELLS, PLAYERS, (low,), at=40.0, so_far=so_far)
    assert [(s.path, s.state, s.start_s, s.end_s) for s in found.steps] == [
        ("1", "done", 1.0, 21.0),
        ("2", "done", 22.0, 32.0),
        ("3", "under_way", 33.0, 53.0),
        ("4", "to_come", 53.0, 63.0),
    ]
    assert [step.path for step in found.left] == ["3", "4"]
    assert (found.began_s, found.end_s, found.partial) == (0.0, 63.0, "")
    late = forecast(of, inputs, WELLS, PLAYERS, (low,), at=70.0, so_far=so_far)
    assert late.steps[2].end_s == 70.0, "what is overdue may end at any moment"


@protocol
async def hopeless(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    await handler.mix(well, 50.0, 3)
    raise ValueError(f"{1.0 / x_fraction} is no use")


def test_a_protocol_that_raises_gives_what_was_found() -> None:
    found = foreseen(hopeless)
    assert found.partial == "the protocol raised ValueError: 2.0 is no use"
    assert [step.path for step in found.steps] == ["1"]
    assert found.end_s == 105.0
    wrong = forecast(script(dye), {"y": 1.0}, WELLS, PLAYERS, (PLAIN,))
    assert wrong.partial.startswith("it cannot be told further: ")
    assert wrong.steps == ()


def test_the_last_resort_is_the_declared_time_out() -> None:
    found = foreseen(dye, Always({"dispense": float("nan"), "absorbance": -1.0}))
    assert [(step.duration_s, step.spread_s) for step in found.steps] == [
        (600.0, 300.0),
        (300.0, 150.0),
    ]
    assert found.partial == ""


def test_a_window_that_cannot_be_kept_is_seen() -> None:
    @protocol
    async def slow(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        async with within(10):
            await handler.dispense(well, {"dye": 1.0})
            return Reading(await reader.absorbance(well, 450.0))

    found = foreseen(slow)
    assert [step.is_late for step in found.steps] == [False, True]


@protocol
async def patient(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    async def fails() -> None:
        await handler.mix(well, 50.0, 1)

    async def goes_on() -> None:
        await settle(50.0)
        await reader.absorbance(well, 600.0)

    try:
        await together(fails(), goes_on())
    except* DriverFault:
        await handler.dispense(well, {"dye": 1.0})
    return Reading(1.0)


def test_what_was_stopped_before_it_began_is_no_step_and_nobody_waits_for_it() -> None:
    told = [
        ("start", "", 0.0, None),
        ("issue", "1.1.1", 0.0, None),
        ("throw", "1.1.1", 8.0, ["DriverFault", "jammed"]),
    ]
    so_far = SoFar(fed=told)  # type: ignore[arg-type]
    found = forecast(
        script(patient), {"x_fraction": 0.5}, WELLS, PLAYERS, (PLAIN,), at=9.0, so_far=so_far
    )
    assert [(s.path, s.state, s.after) for s in found.steps] == [
        ("1.1.1", "done", (After(step=""),)),
        ("2", "to_come", (After(step="1.1.1"), After(step=""))),
    ]
    assert found.steps[1].start_s == 9.0


# Any protocol: the forecast is the run.

Plan: TypeAlias = tuple[object, ...]
SECONDS = st.sampled_from([0.0, 0.5, 1.0, 7.25, 30.0, 100.0])
leaf = st.one_of(st.tuples(st.just("act"), SECONDS), st.tuples(st.just("settle"), SECONDS))
plans = st.recursive(
    st.lists(leaf, max_size=3).map(tuple),
    lambda inner: st.lists(
        st.one_of(
            leaf,
            st.tuples(st.just("together"), st.lists(inner, max_size=3).map(tuple)),
            st.tuples(st.just("within"), SECONDS.map(lambda s: s + 0.1), inner),
            st.tuples(st.just("times"), st.integers(0, 3), inner),
        ),
        max_size=4,
    ).map(tuple),
    max_leaves=8,
).filter(lambda plan: acts(plan) <= COUNT)


def longest_path_s(found: Forecast) -> float:
    """From the graph alone, without the times that the forecast itself has."""
    ends = {"": found.began_s}
    for step in found.steps:  # in order of asking: what a step waits for stands before it
        start = max(ends[one.step] + one.lag_s for one in step.after)
        ends[step.path] = start + step.duration_s
    return max(ends[one.step] + one.lag_s for one in found.after)


@settings(max_examples=200, deadline=None)
@given(plan=plans)
@example(plan=(("together", ((("together", ((("settle", 7.25),), ())),), (("act", 1.0),))),))
def test_the_critical_path_is_as_long_as_the_run_that_the_engine_makes(plan: Plan) -> None:
    played: Play = play(plan)
    found = forecast(
        seated(plan), {"x_fraction": 0.5}, WELLS, SEATS, (played.durations(),), at=played.began_s
    )
    note(f"{found}")
    # The engine would break a run off where a window is missed; a forecast says so and goes on.
    assume(not any(step.is_late for step in found.steps))
    assert found.partial == ""
    assert abs(found.end_s - played.ended_s) < 1e-6, plan
    assert abs(longest_path_s(found) - played.ended_s) < 1e-6, plan
    assert {step.path: step.instrument for step in found.steps} == played.instruments
    assert all(abs(step.start_s - played.started[step.path]) < 1e-6 for step in found.steps)
    path = found.critical_path()
    assert len(set(path)) == len(path)
    for step in found.steps:
        assert step.not_after is None or step.start_s <= step.not_after + 1e-6


@settings(max_examples=100, deadline=None)
@given(plan=plans, share=st.floats(0.0, 1.0))
def test_a_forecast_in_mid_run_ends_when_the_run_does_and_does_not_touch_it(
    plan: Plan, share: float
) -> None:
    whole = play(plan)
    half = play(plan, until=round(share * whole.events))
    engine, script = half.engine, seated(plan)
    before = engine.state_sha256()
    for run in engine.state.runs.values():
        so_far = SoFar(fed=run.trampoline.fed, started=half.started)
        found = forecast(
            script,
            run.inputs,
            run.wells,
            run.instruments,
            (whole.durations(),),
            at=engine.at,
            so_far=so_far,
        )
        if any(step.is_late for step in found.steps):
            continue
        assert abs(found.end_s - whole.ended_s) < 1e-6, plan
        done = {step.path for step in found.steps if step.state == "done"}
        assert done == half.ended, plan
        under_way = {step.path for step in found.steps if step.state == "under_way"}
        assert under_way == half.started.keys() - half.ended, plan
    assert engine.state_sha256() == before
    assert half.go_on().ended_s == whole.ended_s


class Wrong:
    """Says anything at all of anything."""

    def __init__(self, seconds: list[float], results: list[object]) -> None:
        self.seconds, self.results, self.count = seconds, results, 0

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        self.count += 1
        seconds = self.seconds[self.count % len(self.seconds)]
        if seconds == 13.0:
            raise RuntimeError("a predictor of somebody's own")
        return Prediction(
            duration_s=seconds,
            spread_s=seconds,
            result=self.results[self.count % len(self.results)],
        )


@settings(max_examples=100, deadline=None)
@given(
    seconds=st.lists(st.one_of(st.just(13.0), st.floats()), min_size=1, max_size=4),
    results=st.lists(
        st.one_of(st.none(), st.floats(), st.text(), st.just(object())), min_size=1, max_size=4
    ),
    function=st.sampled_from([dye, side_by_side, until_dark, hopeless, patient]),
)
def test_wrong_predictions_never_raise(
    seconds: list[float], results: list[object], function: ProtocolFunction
) -> None:
    inputs, of = {"x_fraction": 0.5}, script(function)
    found = forecast(of, inputs, WELLS, PLAYERS, (Wrong(seconds, results),), steps_max=50)
    again = forecast(of, inputs, WELLS, PLAYERS, (Wrong(seconds, results),), steps_max=50)
    assert found == again
    assert all(step.end_s >= step.start_s for step in found.steps)


def test_a_forecast_of_a_run_whose_past_does_not_fit_is_partial() -> None:
    so_far = SoFar(fed=[("start", "", 0.0, None), ("resume", "9", 1.0, None)])
    found = forecast(script(dye), {"x_fraction": 0.5}, WELLS, PLAYERS, (PLAIN,), so_far=so_far)
    assert found.partial
    assert [step.path for step in found.steps] == ["1"]


def test_the_engine_that_a_test_plays_with_is_the_real_one() -> None:
    played = play((("act", 5.0),))
    assert isinstance(played.engine, Engine)
    assert isinstance(played.journal[0], ev.CampaignStarted)
    assert any(
        isinstance(line, do.EndRun) and line.outcome == "measured" for line in played.journal
    )
    assert isinstance(played.engine.scripts, Script)
