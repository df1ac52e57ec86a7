"""What is seen while a campaign runs and when it has ended: words, and the live screen."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, get_args

import pytest
from rich.console import Console
from rich.live import Live

from sdl.cli.run import announcing
from sdl.cli.summary import say_best
from sdl.cli.watch import LiveScreen, PlainLines, picture
from sdl.cli.words import quantity
from sdl.core.view import BestPoint, InFlight, InstrumentView, View
from sdl.model.data import InputValue
from sdl.model.hypothesis import Evidence
from sdl.shell.launch import Choice

State = Literal["idle", "busy", "held", "offline"]


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


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_of_an_instrument_can_be_drawn(state: State) -> None:
    one = InstrumentView(name="reader", state=state, simulated=False, note="why")
    assert f"reader      {state}" in drawn(replace(view(), instruments=(one,)))


def test_a_held_instrument_is_told_once_in_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    one = InstrumentView(name="reader", state="held", simulated=False, note="run-1/step-2")
    lines = PlainLines()
    lines(replace(view(), instruments=(one,)))
    lines(replace(view(), instruments=(one,)))
    assert capsys.readouterr().err.count("reader is held: run-1/step-2; see `sdl why`") == 1


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


def test_an_unknown_outcome_is_told_apart_from_a_failure() -> None:
    one = replace(view(), unknown=2)
    assert "12 of at most 20 runs ended, 1 failed, 2 unknown" in drawn(one)
