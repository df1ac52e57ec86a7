"""Wells by the kind of their plate, and several at once: which are given, until none are left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, settle
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core.engine import Engine
from sdl.core.forecast import forecast
from sdl.core.plates import Plates
from sdl.core.replay import fold
from sdl.errors import Bug
from sdl.model.campaign import Campaign, PlateChoice, StopRule
from sdl.model.labware import Labware, Well
from sdl.model.protocol import Role
from sdl.wire.labware_kinds import labware_kind
from tests.core.dye import SCRIPT, Reading
from tests.core.floor import ROLES, Chances, Floor, Start, campaign, script, started
from tests.core.test_replay import chances
from tests.core.test_snapshot import again, turns

SIX = replace(labware_kind("plate-96-flat"), name="six", rows=2, columns=3)
FOUR = replace(SIX, name="four", columns=2)
BY_KIND = {"well": PlateChoice(kind="six")}


def plates(*names: str, kind: str = "six", at: str = "") -> tuple[Labware, ...]:
    known = {"six": SIX, "four": FOUR}[kind]
    return tuple(Labware(name=name, kind=known, at=at) for name in names)


def by_kind(name: str = "dye", runs: int = 9, **changes: object) -> Campaign:
    roles = {"handler": ("handler",), "reader": ("reader",), "well": ()}
    plain: dict[str, object] = {"roles": roles, "plates": BY_KIND}
    stop = StopRule(runs=runs, failures=100)
    return campaign(name=name, stop=stop, **{**plain, **changes})


def named(name: str, *names: str, runs: int = 9) -> Campaign:
    roles = {"handler": ("handler",), "reader": ("reader",), "well": names}
    return campaign(name=name, stop=StopRule(runs=runs, failures=100), roles=roles)


def used(floor: Floor, role: str = "well", of: str = "") -> list[str]:
    begun = [line for line in floor.journal if isinstance(line, do.BeginRun)]
    return [line.roles[role] for line in begun if line.run.startswith(of)]


def ending(floor: Floor, name: str = "") -> tuple[str, str]:
    (end,) = [
        line for line in floor.journal if isinstance(line, do.Conclude) and line.campaign == name
    ]
    return end.ending, end.reason


def test_a_plate_is_filled_before_the_next_one_of_its_kind_is_opened() -> None:
    there = (*plates("x", kind="four"), *plates("b", "a"))
    floor = Floor(Engine(SCRIPT), seed=1, labware=there).play(by_kind(runs=8))
    names = [f"b/{well}" for well in SIX.wells] + ["a/A1", "a/B1"]
    assert used(floor) == names
    assert ending(floor)[0] == "budget"


def test_when_no_plate_of_the_kind_is_left_the_campaign_ends_and_names_it() -> None:
    there = (*plates("a"), *plates("x", kind="four"))
    floor = Floor(Engine(SCRIPT), seed=2, labware=there).play(by_kind(runs=8))
    assert len(used(floor)) == 6
    assert ending(floor) == ("material", "no free well is left on a plate of the kind six")


def test_only_plates_from_the_place_that_is_named_are_used() -> None:
    there = (*plates("a", at="bench/1"), *plates("b", at="hotel/7"), *plates("c"))
    spec = by_kind(runs=8, plates={"well": PlateChoice(kind="six", at="hotel")})
    floor = Floor(Engine(SCRIPT), seed=3, labware=there).play(spec)
    assert {well.partition("/")[0] for well in used(floor)} == {"b"}
    told = "no free well is left on a plate of the kind six whose place is hotel"
    assert ending(floor) == ("material", told)


def test_campaigns_that_ask_for_a_kind_never_share_a_plate() -> None:
    floor = Floor(Engine(SCRIPT), seed=4, labware=plates("a", "b", "c"))
    floor.play_lab(Start(spec=by_kind("p", runs=8)), Start(spec=by_kind("q", runs=8), at=5.0))
    on = {name: {well.partition("/")[0] for well in used(floor, of=name)} for name in ("p", "q")}
    assert not on["p"] & on["q"], "seed 4"
    assert {ending(floor, "p")[0], ending(floor, "q")[0]} == {"budget", "material"}, "seed 4"


def test_a_plate_that_was_opened_for_a_kind_is_not_had_by_name_either() -> None:
    floor = Floor(Engine(SCRIPT), seed=5, labware=plates("a"))
    floor.play_lab(Start(spec=by_kind("p", runs=2)), Start(spec=named("q", "a"), at=500.0))
    told = "no free well is left on a; a: in use by another campaign, name it in both to share it"
    assert ending(floor, "q") == ("material", told)


def test_a_plate_is_shared_by_those_who_name_it_and_left_alone_by_kind() -> None:
    floor = Floor(Engine(SCRIPT), seed=6, labware=plates("a", "b"))
    starts = [named("p", "a", runs=2), named("q", "a", runs=2), by_kind("r", runs=2)]
    floor.play_lab(*(Start(spec=spec, at=200.0 * n) for n, spec in enumerate(starts)))
    assert used(floor, of="p") + used(floor, of="q") == ["a/A1", "a/B1", "a/A2", "a/B2"]
    assert used(floor, of="r") == ["b/A1", "b/B1"]


LIST = (*ROLES[:2], Role(name="wells", capability="Wells"))


@protocol
async def twofold(
    handler: LiquidHandler, reader: PlateReader, wells: list[Well], *, x_fraction: float
) -> Reading:
    """The mean of as many readings as there are wells."""
    for well in wells:
        await handler.dispense(well, {"dye": 100.0 * x_fraction})
    await settle(5.0)
    read = [await reader.absorbance(well, wavelength_nm=450.0) for well in wells]
    wells.clear()  # the protocol's own list, which nobody else has
    return Reading(sum(read) / len(read))


TWOFOLD = script(twofold, roles=LIST)


def several(count: int, runs: int = 9, **changes: object) -> Campaign:
    roles = {"handler": ("handler",), "reader": ("reader",), "wells": ()}
    choice = {"wells": PlateChoice(kind="six", count=count)}
    return by_kind("dye", runs, roles=roles, plates=choice, **changes)


def test_a_list_of_wells_comes_from_one_plate() -> None:
    floor = Floor(Engine(TWOFOLD), seed=7, labware=plates("a", "b"))
    floor.play(several(4, runs=3))
    assert used(floor, "wells") == ["a/A1,a/B1,a/A2,a/B2", "b/A1,b/B1,b/A2,b/B2"]
    assert ending(floor) == ("material", "no 4 free wells are left on a plate of the kind six")
    assert {type(line) for line in floor.journal} >= {do.EndRun}
    assert all(end.outcome == "measured" for end in ends(floor))


def ends(floor: Floor) -> list[do.EndRun]:
    return [line for line in floor.journal if isinstance(line, do.EndRun)]


def test_a_list_of_wells_on_named_plates() -> None:
    roles = {"handler": ("handler",), "reader": ("reader",), "wells": ("b", "a")}
    choice = {"wells": PlateChoice(count=3)}
    floor = Floor(Engine(TWOFOLD), seed=8, labware=plates("a", "b"))
    floor.play(replace(several(3, runs=3, parallel=2), roles=roles, plates=choice))
    assert used(floor, "wells") == ["b/A1,b/B1,b/A2", "b/B2,b/A3,b/B3", "a/A1,a/B1,a/A2"]


def test_a_forecast_names_the_plate_of_a_list_of_wells() -> None:
    wells = (Well("a", "A1"), Well("a", "B1"))
    found = forecast(TWOFOLD, {"x_fraction": 0.5}, {"wells": wells}, {}, ())
    assert [step.operation for step in found.steps] == ["dispense"] * 2 + ["absorbance"] * 2
    assert {step.labware for step in found.steps} == {("a",)}
    assert found.partial == ""


def test_the_watch_sees_a_plate_on_which_two_campaigns_mix() -> None:
    floor = Floor(Engine(SCRIPT), seed=9, labware=plates("a"))
    floor.play_lab(Start(spec=by_kind("p", runs=1)))
    begun = do.BeginRun(run="q/run-1", suggestion="", inputs={}, roles={"well": "a/B3"})
    with pytest.raises(Bug, match="which p has opened"):
        floor.watch._note_run(begun)


def test_two_roles_of_one_run_are_given_different_wells() -> None:
    spec = by_kind(plates={"one": PlateChoice(kind="six"), "two": PlateChoice(kind="six")})
    head = started(spec, SCRIPT)
    engine = Engine(SCRIPT)
    engine.handle(replace(head, lab=replace(head.lab, labware=plates("a"))))
    there = Plates(spec, replace(head.lab, labware=plates("a")), engine.lab)
    (first,) = there.free("one", 1, set())
    assert there.free("two", 2, {first}) == (Well("a", "B1"), Well("a", "A2"))
    assert there.free("two", 7, set()) == ()


@settings(max_examples=40)
@given(
    odds=chances,
    seed=st.integers(0, 2**20),
    count=st.integers(1, 5),
    parallel=st.integers(1, 3),
    every=st.integers(1, 9),
)
def test_replay_and_snapshots_give_the_same_wells(
    odds: Chances, seed: int, count: int, parallel: int, every: int
) -> None:
    note(f"seed {seed}")
    floor = Floor(Engine(TWOFOLD), seed=seed, chances=odds, labware=plates("a", "b"))
    floor.play(several(count, runs=4, parallel=parallel))
    often = Engine(TWOFOLD)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert often.handle(event) == commands, f"seed {seed}, turn {number}"
        if number % every == 0:
            often = again(often)
    assert often.state_sha256() == fold(TWOFOLD, floor.journal).state_sha256(), f"seed {seed}"
