"""The emulator answers what was measured, and what it does not know it says."""

from __future__ import annotations

import csv
import json
from importlib.resources import files
from pathlib import Path

import pytest

from sdl.errors import DriverFault, UserMistake
from sdl.model.data import InputValue
from sdl.sim import Bench
from sdl_simulators.data_emulator import DataEmulator
from sdl_simulators.measured_data import built_in, read_data

BEST: dict[str, InputValue] = {
    "drug_input": 48,
    "solid_lipid": "Stearic_acid",
    "solid_lipid_input": 96.0,
    "liquid_lipid_input": 24.0,
    "surfactant_input": 0.0025,
}
PARAMETERS = tuple(BEST)


def rows_of(dataset: str) -> list[dict[str, str]]:
    text = (files("sdl_simulators") / "data" / dataset / "data.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


async def test_lookup_answers_what_the_csv_says_for_every_formulation() -> None:
    bench = Bench.instant()
    station = DataEmulator(name="station", bench=bench, dataset="lnp3")
    rows = rows_of("lnp3")
    assert len(rows) == 768
    for row in rows:
        recipe = {
            name: row[name] if name == "solid_lipid" else float(row[name]) for name in PARAMETERS
        }
        assert await station.make(recipe) == {
            name: float(row[name])
            for name in ("drug_loading", "encap_efficiency", "particle_diameter")
        }
    assert bench.clock.now() == 768 * 3600.0


async def test_repeats_are_drawn_by_the_seed_among_those_measured() -> None:
    recipe = {"n": 6, "theta": 0, "r": 1.5, "t": 0.7}
    measured = {
        float(row["toughness"])
        for row in rows_of("crossed_barrel")
        if all(float(row[name]) == value for name, value in recipe.items())
    }
    assert len(measured) == 3

    async def drawn(seed: int) -> list[float]:
        bench = Bench.instant(seed=seed)
        station = DataEmulator(name="station", bench=bench, dataset="crossed_barrel")
        return [(await station.make(recipe))["toughness"] for _ in range(30)]

    assert set(await drawn(1)) == measured
    assert await drawn(1) == await drawn(1) != await drawn(2)


async def test_a_point_that_was_never_measured_is_refused_with_the_nearest() -> None:
    station = DataEmulator(name="station", bench=Bench.instant(), dataset="lnp3")
    with pytest.raises(DriverFault, match=r"never measured; the nearest .* drug_input=48.0"):
        await station.make({**BEST, "drug_input": 47.0})


@pytest.mark.parametrize(
    "change, words",
    [
        ({"solid_lipid": "Butter"}, "'Butter' is no option; there are: Compritol_888"),
        ({"drug_input": 1000.0}, "the data reach from 6 to 48"),
        ({"drug_input": "much"}, "is not a number"),
        ({"salt": 1.0}, "unknown .'salt'.; it takes: drug_input"),
    ],
)
async def test_a_recipe_that_does_not_fit_is_refused(
    change: dict[str, InputValue], words: str
) -> None:
    station = DataEmulator(name="station", bench=Bench.instant(), dataset="lnp3")
    with pytest.raises(DriverFault, match=words):
        await station.make({**BEST, **change})


async def test_the_model_answers_in_between_and_near_what_was_measured() -> None:
    station = DataEmulator(name="station", bench=Bench.instant(), dataset="lnp3", mode="model")
    await station.connect()
    between = await station.make({**BEST, "drug_input": 40.0, "surfactant_input": 0.003})
    assert 0.3 < between["encap_efficiency"] < 0.7
    errors = []
    for row in rows_of("lnp3")[::40]:
        recipe = {
            name: row[name] if name == "solid_lipid" else float(row[name]) for name in PARAMETERS
        }
        found = await station.make(recipe)
        errors.append(abs(found["encap_efficiency"] - float(row["encap_efficiency"])))
    assert sum(errors) / len(errors) < 0.05
    with pytest.raises(DriverFault, match="the data reach"):
        await station.make({**BEST, "drug_input": 60.0})


async def test_noise_is_added_where_asked_for() -> None:
    station = DataEmulator(
        name="station", bench=Bench.instant(), dataset="lnp3", noise_sd={"encap_efficiency": 0.01}
    )
    values = [await station.make(BEST) for _ in range(40)]
    seen = [value["encap_efficiency"] for value in values]
    assert 0.005 < max(seen) - min(seen) < 0.1
    assert len({value["drug_loading"] for value in values}) == 1


async def test_only_the_chosen_objectives_are_measured() -> None:
    station = DataEmulator(
        name="s", bench=Bench.instant(), dataset="lnp3", objectives=["drug_loading"]
    )
    assert set(await station.make(BEST)) == {"drug_loading"}


async def test_a_folder_of_ones_own_is_a_data_set(tmp_path: Path) -> None:
    space = {
        "parameters": [{"name": "x", "type": "continuous", "low": 0, "high": 2}],
        "objectives": [{"name": "y"}],
    }
    (tmp_path / "space.json").write_text(json.dumps(space), encoding="utf-8")
    (tmp_path / "data.csv").write_text("x,y\n0,0\n1,10\n2,40\n", encoding="utf-8")
    station = DataEmulator(name="s", bench=Bench.instant(), dataset=str(tmp_path))
    assert await station.make({"x": 1}) == {"y": 10.0}


@pytest.mark.parametrize(
    "csv_text, space_text, words",
    [
        ("x,y\n0,a\n", None, "data.csv: could not convert"),
        ("x\n0\n", None, "data.csv: 'y'"),
        ("x,y\n", None, "there is no row in it"),
        ("x,y\n9,1\n", None, "data.csv: x = 9.0"),
        ("x,y\n0,1\n", "{}", "space.json: parameters: Field required"),
    ],
)
def test_a_broken_data_set_is_refused(
    tmp_path: Path, csv_text: str, space_text: str | None, words: str
) -> None:
    space = {
        "parameters": [{"name": "x", "type": "continuous", "low": 0, "high": 2}],
        "objectives": [{"name": "y"}],
    }
    (tmp_path / "space.json").write_text(space_text or json.dumps(space), encoding="utf-8")
    (tmp_path / "data.csv").write_text(csv_text, encoding="utf-8")
    with pytest.raises(UserMistake, match=words):
        read_data(str(tmp_path))


def test_options_that_make_no_sense_are_refused() -> None:
    bench = Bench.instant()
    with pytest.raises(UserMistake, match="name one of crossed_barrel, lnp3"):
        DataEmulator(name="s", bench=bench, dataset="lnp4")
    with pytest.raises(UserMistake, match="has no 'taste'; it has: drug_loading"):
        DataEmulator(name="s", bench=bench, dataset="lnp3", objectives=["taste"])
    with pytest.raises(UserMistake, match=r"seconds_per_run = -1.0"):
        DataEmulator(name="s", bench=bench, dataset="lnp3", seconds_per_run=-1.0)


@pytest.mark.parametrize("dataset", built_in())
def test_every_data_set_comes_with_its_source_and_licence(dataset: str) -> None:
    folder = files("sdl_simulators") / "data" / dataset
    assert "Permission is hereby granted" in (folder / "LICENSE").read_text(encoding="utf-8")
    source = (folder / "SOURCE.md").read_text(encoding="utf-8")
    assert all(word in source for word in ("Source:", "Licence:", "Changes:"))
