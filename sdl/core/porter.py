"""The porter: the lab's own work, by which labware comes from one site to another.

Each carry by a transporter is a run of one small protocol, so that all that holds for a command
holds for this one too: it is sent once, found again after a crash, and a person is asked where its
outcome is unknown. It belongs to no campaign. What a carry came to follows from the last word on
its command: done, it stands on the target; not started, still on the source; else nobody knows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from sdl.capabilities import Arm
from sdl.core import events as ev
from sdl.core.ids import run_of
from sdl.core.past import End
from sdl.core.run import Run, Step
from sdl.core.script import Script
from sdl.core.trampoline import Crashed, Trampoline
from sdl.core.troubles import Troubles
from sdl.core.work import Work
from sdl.errors import OutcomeUnknown, SdlError, WindowMissed
from sdl.model.campaign import NO_PLANNER, Campaign, Objective, PlannerChoice
from sdl.model.data import JsonValue
from sdl.model.lab import Lab
from sdl.model.policy import Trouble
from sdl.model.protocol import Input, ProtocolSignature, Role
from sdl.model.provenance import Origin

ROLE = "arm"
TRIES_MAX = 3
"""Attempts of a carry that is known not to have begun."""
REST_S = 10.0
"""Lab seconds between two of them."""


async def carry(arm: Arm, *, labware: str, source: str, target: str) -> None:
    """Take a piece of labware from one site to another."""
    await arm.move(labware, source, target)


_SIGNATURE = ProtocolSignature(
    name="carry",
    roles=(Role(name=ROLE, capability="Arm", actions=("move",)),),
    inputs=tuple(Input(name=name, kind="str") for name in ("labware", "source", "target")),
    measures=(),
    source_sha256="",
)


@lru_cache(maxsize=1)
def carry_script() -> Script:
    """The protocol of all carries."""
    script = Script.of(carry, _SIGNATURE)
    nothing = {one.name: "" for one in _SIGNATURE.inputs}
    script.operations[ROLE]["move"].dump_arguments(nothing)  # else the first carry waits for types
    return script


def porter_head(name: str, lab: Lab, origin: Origin, at: float) -> ev.CampaignStarted:
    """What stands at the head of the porter's work, as if it were a campaign.

    ``name``: of the journal.
    """
    spec = Campaign(
        name=name,
        lab=lab.name,
        protocol=_SIGNATURE.name,
        roles={ROLE: tuple(one.name for one in lab.instruments if one.reaches)},
        space=(),
        objective=Objective(measure="", goal="minimise"),
        planner=PlannerChoice(kind=NO_PLANNER),
    )
    return ev.CampaignStarted(at=at, campaign=spec, lab=lab, protocol=_SIGNATURE, origin=origin)


class Ended(Protocol):
    """Takes the end of a carry in."""

    def __call__(self, name: str, wrong: str, *, again: bool) -> None:
        """``wrong``: what went wrong, if anything did; ``again``: the next one may go better."""
        ...


class PorterWork(Work):
    """Carries under way."""

    on_end: Ended
    """Is told of each carry that has ended."""

    def carry(self, carry: str, carrier: str, labware: str, ends: tuple[str, str]) -> Run:
        """Send a transporter. ``ends``: source and target."""
        inputs = {"labware": labware, "source": ends[0], "target": ends[1]}
        run = Run(
            id=carry,
            number=self.lab.carried,
            suggestions=(),
            inputs=inputs,
            wells={},
            instruments={ROLE: carrier},
            trampoline=Trampoline(self.script.begin(inputs, {})),
        )
        self.state.runs[run.id] = run
        self.begin(run)
        return run

    def close(self, step: Step, end: End, *, result: JsonValue = None, by: str = "") -> None:
        """Write down what became of the last attempt, and so where the piece is."""
        super().close(step, end, result=result, by=by)
        self.note(step, end)

    def throw(self, run: Run, step: Step, error: Exception) -> None:
        """Answer a step with an error."""
        if isinstance(error, OutcomeUnknown):
            self.note(step, "unknown")
        super().throw(run, step, error)

    def note(self, step: Step, end: End) -> None:
        """What was said last of a carry's command, unless the carry is over."""
        state = self.lab.carries.get(run_of(step.id))
        if state is not None:
            state.end = end

    def end(self, run: Run) -> None:
        """A carry is over."""
        del self.state.runs[run.id]
        end = run.trampoline.end
        error = end.error if isinstance(end, Crashed) else None
        wrong = run.broken or (str(error) if error else "")
        # A window that closed says nothing about the next carry; a person who broke it off does.
        again = not run.aborted and (error is None or isinstance(error, WindowMissed))
        self.on_end(run.id, wrong, again=again)


class PorterTroubles(Troubles):
    """What is done about a carry that goes wrong: no campaign has a rule for it."""

    def __init__(self, work: PorterWork) -> None:
        super().__init__(work)
        self._porter = work

    def meet(self, run: Run, step: Step, trouble: Trouble, error: SdlError) -> None:
        """Try again what has not begun, else ask a person; where nobody stands, give it up."""
        step.trouble, step.error = trouble, error
        work = self._porter
        if trouble == "unknown":
            work.note(step, "unknown")
        if trouble == "window" or run.broken is not None:
            work.give_up(run, step)
        elif step.proven and step.attempt < TRIES_MAX:
            work.again(run, step, REST_S)
        elif not self._nobody_stands_there(step):
            work.ask(run, step, "unknown" if trouble == "unknown" else "asks")
        else:
            work.give_up(run, step)
