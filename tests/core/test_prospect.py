"""What is told of a step that waits: until when, behind whom, whether its window will hold."""

from __future__ import annotations

from sdl.core import events as ev
from sdl.core.durations import Durations
from sdl.core.prospect import clock
from tests.core.dye import at_work
from tests.core.floor import Floor

FIRST, SECOND = "dye/run-1/step-1/try-1", "dye/run-2/step-1/try-1"


def past(dispense_s: float = 10.0, absorbance_s: float = 12.0) -> Durations:
    """What the past teaches."""
    return Durations(
        [
            ("handler", "dispense", ((0.0, dispense_s),) * 6),
            ("reader", "absorbance", ((0.0, absorbance_s),) * 6),
        ]
    )


def why(floor: Floor, who: str, known: Durations | None = None) -> str:
    view = floor.engine.view(predictors=(known or past(),))
    return {one.who: one.why for one in view.waits}[who]


def reading() -> Floor:
    """The first run is being read, and the second one waits for that in its window."""
    floor, _ = at_work(parallel=2)
    floor.turn(ev.CommandDone(at=10.0, cid=FIRST, result=None, duration_s=9.0))
    floor.turn(ev.CommandDone(at=12.0, cid=SECOND, result=None, duration_s=2.0))
    floor.turn(ev.TimerFired(at=40.0, timer="dye/run-1/step-2/settle"))
    floor.turn(ev.TimerFired(at=42.0, timer="dye/run-2/step-2/settle"))
    return floor


def test_it_says_what_the_instrument_works_on_and_until_when() -> None:
    floor, _ = at_work(parallel=2)
    assert why(floor, "dye/run-2/step-1") == (
        "dispense on handler waits: handler works on run-1/step-1 (dispense) until about 00:00:11"
    )
    assert why(floor, "dye/run-1/step-1").startswith("dispense on handler was sent")
    floor.turn(ev.CommandStarted(at=1.5, cid=FIRST, boot="boot-1"))
    assert why(floor, "dye/run-1/step-1") == (
        "dispense on handler is going on until about 00:00:11"
    )


def test_it_says_behind_how_many_it_waits() -> None:
    floor, _ = at_work(parallel=4)
    said = [why(floor, f"dye/run-{number}/step-1").rpartition("; ")[2] for number in (2, 3, 4)]
    assert said[0].startswith("dispense on handler waits")
    assert said[1:] == ["behind 1 other", "behind 2 others"]


def test_where_nobody_knows_nothing_is_foretold() -> None:
    floor, _ = at_work(parallel=2)
    assert why(floor, "dye/run-2/step-1", Durations()) == (
        "dispense on handler waits: handler works on run-1/step-1 (dispense)"
    )


def test_what_takes_longer_than_expected_is_said_to() -> None:
    floor, _ = at_work(parallel=2)
    floor.turn(ev.CommandStarted(at=31.0, cid=FIRST, boot="boot-1"))
    assert why(floor, "dye/run-2/step-1").endswith("(dispense), 20 s longer than expected")


def test_a_window_that_will_hold_says_how_long_it_is_open() -> None:
    assert why(reading(), "dye/run-2/step-3") == (
        "absorbance on reader waits: reader works on run-1/step-3 (absorbance) until about "
        "00:00:52; its window ends at 00:01:42, in 60 s"
    )


def test_a_window_that_would_break_says_so() -> None:
    assert why(reading(), "dye/run-2/step-3", past(absorbance_s=90.0)) == (
        "absorbance on reader waits: reader works on run-1/step-3 (absorbance) until about "
        "00:02:10; its window, which ends at 00:01:42, would break"
    )


def test_an_obstacle_of_its_instrument_comes_before_its_turn() -> None:
    floor = reading()
    floor.turn(ev.PauseRequested(at=43.0, what="reader", by="ada", at_once=True))
    assert why(floor, "dye/run-2/step-3") == (
        "absorbance on reader waits: reader is paused by ada; go on with: sdl resume reader"
    )


def test_to_look_changes_nothing() -> None:
    floor = reading()
    before = floor.engine.state_sha256()
    floor.engine.lab_view((past(),))
    assert floor.engine.state_sha256() == before


def test_moments_are_told_as_time_of_the_day() -> None:
    assert clock(1_700_000_000.0) == "22:13:20"
    assert clock(61.4) == "00:01:01"
