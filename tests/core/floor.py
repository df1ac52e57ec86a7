"""A lab of one page: drives an engine through a campaign in virtual time, with chance by seed.

It stands for shell, node and planner together, as a queue of events ordered by time. What the
engine commands comes back as events after random durations; outcomes may fail, get lost in
restarts or stay unknown, as told by ``Chances``.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.invariants import Watch
from sdl.core.script import ProtocolFunction, Script
from sdl.model.action import operations_of
from sdl.model.campaign import Campaign, Objective, PlannerChoice, RangeParameter, StopRule
from sdl.model.data import JsonValue, Suggestion
from sdl.model.lab import Instrument, Lab
from sdl.model.labware import Labware
from sdl.model.protocol import Input, ProtocolSignature, Role
from sdl.model.provenance import Origin

Answer = Callable[[do.Perform], JsonValue]

ROLES = (
    Role(name="handler", capability="LiquidHandler", actions=tuple(operations_of(LiquidHandler))),
    Role(name="reader", capability="PlateReader", actions=tuple(operations_of(PlateReader))),
    Role(name="well", capability="Well"),
)


def lab() -> Lab:
    return Lab(
        name="bench",
        instruments=(
            Instrument(name="handler", driver="liquid-handler", simulated=True),
            Instrument(name="reader", driver="absorbance-reader", simulated=True),
        ),
        labware=(Labware(name="plate-1", kind="plate-96-flat"),),
    )


def campaign(**changes: object) -> Campaign:
    plain: dict[str, object] = {
        "name": "dye",
        "lab": "lab.toml",
        "protocol": "dye-assay",
        "roles": {"handler": ("handler",), "reader": ("reader",), "well": ("plate-1",)},
        "space": (RangeParameter(name="x_fraction", low=0.0, high=1.0),),
        "objective": Objective(measure="y_au", goal="maximise"),
        "planner": PlannerChoice(kind="sobol"),
        "stop": StopRule(runs=6, failures=100),
    }
    return Campaign(**{**plain, **changes})  # type: ignore[arg-type]


def script(function: ProtocolFunction, measures: tuple[str, ...] = ("y_au",)) -> Script:
    signature = ProtocolSignature(
        name=function.__name__,
        roles=ROLES,
        inputs=(Input(name="x_fraction", kind="float"),),
        measures=measures,
        source_sha256="0" * 64,
    )
    return Script.of(function, signature)


@dataclass(frozen=True)
class Chances:
    """Probabilities per command."""

    fail: float = 0.0
    refuse: float = 0.0
    unknown: float = 0.0
    planner_fails: float = 0.0


def answer_plainly(command: do.Perform) -> JsonValue:
    return 0.5 if command.operation == "absorbance" else None


@dataclass
class Floor:
    """One campaign being played."""

    engine: Engine
    seed: int
    chances: Chances = field(default_factory=Chances)
    answer: Answer = answer_plainly
    journal: list[ev.Event | do.Command] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)
    queue: list[tuple[float, int, ev.Event]] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def post(self, event: ev.Event) -> None:
        self.count += 1
        heapq.heappush(self.queue, (event.at, self.count, event))

    def play(self, spec: Campaign, limit: int = 20_000) -> Floor:
        """Run the campaign to its end, or until nothing is left that could happen."""
        self.post(started(spec, self.engine.script))
        for name in ("handler", "reader"):
            self.post(online(name))
        for _ in range(limit):
            if not self.queue:
                return self
            self.turn(heapq.heappop(self.queue)[2])
        raise AssertionError(f"seed {self.seed}: no end after {limit} events")

    def turn(self, event: ev.Event) -> list[do.Command]:
        commands = self.engine.handle(event)
        self.watch.see(self.engine, event, commands)
        self.journal += [event, *commands]
        for command in commands:
            self.perform(command, event.at)
        return commands

    def perform(self, command: do.Command, at: float) -> None:
        match command:
            case do.AskPlanner():
                self.plan(command, at)
            case do.Wait(timer=timer, until=until):
                self.post(ev.TimerFired(at=max(at, until), timer=timer))
            case do.Perform():
                self.act(command, at + self.random.random())
            case _:
                pass

    def plan(self, command: do.AskPlanner, at: float) -> None:
        at += self.random.random()
        if self.random.random() < self.chances.planner_fails:
            self.post(
                ev.PlannerFailed(at=at, ask=command.ask, attempt=command.attempt, reason="died")
            )
            return
        points = tuple(
            Suggestion(inputs={"x_fraction": self.random.random()}, origin="sobol", predicted={})
            for _ in range(command.count)
        )
        self.post(
            ev.SuggestionsArrived(
                at=at, ask=command.ask, attempt=command.attempt, suggestions=points, versions=()
            )
        )

    def act(self, command: do.Perform, at: float) -> None:
        draw, duration = self.random.random(), 10.0 * self.random.random()
        chances = self.chances
        if draw < chances.refuse:
            self.post(failed(at, command.cid, "before_start", "refused"))
            return
        self.post(ev.CommandStarted(at=at, cid=command.cid))
        if draw < chances.refuse + chances.fail:
            self.post(failed(at + duration, command.cid, "during", "driver"))
        elif draw < chances.refuse + chances.fail + chances.unknown:
            self.post(ev.CommandUnknown(at=at + duration, cid=command.cid, reason="node died"))
        else:
            self.post(
                ev.CommandDone(
                    at=at + duration,
                    cid=command.cid,
                    result=self.answer(command),
                    duration_s=duration,
                )
            )

    def commands(self, kind: type[do.Command]) -> list[do.Command]:
        return [line for line in self.journal if isinstance(line, kind)]


def failed(at: float, cid: str, phase: ev.Phase, kind: ev.FaultKind) -> ev.CommandFailed:
    return ev.CommandFailed(at=at, cid=cid, phase=phase, kind=kind, reason="so it was drawn")


DRIVERS = {"handler": "liquid-handler", "reader": "absorbance-reader"}


def online(
    name: str, at: float = 0.0, boot: str = "boot-1", *, simulated: bool = True
) -> ev.InstrumentOnline:
    return ev.InstrumentOnline(
        at=at,
        instrument=name,
        boot=boot,
        memory=boot,
        driver=DRIVERS[name],
        simulated=simulated,
        actions=(),
    )


def started(spec: Campaign, script: Script) -> ev.CampaignStarted:
    origin = Origin(
        file_name=spec.name, clock="virtual", speed=1.0, software={}, protocol_sha256="0" * 64
    )
    return ev.CampaignStarted(
        at=0.0, campaign=spec, lab=lab(), protocol=script.signature, origin=origin
    )
