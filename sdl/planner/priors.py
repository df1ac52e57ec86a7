"""Which prior a campaign wants over the hyperparameters of its Gaussian process, by name."""

from __future__ import annotations

from typing import Literal, get_args

from sdl.errors import PlannerFault
from sdl.model.planning import Problem

Prior = Literal["botorch", "baybe"]
"""BoTorch's default, or what BayBE 0.15 takes in its place."""
OPTION = "prior"


def prior_of(problem: Problem) -> Prior:
    """The one that its options name. PlannerFault if there is no such prior."""
    said = problem.options.get(OPTION, "botorch")
    for name in get_args(Prior):
        if said == name:
            return name  # type: ignore[no-any-return]
    known = " or ".join(f'"{name}"' for name in get_args(Prior))
    raise PlannerFault(f"[planner] {OPTION} is {said!r}; use {known}")
