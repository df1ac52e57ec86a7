"""A new campaign starts with what earlier ones of its lab have taught."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.core.durations import MEMORY, Durations
from sdl.model.lab import Lab
from sdl.shell.record import Record
from sdl.wire.journal import load
from tests.record.plausible import START, journal, session, started

LAB = started("x", START).lab


def test_the_record_teaches_what_its_journals_teach(url: str) -> None:
    first, second = journal("dye-1", runs=3), journal("dye-2", runs=4, seed=2)
    record = Record.open(url)
    record.append(first)
    folded = Durations()
    for line in first:
        folded.take(load(line.type, line.body))
    assert record.lessons(LAB).kept() == folded.kept()
    record.append(second)
    ((instrument, operation, durations_s),) = record.lessons(LAB).kept()
    assert (instrument, operation) == ("handler", "dispense")
    assert len(durations_s) == sum(line.type == "CommandDone" for line in first + second)
    record.close()


def test_only_the_last_ones_are_read_and_they_are_the_newest(url: str) -> None:
    lines = journal(runs=40)
    record = Record.open(url)
    record.append(lines)
    folded = Durations()
    for line in lines:
        folded.take(load(line.type, line.body))
    ((_, _, durations_s),) = record.lessons(LAB).kept()
    ((_, _, expected),) = folded.kept()
    assert len(durations_s) == MEMORY
    assert durations_s == expected
    record.close()


def test_the_campaigns_of_a_session_teach_as_others_do(url: str) -> None:
    lines = session("bench-lab", "dye-1", "dye-2")
    record = Record.open(url)
    record.append(lines)
    ((instrument, operation, durations_s),) = record.lessons(LAB).kept()
    assert (instrument, operation) == ("handler", "dispense")
    assert len(durations_s) == sum(line.type == "CommandDone" for line in lines)
    record.close()


@pytest.mark.parametrize("change", ["lab", "driver", "real"])
def test_another_lab_or_instrument_teaches_nothing(url: str, change: str) -> None:
    record = Record.open(url)
    record.append(journal(runs=3))
    handler, reader = LAB.instruments
    others: dict[str, Lab] = {
        "lab": replace(LAB, name="other"),
        "driver": replace(LAB, instruments=(replace(handler, driver="new"), reader)),
        "real": replace(LAB, instruments=(replace(handler, simulated=False), reader)),
    }
    assert record.lessons(others[change]).kept() == ()
    record.close()
