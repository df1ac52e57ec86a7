"""What goes into a record comes out of it, on both databases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sdl.errors import Bug, RecordFault
from sdl.shell.reading import PAGE
from sdl.shell.record import Record
from sdl.wire.journal import GENESIS, Chain, load
from tests.record.conftest import Spoil
from tests.record.plausible import START, journal, perform, planned, session


def test_lines_come_back_as_they_were_written(url: str) -> None:
    lines, other = journal(runs=70), journal("other", runs=1, seed=2)
    assert len(lines) > PAGE, "the journal should need more than one page"
    record = Record.open(url)
    for first in range(0, len(lines), 17):
        record.append(lines[first : first + 17])
    record.append(other)
    record.close()
    again = Record.open(url, create=False)
    assert list(again.lines("dye-450")) == lines
    assert list(again.lines("dye-450", after=len(lines) - 2)) == lines[-2:]
    assert list(again.lines("other")) == other
    assert again.head("dye-450") == (lines[-1].seq, lines[-1].hash)
    assert again.head("nobody") == (0, GENESIS)
    assert list(again.lines("nobody")) == []
    assert again.verify() is None
    again.close()


def test_the_tables_do_not_depend_on_how_lines_are_grouped(url: str) -> None:
    for size in (1, 3, 1000):
        lines = journal(f"by-{size}", runs=8)
        record = Record.open(url)
        for first in range(0, len(lines), size):
            record.append(lines[first : first + size])
        assert record.rebuild(check=True) == [], f"in groups of {size}"
        record.close()


def test_the_tables_tell_the_story(url: str) -> None:
    record = Record.open(url)
    lines = journal(runs=8)
    record.append(lines)

    summary = record.campaign("dye-450")
    assert [found.campaign.campaign for found in record.campaigns()] == ["dye-450"]
    assert (summary.runs, summary.measured, summary.failed) == (8, 6, 2)
    assert summary.campaign.status == "ended"
    assert summary.campaign.stop_asked == "a person: lunch — π ≈ 3.14"
    assert (summary.campaign.seq, summary.campaign.last_seq) == (1, lines[-1].seq)

    runs = record.runs("dye-450")
    assert [run.run for run in runs] == [f"dye-450/run-{n}" for n in range(1, 9)]
    assert runs[4].outcome == "failed"
    assert runs[6].outcome == "unknown"
    measured = [run for run in runs if run.loss is not None]
    assert summary.best is not None
    assert summary.best.run == min(measured, key=lambda run: run.loss or 0.0).run

    detail = record.run("dye-450/run-1")
    assert [step.step for step in detail.steps] == [f"dye-450/run-1/step-{n}" for n in range(1, 5)]
    assert {step.status for step in detail.steps} == {"done"}
    assert [each.disposition for each in detail.suggestions] == ["measured"]
    assert detail.evidence is not None
    absorbance, fraction = detail.observations
    assert (absorbance.unit, fraction.unit) == ("AU", "1")
    assert json.loads(detail.steps[3].result or "") == absorbance.value
    assert json.loads(detail.run.inputs)["settle_s"] == 30.0

    assert record.run("dye-450/run-5").steps[3].fault == "driver"
    assert record.run("dye-450/run-7").steps[3].status == "unknown"
    statuses = [(asked.attempt, asked.status) for asked in record.planner_requests("dye-450")]
    assert statuses[2:4] == [(1, "failed"), (2, "answered")]
    hypothesis = record.hypothesis("dye-450")
    assert hypothesis is not None
    assert (hypothesis.verdict, hypothesis.unit) == ("undecided", "1")
    assert [found.run for found in record.evidence("dye-450")] == [run.run for run in measured]
    handler, reader = record.instruments("dye-450")
    assert (handler.online, reader.online) == (True, False)
    assert reader.reason == "no heartbeat\ufffd"
    assert len(record.suggestions("dye-450")) == 8
    assert len(record.observations("dye-450")) == 12
    record.close()


def test_the_tables_tell_what_people_said(url: str) -> None:
    record = Record.open(url)
    record.append(journal(runs=8))
    acts = [(each.act, each.what, each.by, each.note) for each in record.acts("dye-450")]
    assert acts == [
        ("refill", "handler/dye", "ada", "π\ufffd"),
        ("pause", "", "ada", "lunch"),
        ("pause", "handler", "ada", ""),
        ("resume", "handler", "bob", ""),
        ("abort", "dye-450/run-2", "bob", "smoke"),
        ("stop-all", "", "eve", "fire"),
        ("resume", "", "ada", ""),
        ("pause", "", "ada", "night"),
        ("stop", "", "a person", "lunch — π ≈ 3.14"),
    ]
    assert record.campaign("dye-450").campaign.paused == "ada: night"
    handler, reader = record.instruments("dye-450")
    assert (handler.paused, handler.stopped, handler.held) == (None, None, None)
    assert (reader.paused, reader.stopped, reader.held) == (None, "bob: smoke", "the lid is stuck")
    detail = record.run("dye-450/run-7")
    first, second = detail.resolutions
    assert (first.verdict, first.by, first.result, first.won) == ("happened", "ada", "0.5", True)
    assert (second.verdict, second.by, second.won) == ("discard", "bob\ufffd", False)
    assert [flag.reason for flag in detail.flags] == ["ada and bob say otherwise"]
    assert record.run("dye-450/run-1").flags == ()
    record.close()


def test_the_tables_tell_which_windows_were_broken(url: str) -> None:
    record = Record.open(url)
    record.append(journal(runs=8))
    assert record.rebuild(check=True) == []
    missed, late = record.broken_windows("dye-450")
    assert (missed.run, missed.step) == ("dye-450/run-3", "dye-450/run-3/step-4")
    assert (missed.instrument, missed.remedy, missed.late_s) == ("reader", "skip", None)
    assert (late.run, late.remedy, late.late_s) == ("dye-450/run-6", "flag", 6.0)
    assert late.due_at == late.at - 1.0
    assert record.run("dye-450/run-6").broken_windows == (late,)
    assert record.run("dye-450/run-1").broken_windows == ()
    assert record.campaign("dye-450").broken_windows == 2
    record.close()


def test_the_tables_tell_which_plans_came_and_how_old_they_were(url: str) -> None:
    record, chain = Record.open(url), Chain("dye-450")
    lines = [(load(line.type, line.body), line.at) for line in journal(runs=1)]
    end = lines[-1][1]
    lines[4:4] = [(planned(lines[3][1], steps=3), lines[3][1])]
    lines.append((planned(end, steps=0), end))
    record.append([chain.add(value, at) for value, at in lines])
    assert record.rebuild(check=True) == []
    came, none = record.plans("dye-450")
    assert came.arrived_at - came.asked_at == 7.0
    assert (came.seq, came.status, came.steps, came.breaks) == (5, "feasible", 3, 1)
    assert (came.cause, came.found_by, came.seconds) == ("an arrival", "local search", 1.5)
    assert (none.status, none.steps, none.cause) == ("unknown", 0, "the scheduler died\ufffd")
    record.close()


def test_the_tables_tell_where_materials_went(url: str) -> None:
    record = Record.open(url)
    record.append(journal(runs=2))
    assert record.rebuild(check=True) == []
    (stock,) = record.stocks("dye-450")
    assert (stock.source, stock.volume_ul, stock.free_ul) == ("handler/dye", 61_964.5, 61_764.5)
    first, second = record.lots("dye-450")
    assert (first.lot, first.volume_ul, first.by, first.replaces) == ("", 5e4, "", True)
    assert (second.lot, second.volume_ul, second.by) == ("D2", 12_000.0, "ada")
    assert (second.expires, second.note) == ("2027-03-01", "π\ufffd")
    (task,) = record.refills("dye-450")
    assert (task.source, task.missing_ul, task.done_at) == ("handler/dye", 12_000.0, START)
    moved = record.run("dye-450/run-1").movements
    assert [(one.number, one.source, one.target, one.volume_ul) for one in moved] == [
        (1, "handler/dye", "plate-1/A1", 35.5),
        (2, "handler/dye", "plate-1/A1", 35.5),
    ]
    assert moved[0].lot == "D1\ufffd"
    record.close()


def test_materials_of_a_session_are_those_of_the_lab_and_of_each_of_its_campaigns(
    url: str,
) -> None:
    record = Record.open(url)
    record.append(session("bench-lab", "dye-1", "dye-2"))
    assert record.rebuild(check=True) == []
    for name in ("bench-lab", "dye-1", "dye-2"):
        assert [stock.volume_ul for stock in record.stocks(name)] == [61_964.5]
        assert [lot.lot for lot in record.lots(name)] == ["", "D2"]
        assert [task.done_at for task in record.refills(name)] == [START]
    assert [moved.campaign for moved in record.run("dye-1/run-1").movements] == ["dye-1", "dye-1"]
    assert record.run("dye-2/run-1").movements == ()
    record.close()


def test_what_is_not_there_is_said_in_a_sentence(url: str) -> None:
    record = Record.open(url)
    with pytest.raises(RecordFault, match="no campaign 'dye-450'; it is empty"):
        record.campaign("dye-450")
    record.append(journal(runs=0))
    with pytest.raises(RecordFault, match="there are: dye-450"):
        record.campaign("dye")
    with pytest.raises(RecordFault, match="no run 'dye-450/run-1'"):
        record.run("dye-450/run-1")
    with pytest.raises(RecordFault, match="no suggestion"):
        record.suggestion("dye-450/suggestion-1")
    record.close()


def test_the_journal_refuses_change_and_removal(url: str, spoil: Spoil) -> None:
    record = Record.open(url)
    record.append(journal(runs=1))
    for statement in (
        "UPDATE journal SET body = '{}' WHERE seq = 1",
        "UPDATE journal SET at = at + 1",
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            spoil(statement)
    assert list(record.lines("dye-450")) == journal(runs=1)
    record.close()


def test_the_journal_refuses_the_back_doors(url: str, spoil: Spoil) -> None:
    record = Record.open(url)
    record.append(journal(runs=1))
    row = "'dye-450', 1, 0.0, 'event', 'TimerFired', '{}', ''"
    back_door = (
        f"INSERT OR REPLACE INTO journal VALUES ({row})"
        if url.startswith("sqlite")
        else "TRUNCATE journal"
    )
    with pytest.raises(DBAPIError, match="append-only"):
        spoil(back_door)
    assert record.verify() is None
    record.close()


def test_a_line_that_does_not_continue_the_chain_is_refused_and_nothing_is_written(
    url: str,
) -> None:
    record = Record.open(url)
    lines = journal(runs=1)
    record.append(lines[:5])
    for wrong in (lines[6:7], lines[4:6], [replace(lines[5], body="{}")]):
        with pytest.raises(Bug, match="does not continue"):
            record.append(wrong)
    with pytest.raises(Bug, match="does not continue"):
        record.append([*lines[5:9], replace(lines[9], at=0.0)])
    record.append(lines[5:])
    assert list(record.lines("dye-450")) == lines
    record.close()


def test_a_second_process_on_the_same_campaign_is_refused(url: str) -> None:
    first, second = Record.open(url), Record.open(url)
    lines = journal(runs=1)
    first.append(lines[:5])
    second.append(lines[5:8])
    with pytest.raises(RecordFault, match="another process leads the same campaign"):
        first.append(lines[5:8])
    second.append(lines[8:])
    assert second.verify() is None
    assert second.rebuild(check=True) == []
    first.close()
    second.close()


def test_a_reader_sees_whole_groups_while_a_writer_goes_on(url: str) -> None:
    writer = Record.open(url)
    lines = journal(runs=2)
    writer.append(lines[:10])
    reader = Record.open(url, create=False)
    pages = reader.lines("dye-450")
    assert next(pages) == lines[0]
    writer.append(lines[10:20])
    assert reader.head("dye-450")[0] == 20
    assert reader.campaign("dye-450").campaign.status == "running"
    writer.append(lines[20:])
    assert reader.campaign("dye-450").campaign.status == "ended"
    reader.close()
    writer.close()


def test_closing_twice_is_safe(url: str) -> None:
    record = Record.open(url)
    record.append(journal(runs=0))
    record.close()
    record.close()


def test_a_record_in_memory_works_without_a_file() -> None:
    record = Record.open("sqlite://")
    record.append(journal())
    assert list(record.lines("dye-450")) == journal()
    assert record.rebuild(check=True) == []
    assert record.verify() is None
    record.close()


def test_commits_on_sqlite_wait_for_the_disk(url: str) -> None:
    record = Record.open(url)
    record.append(journal(runs=0))
    engine = record._engine
    with engine.connect() as connection:
        if url.startswith("sqlite"):
            modes = [
                connection.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("synchronous", "journal_mode")
            ]
            assert modes == [2, "wal"], "FULL is 2"
        else:
            shown = connection.execute(text("SHOW synchronous_commit")).scalar_one()
            assert shown == "on"
    record.close()


def test_a_step_belongs_to_the_run_in_its_name(url: str) -> None:
    record = Record.open(url)
    chain = Chain("dye")
    cids = ["dye/run-2/step-1/try-1", "dye/run-12/step-2.1.1/try-3"]
    record.append([chain.add(perform(cid, START), START) for cid in cids])
    with record._engine.connect() as connection:
        found = connection.execute(text("SELECT run FROM step ORDER BY seq")).scalars().all()
    assert found == ["dye/run-2", "dye/run-12"]
    record.close()
