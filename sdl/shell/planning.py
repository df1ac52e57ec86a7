"""Who plans for a lab at work: a scheduler where its file asks for one, else nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from sdl.errors import SdlError
from sdl.model.lab import Lab
from sdl.shell.foresight import Simulators
from sdl.shell.in_thread import in_thread
from sdl.shell.record import Record
from sdl.shell.replanning import NoPlanning, Planning, Replanning
from sdl.shell.scheduler_client import SchedulerProcess
from sdl.wire.toml import LabFile

SECONDS = 4.0
"""Wall seconds of one plan, ..."""
LAB_SECONDS = 30.0
"""... and lab seconds at most: where time is sped up, a plan would else be old when it comes."""
LEAST_S = 1.0
"""Wall seconds of a plan below which a process would be started for nothing, again and again."""
LOG = "scheduler.log"

log = logging.getLogger(__name__)


async def planning_for(
    stack: AsyncExitStack, file: LabFile, record: Record, folder: Path, now: Callable[[], float]
) -> Planning:
    """Who asks for plans; the stack ends it. ``folder``: of the run. ``now``: lab time.

    Nothing is started before there is something to plan.
    """
    seconds = budget_s(file.lab)
    if seconds is None:
        return NoPlanning()
    try:
        learned = await in_thread(record.lessons, file.lab)
    except SdlError as error:  # it will be told by whoever writes to it
        log.warning("no plans are made: %s", error)
        return NoPlanning()
    simulators = Simulators(file.lab, file.folder)
    replanning = Replanning(
        SchedulerProcess(folder / LOG),
        now=now,
        learned=learned,
        predictors=(simulators,),
        seconds=seconds,
        followers=(simulators,),
    )
    stack.push_async_callback(replanning.aclose)
    return replanning


def budget_s(lab: Lab) -> float | None:
    """Wall seconds for one plan; None where nobody plans."""
    if lab.plan == "off":
        return None
    seconds = min(SECONDS, LAB_SECONDS / lab.speed)
    if seconds < LEAST_S:
        log.info(
            "time is sped up %g times, too much to plan in; steps go on by the rule alone",
            lab.speed,
        )
        return None
    return seconds
