"""Our generator for anybody's Ax experiment: a node of a generation strategy, Ax keeps the rest.

::

    client = Client()
    client.configure_experiment(...)
    client.configure_optimization("-loss")
    client.set_generation_strategy(strategy(seed=1))
    client.get_next_trials(max_trials=4)
"""

from __future__ import annotations

from ax.core.data import Data
from ax.core.experiment import Experiment
from ax.core.generator_run import GeneratorRun
from ax.core.observation import ObservationFeatures
from ax.core.types import TParameterization
from ax.exceptions.core import SearchSpaceExhausted, UnsupportedError
from ax.generation_strategy.external_generation_node import ExternalGenerationNode
from ax.generation_strategy.generation_strategy import GenerationStrategy
from ax.storage.json_store.registry import CORE_DECODER_REGISTRY, CORE_ENCODER_REGISTRY

from sdl.errors import PlannerFault
from sdl.model.data import Suggestion
from sdl.model.planning import asked_of
from sdl.model.space import exhausted
from sdl.planner.ax_problem import Told, flying, told
from sdl.planner.server import load


class PlannerNode(ExternalGenerationNode):
    """Asks a planner for each candidate, with all trials of the experiment and what is pending.

    It never falls back to anything else: a space that is used up is ``SearchSpaceExhausted``, what
    the planner cannot do is ``UnsupportedError``, before a point is made.
    """

    def __init__(self, kind: str = "ensemble", seed: int = 0) -> None:
        """``kind``: an installed planner; ``seed``: its only source of chance.

        PlannerFault if there is no such planner.
        """
        super().__init__(name=kind, should_deduplicate=True)
        self.fallback_specs = {}  # Ax would take Sobol points, and only say so in its log
        self.seed = seed
        self._planner = load(kind)
        self._told: Told | None = None
        self.suggestions: list[Suggestion] = []
        """What the planner said of the candidates since the experiment was last looked at."""

    def update_generator_state(self, experiment: Experiment, data: Data) -> None:
        """Look at the experiment. UnsupportedError if the planner cannot do what it asks for."""
        self._told = found = told(experiment, data)
        self.suggestions = []
        lacking = sorted(asked_of(found.problem) - self._planner.abilities())
        if lacking:
            raise UnsupportedError(
                f"the planner of node {self.name} cannot do {', '.join(lacking)}; use Ax's own"
            )

    def get_next_candidate(self, pending_parameters: list[TParameterization]) -> TParameterization:
        """The next point. SearchSpaceExhausted if none is left."""
        found = self._told
        assert found is not None, "Ax shows the experiment before it asks for a candidate"
        trials = (*found.trials, *flying(found, pending_parameters))
        try:
            (one,) = self._planner.suggest(found.problem, trials, 1, self.seed)
        except PlannerFault as fault:
            if exhausted(found.problem, trials):
                raise SearchSpaceExhausted(str(fault)) from fault
            raise
        self.suggestions.append(one)
        return found.parameters_of(one.inputs)

    def gen(
        self,
        *,
        experiment: Experiment,
        pending_observations: dict[str, list[ObservationFeatures]] | None,
        skip_fit: bool = False,
        data: Data | None = None,
        n: int | None = None,
        **gs_gen_kwargs: object,
    ) -> GeneratorRun | None:
        """As in Ax. UnsupportedError if parameters are to be held fixed: Ax would forget it."""
        if gs_gen_kwargs.get("fixed_features") is not None:
            raise UnsupportedError(
                f"node {self.name} cannot hold parameters fixed; make them fixed parameters of "
                "the search space"
            )
        return super().gen(
            experiment=experiment,
            pending_observations=pending_observations,
            skip_fit=skip_fit,
            data=data,
            n=n,
            **gs_gen_kwargs,
        )


def strategy(kind: str = "ensemble", seed: int = 0) -> GenerationStrategy:
    """A strategy of this one node, for ``Client.set_generation_strategy``."""
    return GenerationStrategy(name=f"sdl {kind}", nodes=[PlannerNode(kind, seed)])


def _as_data(node: PlannerNode) -> dict[str, object]:
    return {"__type": "PlannerNode", "kind": node.name, "seed": node.seed}


# So that Client.save_to_json_file and load_from_json_file know the node.
CORE_ENCODER_REGISTRY[PlannerNode] = _as_data
CORE_DECODER_REGISTRY["PlannerNode"] = PlannerNode
