"""Who plans for a lab at work."""

from __future__ import annotations

import pytest

from sdl.model.lab import Lab
from sdl.shell.planning import SECONDS, budget_s


@pytest.mark.parametrize("speed, seconds", [(1.0, SECONDS), (10.0, 3.0), (30.0, 1.0), (31.0, None)])
def test_a_plan_has_so_much_time_that_it_is_not_old_when_it_comes_or_is_not_made(
    speed: float, seconds: float | None
) -> None:
    assert budget_s(Lab(name="bench", instruments=(), speed=speed)) == seconds


def test_nobody_plans_where_the_file_says_off() -> None:
    assert budget_s(Lab(name="bench", instruments=(), plan="off")) is None
