"""An action that was cut off: what can be found out about it once its node is there again."""

from __future__ import annotations

import asyncio
import logging
from operator import methodcaller

from sdl.authoring import Finding, Interrupted
from sdl.capabilities import Device
from sdl.errors import said
from sdl.model.action import Effect, Operation
from sdl.shell.action_call import REASON_OF_CUT, Outcome
from sdl.shell.clock import Clock
from sdl.shell.job import Job

_LOG = logging.getLogger("sdl.node")


async def find_out(device: Device, effect: Effect, job: Job, clock: Clock) -> Outcome:
    """How the action of a job ended, as far as that can be proven.

    ``effect``: as the command said. Never raises, and asks no longer than the action itself may
    take. What only looks counts as failed, for it may be done again; so may what is idempotent,
    but until then it is unknown.
    """
    operation = job.operation
    if operation is None:
        return Outcome(st="unknown", reason=f"{REASON_OF_CUT}; its driver offers it no more")
    if effect == "pure":
        return Outcome(st="failed", reason=f"{operation.name}: {REASON_OF_CUT}")
    if effect == "idempotent" or not operation.probe:
        return _unknown(operation, REASON_OF_CUT)
    interrupted = Interrupted(
        key=job.key, action=operation.name, arguments=job.arguments, noted=job.noted
    )
    finding = await _asked(device, operation, interrupted, clock)
    if isinstance(finding, str):
        return _unknown(operation, f"{REASON_OF_CUT}, and {operation.probe} {finding}")
    return _meaning(operation, finding)


async def _asked(
    device: Device, operation: Operation, interrupted: Interrupted, clock: Clock
) -> Finding | str:
    """What the probe found, or why it found nothing."""

    async def ask() -> object:
        return await methodcaller(operation.probe, interrupted)(device)

    asking = asyncio.create_task(ask())
    watch = asyncio.create_task(clock.sleep(operation.timeout_s))
    try:
        await asyncio.wait((asking, watch), return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()
        asking.cancel()
    if not asking.done() or asking.cancelled():
        return f"did not answer within {operation.timeout_s:g} s"
    error = asking.exception()
    if error is not None:
        _LOG.error("%s raised", operation.probe, exc_info=error)
        return f"raised {type(error).__name__}: {said(error)}"
    found = asking.result()
    return found if isinstance(found, Finding) else f"returned {type(found).__name__}, no Finding"


def _meaning(operation: Operation, finding: Finding) -> Outcome:
    evidence = f"{operation.probe} says: {finding.evidence}"
    verdict: str = finding.verdict  # a driver's code may give what its type forbids
    match verdict:
        case "did_not_happen":
            return Outcome(
                st="failed", phase="before_start", reason=f"{operation.name}: {evidence}"
            )
        case "happened":
            return _happened(operation, finding, evidence)
        case "unclear":
            return _unknown(operation, f"{REASON_OF_CUT}; {evidence}")
        case _:
            return _unknown(operation, f"{REASON_OF_CUT}; {operation.probe} gave no verdict")


def _happened(operation: Operation, finding: Finding, evidence: str) -> Outcome:
    try:
        operation.load_result(finding.result)
    except (TypeError, ValueError) as error:
        return _unknown(
            operation, f"{REASON_OF_CUT}; {evidence}, but what it would have returned: {error}"
        )
    return Outcome(st="done", result=finding.result)


def _unknown(operation: Operation, why: str) -> Outcome:
    return Outcome(st="unknown", reason=f"{operation.name}: {why}")
