"""The driver contract lets good drivers pass, and says of bad ones what, where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import Field

from sdl.model.action import Operation
from sdl.model.labware import Well
from sdl.shell.crash import POINTS
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.shell.offered import offered_by
from sdl.testing import contract_bench
from sdl.testing.arguments import nonsense, tried
from sdl.testing.contract_of_node import MID_ACTION
from sdl.testing.driver_contract import driver_contract
from tests.testing import pumps
from tests.testing.pumps import Pump

GOOD = {"dispense": {"volume_ul": 5.0}, "level": {}}


@pytest.mark.parametrize("kind", [Pump, pumps.Weighing, pumps.Unclear, pumps.Threaded])
def test_a_good_driver_passes_by_its_class_alone(kind: type[Pump]) -> None:
    driver_contract(kind)


def test_a_good_driver_passes_with_arguments_of_its_author() -> None:
    driver_contract(Pump, try_out=GOOD)


BROKEN = [
    (pumps.WithoutProbe, r"WithoutProbe.dispense: probe='look' names no method"),
    (pumps.OddProbe, r"OddProbe.look, the probe of dispense, has to be 'async def"),
    (pumps.Credulous, r"before the driver was called, and look said that it happened"),
    (pumps.Forgetful, r"after it was done, and look said that it did not happen"),
    (pumps.Blocking, r"dispense\(volume_ul=1.0\): blocked the event loop for \d+ ms, more than 50"),
    (pumps.Deaf, r"dispense\(volume_ul=1.0\): .*make_safe has to end the action .* within 0.5 s"),
    (pumps.SlowToStop, r"stopped at rest: the word that it is safe did not come in 0.5 s"),
    (pumps.Mistaken, r"level\(\): its result cannot be told: level\(\) returned '12'"),
    (pumps.Endless, r"level\(\): its result cannot be told: the result of level = inf"),
    (pumps.Careless, r"level\(\): raised ZeroDivisionError: division by zero; raise a DriverFault"),
    (pumps.Anything, r"Anything.purge: the argument how may be anything"),
    (pumps.Untyped, r"Untyped.purge has no type for how; annotate it"),
    (pumps.Disorderly, r"Disorderly.purge takes a set for lines, whose order is another one"),
    (pumps.Hasty, r"Hasty.purge: timeout_s = 0.0; give the seconds"),
]


@pytest.mark.parametrize("kind, words", BROKEN, ids=[kind.__name__ for kind, _ in BROKEN])
def test_a_broken_driver_is_told_what_is_broken(kind: type[Pump], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        driver_contract(kind, stops_in_s=0.5)


def test_a_driver_that_does_nothing_after_a_stop_is_found() -> None:
    with pytest.raises(AssertionError, match="after a stop and a release it ended as failed"):
        driver_contract(pumps.Sulking, try_out=GOOD)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"pour": {}}, "Pump has no action pour"),
        (
            {"dispense": {}},
            r'needs volume_ul.*try_out=\{"dispense": \{"volume_ul"',
        ),
        ({"dispense": {"volume_ul": "much"}}, "Input should be a valid number"),
        ({"dispense": {"volume_ul": 2000.0}}, "ended as failed, though try_out says that it works"),
    ],
)
def test_wrong_examples_are_told(given: dict[str, dict[str, object]], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        driver_contract(Pump, try_out=given)


def test_a_class_that_needs_options_is_told_how_to_give_them() -> None:
    def make(port: str) -> Pump:
        raise NotImplementedError(port)

    with pytest.raises(AssertionError, match=r"'port'; .* driver_contract\(lambda: MyPump\(port="):
        driver_contract(make)  # type: ignore[arg-type]


def test_a_node_that_forgets_what_it_did_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryJournal, "find", lambda *_: None)
    with pytest.raises(AssertionError, match=r"times|did not come"):
        driver_contract(Pump, patience_s=2.0)


def test_every_crash_point_of_a_node_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[str] = []
    at, within = contract_bench.ContractBench.die_at, contract_bench.ContractBench.die_in

    def noted_at(self: contract_bench.ContractBench, point: str) -> None:
        died.append(point)
        at(self, point)

    def noted_in(self: contract_bench.ContractBench, name: str) -> None:
        died.append(MID_ACTION)
        within(self, name)

    monkeypatch.setattr(contract_bench.ContractBench, "die_at", noted_at)
    monkeypatch.setattr(contract_bench.ContractBench, "die_in", noted_in)
    driver_contract(Pump)
    there = {point for point in POINTS if point.startswith("node.")}
    assert set(died) == there | {MID_ACTION}


async def test_it_says_how_to_call_it_where_a_loop_runs_already() -> None:
    with pytest.raises(AssertionError, match=r"plain 'def test_\.\.\.'"):
        driver_contract(Pump)


@dataclass(frozen=True)
class Target:
    """Where to, in a test."""

    place: str
    height_mm: float = 2.0


KINDS = [
    (float, 1.0),
    (Annotated[float, Field(ge=4.0, le=6.0)], 5.0),
    (Annotated[int, Field(gt=10)], 11),
    (Annotated[int, Field(lt=3)], 2),
    (Literal["slow", "fast"], "slow"),
    (bool, False),
    (str, "x"),
    (float | None, 1.0),
    (list[float], []),
    (Annotated[list[int], Field(min_length=2)], [1, 1]),
    (tuple[int, str], [1, "x"]),
    (Mapping[str, float], {}),
    (Target, {"place": "x", "height_mm": 2.0}),
    (Well, {"labware": "plate-1", "name": "A1"}),
]


@pytest.mark.parametrize("kind, value", KINDS)
def test_the_plainest_value_of_a_type_is_made_up(kind: object, value: object) -> None:
    operation = Operation(
        name="do",
        effect="once",
        timeout_s=1.0,
        parameters={"it": kind},
        required=frozenset({"it"}),
        returns=type(None),
    )
    assert tried(operation, {}) == {"it": value}


def test_arguments_are_made_up_from_the_types() -> None:
    operations = offered_by(pumps.Pump)
    assert tried(operations["dispense"], {}) == {"volume_ul": 1.0}
    assert tried(operations["level"], {}) == {}
    assert nonsense(operations["level"]) is None
