"""What must hold after every event; asserted in tests and in simulation.

``Watch`` sees the same events and commands as the journal, and keeps its own small books, so that
a fault of the engine cannot hide behind the engine's own state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.errors import Bug

TERMINAL = (ev.CommandDone, ev.CommandFailed, ev.CommandUnknown)


@dataclass(slots=True)
class Watch:
    """Books of one campaign."""

    performed: dict[str, do.Perform] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    proven_not_started: set[str] = field(default_factory=set)
    dispositions: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    ends: Counter[str] = field(default_factory=Counter)
    wells: Counter[str] = field(default_factory=Counter)
    timers: set[str] = field(default_factory=set)
    memories: dict[str, str] = field(default_factory=dict)
    """Of the journal of the node that hosts each instrument now."""
    sent_to: dict[str, str] = field(default_factory=dict)
    """Journal of the node that each command was meant for."""

    def see(self, engine: Engine, event: ev.Event, commands: Sequence[do.Command]) -> None:
        """Check one turn of the loop. Bug names the invariant that is broken."""
        if isinstance(event, TERMINAL):
            self.over.add(event.cid)
            if isinstance(event, ev.CommandFailed) and event.phase == "before_start":
                self.proven_not_started.add(event.cid)
        if isinstance(event, ev.InstrumentOnline):
            self.memories[event.instrument] = event.memory
        if isinstance(event, ev.CommandNotSeen) and self.sent_to.get(event.cid) != event.memory:
            self.over.add(event.cid)  # nobody is left who could say what became of it
        if isinstance(event, ev.TimerFired):
            self.timers.discard(event.timer)
        for command in commands:
            self._note(command)
        self._check_open(engine)
        self._check_end(engine)

    def _note(self, command: do.Command) -> None:
        match command:
            case do.Perform():
                self._note_perform(command)
            case do.Wait(timer=timer):
                self.timers.add(timer)
            case do.AcceptSuggestion(suggestion=suggestion):
                self.accepted.add(suggestion)
            case do.Dispose(suggestion=suggestion):
                self.dispositions[suggestion] += 1
                _hold(self.dispositions[suggestion] == 1, f"{suggestion} ends twice")
            case do.EndRun(run=run):
                self.ends[run] += 1
                _hold(self.ends[run] == 1, f"{run} ends twice")
            case do.BeginRun(roles=roles):
                for place in roles.values():
                    if "/" in place:
                        self.wells[place] += 1
                        _hold(self.wells[place] == 1, f"well {place} is used twice")
            case _:
                pass

    def _note_perform(self, command: do.Perform) -> None:
        _hold(command.cid not in self.performed, f"{command.cid} is commanded twice")
        busy = [
            other.cid
            for other in self.performed.values()
            if other.instrument == command.instrument and other.cid not in self.over
        ]
        _hold(not busy, f"{command.instrument} is given {command.cid} while {busy} is open")
        if command.attempt > 1 and command.effect == "once":
            last = f"{command.step}/try-{command.attempt - 1}"
            _hold(last in self.proven_not_started, f"{command.cid} repeats a 'once' action")
        self.performed[command.cid] = command
        self.sent_to[command.cid] = self.memories[command.instrument]

    def _check_open(self, engine: Engine) -> None:
        """Every run in flight has something that will wake it."""
        for run in engine.state.runs.values():
            _hold(bool(run.steps), f"{run.id} is in flight and waits for nothing")
            for step in run.steps.values():
                if step.is_open:
                    _hold(step.cid in self.performed, f"{step.cid} is open and was never sent")
                if step.until is not None:
                    _hold(f"{step.id}/settle" in self.timers, f"{step.id} has no timer")

    def _check_end(self, engine: Engine) -> None:
        if engine.state.concluded is None:
            return
        open_ones = self.accepted - self.dispositions.keys()
        _hold(not open_ones, f"the campaign ended and {sorted(open_ones)} have no disposition")
        _hold(not engine.state.runs, "the campaign ended with runs in flight")


def _hold(holds: bool, broken: str) -> None:  # noqa: FBT001 - reads as a sentence: hold(this, else)
    if not holds:
        raise Bug(f"invariant broken: {broken}")
