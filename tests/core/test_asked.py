"""From a journal alone each question is put together as it was, and answers are compared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, settle, within
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core.agreement import Grade, agreement
from sdl.core.asked import answers
from sdl.core.engine import Engine
from sdl.core.script import Script
from sdl.model.campaign import Campaign, PlannerChoice, Prior, StopRule
from sdl.model.data import Prediction, Suggestion, Trial
from sdl.model.labware import Well
from sdl.model.planning import Ask
from sdl.model.policy import Rule
from sdl.model.reason import Expected, Near, Reason
from tests.core import test_batch as batch
from tests.core.floor import Chances, Floor, Start, campaign, script
from tests.core.test_replay import chances


@dataclass(frozen=True)
class Reading:
    y_au: float


@protocol
async def hurried(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    """Its window is often missed, as another run has the reader."""
    await handler.dispense(well, {"dye": 100.0 * x_fraction})
    await settle(5.0)
    async with within(2.0):
        return Reading(x_fraction + await reader.absorbance(well, wavelength_nm=450.0))


SCRIPT = script(hurried)


@dataclass
class Overheard(Floor):
    """Keeps each question as the engine gave it to the planner."""

    asked: dict[tuple[str, int], Ask] = field(default_factory=dict)

    def plan(self, command: do.AskPlanner, at: float) -> None:
        self.asked[command.ask, command.attempt] = self.engine.question(command.ask)
        super().plan(command, at)


def spec(then: str, **changes: object) -> Campaign:
    rule = Rule(then=then, on=("window",))  # type: ignore[arg-type]
    known = Trial(inputs={"x_fraction": 0.5}, status="measured", measures={"y_au": 1.0}, prior="a")
    plain: dict[str, object] = {
        "parallel": 3,
        "policy": (rule,),
        "prior": (Prior(source="a.csv", sha256="", trials=(known,)),),
        "planner": PlannerChoice(kind="ax", fall_back="sobol"),
        "stop": StopRule(runs=9, failures=100),
    }
    return campaign(**{**plain, **changes})


def overheard(script: Script, seed: int, chances: Chances, **changes: object) -> Overheard:
    return Overheard(Engine(script), seed=seed, chances=chances, **changes)  # type: ignore[arg-type]


def check(floor: Overheard, campaign: str = "dye") -> int:
    """Every question that was answered, to the last trial; how many there were."""
    count = 0
    for one in answers(floor.journal, campaign):
        ask = one.question.id
        attempts = [number for name, number in floor.asked if name == ask]
        asked = [floor.asked[ask, number] for number in attempts]
        assert one.question in asked, f"seed {floor.seed}: {ask}"
        assert one.found_sha256 == one.trials_sha256, f"seed {floor.seed}: {ask}"
        count += 1
    accepted = {
        name for one in answers(floor.journal, campaign) for name, _ in one.accepted.items()
    }
    lines = floor.commands(do.AcceptSuggestion)
    names = {line.suggestion for line in lines if isinstance(line, do.AcceptSuggestion)}
    assert accepted == {name for name in names if name.startswith(f"{campaign}/")}
    return count


@settings(max_examples=40)
@given(st.integers(0, 2**32), chances, st.sampled_from(["flag", "requeue", "skip"]))
def test_a_question_follows_from_the_lines_before_it(
    seed: int, chances: Chances, then: str
) -> None:
    note(f"seed {seed}")
    floor = overheard(SCRIPT, seed, chances, simulated=False)
    floor.play(spec(then))
    check(floor)


@settings(max_examples=15)
@given(st.integers(0, 2**32), chances)
def test_that_of_a_batch_does_too(seed: int, chances: Chances) -> None:
    note(f"seed {seed}")
    floor = overheard(batch.SCRIPT, seed, chances, labware=batch.PLATES)
    floor.play(batch.spec(size=3, runs=9, parallel=2))
    check(floor)


def test_late_failed_and_requeued_runs_are_among_what_was_asked() -> None:
    rough = Chances(fail=0.1, unknown=0.3, planner_fails=0.6)
    floor = overheard(SCRIPT, 8, rough, simulated=False)
    floor.play(spec("requeue", stop=StopRule(runs=20, failures=100)))
    assert check(floor) > 5
    trials = [trial for ask in floor.asked.values() for trial in ask.trials]
    assert any(trial.broke_window for trial in trials), "seed 8"
    kinds = {trial.status for trial in trials}
    assert kinds == {"measured", "failed", "abandoned", "pending"}, "seed 8"
    assert {ask.planner for ask in floor.asked.values()} == {"ax", "sobol"}, "seed 8"


def test_of_a_session_each_campaign_has_its_own() -> None:
    floor = overheard(SCRIPT, 3, Chances(fail=0.2))
    other = replace(spec("flag"), name="other")
    floor.play_lab(Start(spec=spec("flag")), Start(spec=other, at=20.0))
    assert check(floor, "dye") > 2, "seed 3"
    assert check(floor, "other") > 2, "seed 3"


def test_a_trial_that_was_changed_shows_in_the_digest() -> None:
    floor = overheard(SCRIPT, 1, Chances())
    floor.play(spec("flag"))
    spoilt = [
        replace(line, measures={"y_au": 2.0 * line.measures["y_au"]})
        if isinstance(line, do.EndRun) and line.measures
        else line
        for line in floor.journal
    ]
    assert any(one.found_sha256 != one.trials_sha256 for one in answers(spoilt, "dye"))


POINT = Suggestion(
    inputs={"x_fraction": 0.5, "dye": "red"},
    origin="ensemble",
    predicted={"y_au": Prediction(mean=1.0, sd=0.1)},
    acquisition=-1.5,
    model_digest="a",
    reason=Reason(
        expected={"y_au": Expected.of_normal(1.0, 0.1)},
        nearest=(Near(inputs={"dye": "red"}, measures={"y_au": 0.9}, correlation=0.9),),
        data_digest="b",
    ),
)
NEARBY = 0.5 * (1.0 + 1e-12)


@pytest.mark.parametrize(
    "now,grade,what",
    [
        (POINT, "identical", []),
        (replace(POINT, inputs={**POINT.inputs, "x_fraction": NEARBY}), "equal", ["inputs"]),
        (replace(POINT, model_digest="c", acquisition=-1.5 - 1e-12), "equal", ["acq", "model"]),
        (replace(POINT, acquisition=-1.6), "same point", ["acquisition"]),
        (replace(POINT, reason=None), "same point", ["reason"]),
        (replace(POINT, fall_back="tired"), "same point", ["fall_back"]),
        (replace(POINT, inputs={**POINT.inputs, "dye": "blue"}), "different", ["inputs.dye"]),
        (replace(POINT, inputs={**POINT.inputs, "x_fraction": 0.6}), "different", ["inputs.x"]),
        (None, "different", ["inputs"]),
    ],
)
def test_two_answers_agree_to_a_degree_and_what_differs_is_named(
    now: Suggestion | None, grade: Grade, what: list[str]
) -> None:
    found = agreement(POINT, now)
    assert found.grade == grade
    for start, difference in zip(what, found.differences, strict=False):
        assert difference.what.startswith(start)
    assert bool(found.differences) is bool(what)


def test_a_record_without_reasons_is_compared_without() -> None:
    assert agreement(replace(POINT, reason=None), POINT).grade == "identical"


def test_a_whole_number_is_not_the_real_one_to_the_last_bit() -> None:
    one = replace(POINT, inputs={"x": 1})
    assert agreement(one, replace(POINT, inputs={"x": 1.0})).grade == "equal"
