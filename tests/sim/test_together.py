"""Several campaigns in one simulated lab, with faults and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.errors import UserMistake
from sdl.shell.record import Record
from sdl.sim.faults import ORCHESTRATOR, PLANNER, Fault
from sdl.sim.simulate import simulate_together
from sdl.sim.sweep import drills, replay
from tests.sim.drills import CAMPAIGN, told

NAMES = ("first", "second", "third")
SEEDS = range(8)


@pytest.fixture(scope="module")
def campaigns(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Three campaigns of the lab of examples/fault_drill."""
    folder = tmp_path_factory.mktemp("together")
    for path in CAMPAIGN.parent.iterdir():
        if path.suffix in (".toml", ".py"):
            (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    text = CAMPAIGN.read_text(encoding="utf-8").replace("runs     = 5", "runs     = 3")
    found = []
    for name in NAMES:
        path = folder / f"{name}.toml"
        path.write_text(text.replace('"drill"', f'"{name}"'), encoding="utf-8")
        found.append(path)
    return tuple(found)


def test_under_faults_all_of_them_come_to_their_end(campaigns: tuple[Path, ...]) -> None:
    first, *beside = campaigns
    kills = 0
    for report in drills(first, SEEDS, beside=tuple(beside)):
        assert not report.broken, told(report)
        assert report.ending.count(",") == len(beside), told(report)
        kills += report.kills[ORCHESTRATOR]
    assert kills, "no orchestrator was killed in any of them"
    assert replay(first, 7, beside=tuple(beside)).count(".toml") == len(NAMES)


def test_they_share_one_journal_that_can_be_checked_and_rebuilt(
    campaigns: tuple[Path, ...], tmp_path: Path
) -> None:
    path = tmp_path / "together.sqlite"
    came_to = simulate_together(campaigns, seed=3, record=path)
    assert {one.campaign: one.ending for one in came_to.lab.ended} == dict.fromkeys(NAMES, "budget")
    record = Record.open(f"sqlite:///{path}")
    assert record.verify() is None
    assert record.rebuild(check=True) == []
    assert record.rebuild(check=False) == []
    (session,) = record.sessions()
    assert (session.status, record.journals()) == ("closed", [session.session])
    for name in NAMES:
        row = record.campaign(name).campaign
        assert (row.journal, row.ending) == (session.session, "budget")
        assert [run.outcome for run in record.runs(name)] == ["measured"] * 3
        assert [one.instrument for one in record.instruments(name)] == ["doser", "reader", "shaker"]
    record.close()


def test_the_same_seed_gives_the_same_journal(campaigns: tuple[Path, ...], tmp_path: Path) -> None:
    heads = {
        simulate_together(campaigns, seed=seed, record=tmp_path / f"{n}.sqlite").head
        for n, seed in enumerate((3, 3, 4))
    }
    assert len(heads) == 2


@pytest.mark.parametrize("weights", [(), (2.0, 1.0, 0.5)])
def test_they_have_equal_shares_where_nobody_says_otherwise(
    campaigns: tuple[Path, ...], tmp_path: Path, weights: tuple[float, ...]
) -> None:
    path = tmp_path / "together.sqlite"
    if weights:
        simulate_together(campaigns, seed=3, record=path, weights=weights)
    else:
        simulate_together(campaigns, seed=3, record=path)
    record = Record.open(f"sqlite:///{path}")
    found = tuple(record.campaign(name).campaign.weight for name in NAMES)
    record.close()
    assert found == (weights or (1.0, 1.0, 1.0))


def test_a_planner_that_dies_costs_nobody_his_campaign(campaigns: tuple[Path, ...]) -> None:
    from sdl.shell.preflight import prepare
    from sdl.sim.drill import drill

    first, *beside = (prepare(path) for path in campaigns)
    deaths = [Fault(kind="kill", target=PLANNER, at=at, for_s=3.0) for at in (1.5, 9.0, 20.0)]
    report = drill(first, 5, faults=deaths, beside=beside)
    assert not report.broken, told(report)
    assert report.ending == "budget, budget, budget"


def test_campaigns_of_two_labs_are_refused_with_the_difference(
    campaigns: tuple[Path, ...], tmp_path: Path
) -> None:
    for path in campaigns[0].parent.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    lab = tmp_path / "lab.toml"
    lab.write_text(lab.read_text(encoding="utf-8").replace("to = 200", "to = 190"), "utf-8")
    with pytest.raises(UserMistake, match="'doser' has another limits") as refused:
        simulate_together([campaigns[0], tmp_path / "second.toml"])
    assert refused.value.place is not None
    assert refused.value.place.line is not None
