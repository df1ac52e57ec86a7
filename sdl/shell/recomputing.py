"""A planner asked once more what it was asked, in a worker process like that of a campaign."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from sdl.core.agreement import Agreement, agreement
from sdl.core.asked import Answered
from sdl.errors import PlannerFault, RecordMismatch
from sdl.model.planning import Answer
from sdl.shell.broker import URL_FILE, embedded_broker
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.planner_client import Asking, PlannerClient
from sdl.shell.planner_worker import planner_child

LAB = "replay"
"""Name of the lab that the worker is told; its broker is for this alone."""
PATIENCE_S = 600.0
"""Wall seconds for one answer: a machine may be slower than that of the record."""

RUNTIME = "sdl-runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """An answer on record, and how far the planner comes to the same now."""

    answered: Answered
    agreements: tuple[Agreement, ...]
    """Of each point as it came; empty where there is no answer now."""
    error: str
    """Why there is none; empty if there is one."""
    versions: tuple[tuple[str, str, str], ...]
    """Packages whose versions differ: name, on record, now; empty where one has it not."""
    seconds: float
    """Wall seconds that the answer took."""

    def of(self, suggestion: str) -> Agreement | None:
        """That of one accepted suggestion; None where there is no answer now."""
        inputs = self.answered.accepted[suggestion].inputs
        for point, found in zip(self.answered.points, self.agreements, strict=False):
            if point.inputs == inputs:
                return found
        return None


def fit(answers: Sequence[Answered], software: str) -> None:
    """See that all can be asked again. PlannerFault or RecordMismatch says why one cannot.

    ``software``: version of the runtime that wrote the journal.
    """
    from sdl.planner.server import known

    installed = known()
    for one in answers:
        ask = one.question
        if ask.planner not in installed:
            had = ", ".join(f"{name} {number}" for name, number in sorted(one.versions.items()))
            raise PlannerFault(
                f"the planner {ask.planner!r} that answered {ask.id} is not installed here "
                f"({', '.join(installed)} are); install the package that brings it"
                + (f", with the versions on record: {had}" if had else "")
            )
        if one.trials_sha256 != one.found_sha256:
            raise RecordMismatch(
                f"the trials that {ask.planner} was shown for {ask.id} cannot be put together: "
                f"their digest on record is {one.trials_sha256[:12]}, here it is "
                f"{one.found_sha256[:12]}.\n"
                f"The journal was written by version {software} of the runtime, this is "
                f"{version(RUNTIME)}. Take that version, or look whether a line was changed: "
                "sdl db verify"
            )


@asynccontextmanager
async def planner_at_hand() -> AsyncIterator[PlannerClient]:
    """A worker of our own, for the block. LabFault or PlannerFault if it does not start."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sdl-replay-")))
        url = await stack.enter_async_context(embedded_broker(folder))
        worker = planner_child(LAB, run_folder=folder, broker_file=folder / URL_FILE)
        stack.push_async_callback(worker.stop)
        await worker.start()
        bus = MqttBus(url, f"sdl-{LAB}-asks")
        client = PlannerClient(lab=LAB, bus=bus, restart=worker.restart)
        stack.push_async_callback(client.aclose)
        await client.start()
        yield client


async def recomputed(planner: Asking, answered: Answered) -> Recomputed:
    """Ask once more. Never raises for a planner's sake: its failure stands in ``error``."""
    began = time.perf_counter()
    try:
        answer = await planner.ask(answered.question, PATIENCE_S)
    except PlannerFault as fault:
        answer = Answer(id=answered.question.id, error=str(fault))
    seconds = time.perf_counter() - began
    now = answer.suggestions
    return Recomputed(
        answered=answered,
        agreements=()
        if answer.error
        else tuple(
            agreement(point, now[place] if place < len(now) else None)
            for place, point in enumerate(answered.points)
        ),
        error=answer.error,
        versions=() if answer.error else _changed(answered, answer),
        seconds=seconds,
    )


def _changed(answered: Answered, answer: Answer) -> tuple[tuple[str, str, str], ...]:
    names = sorted({*answered.versions, *answer.versions})
    pairs = (
        (name, answered.versions.get(name, ""), answer.versions.get(name, "")) for name in names
    )
    return tuple(each for each in pairs if each[1] != each[2])
