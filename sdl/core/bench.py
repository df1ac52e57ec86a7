"""What a campaign's planner is told of the bench when it is asked.

How much a run draws and how long it takes is found out once, from the protocol alone; how much
there is, and what waits, is looked at each time. All of it goes into the command that asks, so that
the question can be put together from the journal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sdl.authoring import Act
from sdl.core.amounts_of import amounts_of
from sdl.core.campaign import problem
from sdl.core.durations import asked_s
from sdl.core.mixture import microlitres
from sdl.core.needs import needs_of
from sdl.core.samples import arguments_of
from sdl.model.bench import Amount, BenchState, Queue, Stock, amount
from sdl.model.data import Inputs
from sdl.model.labware import Well, Wells

if TYPE_CHECKING:
    from sdl.core.run import Step
    from sdl.core.work import Work

DURATION = "duration_s"
"""No instrument has such a name."""
PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True)
class _Known:
    """How a run's needs follow from its inputs; of what is not needed, nothing."""

    amounts: Mapping[str, Amount] = field(default_factory=dict)
    """By source, by instrument, and the duration, in µL, actions and seconds."""
    unclear: tuple[str, ...] = ()

    def varying(self, name: str) -> Amount:
        """An amount that is not the same everywhere; else nothing."""
        found = self.amounts.get(name, ())
        return found if any(term.numbers or term.options for term in found) else ()


class Bench:
    """As one campaign's planner sees it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known: _Known | None = None

    def state(self, leaves_out: Collection[str] = ()) -> BenchState | None:
        """The bench now; None where that is not wanted, or makes no difference between points.

        ``leaves_out``: suggestions that wait for their run, and for which nothing need be kept.
        """
        is_timed, inventory = self._is_timed, self._work.lab.inventory
        if not (self._work.state.spec.planner.bench and (is_timed or inventory is not None)):
            return None
        known = self._known = self._known or self._find_out()
        found = BenchState(
            duration_s=known.amounts.get(DURATION, ()) if is_timed else (),
            stocks=tuple(self._stocks(known, leaves_out)),
            queues=tuple(self._queues(known)) if is_timed else (),
            unclear=tuple(name for name in known.unclear if self._counts(name)),
        )
        return None if found == BenchState() else found

    @property
    def _is_timed(self) -> bool:
        costs = self._work.state.spec.costs
        return costs is not None and costs.per_hour > 0.0

    def _counts(self, name: str) -> bool:
        """Whether it would make a difference if it were known."""
        if name == PROTOCOL:
            return True
        return bool(self._names(name)) if "/" in name else self._is_timed

    # What a run needs.

    def _find_out(self) -> _Known:
        try:
            return _Known(*amounts_of(problem(self._work.state.spec), self._needs))
        except ValueError:
            return _Known(unclear=(PROTOCOL,))

    def _needs(self, inputs: Inputs) -> dict[str, float]:
        """At one point. ValueError if the protocol cannot be followed there."""
        state, script = self._work.state, self._work.script
        given = arguments_of(state.spec, script.signature, [{**inputs, **state.spec.fixed}])
        wells, players = self._wells(), self._players()
        needs = needs_of(script, given, wells, players, self._work.lab.inventory)
        if needs.partial:
            raise ValueError(needs.partial)
        draws = {source: microlitres(volume_pl) for source, volume_pl in needs.draws_pl.items()}
        steps = {instrument: float(count) for instrument, count in needs.steps.items()}
        return {DURATION: needs.duration_s, **steps, **draws}

    def _players(self) -> dict[str, str]:
        """The first that may play each role: of others, only what is left is looked at."""
        spec, roles = self._work.state.spec, self._work.script.signature.roles
        return {role.name: spec.roles[role.name][0] for role in roles if not role.is_labware}

    def _wells(self) -> dict[str, Wells]:
        """Stand-ins, one for each sample of a run, which is one here."""
        plates, found = self._work.state.spec.plates, dict[str, Wells]()
        for role in self._work.script.signature.roles:
            if role.is_labware:
                count = plates[role.name].count if role.name in plates else None
                wells = tuple(Well(role.name, f"A{number + 1}") for number in range(count or 1))
                found[role.name] = wells if role.is_list else wells[0]
        return found

    # What there is.

    def _stocks(self, known: _Known, leaves_out: Collection[str]) -> Iterator[Stock]:
        state = self._work.state
        kept = [state.trials[one].inputs for one in state.ready if one not in leaves_out]
        for name in sorted(known.amounts):
            draws, there = known.varying(name), self._names(name)
            if draws and there:
                kept_ul = sum(amount(draws, inputs) for inputs in kept)
                left_ul = max(0.0, max(map(self._left_ul, there)) - kept_ul)
                yield Stock(source=name, left_ul=float(f"{left_ul:.9g}"), draws_ul=draws)

    def _names(self, source: str) -> list[str]:
        """The declared sources that may be drawn from; none if one that may be has no end."""
        instrument, _, liquid = source.partition("/")
        inventory = self._work.lab.inventory
        names = [f"{one}/{liquid}" for one in self._alike(instrument)]
        if inventory is None or not all(name in inventory.sources for name in names):
            return []
        return [] if any(inventory.sources[name].is_counted for name in names) else names

    def _left_ul(self, source: str) -> float:
        inventory = self._work.lab.inventory
        assert inventory is not None
        is_good = not inventory.expired(source, self._work.at)
        return microlitres(inventory.free_pl(source)) if is_good else 0.0

    def _alike(self, instrument: str) -> list[str]:
        """All that may play a role in its place, itself first."""
        every = self._work.state.spec.roles.values()
        return list(dict.fromkeys(name for names in every if instrument in names for name in names))

    # What waits.

    def _queues(self, known: _Known) -> Iterator[Queue]:
        for name in sorted(self._work.lab.instruments):
            steps = known.varying(name)
            wait_s = min(map(self._wait_s, self._alike(name))) if steps else 0.0
            if wait_s > 0.0:
                yield Queue(instrument=name, wait_s=float(f"{wait_s:.9g}"), steps=steps)

    def _wait_s(self, instrument: str) -> float:
        """Lab seconds that what is there was told to last from now on."""
        commons, there = self._work.commons, self._work.lab.instruments[instrument]
        waiting = sum(_told_s(step) for _, step in commons.waits_for(instrument))
        busy = (step for _, step in commons.steps.at_work.values() if step.cid == there.busy_with)
        since_s = commons.at - there.busy_since
        return waiting + sum(max(0.0, _told_s(step) - since_s) for step in busy)


def _told_s(step: Step) -> float:
    return asked_s(step.request.arguments) if isinstance(step.request, Act) else 0.0
