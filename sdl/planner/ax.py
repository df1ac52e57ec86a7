"""Bayesian optimisation with Ax and BoTorch; the heavy packages are imported with the first fit."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from sdl.errors import PlannerFault
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import Ability, Problem
from sdl.model.space import free_points, is_enumerable, is_finite, point, taken
from sdl.planner.chains import LEAST
from sdl.planner.priors import prior_of
from sdl.planner.sample import candidates
from sdl.planner.spread import START
from sdl.planner.start import measured, no_model, start_points

log = logging.getLogger(__name__)


class AxPlanner:
    """Spread points first, then a Gaussian process and noisy expected improvement.

    Ax proposes where all inputs are real and free. In a space that can be listed, BoTorch scores
    every free point; in the others a large sample, and then the neighbours of the best. Spread
    points go on for as long as too few results are there; only where a model is due and cannot be
    made, for runs failed or it failed itself, ``Suggestion.fall_back`` says why.
    """

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        """The next ``count`` points.

        PlannerFault if no free point is left, or its option names no prior.
        """
        prior_of(problem)
        # Start points go on behind all trials; a model sees what was given up as not tried.
        tried = tuple(trial for trial in trials if trial.status != "abandoned")
        if len(tried) < START:
            return start_points(problem, trials, count, seed)
        if measured(tried) < LEAST:
            return start_points(problem, trials, count, seed, no_model(tried))
        if is_enumerable(problem) and not free_points(problem, trials):
            raise PlannerFault(
                "every feasible point of the space is measured or pending; "
                "there is nothing left to suggest, so widen the space or end the campaign"
            )
        try:
            return _by_model(problem, tried, count, seed)
        except Exception as fault:
            # Whether the campaign goes on without a model is for its file to say.
            raise PlannerFault(f"the model failed with {type(fault).__name__}: {fault}") from fault

    def options(self) -> frozenset[str]:
        """``prior``: with BayBE's, no point is left to Ax itself."""
        return frozenset({"prior"})

    def abilities(self) -> frozenset[Ability]:
        """Real sums and lists of points; one objective, without what it costs."""
        return frozenset({"real_sums", "candidates"})

    def versions(self) -> Mapping[str, str]:
        """Of Ax, BoTorch, GPyTorch, torch and scipy."""
        names = ("ax-platform", "botorch", "gpytorch", "torch", "scipy")
        return {name: version(name) for name in names}


def _by_model(
    problem: Problem, trials: Sequence[Trial], count: int, seed: int
) -> tuple[Suggestion, ...]:
    with _remarks_to_log():
        from sdl.planner.surrogate import one_seeded_thread

        with one_seeded_thread(seed):
            return _proposed(problem, trials, count, seed)


def _proposed(
    problem: Problem, trials: Sequence[Trial], count: int, seed: int
) -> tuple[Suggestion, ...]:
    if prior_of(problem) == "botorch" and not is_finite(problem):
        from sdl.planner import ax_client

        if ax_client.suits(problem):
            found = ax_client.suggest(problem, trials, count, seed)
            new = {point(problem.space, one.inputs) for one in found} - taken(problem, trials)
            if len(new) == count:  # else Ax proposes an end of a range again
                return found
    from sdl.planner import pool

    return pool.suggest(problem, trials, candidates(problem, trials, seed), count, seed)


@contextmanager
def _remarks_to_log() -> Iterator[None]:
    """Keep what Ax, BoTorch and torch say, while loaded too, to our own log at level debug."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        # Ax says hello on standard error while it is loaded, before its logger can be asked not to.
        former = logging.root.manager.disable
        logging.disable(logging.INFO)
        try:
            yield
        finally:
            logging.disable(former)
            for remark in remarks:
                log.debug("%s: %s", remark.category.__name__, remark.message)
