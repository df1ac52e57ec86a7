"""What is seen while a campaign runs and when it has ended: words, and the live screen."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import get_args, get_type_hints

import pytest
from rich.console import Console
from rich.live import Live

from sdl.cli.lab_watch import LabLines
from sdl.cli.questions import kept_open
from sdl.cli.run import announcing
from sdl.cli.summary import say_best
from sdl.cli.watch import LiveScreen, PlainLines, picture
from sdl.cli.words import quantity
from sdl.core.plate_task import PlateTask
from sdl.core.view import (
    BestPoint,
    CarryView,
    InFlight,
    InstrumentView,
    LabwareView,
    Question,
    View,
    Waiting,
)
from sdl.model.data import InputValue
from sdl.model.hypothesis import Evidence
from sdl.shell.launch import Choice
from tests.service.places import of_lab

STATES = get_args(get_type_hints(InstrumentView)["state"])


def view(
    campaign: str = "dye-450",
    *,
    inputs: Mapping[str, InputValue] | None = None,
    note: str = "",
    ended: int = 12,
) -> View:
    """A campaign in the middle of its work."""
    return View(
        last_failure="",
        unknown=0,
        campaign=campaign,
        at=4000.0,
        started_at=0.0,
        runs_begun=14,
        runs_ended=ended,
        runs_measured=9,
        failures=3,
        runs_max=20,
        measure="absorbance_au",
        in_flight=(
            InFlight(
                run=f"{campaign}/run-13",
                step=f"{campaign}/run-13/step-1",
                instrument="handler",
                state="started",
            ),
        ),
        best=BestPoint(
            run=f"{campaign}/run-8",
            inputs=inputs or {"dye_fraction": 0.3602},
            value=0.7967,
            loss=0.0033,
            expected=0.7672,
            sd=0.0464,
        ),
        instruments=(InstrumentView(name="handler", state="busy", simulated=True, note=note),),
        evidence=Evidence(runs=9, e_for=0.917, e_against=0.417, posterior=0.69),
        suggestions_ready=1,
        planner_state="idle",
        waits=(),
        ended=None,
        questions=(),
        paused="",
    )


def drawn(one: View, *, colours: bool = False) -> str:
    """The live screen on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80, force_terminal=colours, no_color=not colours)
    with console.capture() as captured:
        console.print(picture(one, console))
    return captured.get()


LONG = {f"concentration_of_component_{n}_mmol_l": 0.123456 for n in range(6)}


@pytest.mark.parametrize("campaign", ["dye-450", "a-name-of-forty-letters-as-long-as-can-be"[:40]])
@pytest.mark.parametrize("inputs", [None, LONG])
def test_no_line_of_the_screen_wraps(
    campaign: str, inputs: Mapping[str, InputValue] | None
) -> None:
    lines = drawn(view(campaign, inputs=inputs, note="said " * 40)).splitlines()
    assert len(lines) == 10, lines
    assert max(map(len, lines)) <= 80


def reader(state: str, note: str = "") -> InstrumentView:
    return InstrumentView(
        name="reader",
        state=state,  # type: ignore[arg-type]
        simulated=False,
        note=note,
    )


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_an_instrument_can_be_drawn(state: str) -> None:
    assert f"reader      {state}" in drawn(
        replace(view(), instruments=(reader(state, note="why"),))
    )


@pytest.mark.parametrize(
    "state,way",
    [
        ("held", "once all is well: sdl resume reader"),
        ("paused", "once all is well: sdl resume reader"),
        ("stopped", "it goes on by itself once it is safe"),
    ],
)
def test_an_instrument_that_waits_for_a_person_is_told_once_in_plain_lines(
    state: str, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = PlainLines()
    for _ in range(2):
        lines(replace(view(), instruments=(reader(state, "a leak"),)))
    said = capsys.readouterr().err
    assert said.count(f"reader is {state}: a leak; {way}\n") == 1
    lines(replace(view(), instruments=(reader("idle"),)))
    assert capsys.readouterr().err == "reader is free again\n"


def test_a_question_and_a_pause_are_told_when_they_come_and_when_they_go(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = PlainLines()
    lines(view())
    capsys.readouterr()
    for _ in range(2):
        lines(replace(view(), questions=(QUESTION,), paused="paused by anna (a leak)"))
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "paused by anna (a leak); go on with: sdl resume",
        "run-13/step-1: what became of dispense on handler? Look, then see: sdl resolve",
    ]
    lines(view())
    assert set(capsys.readouterr().err.splitlines()) == {
        "goes on",
        "dye-450/run-13/step-1 is answered",
    }


ASKED = CarryView(
    carry="dye-450/carry-3",
    labware="plate-1",
    source="hotel/1",
    target="reader/1",
    carrier="",
    step="dye-450/run-13/step-1",
    since=3000.0,
)


def test_what_a_person_should_carry_or_find_is_told_when_it_comes_and_when_it_is_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = LabwareView(labware="plate-2", site="", note="it was dropped", astray=True)
    lines = PlainLines()
    lines(view())
    capsys.readouterr()
    for _ in range(2):
        lines(replace(view(), carries=(ASKED,), astray=(lost,)))
    assert capsys.readouterr().err.splitlines() == [
        "carry plate-1 from hotel/1 to reader/1, then: sdl done carry-3",
        "plate-2: it was dropped; say where it is: sdl place plate-2 SITE",
    ]
    lines(replace(view(), carries=(replace(ASKED, withdrawn=4000.0),)))
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "do not carry plate-1 from hotel/1 to reader/1 any more, nobody needs it there; "
        "if you have already: sdl done carry-3",
        "plate-2 is found",
    ]
    lines(view())
    assert capsys.readouterr().err == "dye-450/carry-3 is answered\n"


def test_a_fresh_plate_that_is_wanted_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    task = PlateTask(
        id="dye-450/fresh-1",
        campaign="dye-450",
        role="well",
        kind="plate-96-flat",
        place="",
        reason="no free well is left; bring fresh plates",
        since=3000.0,
    )
    lines = PlainLines()
    for _ in range(2):
        lines(replace(view(), plates=(task,)))
    told = "plate wanted: no free well is left; bring fresh plates"
    assert capsys.readouterr().err.splitlines().count(told) == 1
    lines(view())
    assert capsys.readouterr().err == "dye-450/fresh-1 is answered\n"
    assert told in drawn(replace(view(), plates=(task,)))


def test_an_end_that_waits_for_a_person_says_so_once_and_how_to_leave(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ends = Waiting(who="dye-450", why="the campaign ends (enough) once its runs in flight have")
    closing = replace(view(), carries=(ASKED,), waits=(ends,))
    lab = replace(of_lab(closing), is_shared=True, carries=(ASKED,), closing="asked to (anna)")
    alone, shared = PlainLines(), LabLines()
    for _ in range(2):
        alone(closing)
    first = capsys.readouterr().err
    for _ in range(2):
        shared(lab)
    for said in (first, capsys.readouterr().err):
        assert said.count("the end waits for a person: carry plate-1 from hotel/1 to reader/1") == 1
        assert "leave at once (Ctrl-C twice where it runs)" in said
    assert kept_open(view()) == ""


QUESTION = Question(
    step="dye-450/run-13/step-1",
    run="dye-450/run-13",
    instrument="handler",
    operation="dispense",
    args={},
    since=3000.0,
    reason="the node died",
    verdicts=("happened", "did_not_happen", "discard"),
)


def test_what_waits_for_a_person_stands_below_on_the_screen() -> None:
    held = InstrumentView(name="handler", state="held", simulated=True, note="run-13/step-1")
    one = replace(view(), questions=(QUESTION,), paused="paused by anna", instruments=(held,))
    lines = drawn(one).splitlines()
    assert lines[-3:] == [
        "paused by anna; go on with: sdl resume",
        "1 question for you; see: sdl resolve",
        "handler is held: run-13/step-1; see: sdl resolve",
    ]


def test_long_notes_of_what_waits_do_not_wrap() -> None:
    one = replace(view(), instruments=(reader("stopped", "said [/red] " * 20),), paused="x" * 200)
    lines = drawn(one).splitlines()
    assert len(lines) == 12, lines
    assert max(map(len, lines)) <= 80


def test_the_screen_says_how_many_failed() -> None:
    assert "12 of at most 20 runs ended, 3 of them failed" in drawn(view())


def test_brackets_in_what_instruments_say_are_no_markup() -> None:
    assert "[/nonsense] [Errno 5]" in drawn(view(note="[/nonsense] [Errno 5]"))


def test_the_last_of_a_burst_of_changes_is_shown() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True)
    with Live(console=console, auto_refresh=False) as live:
        screen = LiveScreen(live, console)
        for ended in range(5, 13):
            screen(view(ended=ended))
        waited = time.monotonic() + 10
        while time.monotonic() < waited and "runs ended" not in file.getvalue():
            time.sleep(0.01)
        screen.close()
    assert "12 of at most 20 runs ended" in file.getvalue()
    assert " 5 of at most 20" not in file.getvalue()


def test_colours_are_for_terminals() -> None:
    assert "\x1b[" in drawn(view(), colours=True)
    assert "\x1b[" not in drawn(view())


@pytest.mark.parametrize(
    "value,sd,said",
    [
        (0.79949, 0.0464, "0.799 ± 0.046 AU"),
        (812.4, 31.0, "812 ± 31 AU"),
        (812.4, 310.0, "812.4 ± 3.1e+02 AU"),
        (0.5, 0.0, "0.5 ± 0 AU"),
        (0.79949, None, "0.7995 AU"),
    ],
)
def test_a_value_and_its_spread_end_at_the_same_place(
    value: float, sd: float | None, said: str
) -> None:
    assert quantity("absorbance_au", value, sd) == said


def test_the_end_says_what_was_expected_of_the_best_point(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say_best(view())
    said = capsys.readouterr().out
    assert "  expected   0.767 ± 0.046 AU by the planner before the run\n" in said


@pytest.mark.parametrize(
    "campaign,choice,said",
    [
        ("dye-450", Choice(), ""),
        ("dye-450-2", Choice(), "dye-450 has ended; this is dye-450-2, on fresh plates\n"),
        (
            "dye-450-2",
            Choice(anew=True),
            "dye-450 is left as it is; this is dye-450-2, on fresh plates\n",
        ),
        ("dye-450-2", Choice(resume=True), "going on with dye-450-2: 12 runs ended so far\n"),
    ],
)
def test_the_name_on_record_is_said_once_at_the_start(
    campaign: str, choice: Choice, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []

    def shown(view: View) -> None:
        seen.append(view.campaign)

    watch = announcing(shown, "dye-450", choice)
    watch(view(campaign))
    watch(view(campaign))
    assert capsys.readouterr().err == said
    assert seen == [campaign, campaign]


def test_a_stopped_lab_goes_on_as_a_whole() -> None:
    one = replace(view(), instruments=(reader("stopped"),), paused="the lab was stopped by anna")
    assert drawn(one).splitlines()[-2:] == [
        "the lab was stopped by anna; go on with: sdl resume",
        "reader is stopped; once all is well: sdl resume",
    ]


def test_runs_that_a_person_gave_up_are_told_apart() -> None:
    assert "3 of them failed, 2 abandoned" in drawn(replace(view(), abandoned=2))


def test_an_unknown_outcome_is_told_apart_from_a_failure() -> None:
    one = replace(view(), unknown=2)
    assert "12 of at most 20 runs ended, 1 failed, 2 unknown" in drawn(one)
