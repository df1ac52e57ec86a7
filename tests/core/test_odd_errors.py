"""The engine: whatever a protocol raises or returns ends its run with a reason, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sdl.authoring import protocol
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.errors import SAID_CAP, OutOfMaterial
from sdl.model.labware import Well
from sdl.wire.journal import Chain, load
from tests.core.dye import arrive
from tests.core.floor import Floor, campaign, online, script, started


class Silent(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Leaving(Exception):
    """Wants to end the process when it is asked what it says."""

    def __str__(self) -> str:
        raise SystemExit(3)


class Unwritable(OutOfMaterial):
    """Ours, with a text that is no Unicode."""

    def __str__(self) -> str:
        return "no dye \udcff"


class Deaf:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no picture")


@dataclass(frozen=True)
class Odd:
    y_au: object


def deep() -> Exception:
    error: Exception = ValueError("at the bottom")
    for _ in range(5_000):
        error = ExceptionGroup("one more", [error])
    return error


def many() -> Exception:
    return ExceptionGroup("many", [ValueError(str(number)) for number in range(1_000)])


def outcome(end: Callable[[], object]) -> do.EndRun:
    """How a run ends whose protocol returns what ``end`` gives, or raises that."""

    @protocol
    async def odd(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> object:
        """End at once."""
        given = end()
        if isinstance(given, BaseException):
            raise given
        return given

    its = script(odd)
    floor = Floor(Engine(its), seed=0)
    floor.turn(started(campaign(), its))
    for name in ("handler", "reader"):
        floor.turn(online(name))
    ended = [one for one in floor.turn(arrive(0.5)) if isinstance(one, do.EndRun)]
    assert fold(its, floor.journal).view() == floor.engine.view()
    assert len(ended) == 1
    return ended[0]


@pytest.mark.parametrize(
    "end, reason",
    [
        (lambda: ValueError("\ud800"), "ValueError: ?"),
        (Silent, "Silent: Silent"),
        (Leaving, "Leaving: Leaving"),
        (Unwritable, "Unwritable: no dye ?"),
        (
            lambda: ExceptionGroup("two", [Silent(), ValueError("\udfff")]),
            "Silent: Silent; ValueError: ?",
        ),
        (lambda: SystemExit("\ud800"), "ProtocolMistake: the protocol raised SystemExit: ?"),
        (deep, "ValueError: at the bottom"),
        (lambda: BaseExceptionGroup("\ud800", [SystemExit()]), "ProtocolMistake: the protocol rai"),
        (Deaf, "RuntimeError: no picture"),
        (lambda: Odd(Deaf()), "RuntimeError: no picture"),
        (lambda: Odd("\ud800"), "ProtocolMistake: protocol odd returned y_au = "),
        (lambda: Odd(10**400), "OverflowError: int too large"),
        (lambda: Odd(float("nan")), "DriverFault: y_au is nan"),
    ],
)
def test_whatever_a_protocol_ends_with_is_a_reason_that_can_be_put_on_record(
    end: Callable[[], object], reason: str
) -> None:
    ended = outcome(end)
    assert ended.outcome == "failed"
    assert ended.reason.startswith(reason), ended.reason
    line = Chain("dye").add(ended, 1.0)
    assert load(line.type, line.body) == ended


def test_a_reason_without_end_is_cut() -> None:
    assert len(outcome(lambda: ValueError("a" * 10_000_000)).reason) < SAID_CAP + 500


def test_of_many_causes_the_first_are_named_and_the_others_counted() -> None:
    reason = outcome(many).reason
    assert reason.startswith("ValueError: 0; ValueError: 1; ")
    assert reason.endswith("; and 980 more")
