"""What instruments did, drawn: well-formed, the same for the same, readable where there is much."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree as ET

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.agenda import STALE_S
from sdl.core.engine import Engine
from sdl.core.plan import PlanArrived, Planned
from sdl.shell.gantt import svg
from sdl.shell.gantt_page import page
from sdl.shell.record import Record
from sdl.shell.timetable import Bar, Missed, Timetable, timetable
from sdl.sim.simulate import simulate
from sdl.wire.journal import Chain
from tests.core.dye import SCRIPT
from tests.core.floor import Floor, campaign
from tests.core.test_prospect import reading

TIMED = get_args(ev.Event)
CAMPAIGN = Path(__file__).parents[2] / "examples" / "fault_drill" / "campaign.toml"
NS = "{http://www.w3.org/2000/svg}"


def bar(**changes: object) -> Bar:
    plain: dict[str, object] = {
        "instrument": "handler",
        "run": "dye/run-1",
        "step": "dye/run-1/step-1",
        "attempt": 1,
        "operation": "dispense",
        "begin": 10.0,
        "end": 40.0,
        "outcome": "done",
        "expected_s": 20.0,
    }
    return Bar(**{**plain, **changes})  # type: ignore[arg-type]


def table(*bars: Bar, missed: tuple[Missed, ...] = (), is_virtual: bool = True) -> Timetable:
    return Timetable(
        name="dye",
        begin=0.0,
        end=100.0,
        is_virtual=is_virtual,
        instruments=("handler", "reader"),
        bars=bars,
        missed=missed,
    )


def parsed(document: str) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - what we have made ourselves


def titles(drawing: str) -> set[str]:
    """What is shown to who points at something."""
    return {found.text or "" for found in parsed(drawing).iter(f"{NS}title")}


def boxes(drawing: str, fill: str) -> list[dict[str, str]]:
    return [one.attrib for one in parsed(drawing).iter(f"{NS}rect") if one.get("fill") == fill]


def test_a_bar_tells_step_action_times_expectation_and_outcome() -> None:
    (said,) = titles(svg(table(bar(attempt=2, outcome="failed", reason="the lid <is> open"))))
    assert said.splitlines() == [
        "dye/run-1/step-1, attempt 2",
        "dispense on handler for dye/run-1",
        "from 0:00:10 to 0:00:40, 30.0 s",
        "expected: 20.0 s",
        "failed: the lid <is> open",
    ]


def test_what_was_expected_lies_beneath_what_was() -> None:
    drawing = svg(table(bar()))
    (thin,) = [
        one
        for one in boxes(drawing, "#8a94a3")
        if one["height"] == "6.0" and one["width"] != "14.0"
    ]
    (thick,) = [one for one in parsed(drawing).iter(f"{NS}rect") if one.get("height") == "20.0"]
    assert thin["x"] == thick.get("x")
    assert float(thin["width"]) == pytest.approx(float(thick.get("width", "0")) * 2 / 3, abs=0.1)
    assert float(thin["y"]) > float(thick.get("y", "0"))


def test_nobody_draws_an_expectation_that_nobody_had() -> None:
    drawing = svg(table(bar(expected_s=None)))
    assert [one["width"] for one in boxes(drawing, "#8a94a3")] == ["14.0"], "the legend alone"
    assert "expected: nobody knew" in next(iter(titles(drawing)))


def outlines(drawing: str) -> list[dict[str, str]]:
    return [one for one in boxes(drawing, "none") if one["y"] != "44.0"]


def test_what_was_planned_is_an_outline_from_its_planned_start_on() -> None:
    there = bar(planned=Planned(step="x", instrument="handler", start=25.0, duration_s=30.0))
    drawing = svg(table(there))
    (outline,) = outlines(drawing)
    (thick,) = [one for one in parsed(drawing).iter(f"{NS}rect") if one.get("height") == "20.0"]
    assert float(outline["width"]) == pytest.approx(float(thick.get("width", "0")), abs=0.1)
    assert float(outline["x"]) > float(thick.get("x", "0"))
    assert ">planned, when it was sent</text>" in drawing
    assert "planned: 0:00:25, begun 15.0 s earlier" in next(iter(titles(drawing)))
    assert "<td>0:00:25, begun 15.0 s earlier</td>" in page(table(there))
    elsewhere = bar(planned=Planned(step="x", instrument="reader", start=4.0, duration_s=3.0))
    (said,) = titles(svg(table(elsewhere)))
    assert "planned: 0:00:04 on reader, begun 6.0 s later" in said


def test_nobody_draws_a_plan_that_nobody_had() -> None:
    drawing = svg(table(bar()))
    assert boxes(drawing, "none") == []
    assert "planned" not in drawing


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_what_did_not_end_well_is_marked(outcome: str) -> None:
    mark = f"url(#{outcome})"
    assert len(boxes(svg(table(bar(outcome=outcome))), mark)) == 2, "the bar and the legend"
    assert len(boxes(svg(table(bar())), mark)) == 1


def test_a_missed_window_is_shown_on_the_lane_of_its_step() -> None:
    missed = Missed(
        step="dye/run-2/step-3", at=60.0, instrument="reader", remedy="late", late_s=4.0
    )
    drawing = svg(table(bar(), missed=(missed,)))
    said = "dye/run-2/step-3: its window closed at 0:01:00\nwindow missed (late, 4.0 s late)"
    assert said in titles(drawing)
    assert "<td>window missed (late, 4.0 s late)</td>" in page(table(missed=(missed,)))


def test_what_was_carried_for_the_lab_has_one_colour_of_its_own() -> None:
    carried = [bar(run=f"lab/carry-{n}", step=f"lab/carry-{n}/step-1") for n in (1, 2)]
    drawing = svg(table(bar(), *carried))
    assert len(boxes(drawing, "#dfe3e8")) == 3, "both carries, and the legend"
    assert ">labware carried</text>" in drawing
    assert ">labware carried</text>" not in svg(table(bar()))
    assert table(bar(), *carried).campaigns == ("dye",)


def test_runs_have_their_own_colours_and_campaigns_where_there_are_several() -> None:
    second = bar(run="dye/run-2", step="dye/run-2/step-1", begin=50.0, end=60.0)
    third = bar(run="ink/run-1", step="ink/run-1/step-1", begin=70.0, end=80.0)

    def colours(*bars: Bar) -> list[str]:
        found = parsed(svg(table(*bars))).iter(f"{NS}rect")
        return [one.get("fill", "") for one in found if one.get("height") == "20.0"]

    one, two = colours(bar(), second)
    assert one != two
    one, two, other = colours(bar(), second, third)
    assert one == two != other
    assert ">ink</text>" in svg(table(bar(), third))


def test_no_word_of_an_instrument_breaks_the_drawing() -> None:
    reason = "bad \x00 \x1b[31m & <b> \ud800 ]]> \"quoted\" 'so' \U0001f9ea"
    odd = table(bar(outcome="failed", reason=reason))
    assert "& <b>" in next(iter(titles(svg(odd))))
    parsed(page(odd).partition("\n")[2])


def test_a_page_needs_nothing_from_elsewhere() -> None:
    text = page(table(bar(), bar(end=None, outcome="under way")))
    assert "<script" not in text
    assert re.findall(r'(?:src|href)="', text) == []
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xhtml",
    }
    root = parsed(text.partition("\n")[2])
    rows = list(root.iter("{http://www.w3.org/1999/xhtml}tr"))
    assert len(rows) == 3


@pytest.mark.parametrize("is_virtual", [True, False])
def test_time_is_told_since_the_start_or_of_the_day(*, is_virtual: bool) -> None:
    at = 1_700_000_000.0
    one = replace(table(is_virtual=is_virtual), begin=at, end=at + 7200.0)
    said = [each.text for each in parsed(svg(one)).iter(f"{NS}text")]
    if is_virtual:
        assert {"0:00", "0:30", "1:00", "2:00"} <= set(said)
        assert "since the start, virtual time" in said
    else:
        assert {"22:30", "23:00", "00:00"} <= set(said)
        assert "lab time (UTC), from 2023-11-14" in said


def test_ten_instruments_and_48_runs_can_be_read() -> None:
    names = tuple(f"instrument-{number}" for number in range(10))
    bars = [
        bar(
            instrument=name,
            run=f"dye/run-{run}",
            step=f"dye/run-{run}/step-{place}",
            begin=40.0 * run + 30.0 * place,
            end=40.0 * run + 30.0 * place + 25.0,
        )
        for run in range(1, 49)
        for place, name in enumerate(names)
    ]
    much = replace(table(*bars), instruments=names, end=2300.0)
    root = parsed(svg(much))
    lanes = {each.get("y") for each in root.iter(f"{NS}text") if each.text in names}
    assert len(lanes) == 10
    shown = [each for each in root.iter(f"{NS}rect") if each.get("height") == "20.0"]
    assert len(shown) == 480
    numbers = [[*each.itertext()][-1] for each in root.iter(f"{NS}text")]
    assert numbers.count("48") == 10, "each bar is wide enough for the number of its run"


def test_a_simulation_is_read_from_its_record(tmp_path: Path) -> None:
    drawings = []
    for name in ("one", "two"):
        path = tmp_path / f"{name}.sqlite"
        outcome = simulate(CAMPAIGN, seed=5, record=path)
        record = Record.open(outcome.record_url)
        found = timetable(record, outcome.view.campaign, CAMPAIGN.parent)
        steps = [step for run in record.runs(found.name) for step in record.run(run.run).steps]
        record.close()
        assert {one.instrument for one in found.bars} == set(found.instruments)
        assert [(b.step, b.begin, b.end) for b in sorted(found.bars, key=lambda b: b.step)] == [
            (s.step, s.started_at, s.ended_at) for s in sorted(steps, key=lambda s: s.step)
        ]
        drawings.append(svg(found) + page(found))
    assert drawings[0] == drawings[1], "seed 5"


def written(floor: Floor, folder: Path) -> Record:
    """The record of a campaign's journal."""
    chain, at, lines = Chain("dye"), 0.0, []
    for value in floor.journal:
        at = value.at if isinstance(value, TIMED) else at
        lines.append(chain.add(value, at))
    folder.mkdir(exist_ok=True)
    record = Record.open(f"sqlite:///{folder / 'record.sqlite'}")
    record.append(lines)
    return record


def recorded(floor: Floor, folder: Path) -> Timetable:
    """What is read of a campaign's journal once it is on record."""
    record = written(floor, folder)
    found = timetable(record, "dye", folder)
    record.close()
    return found


def test_a_window_that_closed_before_its_step_was_commanded_is_missed(tmp_path: Path) -> None:
    floor = reading()
    assert recorded(floor, tmp_path / "before").missed == ()
    floor.turn(ev.TimerFired(at=102.0, timer="dye/run-2/step-3/window"))
    (missed,) = recorded(floor, tmp_path / "after").missed
    assert (missed.step, missed.at, missed.instrument) == ("dye/run-2/step-3", 102.0, "reader")


def test_a_prediction_is_made_before_its_action_and_learns_from_those_before(
    tmp_path: Path,
) -> None:
    floor = Floor(Engine(SCRIPT), seed=3, clock="wall").play(campaign(parallel=1))
    found = recorded(floor, tmp_path)
    first, second, *_ = [one for one in found.bars if one.instrument == "handler"]
    assert first.expected_s is None
    (took,) = [
        each.duration_s
        for each in floor.journal
        if isinstance(each, ev.CommandDone) and each.cid.startswith(f"{first.step}/")
    ]
    assert second.expected_s == pytest.approx(took), "seed 3"


@pytest.mark.parametrize("old_s,is_told", [(STALE_S, True), (STALE_S + 1.0, False)])
def test_the_plan_that_was_in_force_when_a_step_was_sent_says_when_it_was_to_begin(
    tmp_path: Path, old_s: float, *, is_told: bool
) -> None:
    floor = Floor(Engine(SCRIPT), seed=3, clock="wall").play(campaign(parallel=1))
    sent, at = 0, 0.0
    for place, each in enumerate(floor.journal):
        at = each.at if isinstance(each, TIMED) else at
        if isinstance(each, do.Perform):
            sent = place
            break
    perform = floor.journal[sent]
    assert isinstance(perform, do.Perform)
    planned = Planned(step=perform.step, instrument=perform.instrument, start=at, duration_s=9.0)
    plan = PlanArrived(
        at=at, basis=1, asked_at=at - old_s, status="feasible", cause="seed 3", steps=(planned,)
    )
    nothing = replace(plan, steps=(), cause="the scheduler died")
    later = replace(plan, steps=(replace(planned, start=at + 99.0),), asked_at=at)
    floor.journal[sent:sent] = [plan, nothing]
    floor.journal.insert(sent + 3, later)
    first, *others = recorded(floor, tmp_path).bars
    assert first.step == perform.step
    assert first.planned == (planned if is_told else None)
    assert [one.planned for one in others if one.step != first.step] == [None] * len(others)
