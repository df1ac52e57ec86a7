"""Who plays which role in the next run of a campaign, and its beginning."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sdl.core.commands import BeginRun
from sdl.core.run import Run
from sdl.core.trampoline import Trampoline
from sdl.core.work import Work
from sdl.model.labware import Well


class Casting:
    """Begins the runs of one campaign."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._wanting: int | None = None
        """Place of a role for which nobody was ready when last looked at; None where all had
        somebody. No well is used up meanwhile, so that nothing else need be looked at."""

    @property
    def may_begin(self) -> bool:
        """Whether its own state lets another run begin."""
        state = self._work.state
        if state.closing or not state.ready or len(state.runs) >= state.runs_at_once:
            return False
        return not state.paused and state.begun < state.spec.stop.runs

    def begin_run(self) -> bool:
        """Begin the next run, if it may and all its roles can be played; whether it did."""
        state, work = self._work.state, self._work
        if not self.may_begin or (self._wanting is not None and self._still_wants()):
            return False
        instruments, wells = self._cast()
        if wells is None:
            return False
        self._wanting = self._first_absent(instruments)
        if self._wanting is not None or not work.materials.admits(instruments, wells):
            return False
        suggestion = state.ready.popleft()
        for well in wells.values():
            work.lab.use(well)
        state.begun += 1
        inputs = {**state.suggestions[suggestion].inputs, **state.spec.fixed}
        run = Run(
            id=f"{state.spec.name}/run-{state.begun}",
            number=state.begun,
            suggestion=suggestion,
            inputs=inputs,
            wells=wells,
            instruments=instruments,
            trampoline=Trampoline(work.script.begin(inputs, wells)),
        )
        state.runs[run.id] = run
        work.lab.playing.update(instruments.values())
        roles = {**instruments, **{role: str(well) for role, well in wells.items()}}
        work.out.append(BeginRun(run=run.id, suggestion=suggestion, inputs=inputs, roles=roles))
        work.materials.reserve(run)
        work.begin(run)
        return True

    def _still_wants(self) -> bool:
        """Whether a role has nobody; begins with the one that had nobody when last looked at.

        With a thousand roles, a look at all of them each time that an instrument comes is a second.
        """
        roles, lab = self._work.script.signature.roles, self._work.lab.instruments
        assert self._wanting is not None
        for place in range(self._wanting, len(roles)):
            self._wanting = place
            names = (
                () if roles[place].is_labware else self._work.state.spec.roles[roles[place].name]
            )
            if names and not any(lab[name].ready for name in names):
                return True
        return False

    def _first_absent(self, instruments: Mapping[str, str]) -> int | None:
        """The place of the first role that nobody is ready to play."""
        for place, role in enumerate(self._work.script.signature.roles):
            if not role.is_labware and not self._work.lab.instruments[instruments[role.name]].ready:
                return place
        return None

    def _cast(self) -> tuple[dict[str, str], dict[str, Well] | None]:
        """Who plays which role in the next run; no wells if a plate is used up."""
        instruments: dict[str, str] = {}
        wells: dict[str, Well] = {}
        for role in self._work.script.signature.roles:
            names = self._work.state.spec.roles[role.name]
            if not role.is_labware:
                planned = self._planned(names)
                instruments[role.name] = planned or self._player(names, instruments.values())
                continue
            well = self._work.lab.free_well(names, taken=frozenset(wells.values()))
            if well is None:
                self._work.state.close("material", f"no free well is left on {', '.join(names)}")
                return instruments, None
            wells[role.name] = well
        return instruments, wells

    def _planned(self, names: Sequence[str]) -> str:
        """The instrument that the plan gives to the next run, if it is ready."""
        state, work = self._work.state, self._work
        run = f"{state.spec.name}/run-{state.begun + 1}"
        name = work.commons.agenda.player(run, tuple(names), work.at)
        return name if name and work.lab.instruments[name].ready else ""

    def _player(self, names: Sequence[str], cast: Collection[str]) -> str:
        """Of the instruments that may play a role: a ready one, with the fewest roles at that."""
        best, least = names[0], -1
        for name in names:
            if self._work.lab.instruments[name].ready:
                roles = self._work.lab.playing[name] + (name in cast)
                if roles == 0:
                    return name
                if least < 0 or roles < least:
                    best, least = name, roles
        return best
