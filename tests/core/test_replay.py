"""Random protocols with random outcomes: replay from every prefix gives the same commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, settle, together, within
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.script import Script
from sdl.errors import SdlError
from sdl.model.campaign import StopRule
from sdl.model.labware import Well
from sdl.model.policy import Rule
from sdl.wire.journal import dump, load
from tests.core.floor import Chances, Floor, campaign, script


@dataclass(frozen=True)
class Reading:
    y_au: float


Plan: TypeAlias = tuple[object, ...]
"""A random protocol as data: a list of words, some of which hold further plans."""

leaf = st.one_of(
    st.tuples(st.just("dispense"), st.floats(0.0, 300.0)),
    st.tuples(st.just("read")),
    st.tuples(st.just("settle"), st.floats(0.0, 50.0)),
)
plans = st.recursive(
    st.lists(leaf, max_size=3).map(tuple),
    lambda inner: st.lists(
        st.one_of(
            leaf,
            st.tuples(st.just("together"), st.lists(inner, max_size=3).map(tuple)),
            st.tuples(st.just("within"), st.floats(0.5, 40.0), inner),
            st.tuples(st.just("try"), inner, inner),
        ),
        max_size=3,
    ).map(tuple),
    max_leaves=10,
)


async def follow(plan: Plan, handler: LiquidHandler, reader: PlateReader, well: Well) -> float:
    total = 0.0
    for word in plan:
        assert isinstance(word, tuple)
        match word:
            case ("dispense", float(volume_ul)):
                await handler.dispense(well, {"dye": volume_ul})
            case ("read",):
                total += await reader.absorbance(well, wavelength_nm=450.0)
            case ("settle", float(seconds)):
                await settle(seconds)
            case ("together", tuple(branches)):
                results = await together(*(follow(b, handler, reader, well) for b in branches))
                total += sum(results)
            case ("within", float(seconds), tuple(inner)):
                async with within(seconds):
                    total += await follow(inner, handler, reader, well)
            case ("try", tuple(first), tuple(second)):
                try:
                    total += await follow(first, handler, reader, well)
                except (SdlError, ExceptionGroup):
                    total += await follow(second, handler, reader, well)
            case _:
                raise AssertionError(word)
    return total


def written(plan: Plan) -> Script:
    @protocol
    async def random_protocol(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        return Reading(x_fraction + await follow(plan, handler, reader, well))

    return script(random_protocol, mend=mend)


@protocol
async def mend(reader: PlateReader, handler: LiquidHandler) -> None:
    """What may be wrong is looked at and rinsed, wherever it is."""
    await reader.absorbance(Well("plate-1", "A1"), wavelength_nm=600.0)
    await settle(3.0)
    await handler.mix(Well("plate-1", "A1"), 50.0, 1)


chances = st.builds(
    Chances,
    fail=st.sampled_from([0.0, 0.1, 0.4]),
    refuse=st.sampled_from([0.0, 0.1]),
    unknown=st.sampled_from([0.0, 0.1, 0.3]),
    planner_fails=st.sampled_from([0.0, 0.2]),
    lose=st.sampled_from([0.0, 0.1]),
    repeat=st.sampled_from([0.0, 0.2]),
    unsafe=st.sampled_from([0.0, 0.3]),
    lie=st.sampled_from([0.0, 0.3]),
    absent=st.sampled_from([0.0, 0.5]),
    incidents=st.integers(0, 6),
)


rules = st.builds(
    Rule,
    then=st.sampled_from(["retry", "other", "recover", "ask", "skip", "quarantine"]),
    action=st.sampled_from(["*", "dispense", "handler.*", "reader.absorbance"]),
    on=st.sampled_from([(), ("driver",), ("unknown",), ("driver", "unknown", "refused")]),
    times=st.integers(1, 3),
    wait_s=st.sampled_from([0.0, 7.0]),
    protocol=st.just("mend"),
)
of_windows = st.builds(
    Rule,
    then=st.sampled_from(["flag", "divert", "requeue"]),
    action=st.sampled_from(["*", "reader.*"]),
    on=st.just(("window",)),
    times=st.integers(1, 2),
    protocol=st.just("mend"),
)
policies = st.lists(st.one_of(rules, of_windows), max_size=3).map(tuple)
ROLES = {"handler": ("handler", "spare"), "reader": ("reader",), "well": ("plate-1",)}


@settings(max_examples=150)
@given(
    plan=plans,
    odds=chances,
    rules=policies,
    seed=st.integers(0, 2**20),
    parallel=st.integers(1, 4),
    simulated=st.booleans(),
)
def test_every_prefix_of_a_journal_replays_to_the_same_commands(
    plan: Plan,
    odds: Chances,
    rules: tuple[Rule, ...],
    seed: int,
    parallel: int,
    simulated: bool,
) -> None:
    note(f"seed {seed}")
    random_script = written(plan)
    floor = Floor(Engine(random_script), seed=seed, chances=odds, simulated=simulated)
    stop = StopRule(runs=4, failures=9)
    floor.play(campaign(parallel=parallel, stop=stop, seed=seed, policy=rules, roles=ROLES))
    assert floor.engine.state.concluded is not None, f"seed {seed}: the campaign never ended"
    assert not floor.doubles(), f"seed {seed}: done twice"
    for end in turns(floor.journal):
        engine = fold(random_script, floor.journal[:end])
        if end < len(floor.journal):
            follow_on = floor.journal[end]
            assert isinstance(follow_on, ev.EVENTS)
            again = engine.handle(follow_on)  # type: ignore[arg-type]
            assert again == following(floor.journal, end), f"seed {seed}, line {end}"
    final = fold(random_script, floor.journal)
    assert final.view() == floor.engine.view(), f"seed {seed}"


@settings(max_examples=40)
@given(plan=plans, odds=chances, seed=st.integers(0, 2**20))
def test_a_journal_survives_its_way_through_text(plan: Plan, odds: Chances, seed: int) -> None:
    random_script = written(plan)
    floor = Floor(Engine(random_script), seed=seed, chances=odds)
    floor.play(campaign(parallel=2, stop=StopRule(runs=3, failures=9)))
    again = [load(type(line).__name__, dump(line)) for line in floor.journal]
    assert fold(random_script, again).view() == floor.engine.view(), f"seed {seed}"


def turns(journal: list[ev.Event | do.Command]) -> list[int]:
    """Line numbers at which a turn of the loop ends."""
    return [
        number
        for number in range(1, len(journal) + 1)
        if number == len(journal) or isinstance(journal[number], ev.EVENTS)
    ]


def following(journal: list[ev.Event | do.Command], event: int) -> list[object]:
    """The commands that stand behind an event."""
    commands: list[object] = []
    for line in journal[event + 1 :]:
        if isinstance(line, ev.EVENTS):
            break
        commands.append(line)
    return commands
