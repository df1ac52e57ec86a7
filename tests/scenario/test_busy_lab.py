"""The busy lab: three campaigns share ten instruments, and plates have to be carried."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from sdl.core.forecast import forecast
from sdl.core.script import ProtocolFunction
from sdl.model.labware import Well
from sdl.shell.foresight import Simulators
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.record import Record
from sdl.sim.loop import run_virtually
from sdl.sim.simulate import simulate, simulate_together
from tests.cli.conftest import command
from tests.scenario.by_hand import Hands, steps, waits_s

FOLDER = Path(__file__).parents[2] / "examples" / "busy_lab"
NAMES = ("viability", "elisa", "growth")
POOLED = "growth_pooled"
RUNS = 16
MOVE_S = 25.0
"""Of the arm, from any place to any other."""
Inputs = dict[str, float]


@pytest.mark.parametrize("name", [*NAMES, POOLED])
def test_each_campaign_is_sound_and_its_lab_is_reached_by_one_arm(name: str) -> None:
    said = command(FOLDER, "check", f"{name}.toml")
    assert (said.code, said.err) == (0, "")
    told = " ".join(said.out.split())
    assert f"{name.replace('_', '-')}: sound" in told
    assert "mind" not in told
    assert "hotel: 52 sites, reached by arm" in told
    assert "which no instrument reaches" not in told


def test_ten_instruments_and_a_plate_of_six_wells_for_each_run() -> None:
    prepared = [prepare(FOLDER / f"{name}.toml") for name in NAMES]
    lab = prepared[0].lab.lab
    assert len(lab.instruments) == 10
    assert len(lab.labware) == len(NAMES) * RUNS
    for each in prepared:
        (choice,) = each.campaign.campaign.plates.values()
        assert {piece.kind.count for piece in lab.labware if choice.fits(piece)} == {choice.count}
        assert each.campaign.campaign.stop.runs == RUNS


def cast_of(name: str) -> tuple[Prepared, dict[str, tuple[Well, ...]]]:
    """A campaign, and all wells of the lab's first plate in its role."""
    prepared = prepare(FOLDER / f"{name}.toml")
    (role,) = prepared.campaign.campaign.plates
    plate = prepared.lab.lab.labware[0]
    return prepared, {role: tuple(Well(plate.name, well) for well in plate.kind.wells)}


def by_hand(name: str, **inputs: float) -> tuple[Any, Hands]:
    """One run of a protocol under plain asyncio, alone in the lab; what it measured, and how."""
    prepared, wells = cast_of(name)
    protocol = cast("ProtocolFunction", prepared.protocol.value)
    players = prepared.campaign.campaign.roles

    async def run() -> tuple[Any, Hands]:
        hands = Hands(prepared.lab)
        cast = [
            list(wells[role.name]) if role.is_labware else hands.instrument(players[role.name][0])
            for role in prepared.script.signature.roles
        ]
        return await protocol(*cast, **inputs), hands

    return run_virtually(run())


WINDOWS_S: dict[str, tuple[Inputs, list[str], dict[tuple[str, str], float]]] = {
    "viability": (
        {"cells_ul": 400.0},
        ["dispense", "keep", "dispense", "absorbance"],
        {("keep", "dispense"): 3600.0 + 600.0, ("dispense", "absorbance"): 60.0},
    ),
    "elisa": (
        {"cycles": 4, "wash_ul": 400.0},
        ["dispense", "keep", "wash", "dispense", "shake", "absorbance", "seal"],
        {
            ("keep", "wash"): 1800.0 + 300.0,
            ("wash", "dispense"): 120.0,
            ("dispense", "shake"): 95.0,
            ("shake", "absorbance"): 60.0,
        },
    ),
    "growth": (
        {"inoculum_ul": 120.0},
        ["dispense", *["keep", "absorbance"] * 3],
        {("keep", "absorbance"): 3600.0 + 300.0, ("absorbance", "keep"): 60.0},
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_alone_in_the_lab_the_arm_is_fast_enough_for_every_window(name: str) -> None:
    inputs, process, windows_s = WINDOWS_S[name]
    _, hands = by_hand(name, **inputs)
    assert steps(hands.done) == process
    waited_s = waits_s(hands.done)
    for between, window_s in windows_s.items():
        assert waited_s[between] <= window_s, between
    assert hands.bench.floor.accidents == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_forecast_knows_all_steps_of_a_run_and_how_long_they_take(name: str) -> None:
    inputs, process, _ = WINDOWS_S[name]
    prepared, wells = cast_of(name)
    lab = prepared.lab
    roles = prepared.campaign.campaign.roles
    players = {role: names[0] for role, names in roles.items() if names}
    found = forecast(prepared.script, inputs, wells, players, (Simulators(lab.lab, lab.folder),))
    _, hands = by_hand(name, **inputs)
    assert (found.partial, [one.operation for one in found.steps]) == (
        "",
        [act.action for act in hands.done],
    )
    on_the_way_s = hands.done[-1].ended - (found.end_s - found.began_s)
    assert 0.0 < on_the_way_s <= len(process) * (MOVE_S + 0.1)


def test_few_cells_and_many_cells_are_told_apart_worse_than_some() -> None:
    few, some = (by_hand("viability", cells_ul=cells_ul)[0] for cells_ul in (20.0, 400.0))
    assert few.z_prime < 0.9 < some.z_prime <= 1.0
    assert 0.0 < few.window_au < some.window_au


def test_the_culture_that_rises_most_has_neither_few_cells_nor_little_food() -> None:
    rises = [by_hand("growth", inoculum_ul=ul)[0].rise_au for ul in (12.0, 126.0, 800.0)]
    assert rises[1] > 1.5 * max(rises[0], rises[2])


def test_a_little_washing_leaves_label_and_much_washing_wastes_liquid() -> None:
    one, some, many = (
        by_hand("elisa", cycles=cycles, wash_ul=wash_ul)[0]
        for cycles, wash_ul in ((1, 500.0), (4, 350.0), (6, 2000.0))
    )
    assert one.background_au > 0.1
    assert some.background_au < 0.01
    assert some.cost_ml < min(one.cost_ml, many.cost_ml) / 2


def test_a_pooled_reader_is_all_in_which_the_two_files_of_growth_differ() -> None:
    plain, pooled = (
        prepare(FOLDER / f"{name}.toml").campaign.campaign for name in ("growth", POOLED)
    )
    assert pooled == replace(plain, name="growth-pooled", pooled=("reader",))


def test_both_readers_of_the_pool_are_used_and_all_runs_measured(tmp_path: Path) -> None:
    for path in (FOLDER / f"{POOLED}.toml", FOLDER / "growth.py", FOLDER / "lab.toml"):
        text = path.read_text(encoding="utf-8").replace(f"runs = {RUNS}", "runs = 4")
        (tmp_path / path.name).write_text(text.replace('"ax"', '"sobol"'), encoding="utf-8")
    record = tmp_path / "record.sqlite"
    simulate(tmp_path / f"{POOLED}.toml", record=record)
    opened = Record.open(f"sqlite:///{record}")
    runs = opened.runs("growth-pooled")
    steps_of = [opened.run(run.run).steps for run in runs]
    opened.close()
    assert [str(run.outcome) for run in runs] == ["measured"] * 4
    used = {one.instrument for each in steps_of for one in each if one.operation == "absorbance"}
    assert used == {"reader-1", "reader-2"}


def outcomes(record: Path) -> dict[str, list[str]]:
    """By campaign, how its runs ended."""
    opened = Record.open(f"sqlite:///{record}")
    assert opened.verify() is None
    found = {name: [str(run.outcome) for run in opened.runs(name)] for name in NAMES}
    opened.close()
    return found


def test_where_everything_reaches_every_plate_all_three_come_to_their_end(tmp_path: Path) -> None:
    for path in FOLDER.glob("*.*"):
        if path.suffix in (".py", ".toml"):
            shutil.copy(path, tmp_path)
    for name in ("lab", *NAMES):
        path = tmp_path / f"{name}.toml"
        text = path.read_text(encoding="utf-8").replace(', at = "hotel"', "")
        text = text.replace(f"runs = {RUNS}", "runs = 3").replace('"ax"', '"sobol"')
        path.write_text(text, encoding="utf-8")
    record = tmp_path / "record.sqlite"
    simulate_together([tmp_path / f"{name}.toml" for name in NAMES], record=record)
    assert outcomes(record) == {name: ["measured"] * 3 for name in NAMES}


def test_three_campaigns_together_measure_all_their_runs_and_miss_no_window(tmp_path: Path) -> None:
    record = tmp_path / "record.sqlite"
    came_to = simulate_together([FOLDER / f"{name}.toml" for name in NAMES], record=record)
    assert {one.campaign: one.ending for one in came_to.lab.ended} == dict.fromkeys(NAMES, "budget")
    # A run that misses a window is not measured.
    assert outcomes(record) == {name: ["measured"] * RUNS for name in NAMES}
