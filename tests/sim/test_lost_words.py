"""A broker may lose or repeat anything: the campaign ends the same, and no well overflows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sdl.core.commands import Perform
from sdl.shell.bus import Message
from sdl.shell.local_bus import LocalBroker
from sdl.shell.record import Record
from sdl.sim.simulate import simulate
from sdl.wire.journal import load
from sdl.wire.topics import kind_in
from tests.sim.places import place


class Lossy(LocalBroker):
    """Loses or repeats commands, control messages and events by chance."""

    def __init__(self, seed: int, *, lose: float, repeat: float) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._lose = lose
        self._repeat = repeat
        self.lost = 0

    def route(self, message: Message) -> None:
        if kind_in(message.topic) in ("cmd", "ctl", "evt"):
            if self._random.random() < self._lose:
                self.lost += 1
                return
            if self._random.random() < self._repeat:
                super().route(message)
        super().route(message)


@pytest.mark.parametrize("seed", range(6))
def test_lost_and_repeated_messages_neither_stop_nor_repeat_anything(
    tmp_path: Path, seed: int
) -> None:
    broker = Lossy(seed, lose=0.2, repeat=0.3)
    outcome = simulate(place(tmp_path, runs=8, failures=8), seed=seed, broker=broker)
    assert broker.lost > 0, f"seed {seed}: nothing was lost, so nothing was shown"
    assert outcome.view.ended is not None, f"seed {seed}"
    assert outcome.view.ended.ending == "budget", f"seed {seed}"
    record = Record.open(outcome.record_url, create=False)
    values = [load(line.type, line.body) for line in record.lines("dye")]
    reasons = [run.reason for run in record.runs("dye") if run.outcome != "measured"]
    record.close()
    sent = [value.cid for value in values if isinstance(value, Perform)]
    assert len(sent) == len(set(sent)), f"seed {seed}"
    # A late reading may miss its window; a second dispense would overflow the well instead.
    assert all(reason and "WindowMissed" in reason for reason in reasons), f"seed {seed}: {reasons}"


def test_a_lost_result_is_asked_for(tmp_path: Path) -> None:
    class LoseOneEnd(LocalBroker):
        ends = 0

        def route(self, message: Message) -> None:
            if kind_in(message.topic) == "evt" and b'"done"' in message.payload:
                self.ends += 1
                if self.ends == 1:
                    return
            super().route(message)

    outcome = simulate(place(tmp_path, runs=3), broker=LoseOneEnd())
    assert outcome.view.runs_measured == 3
