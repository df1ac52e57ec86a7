"""A campaign in virtual time: the same seed gives the same run, whatever goes wrong in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sdl.core.view import View
from sdl.errors import Bug, UserMistake
from sdl.shell.outcome import Outcome
from sdl.shell.record import Record
from sdl.sim.loop import VirtualLoop, run_virtually
from sdl.sim.simulate import simulate
from tests.sim.places import place


def sound(outcome: Outcome) -> Outcome:
    """The outcome, once its record was verified and its tables compared with the journal."""
    record = Record.open(outcome.record_url, create=False)
    try:
        assert record.verify() is None
        assert record.rebuild(check=True) == []
    finally:
        record.close()
    return outcome


def reasons(outcome: Outcome) -> set[str]:
    record = Record.open(outcome.record_url, create=False)
    try:
        return {run.reason or "" for run in record.runs("dye") if run.outcome != "measured"}
    finally:
        record.close()


def test_an_hour_passes_in_no_time() -> None:
    async def hour() -> float:
        await asyncio.sleep(3600.0)
        return VirtualLoop.running().time()

    assert run_virtually(hour()) == pytest.approx(3600.0)


def test_a_simulation_that_waits_for_nothing_says_so() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Bug, match="stands still"):
        run_virtually(stuck())


def test_one_seed_gives_byte_identical_journals_and_another_seed_does_not(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=8)

    def journal(seed: int, name: str) -> list[str]:
        outcome = sound(simulate(campaign, seed=seed, record=tmp_path / name))
        record = Record.open(outcome.record_url, create=False)
        lines = [line.body for line in record.lines("dye")]
        record.close()
        return lines

    first, second, other = journal(3, "a.sqlite"), journal(3, "b.sqlite"), journal(4, "c.sqlite")
    assert first == second
    assert first != other


def test_a_campaign_ends_with_a_best_point_evidence_and_a_verdict(tmp_path: Path) -> None:
    views: list[View] = []
    outcome = sound(simulate(place(tmp_path, runs=12), watch=views.append))
    assert outcome.view.ended is not None
    assert outcome.view.ended.ending == "budget"
    assert outcome.view.ended.verdict == "undecided"
    assert outcome.view.best is not None
    assert abs(outcome.view.best.value - 0.80) < 0.2
    assert outcome.view.evidence is not None
    assert views[-1] == outcome.view


FAULTS = [
    pytest.param("raise", "DriverFault", id="a driver that raises"),
    pytest.param("nan", "nan", id="a result of NaN"),
    pytest.param("wrong_type", "returned", id="a result of the wrong type"),
    pytest.param("hang", "300", id="a driver that never answers"),
]


SKIP = """
[[policy]]
action = "absorbance"
then   = "skip"
"""


@pytest.mark.parametrize("kind, told", FAULTS)
def test_a_fault_fails_its_run_says_why_and_the_campaign_goes_on(
    tmp_path: Path, kind: str, told: str
) -> None:
    fault = f'faults = [{{ action = "absorbance", on_call = 2, kind = "{kind}" }}]'
    outcome = sound(simulate(place(tmp_path, parallel=1, reader=fault, options=SKIP)))
    assert outcome.view.ended is not None
    assert outcome.view.ended.ending == "budget"
    assert (outcome.view.runs_measured, outcome.view.failures) == (5, 1)
    (reason,) = reasons(outcome)
    assert told in reason


def test_a_reading_that_fails_once_is_taken_again(tmp_path: Path) -> None:
    fault = 'faults = [{ action = "absorbance", on_call = 2, kind = "raise" }]'
    outcome = sound(simulate(place(tmp_path, parallel=1, reader=fault)))
    assert (outcome.view.runs_measured, outcome.view.failures) == (6, 0)


def test_an_instrument_that_always_fails_ends_the_campaign(tmp_path: Path) -> None:
    fault = 'faults = [{ action = "absorbance", probability = 1.0, kind = "raise" }]'
    outcome = sound(simulate(place(tmp_path, runs=30, reader=fault)))
    assert outcome.view.ended is not None
    assert outcome.view.ended.ending == "failures"
    assert outcome.view.best is None


def test_limits_of_the_lab_hold_whatever_the_planner_wants(tmp_path: Path) -> None:
    outcome = sound(simulate(place(tmp_path, limit=5, runs=4)))
    assert outcome.view.runs_measured == 0
    assert all("above the limit 5.0 of lab.toml" in reason for reason in reasons(outcome))


def test_a_hang_of_a_once_action_is_unknown_not_failed(tmp_path: Path) -> None:
    fault = 'faults = [{ action = "dispense", on_call = 1, kind = "hang" }]'
    outcome = sound(simulate(place(tmp_path, handler=fault, failures=30)))
    record = Record.open(outcome.record_url, create=False)
    outcomes = [run.outcome for run in record.runs("dye")]
    record.close()
    assert outcomes[0] == "unknown"


def test_real_instruments_are_not_simulated(tmp_path: Path) -> None:
    campaign = place(tmp_path, speed=1)
    lab = (tmp_path / "lab.toml").read_text(encoding="utf-8")
    driver = tmp_path / "pump.py"
    driver.write_text(
        "from sdl import Well, action\n\n\nclass Pump:\n"
        "    async def connect(self) -> None: ...\n"
        "    async def disconnect(self) -> None: ...\n"
        "    async def make_safe(self) -> None: ...\n"
        '    @action("once")\n'
        "    async def dispense(self, well: Well, volumes_ul: dict[str, float]) -> None: ...\n"
        '    @action("once")\n'
        "    async def transfer(self, source: Well, target: Well, volume_ul: float) -> None: ...\n"
        '    @action("once")\n'
        "    async def mix(self, well: Well, volume_ul: float, cycles: int) -> None: ...\n",
        encoding="utf-8",
    )
    old = 'simulator  = "liquid-handler"\nsources_ul = { dye = 20000, buffer = 50000 }'
    assert old in lab
    (tmp_path / "lab.toml").write_text(lab.replace(old, 'driver = "./pump.py:Pump"'), "utf-8")
    with pytest.raises(UserMistake, match="real instrument"):
        simulate(campaign)


def test_a_simulation_replaces_nothing_but_a_simulation(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=2)
    file = tmp_path / "sim.sqlite"
    first = simulate(campaign, record=file)
    assert simulate(campaign, record=file).head == first.head
    real = tmp_path / "record.sqlite"
    Record.open(f"sqlite:///{real}").close()
    for precious in (real, campaign, tmp_path):
        before = precious.read_bytes() if precious.is_file() else b""
        with pytest.raises(UserMistake, match="is there and is no record of simulations"):
            simulate(campaign, record=precious)
        assert not before or precious.read_bytes() == before
