"""Batch protocols: one run carries many suggestions, each with its own end and its own numbers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, settle
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import campaign as rules
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.campaign import CampaignState, OpenAsk
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.samples import next_samples
from sdl.core.script import Script
from sdl.errors import DriverFault
from sdl.model.campaign import BatchRule, Campaign, ChoiceParameter, PlateChoice, StopRule
from sdl.model.data import JsonValue, Suggestion
from sdl.model.hypothesis import Hypothesis, Prediction
from sdl.model.labware import Labware, Well
from sdl.model.stock import Source, Stocks
from sdl.wire.journal import dump, load
from sdl.wire.labware_kinds import labware_kind
from sdl.wire.signature import read_signature
from tests.core import dye
from tests.core.floor import Chances, Floor, Start, campaign
from tests.core.test_replay import chances
from tests.core.test_snapshot import again, turns


@dataclass(frozen=True)
class Sample:
    x_fraction: float


@dataclass(frozen=True)
class Reading:
    y_au: float


@protocol
async def assay(
    handler: LiquidHandler,
    reader: PlateReader,
    wells: list[Well],
    *,
    samples: list[Sample],
    settle_s: float = 5.0,
) -> list[Reading | None]:
    """A sample whose reading is below zero has none."""
    for well, sample in zip(wells, samples, strict=True):
        await handler.dispense(well, {"dye": 100.0 * sample.x_fraction})
    await settle(settle_s)
    read = [await reader.absorbance(well, wavelength_nm=450.0) for well in wells]
    return [None if value < 0.0 else Reading(value) for value in read]


SCRIPT = Script.of(assay, read_signature(assay))
KIND = labware_kind("plate-96-flat")
PLATES = tuple(Labware(name=name, kind=KIND) for name in ("plate-1", "plate-2"))


PREDICTS = Prediction(quantity="y_au", at="typical", direction="exceeds", threshold=0.2)


def spec(size: int = 4, runs: int = 8, **changes: object) -> Campaign:
    plain: dict[str, object] = {
        "roles": {"handler": ("handler",), "reader": ("reader",), "wells": ()},
        "plates": {"wells": PlateChoice(kind=KIND.name)},
        "batch": BatchRule(size=size),
        "stop": StopRule(runs=runs, failures=100),
    }
    return campaign(**{**plain, **changes})


def played(campaign: Campaign, *readings: float, seed: int = 1, **changes: object) -> Floor:
    """Readings come in this order, then 0.5 each."""
    left = list(readings)

    def answer(command: do.Perform) -> JsonValue:
        if command.operation != "absorbance":
            return None
        return left.pop(0) if left else 0.5

    floor = Floor(Engine(SCRIPT), seed=seed, labware=PLATES, answer=answer, **changes)  # type: ignore[arg-type]
    return floor.play(campaign)


def of(floor: Floor, kind: type[do.Command]) -> list[do.Command]:
    return floor.commands(kind)


def begun(floor: Floor) -> list[do.BeginRun]:
    return [line for line in floor.journal if isinstance(line, do.BeginRun)]


def ends(floor: Floor) -> list[do.EndRun]:
    return [line for line in floor.journal if isinstance(line, do.EndRun)]


def conclusion(floor: Floor) -> do.Conclude:
    (end,) = [line for line in floor.journal if isinstance(line, do.Conclude)]
    return end


def test_a_run_carries_a_batch_and_the_planner_is_asked_for_all_of_it_at_once() -> None:
    floor = played(spec(size=4, runs=8))
    asked = [line.count for line in floor.journal if isinstance(line, do.AskPlanner)]
    assert asked == [4, 4]
    first, second = begun(floor)
    assert first.suggestion == ""
    assert first.suggestions == tuple(f"dye/suggestion-{n}" for n in (1, 2, 3, 4))
    assert first.roles["wells"] == "plate-1/A1,plate-1/B1,plate-1/C1,plate-1/D1"
    assert second.run == "dye/run-2"
    samples = first.inputs["samples"]
    assert isinstance(samples, tuple)
    assert [set(one) for one in samples] == [{"x_fraction"}] * 4


def test_each_sample_has_its_own_end_measures_and_place_among_the_trials() -> None:
    floor = played(spec(size=3, runs=3), 0.1, -1.0, 0.3)
    (end,) = ends(floor)
    assert end.outcome == "measured"
    assert end.measures == {}
    assert [(one.outcome, dict(one.measures), one.loss) for one in end.samples] == [
        ("measured", {"y_au": 0.1}, -0.1),
        ("failed", {}, None),
        ("measured", {"y_au": 0.3}, -0.3),
    ]
    assert end.reason == "1 of 3 samples gave no measurement"
    disposed = [line for line in floor.journal if isinstance(line, do.Dispose)]
    assert [one.disposition for one in disposed] == ["measured", "failed", "measured"]
    assert [one.status for one in floor.engine.state.trials.values()] == [
        "measured",
        "failed",
        "measured",
    ]
    best = floor.engine.state.best
    assert best is not None
    assert (best.run, best.suggestion, best.value) == ("dye/run-1", "dye/suggestion-3", 0.3)
    assert set(best.inputs) == {"x_fraction"}
    end_of_all = conclusion(floor)
    assert (end_of_all.best_run, end_of_all.best_suggestion) == ("dye/run-1", "dye/suggestion-3")


def test_the_budget_counts_samples_and_the_last_run_takes_what_is_left_of_it() -> None:
    floor = played(spec(size=4, runs=10))
    assert [len(one.suggestions) for one in begun(floor)] == [4, 4, 2]
    assert begun(floor)[-1].roles["wells"].count(",") == 1, "as many wells as samples"
    assert conclusion(floor).reason == "all 10 samples are done"
    view = floor.engine.view()
    assert (view.runs_begun, view.runs_ended, view.runs_max, view.counted) == (10, 10, 10, "sample")


def test_a_run_begins_with_fewer_once_the_planner_can_give_no_more() -> None:
    space = (ChoiceParameter(name="x_fraction", options=(0.1, 0.2, 0.3, 0.4, 0.5)),)
    floor = Floor(Engine(SCRIPT), seed=2, labware=PLATES)
    left = [0.1, 0.2, 0.3, 0.4, 0.5]

    def plan(command: do.AskPlanner, at: float) -> None:
        points = tuple(
            Suggestion(inputs={"x_fraction": left.pop(0)}, origin="grid", predicted={})
            for _ in range(command.count)
        )
        floor.post(
            ev.SuggestionsArrived(
                at=at + 1.0,
                ask=command.ask,
                attempt=command.attempt,
                suggestions=points,
                versions=(),
            )
        )

    floor.plan = plan  # type: ignore[method-assign]
    floor.play(spec(size=3, runs=40, space=space))
    assert [len(one.suggestions) for one in begun(floor)] == [3, 2]
    assert conclusion(floor).ending == "exhausted"


def test_what_the_planner_gave_is_tried_before_its_failure_ends_the_campaign() -> None:
    floor, asked = Floor(Engine(SCRIPT), seed=3, labware=PLATES), list[str]()
    plan = floor.plan

    def fails_later(command: do.AskPlanner, at: float) -> None:
        asked.append(command.ask)
        if command.ask == "dye/ask-1":
            plan(command, at)
            return
        floor.post(
            ev.PlannerFailed(at=at + 1.0, ask=command.ask, attempt=command.attempt, reason="died")
        )

    floor.plan = fails_later  # type: ignore[method-assign]
    floor.play(spec(size=3, runs=40, parallel=2))
    assert [len(one.suggestions) for one in begun(floor)] == [3, 3, 3]
    assert conclusion(floor).ending == "planner"
    assert all(one.outcome == "measured" for one in ends(floor))


def waiting(ready: int, begun: int = 0, *, asked: bool = False, dry: bool = False) -> int:
    """How many samples the next run takes, of batches of four and a budget of nine."""
    state = CampaignState(spec(size=4, runs=9), 0.0, None)
    state.ready.extend(f"dye/suggestion-{number}" for number in range(ready))
    state.samples_begun = begun
    if asked:
        question = rules.question(state, 4)
        state.open_ask = OpenAsk(question=question, attempt=1, asked_at=0.0, trials_sha256="")
    state.dry = ("exhausted", "no point is left") if dry else None
    return len(next_samples(state))


def test_a_run_waits_until_it_is_full_as_long_as_more_can_come() -> None:
    assert waiting(0) == 0
    assert waiting(3) == 0, "one more is about to be asked for"
    assert waiting(3, asked=True) == 0
    assert waiting(3, dry=True) == 3
    assert waiting(4, asked=True) == waiting(7) == 4
    assert waiting(1, begun=8) == 1, "the budget has room for one"
    assert waiting(4, begun=9) == 0


def test_a_run_that_fails_fails_all_its_samples() -> None:
    floor = Floor(Engine(SCRIPT), seed=5, labware=PLATES, chances=Chances(refuse=1.0))
    floor.play(spec(size=3, runs=6, stop=StopRule(runs=6, failures=2)))
    end = ends(floor)[0]
    assert end.outcome == "failed"
    assert [one.outcome for one in end.samples] == ["failed"] * 3
    assert {one.reason for one in end.samples} == {end.reason}
    state = floor.engine.state
    assert (state.ended, state.failed, state.failures_in_row) == (6, 6, 2), "two runs of three"


def test_a_batch_in_which_no_sample_was_measured_has_failed() -> None:
    floor = played(spec(size=2, runs=4, stop=StopRule(runs=4, failures=2)), -1, -1, -1, -1)
    assert [one.outcome for one in ends(floor)] == ["failed", "failed"]
    assert ends(floor)[0].reason == (
        "no sample gave a measurement; the first: its protocol gave None for it"
    )
    assert conclusion(floor).ending == "failures"


def test_a_number_that_is_none_fails_its_own_sample_only() -> None:
    floor = played(spec(size=2, runs=2), float("nan"), 0.4)
    (end,) = ends(floor)
    assert [one.outcome for one in end.samples] == ["failed", "measured"]
    assert end.samples[0].reason == "DriverFault: y_au is nan, which is no measurement"


def test_evidence_grows_with_each_measured_sample() -> None:
    claim = Hypothesis(claim="It is above 0.2.", predicts=PREDICTS)
    floor = played(spec(size=3, runs=3, hypothesis=claim), 0.1, -1.0, 0.3)
    weighed = [line for line in floor.journal if isinstance(line, do.Weigh)]
    assert [(one.run, one.sample, one.evidence.runs) for one in weighed] == [
        ("dye/run-1", 1, 1),
        ("dye/run-1", 3, 2),
    ]


def test_materials_are_kept_for_all_samples_of_a_run() -> None:
    stocks = (Stocks(instrument="handler", sources={"dye": Source(volume_ul=10_000.0)}),)
    floor = played(spec(size=4, runs=4), stocks=stocks)
    (begins,) = begun(floor)
    samples = begins.inputs["samples"]
    assert isinstance(samples, tuple)
    kept = next(line for line in floor.journal if isinstance(line, do.Book) and line.run)
    need_ul = sum(100.0 * float(one["x_fraction"]) for one in samples)
    assert kept.why == "reserved"
    assert kept.levels[0].reserved_ul == pytest.approx(need_ul, abs=1e-5)


def test_a_wrong_number_of_results_fails_the_run_and_says_so() -> None:
    results = SCRIPT.results([Reading(0.5), None], 2)
    assert results == [{"y_au": 0.5}, None]
    for wrong, told in (([Reading(0.5)], "returned 1 results for 2"), (0.5, "returned no list")):
        with pytest.raises(Exception, match=told):
            SCRIPT.results(wrong, 2)


class Bench:
    """The plainest handler and reader that there can be."""

    def __init__(self) -> None:
        self.dye_ul: dict[str, float] = {}

    async def dispense(self, well: Well, volumes_ul: dict[str, float]) -> None:
        self.dye_ul[str(well)] = volumes_ul["dye"]

    async def absorbance(self, well: Well, wavelength_nm: float) -> float:
        if wavelength_nm != 450.0:
            raise DriverFault("no such filter")
        return self.dye_ul[str(well)] / 100.0


def test_a_batch_protocol_is_run_by_plain_asyncio_too() -> None:
    bench = Bench()
    wells = [Well("plate-1", name) for name in ("A1", "B1")]
    samples = [Sample(0.2), Sample(0.4)]
    found = asyncio.run(assay(bench, bench, wells, samples=samples, settle_s=0.0))  # type: ignore[arg-type]
    assert found == [Reading(pytest.approx(0.2)), Reading(pytest.approx(0.4))]  # type: ignore[arg-type]


@settings(max_examples=60)
@given(
    odds=chances,
    seed=st.integers(0, 2**20),
    size=st.integers(1, 4),
    parallel=st.integers(1, 3),
    every=st.integers(1, 9),
)
def test_all_ends_and_replay_and_snapshots_give_the_same(
    odds: Chances, seed: int, size: int, parallel: int, every: int
) -> None:
    note(f"seed {seed}")
    floor = Floor(Engine(SCRIPT), seed=seed, chances=odds, labware=PLATES)
    floor.play(spec(size, parallel=parallel, stop=StopRule(runs=7, failures=9)))
    assert floor.engine.state.concluded is not None, f"seed {seed}: it never ended"
    assert not floor.doubles(), f"seed {seed}: done twice"
    assert sum(len(one.suggestions) for one in begun(floor)) <= 7, f"seed {seed}"
    often = Engine(SCRIPT)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert often.handle(event) == commands, f"seed {seed}, turn {number}"
        if number % every == 0:
            often = again(often)
    assert often.state_sha256() == fold(SCRIPT, read_again(floor)).state_sha256(), f"seed {seed}"


def read_again(floor: Floor) -> Iterator[ev.Event | do.Command]:
    """The journal as it comes out of a record."""
    return (load(type(line).__name__, dump(line)) for line in floor.journal)


@settings(max_examples=15)
@given(odds=chances, seed=st.integers(0, 2**20), size=st.integers(2, 4))
def test_batches_of_two_campaigns_come_to_their_end_on_plates_of_their_own(
    odds: Chances, seed: int, size: int
) -> None:
    note(f"seed {seed}")
    floor = Floor(Engine(SCRIPT), seed=seed, chances=odds, labware=PLATES)
    floor.play_lab(*(Start(spec=spec(size, runs=5, name=name)) for name in ("p", "q")))
    assert set(floor.engine.ended) == {"p", "q"}, f"seed {seed}"
    assert not floor.doubles(), f"seed {seed}: done twice"
    on = {
        name: {one.roles["wells"].partition("/")[0] for one in begun(floor) if one.run[0] == name}
        for name in ("p", "q")
    }
    assert not on["p"] & on["q"], f"seed {seed}"
    assert fold(SCRIPT, floor.journal).state_sha256() == floor.engine.state_sha256()


NEW = {
    "BeginRun": ("suggestions",),
    "EndRun": ("samples",),
    "Weigh": ("sample",),
    "Conclude": ("best_suggestion",),
}
"""Fields that were added for batches."""


def old(line: ev.Event | do.Command) -> ev.Event | do.Command:
    """The line as it was written before."""
    kind, body = type(line).__name__, json.loads(dump(line))
    for name in NEW.get(kind, ()):
        del body[name]
    if kind == "CampaignStarted":
        del body["campaign"]["plates"], body["campaign"]["batch"], body["protocol"]["samples"]
        for one in body["protocol"]["inputs"]:
            del one["of_run"]
    return load(kind, json.dumps(body))


def test_a_journal_of_before_there_were_batches_folds_to_the_same() -> None:
    claim = Hypothesis(claim="!", predicts=replace(PREDICTS, threshold=0.4))
    floor = Floor(Engine(dye.SCRIPT), seed=6).play(campaign(parallel=2, hypothesis=claim))
    assert set(NEW) <= {type(line).__name__ for line in floor.journal}
    again_folded = fold(dye.SCRIPT, map(old, floor.journal))
    assert again_folded.state_sha256() == floor.engine.state_sha256()
