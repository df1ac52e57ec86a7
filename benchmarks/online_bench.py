"""A bench of plates in virtual time around the real engine: durations by seed, faults, no bus.

Plates of three campaigns visit handlers, readers and a washer; an incubation is a settling time.
The engine decides everything; here are only chance, time and the scheduler's turn.
"""

from __future__ import annotations

import heapq
import json
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sdl.authoring import action, protocol, settle, within
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.beginning import IN_A_TURN
from sdl.core.engine import Engine
from sdl.core.script import Script
from sdl.errors import WindowMissed
from sdl.model.action import Capability
from sdl.model.campaign import Campaign, Objective, PlannerChoice, RangeParameter, StopRule
from sdl.model.data import Arguments, JsonValue, Suggestion
from sdl.model.lab import Instrument, Lab
from sdl.model.labware import Labware, Well
from sdl.model.prediction import Prediction
from sdl.model.protocol import ProtocolSignature
from sdl.model.provenance import Origin
from sdl.shell.replanning import NoPlanning, Planning
from sdl.wire.labware_kinds import labware_kind
from sdl.wire.signature import read_signature

CELL = Path(__file__).with_name("scheduling_data") / "sdl" / "sdl48.json"
FAULT_S = (120.0, 300.0)
TIGHT_S = 120.0
ROLE = {"lh": "handler", "reader": "reader", "washer": "washer"}
INSTRUMENTS = ("handler-1", "handler-2", "reader-1", "reader-2", "washer-1")
PLATES = ("plate-1", "plate-2", "plate-3")
"""Whose wells stand for plates."""
Call = tuple[float, int, ev.Event]


class Station(Capability):
    """Does something with a plate for some time."""

    @action("once", timeout_s=3600.0)
    async def work(self, well: Well, duration_s: float) -> None:
        """Be busy for about so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One stay of a plate."""

    role: str
    """Empty: it settles."""
    seconds: float
    within_s: float | None
    """From the end of the visit before."""


def routes() -> dict[str, list[list[Visit]]]:
    """By campaign: what each of its plates goes through."""
    found: dict[str, list[list[Visit]]] = {}
    for plate in json.loads(CELL.read_text())["plates"]:
        visits, window = [], None
        for step in plate["steps"]:
            role = ROLE.get(step["group"], "")
            visits.append(Visit(role=role, seconds=step["duration"], within_s=window))
            window = step["max_wait"]
        found.setdefault(plate["campaign"], []).append(visits)
    return found


ROUTES = routes()
KINDS = sorted(ROUTES)


def route(kind: int, number: int) -> list[Visit]:
    """What a plate goes through; behind the last one they begin anew."""
    known = ROUTES[KINDS[kind]]
    return known[number % len(known)]


@dataclass(frozen=True)
class Passed:
    """What became of a plate."""

    broken: float


@protocol
async def plate(
    handler: Station, reader: Station, washer: Station, well: Well, *, kind: int, number: int
) -> Passed:
    """Take one plate through its visits; a window that is missed is counted, and no more."""
    broken, stations = 0, {"handler": handler, "reader": reader, "washer": washer}
    for visit in route(kind, number):
        if not visit.role:
            await settle(visit.seconds)
            continue
        station = stations[visit.role]
        if visit.within_s is None:
            await station.work(well, visit.seconds)
            continue
        try:
            async with within(visit.within_s):
                await station.work(well, visit.seconds)
        except WindowMissed:
            broken += 1
            await station.work(well, visit.seconds)
    return Passed(float(broken))


def script() -> Script:
    """The protocol, ready to be driven."""
    return Script.of(plate, read_signature(plate))


def windows(*, carried: bool) -> int:
    """How many there are on all plates; those of stays in an incubator where they are carried."""
    found = (v for r in ROUTES.values() for p in r for v in p if v.within_s is not None)
    return sum(carried or bool(visit.role) for visit in found)


def lab() -> Lab:
    """Two handlers, two readers, a washer."""
    return Lab(
        name="cell",
        instruments=tuple(
            Instrument(name=name, driver="station", simulated=True) for name in INSTRUMENTS
        ),
        labware=tuple(Labware(name=name, kind=labware_kind("plate-384-flat")) for name in PLATES),
    )


def campaign(kind: int, first: int, count: int, batch: int, *, pooled: bool) -> Campaign:
    """So many plates of a kind, all of which may be in flight at a time.

    ``pooled``: each visit to a handler or reader may be at either of the two.
    """
    return Campaign(
        name=f"{KINDS[kind]}-{batch}",
        lab="lab.toml",
        protocol="plate",
        roles={
            "handler": ("handler-1", "handler-2"),
            "reader": ("reader-1", "reader-2"),
            "washer": ("washer-1",),
            "well": PLATES,
        },
        pooled=("handler", "reader") if pooled else (),
        space=(RangeParameter(name="number", low=first, high=first + count - 1, integer=True),),
        fixed={"kind": kind},
        objective=Objective(measure="broken", goal="minimise"),
        planner=PlannerChoice(kind="listed"),
        stop=StopRule(runs=count, failures=1000),
        parallel=count,
    )


@dataclass(frozen=True)
class Nominal:
    """Predicts what an action is told to take."""

    spread: float

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        """As long as it is told, with the spread of the bench."""
        del instrument, operation
        seconds = arguments["duration_s"]
        assert isinstance(seconds, int | float)
        return Prediction(duration_s=float(seconds), spread_s=self.spread * float(seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How one policy did on one seed."""

    makespan_s: float
    broken: int
    tight: int
    """Of those, windows of at most two minutes."""
    late_s: float
    flow_s: float
    """Mean time of a plate from its arrival."""
    used: float
    """Mean share of the makespan for which stations are at work, of those that ever are; 0 to 1."""
    busiest: float
    """The greatest share of any instrument, the arm included."""
    plans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What the bench does otherwise than it is told."""

    spread: float = 0.10
    """Of the logarithm of each duration."""
    faults: float = 0.03
    """Share of steps that take 120 to 300 s longer."""


@dataclass
class Play:
    """The engine at work. ``batches``: kind, first plate, plates, and when they come."""

    engine: Engine
    seed: int
    batches: Sequence[tuple[int, int, int, float]]
    chance: Chance
    planning: Planning = field(default_factory=NoPlanning)
    pooled: bool = True
    now: float = 0.0
    queue: list[Call] = field(default_factory=list)
    count: int = 0
    begun: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    performed: Counter[str] = field(default_factory=Counter)
    """By run: how many of its visits have begun."""
    missed: dict[str, float] = field(default_factory=dict)
    """By run: when a window closed, until its step starts after all."""
    tight: int = 0
    broken: int = 0
    late_s: float = 0.0

    def post(self, event: ev.Event) -> None:
        """Let an event come in at its time."""
        self.count += 1
        heapq.heappush(self.queue, (event.at, self.count, event))

    def open(self) -> None:
        """The first events."""
        origin = Origin(
            file_name="",
            clock="virtual",
            speed=1.0,
            software={},
            protocol_sha256="",
            runs_in_a_turn=IN_A_TURN,
            checks_draws=True,
        )
        there = self.lab()
        self.turn(ev.LabOpened(at=0.0, name="cell-lab", lab=there, origin=origin))
        self.turn(ev.OrchestratorStarted(at=0.0, epoch=1))
        for one in there.instruments:
            self.turn(
                ev.InstrumentOnline(
                    at=0.0,
                    instrument=one.name,
                    boot="b",
                    memory="b",
                    driver=one.driver,
                    simulated=True,
                    actions=(),
                )
            )
        for number, (kind, first, count, at) in enumerate(self.batches):
            spec = self.campaign(kind, first, count, number)
            self.post(
                ev.CampaignStarted(
                    at=at, campaign=spec, lab=there, protocol=self.signature(), origin=origin
                )
            )

    def lab(self) -> Lab:
        """The bench."""
        return lab()

    def campaign(self, kind: int, first: int, count: int, batch: int) -> Campaign:
        """So many plates of a kind, which come together."""
        return campaign(kind, first, count, batch, pooled=self.pooled)

    def signature(self) -> ProtocolSignature:
        """Of what is done with a plate."""
        return read_signature(plate)

    @property
    def is_over(self) -> bool:
        """Whether all plates have ended."""
        return len(self.engine.ended) == len(self.batches)

    def step(self) -> None:
        """The next event."""
        self.now, _, event = heapq.heappop(self.queue)
        self.turn(event)
        self.look(self.now)

    def look(self, at: float) -> None:
        """Let whoever plans have a look."""
        self.now = at
        self.planning.look(self.engine, 0, self.turn)

    def turn(self, event: ev.Event) -> None:
        """Let the engine decide, and do it."""
        if isinstance(event, ev.TimerFired):
            self._note_missed(event)
        out = self.engine.handle(event)
        self.planning.heard(event, out)
        for command in out:
            self._do(command, event.at)

    def _note_missed(self, event: ev.TimerFired) -> None:
        step, _, purpose = event.timer.rpartition("/")
        part = self.engine.campaigns.get(step.partition("/")[0])
        found = part.work.seek(step) if part is not None else None
        if purpose == "window" and found is not None and found[1].state == "waits":
            run = found[0]
            within_s = self._visits(run.inputs)[self.performed[run.id]].within_s
            self.broken += 1
            self.tight += within_s is not None and within_s <= TIGHT_S
            self.missed[run.id] = event.at

    def visits(self, kind: int, number: int) -> list[Visit]:
        """The visits of a plate that are at instruments."""
        return [visit for visit in route(kind, number) if visit.role]

    def _visits(self, inputs: Arguments) -> list[Visit]:
        kind, number = inputs["kind"], inputs["number"]
        assert isinstance(kind, int)
        assert isinstance(number, int)
        return self.visits(kind, number)

    def _do(self, command: do.Command, at: float) -> None:
        match command:
            case do.Wait(timer=timer, until=until):
                self.post(ev.TimerFired(at=max(at, until), timer=timer))
            case do.AskPlanner(ask=ask, attempt=attempt, count=count):
                self.post(self._answer(ask, attempt, count, at))
            case do.BeginRun(run=run):
                self.begun[run] = at
            case do.EndRun(run=run):
                self.ended[run] = at
            case do.Perform(operation="move"):
                self.carry(command, at)
            case do.Perform():
                self._perform(command, at)
            case _:
                pass

    def _answer(self, ask: str, attempt: int, count: int, at: float) -> ev.SuggestionsArrived:
        spec = self.engine.campaigns[ask.partition("/")[0]].state.spec
        tried = len(self.engine.campaigns[spec.name].state.trials)
        space = spec.space[0]
        assert isinstance(space, RangeParameter)
        points = tuple(
            Suggestion(inputs={"number": int(space.low) + tried + n}, origin="listed", predicted={})
            for n in range(count)
        )
        return ev.SuggestionsArrived(
            at=at, ask=ask, attempt=attempt, suggestions=points, versions=()
        )

    def _perform(self, command: do.Perform, at: float) -> None:
        run = command.step.rpartition("/step-")[0]
        if run in self.missed:
            self.late_s += at - self.missed.pop(run)
        # The same chance for the same visit of the same plate, whoever decides.
        inputs = self.engine.campaigns[run.partition("/")[0]].state.runs[run].inputs
        seconds = command.args["duration_s"]
        assert isinstance(seconds, int | float)
        visit = f"{inputs['kind']}-{inputs['number']}-{self.performed[run]}"
        self.performed[run] += 1
        chance = random.Random(f"{self.seed}/{visit}")
        takes_s = float(seconds) * math.exp(chance.gauss(0.0, self.chance.spread))
        if chance.random() < self.chance.faults:
            takes_s += chance.uniform(*FAULT_S)
        self.post(ev.CommandStarted(at=at, boot="b", cid=command.cid))
        done = ev.CommandDone(at=at + takes_s, cid=command.cid, result=None, duration_s=takes_s)
        self.post(done)

    def carry(self, command: do.Perform, at: float) -> None:
        """A transporter is sent."""
        raise NotImplementedError(f"{command.cid} at {at}: nothing is carried here")

    def figures(self) -> Figures:
        """Once it is over."""
        arrived = {
            self.campaign(kind, first, count, number).name: at
            for number, (kind, first, count, at) in enumerate(self.batches)
        }
        flows = [end - arrived[run.partition("/")[0]] for run, end in self.ended.items()]
        makespan_s = max(self.ended.values())
        usage = {one.instrument: one.busy_s / makespan_s for one in self.engine.lab.usage(self.now)}
        stations = [share for name, share in usage.items() if share > 0.0 and name != "arm"]
        return Figures(
            makespan_s=makespan_s,
            broken=self.broken,
            tight=self.tight,
            late_s=self.late_s,
            flow_s=sum(flows) / len(flows),
            used=sum(stations) / len(stations),
            busiest=max(usage.values()),
            plans=self.engine.commons.agenda.arrived,
        )
