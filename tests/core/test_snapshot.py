"""An engine out of a snapshot does, event for event, what the engine in it would have done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, settle
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.campaign import trials_sha256
from sdl.core.engine import Engine
from sdl.core.past import Over, Past, told
from sdl.core.replay import fold
from sdl.core.retold import Unfit
from sdl.core.script import Script
from sdl.model.campaign import StopRule
from sdl.model.data import JsonValue
from sdl.model.labware import Well
from sdl.model.policy import Rule
from tests.core.floor import Chances, Floor, campaign, script
from tests.core.test_replay import ROLES, Plan, Reading, chances, plans, policies, written

Turn = tuple[ev.Event, list[do.Command]]


def turns(journal: list[ev.Event | do.Command]) -> Iterator[Turn]:
    """Each event with the commands behind it."""
    event: ev.Event | None = None
    commands: list[do.Command] = []
    for line in journal:
        if isinstance(line, ev.EVENTS):
            if event is not None:
                yield event, commands
            event, commands = line, []  # type: ignore[assignment]
        else:
            commands.append(line)  # type: ignore[arg-type]
    if event is not None:
        yield event, commands


def text_of(engine: Engine) -> str:
    return "".join(engine.snapshot().pieces())


def again(engine: Engine) -> Engine:
    """The engine out of its own snapshot."""
    return Engine.restored(engine.scripts, text_of(engine))


def plainly(engine: Engine) -> str:
    """The digest of all trials, made of all of them."""
    text = f"[{','.join(engine.state.trial_texts.values())}]"
    return hashlib.sha256(text.encode()).hexdigest()


@settings(max_examples=120)
@given(
    plan=plans,
    odds=chances,
    rules=policies,
    seed=st.integers(0, 2**20),
    parallel=st.integers(1, 4),
    simulated=st.booleans(),
    every=st.integers(1, 9),
)
def test_restored_at_every_kth_event_it_gives_the_same_commands_and_the_same_hash(
    plan: Plan,
    odds: Chances,
    rules: tuple[Rule, ...],
    seed: int,
    parallel: int,
    simulated: bool,
    every: int,
) -> None:
    note(f"seed {seed}")
    random_script = written(plan)
    floor = Floor(Engine(random_script), seed=seed, chances=odds, simulated=simulated)
    stop = StopRule(runs=4, failures=9)
    floor.play(campaign(parallel=parallel, stop=stop, seed=seed, policy=rules, roles=ROLES))
    whole, often = Engine(random_script), Engine(random_script)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert whole.handle(event) == commands, f"seed {seed}, turn {number}"
        assert often.handle(event) == commands, f"seed {seed}, turn {number}, restored each {every}"
        if number % every == 0:
            often = again(often)
            where = f"seed {seed}, turn {number}, restored each {every}"
            assert often.state_sha256() == whole.state_sha256(), where
            assert often.view() == whole.view(), where
            assert often.sent() == whole.sent(), where
        assert trials_sha256(often.state) == plainly(often), f"seed {seed}, turn {number}"
    assert often.state_sha256() == whole.state_sha256(), f"seed {seed}"
    assert often.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"


def test_the_hash_tells_states_apart() -> None:
    floor = Floor(Engine(SCRIPT), seed=3).play(campaign(stop=StopRule(runs=3)))
    engine, seen = Engine(SCRIPT), set()
    count = 0
    for event, _ in turns(floor.journal):
        engine.handle(event)
        seen.add(engine.state_sha256())
        count += 1
    assert len(seen) == count, "some events with a time of their own left no trace in the hash"


@protocol
async def plain(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 100.0 * x_fraction})
    await settle(5.0)
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


@protocol
async def edited(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 99.0 * x_fraction})
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


SCRIPT = script(plain)


def in_flight(of: Script) -> Engine:
    """An engine with a run whose first command is in the world."""
    floor = Floor(Engine(of), seed=5).play(campaign(stop=StopRule(runs=2)))
    engine = Engine(of)
    for event, commands in turns(floor.journal):
        engine.handle(event)
        if any(isinstance(command, do.Perform) for command in commands):
            return engine
    raise AssertionError("no command was sent")


def test_an_edited_protocol_does_not_fit() -> None:
    engine = in_flight(SCRIPT)
    with pytest.raises(Unfit, match="does not come to dye/run-1/step-1 as it did"):
        Engine.restored(script(edited), text_of(engine))


@pytest.mark.parametrize("field", ["memory", "attempt", "until"])
def test_a_text_of_other_fields_does_not_fit(field: str) -> None:
    engine = in_flight(SCRIPT)
    lines = text_of(engine).splitlines()
    left = [line for line in lines if not line.startswith(f"step\t{field}\t")]
    assert len(left) == len(lines) - 1
    with pytest.raises(Unfit, match="another version"):
        Engine.restored(SCRIPT, "\n".join(left))


def test_no_part_of_a_text_can_be_lost_unnoticed() -> None:
    """A text that lacks a line is refused, or gives another hash; never the same by luck."""
    engine = in_flight(SCRIPT)
    lines = text_of(engine).splitlines()
    for number, line in enumerate(lines):
        try:
            found = Engine.restored(SCRIPT, "\n".join(lines[:number] + lines[number + 1 :]))
        except Exception:  # noqa: BLE001, S112 - refused, by whatever noticed it first
            continue
        assert found.state_sha256() != engine.state_sha256(), line


def test_a_fold_and_the_engine_that_wrote_the_journal_have_one_hash() -> None:
    for seed in range(6):
        odds = Chances(unknown=0.2, fail=0.2, lose=0.1, repeat=0.2, lie=0.3, incidents=4)
        floor = Floor(Engine(SCRIPT), seed=seed, chances=odds, simulated=False)
        floor.play(campaign(parallel=3, stop=StopRule(runs=5, failures=9)))
        folded = fold(SCRIPT, floor.journal)
        assert folded.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"


def test_every_field_of_a_command_that_is_over_is_kept() -> None:
    over = Over(
        cid="dye/run-1/step-2/try-2",
        instrument="reader",
        memory="m",
        end="happened",
        by="ada\tb\n\u2028",
        result=told([1.0, 2.0]),
        flagged=True,
    )
    past = Past()
    past.add(over)
    kept = Past(past.texts())
    assert kept.of(over.cid) == kept.of_step(over.step) == over
    assert {each.name for each in fields(Over)} - {"cid"} == {
        "instrument",
        "memory",
        "end",
        "by",
        "result",
        "flagged",
    }


@given(result=st.recursive(st.none() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_results_are_compared_by_what_they_say(result: JsonValue) -> None:
    assert told(result) == told(json.loads(json.dumps(result)))
    assert len(told(result)) <= 64
    assert told([result]) != told([result, None])
