"""The samples of a run: which suggestions the next one takes, and what its protocol is called with.

A protocol that takes one sample at a time has one suggestion in each run; a batch protocol has as
many as ``[batch]`` says, or fewer where no more can come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from sdl.core.campaign import CampaignState, wanted_suggestions
from sdl.model.campaign import Campaign
from sdl.model.data import Arguments, Inputs
from sdl.model.protocol import ProtocolSignature


def next_samples(state: CampaignState) -> tuple[str, ...]:
    """The suggestions that the next run takes; none while others have still to come."""
    batch = state.spec.batch
    size = 1 if batch is None else batch.size
    full = max(0, min(size, state.spec.stop.runs - state.samples_begun))
    if len(state.ready) < full and (state.open_ask is not None or wanted_suggestions(state) > 0):
        return ()
    return tuple(islice(state.ready, full))


def inputs_of(state: CampaignState, suggestion: str) -> Inputs:
    """All inputs of one sample, searched and fixed ones."""
    return {**state.suggestions[suggestion].inputs, **state.spec.fixed}


def arguments(
    state: CampaignState, signature: ProtocolSignature, suggestions: Iterable[str]
) -> Arguments:
    """What the protocol is called with, roles aside."""
    each = [inputs_of(state, suggestion) for suggestion in suggestions]
    return arguments_of(state.spec, signature, each)


def arguments_of(spec: Campaign, signature: ProtocolSignature, each: Sequence[Inputs]) -> Arguments:
    """The same for samples of these inputs, searched and fixed ones."""
    if not signature.samples:
        (inputs,) = each
        return inputs
    of_run = {one.name for one in signature.inputs if one.of_run}
    samples = tuple(
        {name: value for name, value in inputs.items() if name not in of_run} for inputs in each
    )
    shared = {name: value for name, value in spec.fixed.items() if name in of_run}
    return {**shared, signature.samples: samples}
