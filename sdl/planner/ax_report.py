"""What Ax's models say of a campaign: how well they fit, which inputs matter, what is on the front.

Also as files: ``ax.json`` (a snapshot that ``Client.load_from_json_file`` of any Ax reads, with all
trials), ``analyses.html`` (Ax's plots) and ``analyses.json`` (the same figures as are given back).
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from ax.adapter.base import Adapter
from ax.adapter.registry import Generators
from ax.analysis.analysis import Analysis
from ax.analysis.plotly.cross_validation import CrossValidationPlot
from ax.analysis.plotly.scatter import ScatterPlot
from ax.analysis.plotly.sensitivity import SensitivityAnalysisPlot
from ax.analysis.summary import Summary
from ax.core.analysis_card import AnalysisCardBase, AnalysisCardGroup
from ax.generation_strategy.generation_node import GenerationNode
from ax.generation_strategy.generation_strategy import GenerationStrategy
from ax.generation_strategy.generator_spec import GeneratorSpec
from ax.utils.common.logger import set_stderr_log_level

from sdl.errors import PlannerFault
from sdl.model.analysis import Analysis as Report
from sdl.model.analysis import FrontPlace
from sdl.model.campaign import Objective
from sdl.model.data import Measures, Trial
from sdl.model.planning import Problem
from sdl.planner.ax_experiment import Exported, exported
from sdl.planner.surrogate import one_seeded_thread

LEAST = 4
"""Measured trials without which a model left without one of them says nothing."""

_ONE_HOT = "_OH_PARAM_"
"""Stands in Ax's name of one option of an input."""


def report(problem: Problem, trials: Sequence[Trial], name: str, folder: Path) -> Report:
    """Fit, look and write the files. PlannerFault if too little was measured, or Ax fails."""
    count = {status: sum(one.status == status for one in trials) for status in _STATUSES}
    if count["measured"] < LEAST:
        raise PlannerFault(
            f"{count['measured']} measured trials are too few for an analysis; it takes {LEAST}"
        )
    with _quietly(), one_seeded_thread(0):
        try:
            found = exported(problem, trials, name)
            found.client.set_generation_strategy(_strategy())
            return _written(problem, trials, found, folder, count)
        except (OSError, PlannerFault):
            raise
        except Exception as fault:
            raise PlannerFault(f"Ax failed with {type(fault).__name__}: {fault}") from fault


_STATUSES = ("measured", "failed", "abandoned", "pending")


def _written(
    problem: Problem,
    trials: Sequence[Trial],
    found: Exported,
    folder: Path,
    count: Mapping[str, int],
) -> Report:
    folder.mkdir(parents=True, exist_ok=True)
    found.client.save_to_json_file(str(folder / "ax.json"))
    looks = _Looks(found)
    fit = {found.metrics[one]: looks.fit(one) for one in found.objectives}
    shares = {found.metrics[one]: looks.shares(one) for one in found.objectives}
    if problem.further:
        for one, other in itertools.combinations(found.objectives, 2):
            looks.add(ScatterPlot(one, other, show_pareto_frontier=True), f"{one} and {other}")
    looks.add(Summary(), "trials")
    told = Report(
        **count,
        fit={name: value for name, value in fit.items() if value is not None},
        sensitivity={name: value for name, value in shares.items() if value},
        front=list(_front(found, problem, trials)) if problem.further else [],
        not_told=found.left_out,
        not_made=looks.not_made,
        files=("ax.json", "analyses.html", "analyses.json"),
    )
    page = AnalysisCardGroup("Analyses", "Ax on this campaign", None, looks.cards)
    (folder / "analyses.html").write_text(page._repr_html_(), encoding="utf-8")
    text = json.dumps(asdict(told), indent=1, ensure_ascii=False)
    (folder / "analyses.json").write_text(f"{text}\n", encoding="utf-8")
    return told


class _Looks:
    """Ax's analyses of one experiment, each made once; one that fails leaves the others be."""

    def __init__(self, found: Exported) -> None:
        self._found = found
        self._experiment = found.client._experiment  # noqa: SLF001 - a Client shows no model
        data = self._experiment.lookup_data()
        self._model: Adapter = Generators.BOTORCH_MODULAR(experiment=self._experiment, data=data)
        self.cards: list[AnalysisCardBase] = []
        self.not_made: dict[str, str] = {}

    def add(self, analysis: Analysis, of: str) -> AnalysisCardBase | None:
        """Its card, kept for the page; None, with the reason kept, if there is none."""
        try:
            why = analysis.validate_applicable_state(self._experiment, None, self._model)
            if why is None:
                card: AnalysisCardBase = analysis.compute(self._experiment, None, self._model)
                self.cards.append(card)
                return card
        except Exception as fault:  # noqa: BLE001 - whatever an analysis of Ax trips over
            why = f"{type(fault).__name__}: {fault}"
        self.not_made[f"{type(analysis).__name__} of {of}"] = why
        return None

    def fit(self, metric: str) -> float | None:
        """Of what was predicted for each point without it, against what was measured."""
        card = self.add(CrossValidationPlot([metric]), metric)
        if card is None:
            return None
        rows = card.flatten()[0].df
        rest = ((rows["observed"] - rows["predicted"]) ** 2).sum()
        spread = ((rows["observed"] - rows["observed"].mean()) ** 2).sum()
        return 1.0 - float(rest / spread) if spread > 0.0 else None

    def shares(self, metric: str) -> dict[str, float]:
        """By input, the options of one taken together, largest first."""
        card = self.add(SensitivityAnalysisPlot(metric, top_k=None), metric)
        if card is None:
            return {}
        rows = card.flatten()[0].df
        found = dict.fromkeys(self._found.inputs.values(), 0.0)
        for name, value in zip(rows["parameter_name"], rows["sensitivity"], strict=True):
            found[self._found.inputs[str(name).partition(_ONE_HOT)[0]]] += abs(float(value))
        total = math.fsum(found.values()) or 1.0
        ordered = sorted(found.items(), key=lambda one: -one[1])
        return {name: value / total for name, value in ordered}


def _front(found: Exported, problem: Problem, trials: Sequence[Trial]) -> Iterator[FrontPlace]:
    """Of what was measured, not of what a model makes of it."""
    for _, measures, index, _ in found.client.get_pareto_frontier(use_model_predictions=False):
        # A mean, or a mean and its standard error.
        means = {n: one[0] if isinstance(one, tuple) else one for n, one in measures.items()}
        seen = {found.metrics[name]: float(mean) for name, mean in means.items()}
        beyond = tuple(one.measure for one in problem.objectives if _is_beyond(one, seen))
        inputs = dict(trials[index].inputs)
        yield FrontPlace(inputs=inputs, measures=seen, trial=index, beyond=beyond)


def _is_beyond(objective: Objective, measures: Measures) -> bool:
    """Whether a value is on the wrong side of the threshold of an objective that has one."""
    value, threshold = measures.get(objective.measure), objective.threshold
    if value is None or threshold is None:
        return False
    return value < threshold if objective.goal == "maximise" else value > threshold


def _strategy() -> GenerationStrategy:
    """The model alone, of Ax's own classes, so that any Ax can read the snapshot."""
    spec = GeneratorSpec(generator_enum=Generators.BOTORCH_MODULAR)
    return GenerationStrategy(
        name="model-only", nodes=[GenerationNode(name="botorch", generator_specs=[spec])]
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the remarks of Ax, BoTorch and torch: what matters comes as an error."""
    set_stderr_log_level(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
