"""What a planner is to the benchmark: one method, plain data in, points out.

A planner comes as ``module:name``. What stands under that name is called with ``space`` (the
content of a ``space.json``), ``pool`` (a pandas frame of the points that may be measured, one
column for each parameter, or None where there is no list) and ``seed``, and gives a ``Planner``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pandas as pd  # type: ignore[import-untyped]

from sdl.errors import UserMistake

Space: TypeAlias = Mapping[str, Any]
"""Parameters, objectives and constraints, as ``planner_data/README.md`` describes them."""

Point: TypeAlias = dict[str, float | str]
"""A value for each parameter: a number, or the name of an option."""

Observation: TypeAlias = tuple[Point, dict[str, float]]
"""A point that was measured, and what each objective was there."""


class Planner(Protocol):
    """Proposes what to measure next."""

    def suggest(
        self, observations: Sequence[Observation], pending: Sequence[Point], n: int
    ) -> Sequence[Point]:
        """At most ``n`` points to measure next, and at least one where nothing is pending.

        ``observations`` holds all results of the campaign so far in the order of their arrival,
        ``pending`` what is being measured. A proposal that cannot be measured is moved to the
        nearest point that can, so both hold what was measured, not what was proposed.
        """
        ...


Offer: TypeAlias = Callable[[Space, "pd.DataFrame | None", int], Planner]

BUILT_IN = {
    "random": "planners.random_points:RandomPoints",
    "sobol": "planners.sobol:SobolPoints",
    "botorch": "planners.plain_botorch:PlainBotorch",
    "baybe": "planners.baybe_default:BaybeDefault",
    "ax": "planners.ax_default:AxDefault",
    "ours": "sdl.planner.bench:factory",
}
"""Planners that have a short name, and where they are."""


def offered(word: str) -> Offer:
    """What makes the planner of that name, or of that ``module:name``. UserMistake if none does."""
    module, found, name = BUILT_IN.get(word, word).partition(":")
    if not found or not module or not name:
        raise UserMistake(
            f"--planner {word}: there is no planner of that name; say one of "
            f"{', '.join(BUILT_IN)}, or module:name for one of your own"
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        offer = vars(importlib.import_module(module)).get(name)
    except ImportError as error:
        raise UserMistake(
            f"--planner {word}: {module} cannot be imported ({error}); "
            "put its folder on PYTHONPATH, or install what it needs"
        ) from error
    if not callable(offer):
        raise UserMistake(f"--planner {word}: {module} has nothing called {name} that can be used")
    return offer  # type: ignore[no-any-return]
