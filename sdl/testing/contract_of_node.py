"""What a device keeps on a node: one action at a time, through doubles, crashes and stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from sdl.errors import SdlError
from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.model.lab import Limit
from sdl.shell.crash import POINTS, hook
from sdl.testing.arguments import number_in, tried
from sdl.testing.contract_bench import TICK_S, ContractBench, contract_bench
from sdl.testing.terms import Terms
from sdl.wire.mqtt import EventMessage

TRIES = 3
"""Times that a call may be too slow before it is its own fault and not a busy machine's."""
BEFORE_START = ("node.command.received", "node.accepted.committed")
AFTER_END = ("node.ended.committed", "node.ended.published")
HALTED = "node.halted"
MID_ACTION = "in mid-action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One action that is tried, and with what."""

    terms: Terms
    operation: Operation
    args: Mapping[str, JsonValue]

    @property
    def is_given(self) -> bool:
        """Whether the author says that these arguments work."""
        return self.operation.name in self.terms.try_out

    def bench(
        self, limits: Mapping[str, Limit] | None = None, *, greeted: bool = True
    ) -> AbstractAsyncContextManager[ContractBench]:
        """A fresh device on a fresh node."""
        terms = self.terms
        return contract_bench(
            terms.make(), patience_s=terms.patience_s, limits=limits, greeted=greeted
        )

    def wrong(self, what: str) -> AssertionError:
        """What to tell the author."""
        args = ", ".join(f"{name}={value!r}" for name, value in self.args.items())
        return AssertionError(f"{self.operation.name}({args}): {what}")


async def check_action(terms: Terms, operation: Operation) -> None:
    """AssertionError names what one action of the driver does not keep."""
    trial = Trial(terms=terms, operation=operation, args=tried(operation, terms.try_out))
    normal = await _check_doing(trial)
    await _check_limit(trial)
    await _check_twice(trial)
    await _check_stop(trial)
    for point in (*(name for name in POINTS if name in _OF_COMMANDS), MID_ACTION):
        await _check_crash(trial, point, normal)


async def check_stop_at_rest(terms: Terms) -> None:
    """AssertionError if the instrument is not safe in time while nothing is under way."""
    async with contract_bench(terms.make(), patience_s=terms.patience_s) as bench:
        await _safe_in_time(bench, terms, "stopped at rest")
    async with contract_bench(terms.make(), patience_s=terms.patience_s) as bench:
        bench.die_at(HALTED)
        await bench.control("stop", by="the driver contract")
        await bench.until(lambda: bench.died, f"crash point {HALTED}")
        await _restart(bench)
        await bench.until(lambda: bench.status == "stopped", "the stop after a restart")


async def _check_doing(trial: Trial) -> EventMessage:
    """It ends as it should, and lets the loop go on meanwhile."""
    lags_ms: list[float] = []
    async with trial.bench() as bench:
        for _ in range(TRIES):
            bench.worst_lag_s = 0.0
            await bench.send(trial.operation, trial.args)
            end = await bench.end_of(bench.cid)
            await asyncio.sleep(2.0 * TICK_S)  # for one more look at the loop
            lags_ms.append(bench.worst_lag_s * 1000.0)
            _check_end(trial, bench, end)
            if lags_ms[-1] <= trial.terms.blocks_ms:
                return end
    raise trial.wrong(
        f"blocked the event loop for {min(lags_ms):.0f} ms, more than {trial.terms.blocks_ms:g}: "
        "no heartbeat and no stop gets through meanwhile. Let what blocks run in a thread: "
        "await in_thread(function, ...), from sdl"
    )


def _check_end(trial: Trial, bench: ContractBench, end: EventMessage) -> None:
    reason = end.error.reason if end.error is not None else ""
    for name, error in bench.seen.raised:
        if name == trial.operation.name and not isinstance(error, SdlError | TimeoutError):
            raise trial.wrong(
                f"raised {type(error).__name__}: {error}; raise a DriverFault that says why"
            ) from error
    if end.error is not None and end.error.phase == "after":
        raise trial.wrong(f"its result cannot be told: {reason}")
    if trial.is_given and end.st != "done":
        raise trial.wrong(f"ended as {end.st}, though try_out says that it works: {reason}")


async def _check_limit(trial: Trial) -> None:
    """A number above its limit in lab.toml never reaches the driver."""
    name = trial.operation.name
    for argument, value in trial.args.items():
        number = number_in(value)
        if number is None:
            continue
        limits = {f"{name}.{argument}": Limit(high=number - 1.0)}
        async with trial.bench(limits) as bench:
            await bench.send(trial.operation, trial.args)
            await _refused(trial, bench, f"{argument} above its limit")
    async with trial.bench() as bench:
        await bench.send(trial.operation, {**trial.args, "no-such-argument": 1})
        await _refused(trial, bench, "an argument that it does not have")


async def _refused(trial: Trial, bench: ContractBench, what: str) -> None:
    end = await bench.end_of(bench.cid)
    early = end.error is not None and end.error.phase == "before_start"
    if end.st != "failed" or not early or bench.seen.calls[trial.operation.name]:
        raise trial.wrong(f"{what} was not refused before the driver was called: {end}")


async def _check_twice(trial: Trial) -> None:
    """However often a command is delivered, it acts once; after a restart, too."""
    async with trial.bench() as bench:
        payload = await bench.send(trial.operation, trial.args)
        cid = bench.cid
        await bench.again(payload)
        end = await bench.end_of(cid)
        await bench.again(payload)
        await bench.until(lambda: bench.events.count(end) > 1, "the answer to a second delivery")
        await _restart(bench)
        bench.events.clear()
        await bench.again(payload)
        await bench.until(lambda: end in bench.events, "the answer after a restart of the node")
        _once(trial, bench, "was delivered three times")


def _once(trial: Trial, bench: ContractBench, story: str) -> None:
    calls = bench.seen.calls[trial.operation.name]
    if calls > 1:
        raise trial.wrong(f"{story}, and was done {calls} times")


async def _restart(bench: ContractBench) -> None:
    hook(None)
    await bench.kill()
    await bench.boot()
    await bench.greet()


async def _check_stop(trial: Trial) -> None:
    """A stop in mid-action ends the action in time, and the instrument works again afterwards."""
    async with trial.bench() as bench:
        bench.seen.entered.clear()
        await bench.send(trial.operation, trial.args)
        async with asyncio.timeout(trial.terms.patience_s):
            await bench.seen.entered.wait()
        cid = bench.cid
        try:
            await _safe_in_time(bench, trial.terms, "stopped in mid-action")
            await bench.until(
                lambda: not bench.seen.running[trial.operation.name],
                "the end of the driver's call",
                trial.terms.stops_in_s,
            )
            await bench.end_of(cid, trial.terms.stops_in_s)
        except AssertionError as wrong:
            raise trial.wrong(
                f"{wrong}; make_safe has to end the action under way within "
                f"{trial.terms.stops_in_s:g} s, also where it waits for the machine"
            ) from wrong
        await bench.control("release")
        await bench.until(lambda: bench.status == "idle", "the end of the stop")
        await bench.send(trial.operation, trial.args)
        end = await bench.end_of(bench.cid)
        if trial.is_given and end.st != "done":
            reason = end.error.reason if end.error is not None else ""
            raise trial.wrong(f"after a stop and a release it ended as {end.st}: {reason}")


async def _safe_in_time(bench: ContractBench, terms: Terms, story: str) -> None:
    began = time.monotonic()
    bench.worst_lag_s = 0.0
    await bench.control("stop", by="the driver contract")
    await bench.until(
        lambda: bool(bench.of("", "made_safe")),
        f"{story}: the word that it is safe",
        terms.stops_in_s,
    )
    (word,) = bench.of("", "made_safe")
    assert word.error is None, f"{story}: {word.error.reason}"
    took_s = time.monotonic() - began
    assert took_s <= terms.stops_in_s, f"{story}: make_safe took {took_s:.1f} s"


_OF_COMMANDS = (*BEFORE_START, "node.started.committed", "node.action.ended", *AFTER_END)


async def _check_crash(trial: Trial, point: str, normal: EventMessage) -> None:
    """The node dies at one point; then it is asked again, as an orchestrator would."""
    async with trial.bench(greeted=point not in BEFORE_START) as bench:
        if point == MID_ACTION:
            bench.die_in(trial.operation.name)
        else:
            bench.die_at(point)
        payload = await bench.send(trial.operation, trial.args)
        cid = bench.cid
        if point not in BEFORE_START or point == BEFORE_START[1]:
            await bench.until(lambda: bench.died, f"crash point {point}")
        await _restart(bench)
        bench.events.clear()
        await bench.again(payload)
        end = await bench.end_of(cid)
        meaning = POINTS.get(point, point)
        _once(trial, bench, f"the node died ({meaning}) and was sent the command again")
        _judge(trial, point, normal, end, bench.seen.calls[trial.operation.name])


def _judge(trial: Trial, point: str, normal: EventMessage, end: EventMessage, calls: int) -> None:
    """Whether what is said about an action after a crash is true."""
    operation, died = trial.operation, f"the node died at {point}"
    undone = end.error is not None and end.error.phase == "before_start"
    if point in (*BEFORE_START, *AFTER_END):
        if end.st != normal.st or calls != 1:
            raise trial.wrong(f"{died}: it ended as {end.st} after {calls} calls of the driver")
        return
    if operation.effect == "once" and not operation.probe and end.st != "unknown":
        raise trial.wrong(f"{died}: it ended as {end.st}, which nobody can know")
    if end.st == "done" and point == "node.started.committed":
        raise trial.wrong(
            f"{died}, before the driver was called, and {operation.probe} said that it happened; "
            "let it say 'unclear' where that cannot be seen"
        )
    if undone and normal.st == "done" and point == "node.action.ended":
        raise trial.wrong(
            f"{died}, after it was done, and {operation.probe} said that it did not happen; "
            "let it say 'unclear' where that cannot be seen"
        )
