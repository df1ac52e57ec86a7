"""What a campaign does to materials: reserved for a run, used by its actions.

With ``storeroom``, the one place where the engine and the ledger meet. Where the lab's file
declares no stocks, there is no ledger and nothing is done here.

What a run needs is read from its forecast, made of the protocol alone: volumes that follow from a
measurement are a guess. An action that ended well has moved what it declares. One that failed
before it began has moved nothing. Of one that failed on the way, or of an unknown end, nobody
knows how much it took: it stays aside, in doubt, until a person has looked and says what is there;
the wells that it touched hold that much more or less than is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sdl.authoring import Act
from sdl.core.amounts import Moved
from sdl.core.commands import Flag
from sdl.core.draws import claims, kept_for, may_be, objection, shortages
from sdl.core.ids import run_of
from sdl.core.inventory import Inventory, instrument_of
from sdl.core.needs import drawn, needs_of, transfers_of
from sdl.core.samples import arguments, next_samples
from sdl.core.storeroom import Storeroom
from sdl.model.data import Arguments
from sdl.model.labware import Wells
from sdl.model.stock import Transfer

if TYPE_CHECKING:
    from sdl.core.past import End
    from sdl.core.run import Run, Step
    from sdl.core.work import Work

NOTHING_MOVED = ("not_started", "did_not_happen")
ALL_MOVED = ("done", "happened")
NEVER_TOLD = ("discard", "unknown")


class Materials:
    """The ledger's side of one campaign."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._storeroom = Storeroom(work.commons)
        self._foreseen: tuple[object, dict[str, int]] | None = None
        """What the next run will need, and for which one that was found out."""

    @property
    def _inventory(self) -> Inventory | None:
        return self._work.lab.inventory

    # Before a run.

    def admits(self, instruments: Mapping[str, str], wells: Mapping[str, Wells]) -> bool:
        """Whether there is enough for the next run; else why not, and a person is asked."""
        inventory, state = self._inventory, self._work.state
        if inventory is None:
            return True
        suggestions = next_samples(state)
        inputs = arguments(state, self._work.script.signature, suggestions)
        needs = self._needs(instruments, wells, inputs, suggestions)
        claimed = claims(inventory, self._thirsty(needs))
        short = inventory.shortages(needs, self._work.at, claimed)
        state.short = "; ".join(each.reason for each in short)
        for each in short:
            self._storeroom.ask(each)
        # What is kept for other campaigns' runs may be left over.
        if short and not (inventory.attended or state.runs or inventory.reserved or claimed):
            state.close("material", state.short)
        return not short

    def reserve(self, run: Run) -> None:
        """A run has begun: keep what it will need."""
        inventory = self._inventory
        if inventory is not None:
            needs = self._needs(run.instruments, run.wells, run.inputs, run.suggestions)
            inventory.reserve(run.id, needs)
            self._storeroom.book("reserved", inventory.reserved.get(run.id, {}), run.id)
            self._foreseen = None

    def _needs(
        self,
        instruments: Mapping[str, str],
        wells: Mapping[str, Wells],
        inputs: Arguments,
        suggestions: tuple[str, ...],
    ) -> dict[str, int]:
        """What a run draws from sources, in picolitres."""
        which = (suggestions, dict(instruments), dict(wells))
        if self._foreseen is None or self._foreseen[0] != which:
            self._foreseen = (which, self._foresee(inputs, instruments, wells))
        return self._foreseen[1]

    def _foresee(
        self, inputs: Arguments, instruments: Mapping[str, str], wells: Mapping[str, Wells]
    ) -> dict[str, int]:
        return dict(
            needs_of(self._work.script, inputs, wells, instruments, self._inventory).draws_pl
        )

    def _thirsty(self, needs: Mapping[str, int]) -> Iterator[Step]:
        """Steps of runs in flight that wait for an instrument whose sources are needed as well."""
        waiting = self._work.commons.steps.waiting
        for name in dict.fromkeys(instrument_of(source) for source in needs):
            entries = waiting.get(name, {}).values()
            yield from (step for _, step in entries if step.draws)

    # Before an action.

    def draws(self, step: Step) -> dict[str, int]:
        """What a step draws of declared sources; nothing where nobody looks before it is sent."""
        inventory = self._inventory
        if inventory is None or not self._work.lab.checks_draws:
            return {}
        found = drawn(self._transfers(inventory, step)[0], step.instrument)
        return {source: pl for source, pl in found if source in inventory.sources and pl > 0}

    def objection(self, step: Step) -> str:
        """Why the wells that a step touches cannot do it; empty if they can."""
        inventory = self._inventory
        if inventory is None or not self._work.lab.checks_draws:
            return ""
        return objection(inventory, self._transfers(inventory, step)[0])

    def lack(self, step: Step) -> str:
        """What a step is short of, and what to do about it; empty if it is of nothing."""
        found = () if self._inventory is None else shortages(self._inventory, [step])
        return "; ".join(each.reason for each in found)

    def secure(self, step: Step) -> None:
        """A step is sent that is not short: what it draws is no longer there for others."""
        inventory, run = self._inventory, run_of(step.id)
        if inventory is None:
            return
        more = {source: pl - kept_for(inventory, run, source) for source, pl in step.draws.items()}
        more = {source: volume_pl for source, volume_pl in more.items() if volume_pl > 0}
        if more:
            inventory.reserve(run, more)
            self._storeroom.book("reserved", more, run, step.cid)

    def _transfers(self, inventory: Inventory, step: Step) -> tuple[tuple[Transfer, ...], str]:
        """What a step moves, and what is wrong with who should say so."""
        act = step.request
        assert isinstance(act, Act)
        operation = self._work.script.operations[act.role][act.operation]
        return transfers_of(operation, act.arguments, inventory, step.instrument)

    # During a run, and after it.

    def over(self, step: Step, end: End) -> None:
        """An attempt of a step has ended in some way."""
        inventory, act = self._inventory, step.request
        again = step.was_done  # its node has said so before, and only its result was of no use
        # That it failed on the way was said before. Now a person knows what became of it, or, where
        # the run was given up meanwhile, nobody does.
        is_known = step.state == "asks" and not step.proven and end not in NEVER_TOLD
        stayed = end in NOTHING_MOVED and not is_known
        if inventory is None or stayed or again or not isinstance(act, Act):
            return
        run = run_of(step.id)
        transfers, wrong = self._transfers(inventory, step)
        if wrong:
            self._flag(run, step, wrong)
        draws = drawn(transfers, step.instrument)
        sources = [source for source, _ in draws]
        if is_known:
            inventory.lift_wells(step.cid)
            for source, volume_pl in draws:
                inventory.lift(run, source, volume_pl, step.cid)
        if transfers and end in ALL_MOVED:
            self._use(inventory, run, step, transfers)
        elif is_known:
            self._storeroom.book("reserved", sources, run, step.cid)
        elif transfers:
            inventory.doubt_wells(transfers, step.cid)
            for source, volume_pl in draws:
                inventory.doubt(run, source, volume_pl, step.cid)
            self._storeroom.book("in_doubt", sources, run, step.cid)

    def _use(
        self, inventory: Inventory, run: str, step: Step, transfers: tuple[Transfer, ...]
    ) -> None:
        moves: list[Moved] = []
        for number, transfer in enumerate(transfers, start=1):
            cause = f"{step.id}.{number}"
            is_sure = not self._work.lab.checks_draws or not may_be(inventory, transfer)
            moved, complaint = inventory.take_down(transfer, step.instrument, cause)
            moves += moved
            if complaint and is_sure:
                self._flag(run, step, f"by the ledger this could not be: {complaint}")
        draws = drawn(transfers, step.instrument)
        for source, volume_pl in draws:
            inventory.use(run, source, volume_pl)
        sources = [source for source, _ in draws]
        self._storeroom.book("used", sources, run, step.cid, tuple(moves))

    def release(self, run: str) -> None:
        """A run is over: nothing more is kept for it."""
        inventory = self._inventory
        if inventory is not None and run in inventory.reserved:
            released = inventory.release(run)
            self._storeroom.book("released", released, run)
            self._storeroom.look_again(released)

    def _flag(self, run: str, step: Step, reason: str) -> None:
        self._work.out.append(Flag(run=run, step=step.id, reason=reason))
