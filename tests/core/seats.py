"""An engine with an instrument for each step, all free and as fast as was foreseen.

A protocol is made of a plan; each of its actions has an instrument of its own, and takes the time
that stands in the plan, to the very second.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sdl.authoring import protocol, settle, together, within
from sdl.capabilities import PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.script import Script
from sdl.model.action import operations_of
from sdl.model.campaign import Campaign, StopRule
from sdl.model.data import JsonValue, Suggestion
from sdl.model.lab import Instrument, Lab
from sdl.model.labware import Labware, Well
from sdl.model.prediction import Prediction
from sdl.model.protocol import Input, ProtocolSignature, Role
from sdl.model.provenance import Origin
from sdl.wire.labware_kinds import labware_kind
from tests.core.floor import campaign

COUNT = 12
"""Instruments; a plan has no more leaves."""
SEATS = {f"r{n}": f"seat-{n}" for n in range(COUNT)}
DRIVER = "absorbance-reader"
Plan: TypeAlias = tuple[object, ...]


@dataclass(frozen=True)
class Reading:
    y_au: float


async def follow(plan: Plan, readers: list[PlateReader], well: Well, place: list[int]) -> float:
    """``place``: the seat of the next action of the plan, whichever branch comes first."""
    total = 0.0
    for word in plan:
        assert isinstance(word, tuple)
        match word:
            case ("act", float()):
                place[0] += 1
                total += await readers[place[0] - 1].absorbance(well, wavelength_nm=450.0)
            case ("settle", float(seconds)):
                await settle(seconds)
            case ("within", float(seconds), tuple(inner)):
                async with within(seconds):
                    total += await follow(inner, readers, well, place)
            case ("times", int(times), tuple(inner)):
                first = place[0]
                for _ in range(times):
                    place[0] = first
                    total += await follow(inner, readers, well, place)
                place[0] = first + acts(inner)
            case ("together", tuple(branches)):
                first, waiting = place[0], []
                for branch in branches:
                    waiting.append(follow(branch, readers, well, [first]))
                    first += acts(branch)
                total += sum(await together(*waiting))
                place[0] = first
            case _:
                raise AssertionError(word)
    return total


def acts(plan: Plan) -> int:
    """How many actions stand in a plan."""
    return len(lengths(plan))


def lengths(plan: Plan) -> list[float]:
    """How long each of them takes, in seconds, in order."""
    found: list[float] = []
    for word in plan:
        match word:
            case ("act", float(seconds)):
                found.append(seconds)
            case ("within" | "times", _, tuple(inner)):
                found += lengths(inner)
            case ("together", tuple(branches)):
                found += [each for branch in branches for each in lengths(branch)]
            case _:
                pass
    return found


def seated(plan: Plan) -> Script:
    @protocol
    async def anything(  # one role for each seat
        r0: PlateReader,
        r1: PlateReader,
        r2: PlateReader,
        r3: PlateReader,
        r4: PlateReader,
        r5: PlateReader,
        r6: PlateReader,
        r7: PlateReader,
        r8: PlateReader,
        r9: PlateReader,
        r10: PlateReader,
        r11: PlateReader,
        well: Well,
        *,
        x_fraction: float,
    ) -> Reading:
        readers = [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11]
        return Reading(x_fraction + await follow(plan, readers, well, [0]))

    actions = tuple(operations_of(PlateReader))
    signature = ProtocolSignature(
        name="anything",
        roles=(
            *(Role(name=name, capability="PlateReader", actions=actions) for name in SEATS),
            Role(name="well", capability="Well"),
        ),
        inputs=(Input(name="x_fraction", kind="float"),),
        measures=("y_au",),
        source_sha256="0" * 64,
    )
    return Script.of(anything, signature)


@dataclass(frozen=True)
class Known:
    """Says how long each instrument takes, and is right."""

    seconds: Mapping[str, float]

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        return Prediction(duration_s=self.seconds[instrument], result=0.5)


@dataclass
class Play:
    """One campaign of one run."""

    plan: Plan
    engine: Engine
    journal: list[ev.Event | do.Command] = field(default_factory=list)
    queue: list[tuple[float, int, ev.Event]] = field(default_factory=list)
    events: int = 0
    posted: int = 0
    began_s: float = 0.0
    ended_s: float = 0.0
    started: dict[str, float] = field(default_factory=dict)
    """By path."""
    ended: set[str] = field(default_factory=set)
    instruments: dict[str, str] = field(default_factory=dict)

    def durations(self) -> Known:
        seconds = dict.fromkeys(SEATS.values(), 0.0)
        return Known({**seconds, **dict(zip(SEATS.values(), lengths(self.plan), strict=False))})

    def go_on(self, until: int | None = None) -> Play:
        while self.queue and (until is None or self.events < until):
            _, _, event = heapq.heappop(self.queue)
            self.events += 1
            self.turn(event)
        return self

    def turn(self, event: ev.Event) -> None:
        self.journal.append(event)
        if isinstance(event, ev.CommandDone):
            self.ended.add(event.cid.rpartition("/step-")[2].partition("/")[0])
        for command in self.engine.handle(event):
            self.journal.append(command)
            self.perform(command, event.at)

    def perform(self, command: do.Command, at: float) -> None:
        match command:
            case do.BeginRun():
                self.began_s = at
            case do.EndRun():
                self.ended_s = at
            case do.Perform():
                path = command.step.rpartition("/step-")[2]
                self.started[path], self.instruments[path] = at, command.instrument
                seconds = self.durations().seconds[command.instrument]
                done = ev.CommandDone(
                    at=at + seconds, cid=command.cid, result=0.5, duration_s=seconds
                )
                self.post(done)
            case do.Wait(timer=timer, until=until):
                if not timer.endswith("/window"):  # none of them is missed
                    self.post(ev.TimerFired(at=until, timer=timer))
            case do.AskPlanner(ask=ask, attempt=attempt):
                point = Suggestion(inputs={"x_fraction": 0.5}, origin="sobol", predicted={})
                self.post(
                    ev.SuggestionsArrived(
                        at=at, ask=ask, attempt=attempt, suggestions=(point,), versions=()
                    )
                )
            case _:
                pass

    def post(self, event: ev.Event) -> None:
        self.posted += 1
        heapq.heappush(self.queue, (event.at, self.posted, event))


def play(plan: Plan, until: int | None = None) -> Play:
    """Play a plan to its end, or for so many events."""
    script = seated(plan)
    played = Play(plan, Engine(script))
    played.turn(head(script))
    played.turn(ev.OrchestratorStarted(at=50.0, epoch=1))
    for name in SEATS.values():
        online = ev.InstrumentOnline(
            at=60.0, instrument=name, boot="b", driver=DRIVER, simulated=True, actions=()
        )
        played.turn(online)
    return played.go_on(until)


def head(script: Script) -> ev.CampaignStarted:
    roles = {role: (seat,) for role, seat in SEATS.items()}
    spec: Campaign = campaign(roles={**roles, "well": ("plate-1",)}, stop=StopRule(runs=1))
    seats = tuple(Instrument(name=n, driver=DRIVER, simulated=True) for n in SEATS.values())
    lab = Lab(
        name="bench",
        instruments=seats,
        labware=(Labware(name="plate-1", kind=labware_kind("plate-96-flat")),),
    )
    origin = Origin(
        file_name="x", clock="virtual", speed=1.0, software={}, protocol_sha256="0" * 64
    )
    return ev.CampaignStarted(
        at=0.0, campaign=spec, lab=lab, protocol=script.signature, origin=origin
    )
