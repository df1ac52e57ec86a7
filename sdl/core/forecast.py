"""What a run will probably do: its steps, their durations, and what has to come before each.

A fresh coroutine of the protocol is driven with predictions in place of instruments, all of which
are free. Loops and branches that depend on results go the way that the predicted results lead, so
that a forecast is a hint; once a run has begun, it is told again what the run was told, and goes on
from there. The run's own coroutine is never touched, and nothing that a protocol or a predictor
does makes a forecast raise: what was found until then is given, and marked as partial.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sdl.authoring import Act, Settle
from sdl.core.causes import BEGINNING, Afters, Causes
from sdl.core.predicting import Predictor, predicted
from sdl.core.retold import tell
from sdl.core.script import Script
from sdl.core.trampoline import Crashed, Fed, Trampoline, Wanted
from sdl.errors import said
from sdl.model.action import Operation
from sdl.model.data import Arguments, JsonValue
from sdl.model.labware import Wells

STEPS_MAX = 2_000
"""Requests of one forecast; what a protocol would do after them is left open."""
ROUNDING_S = 1e-6
"""Differences below a microsecond are arithmetic, not time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaximumLag:
    """A step must start within some time of a moment."""

    opened: Afters
    """The moment: when all of these are over."""
    within_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastStep:
    """One action of a run. Times are lab seconds since 1970, as if every instrument were free."""

    path: str
    """As in the run: ``2``, or ``2.1.1`` within a fork."""
    role: str
    instrument: str
    """Who plays the role; the role itself where nobody was named for it."""
    operation: str
    arguments: Mapping[str, JsonValue]
    labware: tuple[str, ...]
    """Names of the labware that its arguments name, in order."""
    state: Literal["to_come", "under_way", "done"]
    duration_s: float
    """Expected; of a step that is done, as it was."""
    spread_s: float
    """Standard deviation of that; 0 of a step that is done."""
    start_s: float
    """Of a step that is done or under way: when it started, or, where that is not known, when it
    was asked for or is looked at."""
    end_s: float
    after: Afters
    """It starts no earlier than all of these say: predecessors and minimum lags."""
    windows: tuple[MaximumLag, ...]
    """The maximum lags that it has to keep, the outermost first."""
    not_after: float | None
    """Lab time at which the first of them ends; None without any."""

    @property
    def is_late(self) -> bool:
        """Whether it will miss a window even if every instrument is free."""
        return self.not_after is not None and self.start_s > self.not_after + ROUNDING_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The expected graph of one run's steps."""

    at: float
    """Lab time at which it was made."""
    began_s: float
    """When the run begins, or has begun."""
    end_s: float
    """When it ends, if every instrument is free; of a partial one, when what was found does."""
    steps: tuple[ForecastStep, ...]
    """In order of asking, those that are over included."""
    after: Afters
    """What the end of the run waits for."""
    partial: str = ""
    """Why it may go on behind what was found, as a sentence; empty where it is whole."""

    @property
    def left(self) -> tuple[ForecastStep, ...]:
        """The steps that are not done."""
        return tuple(step for step in self.steps if step.state != "done")

    def critical_path(self) -> tuple[str, ...]:
        """The steps that make the run as long as it is, first to last."""
        by_path = {step.path: step for step in self.steps}
        ends = {step.path: step.end_s for step in self.steps} | {"": self.began_s}
        path: list[str] = []
        after = self.after
        while last := max(after, key=lambda one: ends.get(one.step, 0.0) + one.lag_s).step:
            path.append(last)
            after = by_path[last].after
        return tuple(reversed(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """What a run in flight was told until now."""

    fed: Sequence[Fed]
    """``Trampoline.fed`` of the run; it is only read."""
    started: Mapping[str, float] = field(default_factory=dict)
    """Lab time at which steps started, by path, as far as it is known."""


def forecast(
    script: Script,
    inputs: Arguments,
    wells: Mapping[str, Wells],
    players: Mapping[str, str],
    predictors: Sequence[Predictor],
    *,
    at: float = 0.0,
    so_far: SoFar | None = None,
    steps_max: int = STEPS_MAX,
) -> Forecast:
    """What a run with these inputs will do from lab time ``at`` on.

    ``wells`` by labware role, ``players``: instrument by role. ``predictors``: whom to believe,
    first to last. ``so_far``: of a run that has begun already.
    """
    drive = _Drive(script, players, predictors, at, steps_max)
    try:
        drive.run(Trampoline(script.begin(inputs, wells)), so_far)
    except Exception as error:  # noqa: BLE001 - of a protocol that does not fit its inputs or its past
        drive.partial = drive.partial or f"it cannot be told further: {said(error)}"
    return drive.found()


@dataclass(eq=False, slots=True)
class _Node:
    """One request, while it is followed."""

    path: str
    request: Act | Settle
    after: Afters
    windows: tuple[MaximumLag, ...]
    not_after: float | None
    asked_s: float
    """Lab time at which the protocol came to it."""
    state: Literal["to_come", "under_way", "done", "dropped"] = "to_come"
    duration_s: float = 0.0
    spread_s: float = 0.0
    start_s: float = 0.0
    end_s: float = 0.0
    result: object = None
    is_over: bool = False
    """Whether it was answered, in the past or in the forecast."""


class _Drive:
    """One protocol being followed."""

    def __init__(
        self,
        script: Script,
        players: Mapping[str, str],
        predictors: Sequence[Predictor],
        at: float,
        steps_max: int,
    ) -> None:
        self._script, self._players, self._predictors = script, players, predictors
        self._at = self._began_s = self._end_s = at
        self._steps_max = steps_max
        self._causes = Causes()
        self._nodes: dict[str, _Node] = {}
        self._coming: list[tuple[float, int, str]] = []
        """Ends of what is under way, as a heap: when, order, path."""
        self._begun = 0
        self.partial = ""

    def run(self, trampoline: Trampoline, so_far: SoFar | None) -> None:
        """Follow it to its end, or for as long as it can be followed."""
        try:
            if so_far is None or not so_far.fed:
                self._enter(trampoline.start(self._at), self._at)
            else:
                self._retell(trampoline, so_far)
            started = so_far.started if so_far else {}
            for node in list(self._nodes.values()):
                if node.state in ("to_come", "under_way"):
                    self._begin(trampoline, node, started.get(node.path))
            self._follow(trampoline)
        finally:
            end = trampoline.end
            trampoline.abandon()
        if isinstance(end, Crashed):
            self.partial = f"the protocol raised {type(end.error).__name__}: {said(end.error)}"

    def found(self) -> Forecast:
        """All that was found."""
        nodes = [node for node in self._nodes.values() if node.state != "dropped"]
        end_s = max((node.end_s for node in nodes), default=self._end_s)
        return Forecast(
            at=self._at,
            began_s=self._began_s,
            end_s=max(end_s, self._end_s) if self.partial else self._end_s,
            steps=tuple(self._steps(nodes)),
            after=self._causes.end() if self._nodes else BEGINNING,
            partial=self.partial,
        )

    def _retell(self, trampoline: Trampoline, so_far: SoFar) -> None:
        wanted: dict[str, Wanted] = {}
        self._began_s = so_far.fed[0][2]
        for fed in so_far.fed:
            what, path, at, _ = fed
            node = self._nodes.get(path)
            if node is not None and what in ("issue", "recall"):
                node.state = "under_way" if what == "issue" else "to_come"
            elif node is not None:
                node.state, node.end_s, node.is_over = "done", at, True
                node.start_s = so_far.started.get(path, node.asked_s)
                node.duration_s = max(0.0, at - node.start_s)
                self._end_s = at
            more = tell(self._script, trampoline, wanted, fed)
            self._drop_stopped(trampoline)
            self._enter(more, at)

    def _follow(self, trampoline: Trampoline) -> None:
        while self._coming and trampoline.end is None:
            at, _, path = heapq.heappop(self._coming)
            if not trampoline.waits(path):
                continue
            self._end_s = at
            self._nodes[path].is_over = True
            more = trampoline.resume(path, at, self._nodes[path].result)
            self._drop_stopped(trampoline)
            for node in self._enter(more, at):
                self._begin(trampoline, node, None)
            if len(self._nodes) > self._steps_max and trampoline.end is None:
                self.partial = f"it goes on after {self._steps_max} steps"
                return

    def _enter(self, wanted: Sequence[Wanted], at: float) -> list[_Node]:
        """New requests, asked for at ``at``."""
        entered = []
        for one in wanted:
            windows = tuple(
                MaximumLag(opened=self._causes.position(each.position), within_s=each.seconds)
                for each in one.windows
            )
            if isinstance(one.request, Settle):
                after: Afters = ()
                self._causes.settle(one.path, one.request.seconds)
            else:
                after = self._causes.act(one.path)
            node = _Node(one.path, one.request, after, windows, one.not_after, at)
            self._nodes[one.path] = node
            entered.append(node)
        return entered

    def _begin(self, trampoline: Trampoline, node: _Node, started_s: float | None) -> None:
        """Its instrument is free, so that it starts as soon as it can."""
        if isinstance(node.request, Settle):
            node.start_s = node.asked_s
            node.end_s = max(self._at, node.asked_s + node.request.seconds)
        else:
            operation = self._operation(node.request)
            said_of_it = predicted(
                self._predictors,
                self._player(node.request),
                operation,
                node.request.arguments,
            )
            node.duration_s, node.spread_s = said_of_it.duration_s, said_of_it.spread_s
            node.result = said_of_it.result
            node.start_s = max(self._at, node.asked_s)
            if node.state == "under_way" and started_s is not None:
                node.start_s = started_s
            node.end_s = max(self._at, node.start_s + node.duration_s)
            trampoline.issue(node.path)
        self._begun += 1
        heapq.heappush(self._coming, (node.end_s, self._begun, node.path))

    def _drop_stopped(self, trampoline: Trampoline) -> None:
        """Leave out what was asked for in a branch that was stopped before it began."""
        if not trampoline.stopped:
            return
        for node in self._nodes.values():
            if not (node.is_over or node.state == "dropped" or trampoline.waits(node.path)):
                node.state = "dropped"
                self._causes.drop(node.path)

    def _operation(self, act: Act) -> Operation:
        return self._script.operations[act.role][act.operation]

    def _player(self, act: Act) -> str:
        return self._players.get(act.role, act.role)

    def _steps(self, nodes: Sequence[_Node]) -> Iterator[ForecastStep]:
        for node in nodes:
            if isinstance(node.request, Act) and node.state != "dropped":
                yield self._step(node, node.request, node.state)

    def _step(
        self, node: _Node, act: Act, state: Literal["to_come", "under_way", "done"]
    ) -> ForecastStep:
        return ForecastStep(
            path=node.path,
            role=act.role,
            instrument=self._player(act),
            operation=act.operation,
            arguments=act.arguments,
            labware=self._operation(act).labware_of(act.arguments),
            state=state,
            duration_s=node.duration_s,
            spread_s=node.spread_s,
            start_s=node.start_s,
            end_s=node.end_s,
            after=node.after,
            windows=node.windows,
            not_after=node.not_after,
        )
