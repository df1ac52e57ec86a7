"""Who plays which role in the next run of a campaign, and its beginning."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sdl.core.commands import AskPlate, BeginRun
from sdl.core.following import Ahead, ahead_of
from sdl.core.plate_task import PlateTask, what_to_do
from sdl.core.plates import Plates
from sdl.core.run import Run
from sdl.core.samples import arguments, inputs_of, next_samples
from sdl.core.spent import too_dear
from sdl.core.trampoline import Trampoline
from sdl.core.work import Work
from sdl.model.campaign import PlateChoice
from sdl.model.data import Arguments
from sdl.model.labware import Well, Wells, several, written
from sdl.model.protocol import Role


class Casting:
    """Begins the runs of one campaign."""

    def __init__(self, work: Work, plates: Plates) -> None:
        self._work = work
        self.plates = plates
        self._ahead: tuple[object, Ahead] | None = None
        """Of the next run, and for which one that was found out."""
        self._wanting: int | None = None
        """Place of a role for which nobody was ready when last looked at; None where all had
        somebody. No well is used up meanwhile, so that nothing else need be looked at."""

    @property
    def may_begin(self) -> bool:
        """Whether its own state lets another run begin."""
        state = self._work.state
        if state.closing or not state.ready or len(state.runs) >= state.runs_at_once:
            return False
        return not state.paused and bool(next_samples(state))

    def begin_run(self) -> bool:
        """Begin the next run, if it may and all its roles can be played; whether it did."""
        state, work = self._work.state, self._work
        if not self.may_begin or (self._wanting is not None and self._still_wants()):
            return False
        suggestions = next_samples(state)
        each = [inputs_of(state, suggestion) for suggestion in suggestions]
        spent = state.spent.after(state.spec, each)
        dear = too_dear(state.spent, spent, state.spec.stop.cost)
        if dear:
            state.close("budget", dear)
            return False
        instruments, wells = self._cast(len(suggestions))
        if wells is None:
            return False
        self._wanting = self._first_absent(instruments)
        if self._wanting is not None or not work.materials.admits(instruments, wells):
            return False
        inputs = arguments(state, work.script.signature, suggestions)
        ahead = self._ahead_of(suggestions, inputs, wells)
        lodgings = self._lodge(ahead.lodgings, instruments, wells)
        if lodgings is None:
            return False
        state.short = ""
        for _ in suggestions:
            state.ready.popleft()
        for role, used in wells.items():
            self.plates.use(role, several(used))
        state.begun += 1
        state.samples_begun += len(suggestions)
        state.spent = spent
        run = Run(
            id=f"{state.spec.name}/run-{state.begun}",
            number=state.begun,
            suggestions=suggestions,
            inputs=inputs,
            wells=wells,
            instruments=instruments,
            trampoline=Trampoline(work.script.begin(inputs, wells)),
            began=work.at,
            lodgings=lodgings,
            chains=ahead.chains,
        )
        state.runs[run.id] = run
        work.lab.playing.update(instruments.values())
        work.lab.lodging.update(lodgings)
        roles = {**instruments, **{role: written(several(w)) for role, w in wells.items()}}
        is_batch = bool(work.script.signature.samples)
        work.out.append(
            BeginRun(
                run=run.id,
                suggestion="" if is_batch else suggestions[0],
                inputs=inputs,
                roles=roles,
                suggestions=suggestions if is_batch else (),
            )
        )
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

    def _cast(self, samples: int) -> tuple[dict[str, str], dict[str, Wells] | None]:
        """Who plays which role in the next run; no wells if a plate is used up, or astray."""
        instruments: dict[str, str] = {}
        wells: dict[str, Wells] = {}
        taken: set[Well] = set()
        for role in self._work.script.signature.roles:
            if not role.is_labware:
                names = self._work.state.spec.roles[role.name]
                planned = self._planned(names)
                instruments[role.name] = planned or self._player(names, instruments.values())
                continue
            count = self._count(role, samples)
            found = self.plates.free(role.name, count, taken)
            if not found:
                self._lack(role.name, count)
                return instruments, None
            wells[role.name] = found if role.is_list else found[0]
            taken.update(found)
        self._work.state.wants_plate = None  # what was used up may have been found again
        return instruments, wells

    def _lack(self, role: str, count: int) -> None:
        """No wells are left for a role: a person is asked for a plate, or the campaign ends."""
        state, astray = self._work.state, self.plates.astray(role, count)
        if astray:
            state.short = f"waits for {astray}"
            return
        choice, lack = self.plates.wanted(role, count), self.plates.lack(role, count)
        if choice is None:
            state.close("material", lack)
            return
        if state.wants_plate is None:
            self._ask_for_plate(role, choice, lack)
        assert state.wants_plate is not None
        state.short = state.wants_plate.reason

    def _ask_for_plate(self, role: str, choice: PlateChoice, lack: str) -> None:
        work, state = self._work, self._work.state
        work.lab.plates_asked += 1
        name = f"{work.commons.name}/fresh-{work.lab.plates_asked}"
        stop = f"sdl campaign stop {state.spec.name}" if work.lab.is_shared else "sdl stop"
        task = PlateTask(
            id=name,
            campaign=state.spec.name,
            role=role,
            kind=choice.kind,
            place=choice.at,
            reason=f"{lack}; {what_to_do(name, choice.at, stop)}",
            since=work.at,
        )
        state.wants_plate = task
        work.out.append(
            AskPlate(
                task=task.id,
                campaign=task.campaign,
                role=role,
                kind=task.kind,
                place=task.place,
                reason=task.reason,
            )
        )

    def _ahead_of(
        self, suggestions: tuple[str, ...], inputs: Arguments, wells: Mapping[str, Wells]
    ) -> Ahead:
        """What is ahead of the next run; found out once, however often it is tried to begin it."""
        if not self._work.lab.pieces:  # nothing is carried
            return Ahead(chains={}, lodgings=())
        which = (suggestions, dict(wells))
        if self._ahead is None or self._ahead[0] != which:
            self._ahead = (which, ahead_of(self._work.script, inputs, wells))
        return self._ahead[1]

    def _lodge(
        self, roles: Sequence[str], instruments: dict[str, str], wells: Mapping[str, Wells]
    ) -> tuple[str, ...] | None:
        """The instruments at which its labware will stay for a while; None where one is full.

        A run that began without a site to come back to would stand in others' way; where there is
        a plan, that keeps it out until it has one.
        """
        has_plan = self._work.commons.agenda.is_in_force(self._work.at)
        work, lab = self._work, self._work.lab
        on_sites = any(well.labware in lab.pieces for w in wells.values() for well in several(w))
        found = []
        for role in roles if on_sites else ():
            names = [instruments[role], *work.state.spec.roles[role]]
            able = [
                name
                for name in names
                if lab.instruments[name].ready
                and (has_plan or lab.lodging[name] < lab.sites.get(name, 1))
            ]
            if not able:
                where = " or ".join(dict.fromkeys(names))
                work.state.short = f"waits for a free site at {where}, where its labware stays"
                return None
            instruments[role] = able[0]
            found.append(able[0])
        return tuple(found)

    def _planned(self, names: Sequence[str]) -> str:
        """The instrument that the plan gives to the next run, if it is ready."""
        state, work = self._work.state, self._work
        run = f"{state.spec.name}/run-{state.begun + 1}"
        name = work.commons.agenda.player(run, tuple(names), work.at)
        return name if name and work.lab.instruments[name].ready else ""

    def _count(self, role: Role, samples: int) -> int:
        """How many wells the next run has in a role."""
        choice = self._work.state.spec.plates.get(role.name, PlateChoice())
        return (choice.count or samples) if role.is_list else 1

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
