"""A lab as rough as a real one: each roughness is really there, and finds its planted defect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

import sdl.shell.dispatch
from sdl.core.engine import Engine
from sdl.core.halting import Halting
from sdl.core.lab_state import InstrumentState
from sdl.shell.reception import Reception
from sdl.shell.safety import Safety
from sdl.shell.station import Station
from sdl.sim.disk import Disk, SimJournal
from sdl.sim.drill import Report, drill
from sdl.sim.faults import BROKER, ORCHESTRATOR, PERSON, WORDS, Fault
from sdl.sim.temper import CALM, Temper
from tests.sim.drills import prepared, told

SEEDS = range(8)
STOPS = tuple(Fault(kind="stop", target=PERSON, at=at, for_s=3.0) for at in (2.0, 11.0, 60.0))
"""Each falls into an action of one instrument or another."""
FREEZE = Fault(kind="freeze", target=ORCHESTRATOR, at=3.0, for_s=40.0)
"""The nodes believe that nobody leads any more, and are greeted again while they make safe."""
ANEW = tuple(
    Fault(kind="anew", target=ORCHESTRATOR, at=at, for_s=1.0, how="killed") for at in (3.0, 9.0)
)
LEFT_WAITING = (
    Fault(kind="unheard", target=PERSON, at=2.0, for_s=6.0, how="greet", amount=30.0),
    Fault(kind="kill", target="node-1", at=3.0, for_s=0.5),
    Fault(kind="anew", target=ORCHESTRATOR, at=13.0, for_s=1.5, how="killed"),
)
"""Nodes come back and are not greeted, so that commands wait there; their campaign is left."""
COPY = Fault(kind="copy", target="node-1", at=3.0, for_s=20.0, how="the copy goes")
DEATHS = tuple(
    Fault(kind="kill", target=ORCHESTRATOR, at=at, for_s=1.0) for at in (4.0, 12.0, 20.0)
)


def played(*faults: Fault, temper: Temper = CALM, seeds: Sequence[int] = SEEDS) -> list[Report]:
    """The reports of some seeds."""
    return [drill(prepared(), seed, faults=faults, temper=temper) for seed in seeds]


def sound(*faults: Fault, temper: Temper = CALM) -> dict[str, int]:
    """What befell labs in which all invariants hold and each campaign ends; how often, by name."""
    counts: dict[str, int] = {}
    for report in played(*faults, temper=temper):
        assert not report.broken, told(report)
        assert report.ending, told(report)
        for name, count in report.rough.items():
            counts[name] = counts.get(name, 0) + count
    return counts


def broken(*faults: Fault, temper: Temper = CALM, seeds: Sequence[int] = SEEDS) -> set[str]:
    """Which invariants these faults break, by their first words."""
    reports = played(*faults, temper=temper, seeds=seeds)
    return {report.broken.partition(":")[0] for report in reports if report.broken}


# To make an instrument safe takes its time, and may fail.

SLOW = Temper(slow=1.0, deaf=1.0)


@pytest.mark.parametrize("how", ["slow", "failing", "endless", "stubborn"])
def test_a_lab_is_sound_whose_instruments_are_made_safe_slowly_or_not_at_all(how: str) -> None:
    temper = {
        "slow": SLOW,
        "failing": Temper(failing=0.5),
        "endless": Temper(endless=0.5),
        "stubborn": Temper(stubborn=0.5),
    }[how]
    assert sound(*STOPS, temper=temper)[f"make_safe {how}"] > len(SEEDS)


def test_an_action_goes_on_though_its_instrument_is_made_safe() -> None:
    assert sound(*STOPS, temper=SLOW)["deaf action"] > 0


def test_an_action_that_begins_while_its_instrument_is_made_safe_breaks_s1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Safety, "is_making", property(lambda _self: False))
    assert "S1" in broken(FREEZE, temper=SLOW)


def test_a_driver_that_is_told_twice_at_once_to_make_safe_breaks_s1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    joined = Safety.make_safe

    async def apart(self: Safety) -> str:
        self._making = None
        return await joined(self)

    monkeypatch.setattr(Safety, "make_safe", apart)
    assert "S1" in broken(*STOPS, temper=SLOW)


def test_an_instrument_that_is_called_safe_while_it_works_breaks_s2(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def make(self: Safety) -> None:  # and nothing is done about the action
        self._wrong = await self._once()
        self._making = None
        self._free()

    monkeypatch.setattr(Safety, "_make", make)
    assert "S2" in broken(*STOPS, temper=SLOW)


# Words that get lost alone.


@pytest.mark.parametrize("word", WORDS)
def test_a_word_may_get_lost_alone(word: str) -> None:
    lost = [
        Fault(kind="unheard", target=PERSON, at=at, for_s=4.0, how=word, amount=2.0)
        for at in (2.0, 11.0)
    ]
    if word == "greet":  # said to whoever comes back
        lost += [Fault(kind="kill", target="node-1", at=at + 1.0, for_s=1.0) for at in (2.0, 11.0)]
    assert sound(*lost)[f"lost {word}"] > 0


def test_a_release_that_is_said_once_leaves_an_instrument_stopped_and_breaks_s3(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sdl.shell.dispatch, "RELEASE_AGAIN_S", ())
    monkeypatch.setattr(Halting, "back", lambda *_args, **_more: None)
    monkeypatch.setattr(InstrumentState, "lift_again", lambda _self, *lifts: lifts)
    lost = Fault(kind="unheard", target=PERSON, at=4.0, for_s=2.0, how="release", amount=9.0)
    assert broken(lost) == {"S3"}


def test_a_stop_that_is_said_once_is_waited_for_for_ever_and_breaks_i10(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sdl.shell.dispatch, "HALT_AGAIN_S", 1e6)
    lost = Fault(kind="unheard", target=PERSON, at=4.0, for_s=2.0, how="stop", amount=3.0)
    assert "I10" in broken(lost)


# Snapshots.

OFTEN = Temper(snapshot_every=5)


def test_an_orchestrator_goes_on_from_a_snapshot() -> None:
    counts = sound(*DEATHS, temper=OFTEN)
    assert counts["snapshot restored"] > len(SEEDS)
    assert counts["snapshot taken"] > counts["snapshot damaged"] > 0


def test_a_snapshot_that_forgets_a_word_breaks_i7(monkeypatch: pytest.MonkeyPatch) -> None:
    restored = Engine.restored.__func__  # type: ignore[attr-defined]

    def forgetful(cls: type[Engine], *args: object) -> Engine:
        engine: Engine = restored(cls, *args)
        engine.lab.instruments["doser"].seq -= 1
        return engine

    monkeypatch.setattr(Engine, "restored", classmethod(forgetful))
    assert broken(*DEATHS, temper=OFTEN) == {"I7"}


# Copied nodes.


def test_of_a_node_and_its_copy_the_one_that_is_left_goes_on() -> None:
    for how in ("the copy goes", "the copy stays"):
        copy = Fault(kind="copy", target="node-1", at=3.0, for_s=20.0, how=how)
        death = Fault(kind="kill", target=ORCHESTRATOR, at=18.0, for_s=8.0)
        sound(copy, death)


@pytest.fixture
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy does not know that it is one, as in two images of one disk."""
    elsewhere = SimJournal.copied

    def unnoticed(self: SimJournal, disk: Disk) -> SimJournal:
        copy = elsewhere(self, disk)
        copy._mark = self._mark
        return copy

    monkeypatch.setattr(SimJournal, "copied", unnoticed)


EARLY_AND_LATE = [replace(COPY, at=at) for at in (1.5, 3.5, 5.0, 7.5)]


def test_a_copy_takes_another_name_so_that_nothing_is_done_twice() -> None:
    for copy in EARLY_AND_LATE:
        sound(copy)


@pytest.mark.usefixtures("alike")
def test_a_copy_that_keeps_the_name_of_its_journal_breaks_i1_or_i6() -> None:
    found = [broken(copy) for copy in EARLY_AND_LATE]
    assert set().union(*found) & {"I1", "I6"}, found


@pytest.mark.usefixtures("alike")
def test_a_node_that_goes_on_beside_its_copy_breaks_i9(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Station, "pass_over", lambda _self: None)
    assert "I9" in broken(COPY)


def test_a_node_whose_copy_is_gone_and_that_keeps_silent_breaks_i10(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy = Fault(kind="copy", target="node-1", at=3.0, for_s=0.5, how="the copy goes")
    death = Fault(kind="kill", target=ORCHESTRATOR, at=1.0, for_s=8.0)
    sound(copy, death)
    monkeypatch.setattr(Reception, "_another_leaves", lambda _self, _status: None)
    assert "I10" in broken(copy, death)


# A second campaign on the same bench.


def test_a_second_campaign_begins_in_the_middle_of_the_first() -> None:
    for report in played(*ANEW):
        assert not report.broken, told(report)
        assert (report.campaign, report.ending) == ("drill-3", "budget"), told(report)
        assert report.commands > 20, told(report)


def test_a_command_of_a_campaign_that_was_left_breaks_i9(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Station, "_is_superseded", lambda _self, _job: False)
    assert "I9" in broken(*LEFT_WAITING)


# People.


def test_people_may_be_hasty_contrary_and_fickle() -> None:
    odd = Temper(hasty=0.5, fickle=0.5, contrary=1.0, slow=1.0)
    deaths = [Fault(kind="kill", target="node-1", at=at, for_s=1.0) for at in (5.0, 30.0)]
    counts = sound(*STOPS, *deaths, temper=odd)
    for what in ("hasty resume", "stop amid a resume"):
        assert counts[what] > 0, counts


def test_a_stop_amid_a_resume_that_is_lifted_with_it_breaks_s4(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def release(self: Safety, _lifts: Sequence[str]) -> None:
        self.stopped, self.orders = "", ()
        self._free()

    monkeypatch.setattr(Safety, "release", release)
    storm = Fault(kind="storm", target=BROKER, at=4.0, for_s=60.0, amount=0.4)
    assert "S4" in broken(*STOPS, storm, temper=Temper(fickle=1.0), seeds=range(16))
