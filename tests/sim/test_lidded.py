"""Plates with lids, under faults: none is carried open, or worked on closed; defects are found."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from sdl.core.lids import Lids
from sdl.shell.preflight import Prepared, prepare
from sdl.sim.drill import drill
from tests.sim.drills import WITHIN_S
from tests.sim.test_carried import told

CAMPAIGN = Path(__file__).parents[2] / "examples" / "fault_drill" / "lidded.toml"
FAULTS_S = WITHIN_S * 4.0
"""As long as the campaign takes, about."""


@cache
def prepared() -> Prepared:
    return prepare(CAMPAIGN)


@pytest.mark.parametrize("seed", range(10))
def test_whatever_befalls_a_lab_its_lids_are_where_they_are_needed(seed: int) -> None:
    report = drill(prepared(), seed, faults=FAULTS_S)
    assert not report.broken, told(report)
    assert report.ending, told(report)


def test_an_action_on_a_plate_with_its_lid_on_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lids, "are_right", lambda *_: True)
    report = drill(prepared(), 0, faults=FAULTS_S)
    assert "lid-1 is not off" in report.broken


def test_a_plate_that_is_carried_without_its_lid_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lids, "is_closed", lambda *_: True)
    report = drill(prepared(), 0, faults=FAULTS_S)
    assert "without its lid" in report.broken
