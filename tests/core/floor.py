"""A lab of one page: drives an engine through a campaign in virtual time, with chance by seed.

It stands for shell, planner and the people of the lab together, as a queue of events ordered by
time; its nodes are in ``nodes``. Outcomes may fail, words may get lost or come twice, nodes and
orchestrator may be restarted, people pause, abort, stop and answer, as told by ``Chances``.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.amounts import Task
from sdl.core.beginning import IN_A_TURN
from sdl.core.engine import Engine
from sdl.core.invariants import Watch
from sdl.core.script import ProtocolFunction, Script
from sdl.core.view import Question
from sdl.model.action import operations_of
from sdl.model.campaign import Campaign, Objective, PlannerChoice, RangeParameter, StopRule, Terms
from sdl.model.data import JsonValue, Suggestion
from sdl.model.lab import Instrument, Lab
from sdl.model.labware import Labware
from sdl.model.policy import Rule
from sdl.model.protocol import Input, ProtocolSignature, Role
from sdl.model.provenance import Clock, Origin
from sdl.model.stock import Stocks
from sdl.wire.labware_kinds import labware_kind
from tests.core.nodes import DRIVERS, Node, failed, online

__all__ = ["Chances", "Floor", "campaign", "failed", "lab", "online", "script", "started"]


@dataclass(frozen=True, kw_only=True)
class Start:
    """A campaign that comes into a session."""

    spec: Campaign
    at: float = 0.0
    terms: Terms = field(default_factory=Terms)


Answer = Callable[[do.Perform], JsonValue]
Call = Callable[[float], None]

ROLES = (
    Role(name="handler", capability="LiquidHandler", actions=tuple(operations_of(LiquidHandler))),
    Role(name="reader", capability="PlateReader", actions=tuple(operations_of(PlateReader))),
    Role(name="well", capability="Well"),
)


def lab(*more: str, simulated: bool = True) -> Lab:
    return Lab(
        name="bench",
        instruments=tuple(
            Instrument(name=name, driver=DRIVERS[name], simulated=simulated)
            for name in dict.fromkeys(("handler", "reader", *more))
        ),
        labware=(Labware(name="plate-1", kind=labware_kind("plate-96-flat")),),
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


def script(
    function: ProtocolFunction,
    measures: tuple[str, ...] = ("y_au",),
    policy: tuple[Rule, ...] = (),
    roles: tuple[Role, ...] = ROLES,
    **recoveries: ProtocolFunction,
) -> Script:
    signature = ProtocolSignature(
        name=function.__name__,
        roles=roles,
        inputs=(Input(name="x_fraction", kind="float"),),
        measures=measures,
        source_sha256="0" * 64,
        policy=policy,
    )
    return Script.of(function, signature, recoveries)


@dataclass(frozen=True)
class Chances:
    """Probabilities per command, per word, per question; and how much else happens."""

    fail: float = 0.0
    refuse: float = 0.0
    unknown: float = 0.0
    planner_fails: float = 0.0
    lose: float = 0.0
    repeat: float = 0.0
    """Of a word of a node."""
    unsafe: float = 0.0
    """That an instrument cannot be made safe."""
    lie: float = 0.0
    """That a person is wrong about an action."""
    absent: float = 0.0
    """That a node which goes down stays away for minutes."""
    incidents: int = 0
    """Restarts, lost journals, pauses, aborts and stops in the first minutes."""


def answer_plainly(command: do.Perform) -> JsonValue:
    return 0.5 if command.operation == "absorbance" else None


@dataclass
class Floor:
    """One campaign being played, or a session with several."""

    engine: Engine
    seed: int
    chances: Chances = field(default_factory=Chances)
    answer: Answer = answer_plainly
    simulated: bool = True
    stocks: tuple[Stocks, ...] = ()
    there: Lab | None = None
    """The bench, where it is not the usual one."""
    labware: tuple[Labware, ...] = ()
    """In place of the one plate that the lab has otherwise."""
    clock: Clock = "virtual"
    journal: list[ev.Event | do.Command] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)
    queue: list[tuple[float, int, ev.Event | Call]] = field(default_factory=list)
    count: int = 0
    nodes: dict[str, Node] = field(default_factory=dict)
    effects: Counter[str] = field(default_factory=Counter)
    """What each command did to the world."""
    performed: dict[str, do.Perform] = field(default_factory=dict)
    believed: set[str] = field(default_factory=set)
    """Steps about which a person was wrong."""
    looked: set[object] = field(default_factory=set)
    """What a person is about to do something about."""
    epoch: int = 1
    at: float = 0.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def post(self, event: ev.Event) -> None:
        self.count += 1
        heapq.heappush(self.queue, (event.at, self.count, event))

    def call(self, at: float, call: Call) -> None:
        self.count += 1
        heapq.heappush(self.queue, (at, self.count, call))

    def say(self, word: ev.Event) -> None:
        """A word of a node on its way: it may be lost, or come twice."""
        if self.random.random() >= self.chances.lose:
            self.post(replace(word, at=self.at + 0.1 * self.random.random()))
        if self.random.random() < self.chances.repeat:
            self.post(replace(word, at=self.at + 60.0 * self.random.random()))

    def play(self, spec: Campaign, limit: int = 20_000) -> Floor:
        """Run the campaign to its end, or until nothing is left that could happen."""
        assert isinstance(self.engine.scripts, Script)
        head = started(spec, self.engine.scripts, simulated=self.simulated)
        origin = replace(head.origin, clock=self.clock)
        self.turn(replace(head, origin=origin, lab=self.bench(head.lab)))
        self.turn(ev.OrchestratorStarted(at=0.0, epoch=self.epoch))
        for name in self.engine.lab.instruments:
            self.nodes[name] = Node(self, name, simulated=self.simulated)
            self.nodes[name].announce(0.0)
        for _ in range(self.chances.incidents):
            self.call(200.0 * self.random.random(), self.incident)
        for _ in range(limit):
            if not self.queue or self.engine.is_over:
                return self
            self.step()
        raise AssertionError(f"seed {self.seed}: no end after {limit} events")

    def play_lab(self, *starts: Start, limit: int = 60_000) -> Floor:
        """Run a session into which campaigns come at their times, until all have ended."""
        head = opened(simulated=self.simulated)
        origin = replace(head.origin, clock=self.clock)
        self.turn(replace(head, origin=origin, lab=self.bench(head.lab)))
        self.turn(ev.OrchestratorStarted(at=0.0, epoch=self.epoch))
        for name in self.engine.lab.instruments:
            self.nodes[name] = Node(self, name, simulated=self.simulated)
            self.nodes[name].announce(0.0)
        for start in starts:
            self.call(start.at, lambda at, start=start: self.start(start, at))  # type: ignore[misc]
        for _ in range(self.chances.incidents):
            self.call(200.0 * self.random.random(), self.incident)
        for _ in range(limit):
            if len(self.engine.ended) == len(starts):
                self.turn(ev.LabDownRequested(at=self.at, by="ada"))
                return self
            if not self.queue:
                return self
            self.step()
        raise AssertionError(f"seed {self.seed}: no end after {limit} events")

    def bench(self, usual: Lab) -> Lab:
        there = self.there or usual
        return replace(there, stocks=self.stocks, labware=self.labware or there.labware)

    def start(self, start: Start, at: float) -> None:
        assert isinstance(self.engine.scripts, Script)
        head = started(start.spec, self.engine.scripts, simulated=self.simulated)
        self.turn(replace(head, at=at, terms=start.terms, lab=self.bench(head.lab)))

    def step(self) -> None:
        self.at, _, what = heapq.heappop(self.queue)
        if callable(what):
            what(self.at)
        elif not self.engine.objection(what):
            self.turn(what)

    def turn(self, event: ev.Event) -> list[do.Command]:
        self.at = max(self.at, event.at)
        commands = self.engine.handle(event)
        self.watch.see(self.engine, event, commands)
        self.journal += [event, *commands]
        for command in commands:
            self.perform(command, event.at)
        if self.nodes:
            self.look(event.at)
        return commands

    def perform(self, command: do.Command, at: float) -> None:
        match command:
            case do.AskPlanner():
                self.plan(command, at)
            case do.Wait(timer=timer, until=until):
                self.as_this_process(
                    max(at, until), lambda at: self.turn(ev.TimerFired(at=at, timer=timer))
                )
            case do.Perform(cid=cid):
                self.performed[cid] = command
                self.send(cid, at)
            case do.Resend(cid=cid):
                self.send(cid, at)
            case do.Query(cid=cid) if self.nodes:
                node = self.nodes[self.performed[cid].instrument]
                self.call(at + self.random.random(), lambda at: node.answer(at, cid))
                self.listen(cid, at)
            case do.Halt(id=id_, instrument=name) if self.nodes:
                self.halt(id_, name, at)
            case do.Release(instrument=name, lifts=lifts) if self.nodes:
                self.nodes[name].release(lifts)
            case _:
                pass

    def as_this_process(self, at: float, call: Callable[[float], object]) -> None:
        """Do something later, unless the orchestrator was restarted by then."""
        epoch = self.epoch

        def if_alive(at: float) -> None:
            if self.epoch == epoch and not self.engine.is_over:
                call(at)

        self.call(at, if_alive)

    def send(self, cid: str, at: float) -> None:
        if not self.nodes:
            return
        perform = self.performed[cid]
        node = self.nodes[perform.instrument]
        self.call(at + self.random.random(), lambda at: node.take(at, perform))
        self.listen(cid, at)

    def listen(self, cid: str, at: float) -> None:
        def unheard(at: float) -> None:
            if any(cid == one.busy_with for one in self.engine.lab.instruments.values()):
                self.turn(ev.CommandUnheard(at=at, cid=cid))
                self.listen(cid, at)

        if self.chances.lose or self.chances.incidents:
            self.as_this_process(at + 20.0, unheard)

    def halt(self, id_: str, name: str, at: float) -> None:
        """Tell an instrument to stop, again and again until it says that it has."""

        def again(at: float) -> None:
            if self.engine.lab.instruments[name].halting == id_:
                self.halt(id_, name, at)

        self.call(at + self.random.random(), lambda at: self.nodes[name].halt(at, id_))
        if self.chances.lose:
            self.as_this_process(at + 10.0, again)

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

    # People, and what else may happen.

    def look(self, at: float) -> None:
        """Somebody who sees that something waits for them does something about it, later."""
        view = self.engine.lab_view()
        for question in view.questions:
            self.soon((question.step, question.since), at, self.resolution(question))
        for one in view.instruments:
            if one.state in ("held", "paused"):
                self.soon(one.name, at, ev.ResumeRequested(at=at, what=one.name, by="ada"))
        for task in view.refills:
            self.soon(task.id, at, self.refill(task))
        if view.paused:
            self.soon("", at, ev.ResumeRequested(at=at, what="", by="ada"))

    def soon(self, thing: object, at: float, event: ev.Event) -> None:
        if thing in self.looked:
            return
        self.looked.add(thing)

        def act(at: float) -> None:
            self.looked.discard(thing)
            now = replace(event, at=at)
            if not self.engine.objection(now) or self.random.random() < self.chances.repeat:
                self.turn(now)

        self.call(at + 30.0 * self.random.random(), act)
        if self.random.random() < self.chances.repeat:
            self.post(replace(event, at=at + 60.0 * self.random.random()))

    def resolution(self, question: Question) -> ev.StepResolved:
        attempts = [p for p in self.performed.values() if p.step == question.step]
        happened = self.effects[attempts[-1].cid] > 0
        if self.random.random() < self.chances.lie:
            happened = not happened
            self.believed.add(question.step)
        verdict: ev.Verdict = "happened" if happened else "did_not_happen"
        if self.random.random() < 0.2 or verdict not in question.verdicts:
            verdict = "discard"
        result = self.answer(attempts[-1]) if verdict == "happened" else None
        return ev.StepResolved(
            at=self.at,
            step=question.step,
            verdict=verdict,
            by="ada",
            result=result,
            attempt=question.attempt,
        )

    def refill(self, task: Task) -> ev.StockRefilled:
        """As much as was missing and some more, of a new lot each time."""
        return ev.StockRefilled(
            at=self.at,
            source=task.source,
            volume_ul=task.missing_ul + 500.0 * self.random.random(),
            replaces=False,
            by="ada",
            lot=task.id,
        )

    def incident(self, at: float) -> None:
        if self.engine.is_over:
            return
        node = self.random.choice(list(self.nodes.values()))
        at_once = self.random.random() < 0.5
        parts = self.engine.campaigns.values()
        runs = [run for part in parts for run in part.state.runs] or [""]
        what = self.random.choice(["", node.name])
        match self.random.choice(("kill", "forget", "restart", "pause", "abort", "stop")):
            case "kill":
                node.die(at, forgets=False)
            case "forget":
                node.die(at, forgets=True)
            case "restart":
                self.restart(at)
            case "pause":
                self.post(ev.PauseRequested(at=at, what=what, by="bob", at_once=at_once))
            case "abort":
                what = self.random.choice([node.name, runs[0], runs[0], runs[-1]])
                self.post(ev.AbortRequested(at=at, what=what, by="bob", note="it smells"))
            case _:
                self.post(ev.LabStopRequested(at=at, by="bob"))

    def restart(self, at: float) -> None:
        self.epoch += self.random.randint(1, 9)
        checked = self.random.random() < 0.2
        self.turn(ev.OrchestratorStarted(at=at, epoch=self.epoch, bench_checked=checked))
        for node in self.nodes.values():
            node.announce(at + self.random.random())

    def commands(self, kind: type[do.Command]) -> list[do.Command]:
        return [line for line in self.journal if isinstance(line, kind)]

    def doubles(self) -> list[str]:
        """Steps that must not be repeated and were, though nobody was wrong about them."""
        done: Counter[str] = Counter()
        for cid, times in self.effects.items():
            perform = self.performed[cid]
            if perform.effect == "once":
                done[perform.step] += times
        return [step for step, times in done.items() if times > 1 and step not in self.believed]


def _origin(file_name: str) -> Origin:
    return Origin(
        file_name=file_name,
        clock="virtual",
        speed=1.0,
        software={},
        protocol_sha256="0" * 64,
        runs_in_a_turn=IN_A_TURN,
        checks_draws=True,
    )


def opened(*more: str, simulated: bool = True) -> ev.LabOpened:
    return ev.LabOpened(
        at=0.0,
        name="bench-lab",
        lab=lab(*more, simulated=simulated),
        origin=_origin("bench"),
    )


def started(spec: Campaign, script: Script, *, simulated: bool = True) -> ev.CampaignStarted:
    names = [n for role in spec.roles.values() for n in role if n in DRIVERS]
    return ev.CampaignStarted(
        at=0.0,
        campaign=spec,
        lab=lab(*names, simulated=simulated),
        protocol=script.signature,
        origin=_origin(spec.name),
    )
