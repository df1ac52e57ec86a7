"""One drill: a real campaign in real processes, a schedule of faults, and what came of it."""

from __future__ import annotations

import heapq
import itertools
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random

from sdl.errors import SdlError
from sdl.service.caller import Caller
from sdl.service.card import card_path, read
from sdl.testing.postgres import Postgres
from sdl.testing.proxy import Proxy, proxy
from sdl.testing.servers import Server, mosquitto_server
from tests.scenario.drill_books import Tally, compare
from tests.scenario.drill_faults import PATIENCE_S, SLOW_BYTES_PER_S, Fault, crash_points, faults
from tests.scenario.drill_person import Person, effects_of
from tests.scenario.drill_place import INSTRUMENTS, NAME, Broker, Place
from tests.scenario.drill_roles import KILLED, Role, sdl

TICK_S = 0.02
END_S = 120.0
"""Wall seconds in which everything has to come to rest once it is left alone."""
WARM = 20
"""Actions before the first fault."""
MISTAKE, STOPPED = 3, 4
"""Exit codes: nothing to go on with, or not allowed to begin anew; and ended in good order."""
MODULES = {
    "node-0": "sdl.shell.node_process",
    "broker": "sdl.shell.broker",
    "planner": "sdl.shell.planner_worker",
}
"""Children of ``sdl run`` where it starts all of them."""
PLANNER = "apart"


@dataclass(slots=True, kw_only=True)
class Drill:
    """Everything that runs, and the clock of its faults."""

    place: Place
    seed: int
    broker: Broker = "mosquitto"
    postgres: Postgres | None = None
    crashes_too: bool = True
    """Processes may be told to kill themselves at named points."""
    roles: dict[str, Role] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    """By role."""
    crashes: Counter[str] = field(default_factory=Counter)
    """By named point."""
    others: Counter[str] = field(default_factory=Counter)
    """Faults that are no kills, by kind."""
    ends: Counter[str] = field(default_factory=Counter)
    """Processes that ended by themselves, by role and exit code."""
    mosquitto: Server | None = None
    lines: dict[str, Proxy] = field(default_factory=dict)
    """To the broker: ``near`` of the orchestrator and the planner, ``far`` of the nodes."""
    _random: Random = field(init=False)
    _person: Person | None = None
    _dead: set[int] = field(default_factory=set)
    _began: float = 0.0
    _points: dict[str, Iterator[str]] = field(default_factory=dict)
    _repairs: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=itertools.count)
    _returning: set[str] = field(default_factory=set)
    _goes_on: bool = False
    _is_over: bool = False

    def run(self, kills: int) -> Tally:
        """Let so many processes die, then let the campaign end, and compare all books."""
        with self.running():
            self.break_things(kills)
            self.come_to_rest()
        return self.tally()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Everything runs, and a person answers, for the length of the block."""
        self._began = time.monotonic()
        with ExitStack() as stack:
            stack.callback(self._bring_back_database)
            self._set_up(stack)
            person = Person(self.place, self.seed)
            stack.callback(person.send_home)
            person.start()
            self._person = person
            yield

    def tally(self) -> Tally:
        """All books compared, once it has come to rest."""
        tally = compare(self.place, None if self.broker == "embedded" else self._dead)
        tally.kills, tally.crashes, tally.others = self.kills, self.crashes, self.others
        tally.ends = self.ends
        tally.refusals = [] if self._person is None else self._person.refusals
        tally.wall_s = time.monotonic() - self._began
        return tally

    def until(self, holds: Callable[[], bool], what: str, patience_s: float = 30.0) -> float:
        """Keep everything going until something holds; wall seconds that it took."""
        began = time.monotonic()
        while not holds():
            waited_s = time.monotonic() - began
            assert waited_s < patience_s, f"{what} did not come in {patience_s} s: {self._why()}"
            self._tick()
        return time.monotonic() - began

    def _set_up(self, stack: ExitStack) -> None:
        self._random = Random(self.seed)
        self.place.logs.mkdir(parents=True)
        if self.broker == "embedded":
            self.place.write("embedded", "embedded")
            self._add("orchestrator", "run", self.place.campaign.name)
        else:
            server, url = mosquitto_server(self.place.logs, persistence=True)
            stack.callback(server.stop)
            server.start()
            self.mosquitto = server
            for name in ("near", "far"):
                self.lines[name] = stack.enter_context(proxy(server.port))
            urls = [url.replace(str(server.port), str(each.port)) for each in self.lines.values()]
            self.place.write(*urls)
            for index in range(2):
                only = [word for each in INSTRUMENTS[index::2] for word in ("--only", each)]
                self._add(f"node-{index}", "node", self.place.node_lab.name, *only)
            self._add("planner", "planner", self.place.lab.name, "--name", PLANNER)
            words = ("run", self.place.campaign.name, "--no-host", "--planner", PLANNER)
            self._add("orchestrator", *words)
        for role in self.roles.values():
            stack.callback(role.kill)
            self._start(role)

    def _bring_back_database(self) -> None:
        """Others use it, too."""
        if self.postgres is not None and not self.postgres.server.runs:
            self.postgres.start()

    def _add(self, name: str, *words: str) -> None:
        points = crash_points(self.seed, name) if self.crashes_too else itertools.repeat("")
        self._points[name] = points
        self.roles[name] = Role(
            name=name,
            command=sdl(*words),
            folder=self.place.folder,
            log=self.place.logs / f"{name}.log",
        )

    def begun(self) -> int:
        """How many actions the drivers have begun."""
        written = effects_of(self.place.effects).values()
        return sum(word == "begin" for words in written for word, _ in words)

    def break_things(self, kills: int) -> None:
        """Strike, as the seed says, until so many processes have died."""
        self.until(lambda: self.begun() >= WARM, "the first actions", END_S)
        for fault in faults(self.seed, self._targets()):
            began, before = time.monotonic(), self.begun()
            while not self._is_due(fault, time.monotonic() - began, before):
                self._tick()
                if self.kills.total() >= kills:
                    return
            self._strike(fault)

    def _is_due(self, fault: Fault, waited_s: float, before: int) -> bool:
        """Whether it is time, and enough was done since the last fault for it to hit something."""
        if waited_s < fault.after_s:
            return False
        return waited_s >= PATIENCE_S or self.begun() >= before + fault.actions

    def _targets(self) -> set[str]:
        found = {*self.roles, *self.lines, "broker"}
        if self.broker == "embedded":
            found |= MODULES.keys()
        return found | ({"database"} if self.postgres is not None else set())

    def _strike(self, fault: Fault) -> None:
        """Do it, unless its target is dead already."""
        match fault.kind:
            case "kill":
                self._kill(fault)
                return
            case "freeze":
                role = self.roles.get(fault.target)
                if role is None or not role.runs or role.is_frozen:
                    return
                role.freeze()
                self._later(fault.for_s, role.thaw)
            case "stop":
                assert self.postgres is not None
                if not self.postgres.server.runs:
                    return
                self.postgres.stop()
                self._later(fault.for_s, self.postgres.start)
            case "cut":
                self.lines[fault.target].cut()
                self._later(fault.for_s, self.lines[fault.target].heal)
            case "slow":
                self.lines[fault.target].slow(SLOW_BYTES_PER_S)
                self._later(fault.for_s, self.lines[fault.target].heal)
            case "half_open":
                self.lines[fault.target].half_open()
        self.others[fault.kind] += 1

    def _kill(self, fault: Fault) -> None:
        if fault.target == "broker" and self.mosquitto is not None:
            if not self.mosquitto.runs:
                return
            self.mosquitto.kill()
            self._later(fault.for_s, self.mosquitto.start)
        elif fault.target in self.roles:
            role = self.roles[fault.target]
            if not role.runs:
                return
            role.crash_at = ""
            role.kill()
        else:
            child = self.roles["orchestrator"].child(MODULES[fault.target])
            if child is None:
                return
            child.kill()
        self.kills[fault.target.partition("-")[0]] += 1

    def _later(self, wait_s: float, repair: Callable[[], None]) -> None:
        heapq.heappush(self._repairs, (time.monotonic() + wait_s, next(self._number), repair))

    def _tick(self) -> None:
        """Do the repairs that are due, and see to it that every role comes back."""
        time.sleep(TICK_S)
        while self._repairs and self._repairs[0][0] <= time.monotonic():
            heapq.heappop(self._repairs)[2]()
        for role in self.roles.values():
            if not role.runs and role.name not in self._returning:
                self._note_end(role)
                if role.name == "orchestrator" and self._is_over:
                    continue
                self._returning.add(role.name)
                self._later(self._random.uniform(0.0, 0.4), partial(self._return, role))

    def _note_end(self, role: Role) -> None:
        code = role.code
        if role.process is not None and code == KILLED:
            self._dead.add(role.process.pid)
        if code == KILLED and role.crash_at:
            self.crashes[role.crash_at.partition(":")[0]] += 1
            self.kills[role.name.partition("-")[0]] += 1
        elif code != KILLED:
            self.ends[f"{role.name} {code}"] += 1
        if role.name == "orchestrator":
            if code == STOPPED:
                self._is_over = True
            elif code == MISTAKE:
                self._goes_on = not self._goes_on
            else:
                self._goes_on = True

    def _return(self, role: Role) -> None:
        self._returning.discard(role.name)
        self._start(role)

    def _start(self, role: Role) -> None:
        crash_at = next(self._points[role.name])
        goes_on = role.name == "orchestrator" and self._goes_on
        role.start(crash_at, *(("--resume",) if goes_on else ()))

    def come_to_rest(self) -> None:
        """Mend everything, ask the campaign to end, and wait until it has."""
        self._points = {name: itertools.repeat("") for name in self.roles}
        until = time.monotonic() + END_S
        asked: subprocess.Popen[bytes] | None = None
        while not self._is_over:
            assert time.monotonic() < until, (
                f"seed {self.seed}: no rest in {END_S} s: {self._why()}"
            )
            self._tick()
            orchestrator = self.roles["orchestrator"]
            if orchestrator.runs and self._is_served(orchestrator):
                process = orchestrator.process
                if process is not asked:
                    orchestrator.signal(signal.SIGTERM)
                    asked = process
        for role in self.roles.values():
            role.end()

    def _is_served(self, orchestrator: Role) -> bool:
        try:
            card = read(card_path(self.place.folder / ".sdl", NAME))
        except SdlError:
            return False
        return orchestrator.process is not None and card.pid == orchestrator.process.pid

    def _why(self) -> str:
        """What the orchestrator says it waits for."""
        try:
            view = Caller(read(card_path(self.place.folder / ".sdl", NAME)), 2.0).view()
        except SdlError as error:
            return str(error)
        return f"{view.waits} {view.instruments}"
