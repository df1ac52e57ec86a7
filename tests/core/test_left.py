"""A campaign ends when its planner believes that too little is left to be gained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.campaign import LEAST_MEASURED, QUIET
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.model.campaign import StopRule
from sdl.model.reason import Left, Reason
from tests.core.dye import SCRIPT
from tests.core.floor import Floor, campaign


@dataclass
class Looking(Floor):
    """Its planner says what is left: by answer, and of all further ones the last."""

    left: Sequence[Left | None] = field(default=(None,))

    def post(self, event: ev.Event) -> None:
        if isinstance(event, ev.SuggestionsArrived):
            number = int(event.ask.rpartition("-")[2])
            reason = Reason(left=self.left[min(number, len(self.left)) - 1])
            points = tuple(replace(one, reason=reason) for one in event.suggestions)
            event = replace(event, suggestions=points)
        super().post(event)


def played(left: Sequence[Left | None], stop: StopRule, parallel: int = 1) -> Looking:
    floor = Looking(Engine(SCRIPT), seed=4, left=left)
    floor.play(campaign(stop=stop, parallel=parallel))
    return floor


def end(floor: Floor) -> do.Conclude:
    (found,) = floor.commands(do.Conclude)
    assert isinstance(found, do.Conclude)
    return found


MUCH, LITTLE = Left(gain=3.0, chance=0.8), Left(gain=0.2, chance=0.01)
GAIN = StopRule(runs=40, expected_gain=0.5)
CHANCE = StopRule(runs=40, chance_of_better=0.05)


@pytest.mark.parametrize("stop", [GAIN, CHANCE])
def test_after_some_answers_in_a_row_that_expect_little_it_ends_and_says_why(
    stop: StopRule,
) -> None:
    floor = played([*[MUCH] * 14, LITTLE], stop)
    ending = end(floor)
    assert (ending.ending, floor.engine.state.measured) == ("enough", 14 + QUIET - 1)
    assert "no point that is left is believed to be better" in ending.reason
    assert "0.2 is expected" in ending.reason or "the chance is 0.01" in ending.reason
    unused = [one for one in floor.commands(do.Dispose) if "believed" in str(one)]
    assert len(unused) == 1, "the suggestion that came with the last answer is not tried"
    assert floor.engine.state_sha256() == fold(SCRIPT, floor.journal).state_sha256()


def test_one_answer_that_expects_more_begins_the_count_anew() -> None:
    floor = played([*[LITTLE] * 9, MUCH, LITTLE, LITTLE, MUCH, LITTLE], GAIN)
    assert floor.engine.state.measured == 13 + QUIET - 1


def test_a_model_that_knows_too_little_ends_nothing() -> None:
    floor = played([LITTLE], GAIN)
    assert end(floor).ending == "enough"
    assert floor.engine.state.measured == LEAST_MEASURED


def test_answers_to_the_same_measurements_count_once() -> None:
    floor = played([LITTLE], GAIN, parallel=4)
    state = floor.engine.state
    assert end(floor).ending == "enough"
    assert LEAST_MEASURED <= state.measured <= LEAST_MEASURED + 4


@pytest.mark.parametrize("left", [None, MUCH])
def test_without_a_word_of_it_the_budget_decides(left: Left | None) -> None:
    assert end(played([left], GAIN)).ending == "budget"


def test_what_is_expected_counts_only_where_a_rule_asks_for_it() -> None:
    assert end(played([LITTLE], StopRule(runs=20))).ending == "budget"
    assert end(played([Left(gain=3.0, chance=0.01)], replace(GAIN, runs=20))).ending == "budget"
