"""``sdl inventory`` and ``sdl refill``, against the real server of a made-up desk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sdl.cli.exits import Exit
from sdl.cli.status import of_lab
from sdl.core.amounts import Content, Level, Task
from sdl.core.mixture import OTHERS
from tests.cli.conftest import Sdl, command
from tests.service.places import AT, Notebook, question, serving, view

LEVEL = Level(
    source="handler/dye",
    volume_ul=12_345.6,
    uncertainty_ul=1.25,
    reserved_ul=200.0,
    doubt_ul=0.0,
    free_ul=11_945.6,
    lots=("", "D1"),
)
TASK = Task(
    id="dye/refill-1",
    source="handler/buffer",
    missing_ul=12_000.0,
    reason="12 mL of buffer short on handler (20 mL needed, 8 mL free); refill it: "
    "sdl refill handler/buffer VOLUME",
    since=AT,
)


def content(place: str, component: str = "dye") -> Content:
    return Content(
        place=place,
        component=component,
        lots=("D1",),
        volume_ul=50.0,
        uncertainty_ul=0.52,
        fraction=0.25,
        fraction_uncertainty=0.0026,
        mostly_from="dye/run-1/step-1.1",
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Notebook]]:
    folder, desk = tmp_path_factory.mktemp("lab"), Notebook()
    (folder / "lab.toml").write_text('[lab]\nname = "bench"\nbroker = "embedded"\n')
    with serving(desk, folder):
        yield folder, desk


@pytest.fixture
def desk(place: tuple[Path, Notebook]) -> Notebook:
    desk = place[1]
    desk.shown = replace(view(), stocks=(LEVEL,), refills=(TASK,))
    desk.held = (content("handler/dye"), content("plate-1/A1"), content("plate-1/A12"))
    desk.objection = ""
    return desk


@pytest.fixture
def here(place: tuple[Path, Notebook]) -> Sdl:
    return lambda *words: command(place[0], *words)


def test_sources_are_shown_with_what_is_free_and_what_is_wanted(desk: Notebook, here: Sdl) -> None:
    said = here("inventory")
    assert said.code == Exit.OK
    head, row, task = said.out.splitlines()
    assert head.split()[:2] == ["source", "holds"]
    shown = "handler/dye 12.35 mL ± 1.2 µL 200 µL 0 µL 11.95 mL D1"
    assert " ".join(row.split()) == shown
    assert task == f"dye/refill-1: {TASK.reason}"


def test_a_place_is_shown_with_its_components_and_where_their_uncertainty_is_from(
    desk: Notebook, here: Sdl
) -> None:
    said = here("inventory", "plate-1/A1")
    _, row = said.out.splitlines()
    shown = "plate-1/A1 dye 50 µL ± 0.52 µL - 0.25 ± 0.0026 D1 dye/run-1/step-1.1"
    assert " ".join(row.split()) == shown
    assert len(here("inventory", "plate-1").out.splitlines()) == 3
    nothing = here("inventory", "plate-2")
    assert nothing.code == Exit.MISTAKE
    assert "nothing is known to be in 'plate-2'; there is: handler, plate-1" in nothing.err


def test_errors_that_were_taken_together_are_called_many_small_ones(
    desk: Notebook, here: Sdl
) -> None:
    desk.held = (replace(content("plate-1/A1"), mostly_from=OTHERS),)
    assert here("inventory", "plate-1/A1").out.endswith(" many small ones\n")


def test_tips_are_told_in_pieces_wherever_they_are_shown(desk: Notebook, here: Sdl) -> None:
    tips = replace(LEVEL, source="handler/tips", volume_ul=90.0, free_ul=84.0, is_counted=True)
    desk.shown = replace(view(), stocks=(replace(tips, reserved_ul=5.0, doubt_ul=1.0),))
    desk.held = (replace(content("handler/tips", "tips"), volume_ul=90.0, doubt_ul=1.0),)
    row = here("inventory").out.splitlines()[1]
    assert " ".join(row.split()) == "handler/tips 90 pieces 5 pieces 1 piece 84 pieces D1"
    row = here("inventory", "handler/tips").out.splitlines()[1]
    assert " ".join(row.split()).startswith("handler/tips tips 90 pieces 1 piece ")


def test_a_refill_is_not_done_without_saying_what_was_filled_in(desk: Notebook, here: Sdl) -> None:
    desk.told.clear()
    said = here("done", "refill-1", "--by", "anna")
    assert said.code == Exit.MISTAKE
    assert TASK.reason in " ".join(said.err.split())
    assert desk.told == []


def test_the_inventory_answers_in_json(desk: Notebook, here: Sdl) -> None:
    document = here("inventory", "--json").document
    assert (document["schema"], document["campaign"]) == ("sdl.inventory/1", "dye")
    assert document["stocks"][0]["free_ul"] == 11_945.6
    assert document["refills"][0]["id"] == "dye/refill-1"
    assert [one["place"] for one in document["contents"]] == [
        "handler/dye",
        "plate-1/A1",
        "plate-1/A12",
    ]
    few = here("inventory", "handler", "--json").document
    assert [one["place"] for one in few["contents"]] == ["handler/dye"]


def test_a_lab_without_stocks_says_that_nobody_keeps_account(desk: Notebook, here: Sdl) -> None:
    desk.shown, desk.held = view(), ()
    said = here("inventory")
    assert (said.code, said.out) == (Exit.OK, "")
    assert "declares no stocks" in said.err


@pytest.mark.parametrize("words", [("50", "kg"), ("much",), ("-3",)])
def test_what_is_no_volume_is_refused(desk: Notebook, here: Sdl, words: tuple[str, ...]) -> None:
    desk.told.clear()
    said = here("refill", "handler/dye", "--by", "anna", "--", *words)
    assert said.code == Exit.MISTAKE
    assert desk.told == []


def test_a_refill_that_makes_no_sense_is_answered_with_the_reason(
    desk: Notebook, here: Sdl
) -> None:
    desk.objection = "no source 'handler/oil' is declared in the lab's file"
    said = here("refill", "handler/oil", "5 mL", "--by", "anna")
    assert (said.code, said.out) == (Exit.MISTAKE, "")
    assert desk.objection in said.err


def test_status_says_what_is_wanted(desk: Notebook, here: Sdl) -> None:
    assert of_lab(desk.lab())[1:] == [f"  refill wanted: {TASK.reason}"]


def test_status_of_a_shared_lab_says_once_what_is_wanted(desk: Notebook, here: Sdl) -> None:
    second = replace(desk.shown, campaign="ink", questions=(question(),))
    shared = replace(desk.lab(), is_shared=True, name="bench-lab", campaigns=(desk.shown, second))
    assert of_lab(shared) == [
        "bench-lab is open: 2 campaigns at work",
        f"  refill wanted: {TASK.reason}",
        "dye is at work: run-2 started",
        "ink is at work: run-2 started",
        "  1 question for you; see: sdl resolve",
    ]
