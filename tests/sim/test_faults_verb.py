"""``sdl simulate --faults``: what a person sees of it, and the command that shows a seed again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sdl.cli import faults
from sdl.cli.exits import Exit
from sdl.errors import UserMistake
from sdl.sim import sweep
from sdl.sim.drill import ENDS_WITHIN_S, Report
from tests.cli.conftest import command
from tests.sim.drills import CAMPAIGN
from tests.sim.places import place


def test_many_seeds_are_told_as_one_document(tmp_path: Path) -> None:
    """On the campaign of a lab's own files, with the simulators that come along."""
    campaign = place(tmp_path, runs=4, failures=20)
    said = command(tmp_path, "simulate", str(campaign), "--faults", "--seeds", "6", "--json")
    assert said.code == 0, said.err
    found = said.document
    assert (found["schema"], found["seeds"], found["broken"]) == ("sdl.faults/1", 6, [])
    assert found["commands"] >= found["done"] > 6
    unknown = found["unknown"]
    assert unknown["all"] == unknown["happened"] + unknown["not_happened"]
    assert 6 <= sum(found["faults"].values()) <= 18
    assert not (tmp_path / "simulated").exists(), "nothing is recorded"


def test_one_seed_tells_its_faults_and_its_trace(tmp_path: Path) -> None:
    words = ("simulate", str(CAMPAIGN), "--faults", "--seed", "4711", "--trace")
    first, second = (command(tmp_path, *words) for _ in "ab")
    assert first.code == 0, first.err
    assert first.out == second.out, "seed 4711"
    assert "planned: " in first.out
    assert "/dev/doser/cmd " in first.out
    assert "seed 4711: " in first.err


@pytest.mark.parametrize(
    "words", ["--faults --record x.sqlite", "--trace", "--faults --seeds 2 --trace"]
)
def test_options_that_do_not_go_together_are_refused(tmp_path: Path, words: str) -> None:
    said = command(tmp_path, "simulate", str(CAMPAIGN), *words.split())
    assert said.code == Exit.USAGE


def test_a_broken_invariant_is_told_with_the_command_that_shows_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def drills(
        campaign: Path, seeds: range, *, jobs: int, beside: tuple[Path, ...]
    ) -> list[Report]:
        del campaign, jobs, beside
        return [report_of(seed, "I1: it is begun 2 times" if seed == 6 else "") for seed in seeds]

    monkeypatch.setattr(faults, "drills", drills)
    path = Path("my/campaign.toml")
    code = faults.show_faults([path], 5, 3, jobs=1, trace=False, as_json=False)
    said = capsys.readouterr()
    assert code == Exit.BUG
    assert "sdl simulate my/campaign.toml --faults --seed 6 --trace" in said.err
    assert "seeds      3, of which 1 broke an invariant" in said.out


def slow(folder: Path) -> Path:
    """A campaign that takes more than half an hour by itself."""
    path = place(folder, runs=4, failures=20)
    path.write_text(path.read_text().replace("settle_s = 30.0", "settle_s = 1500.0"))
    return path


def test_a_campaign_that_takes_long_by_itself_is_given_its_time(tmp_path: Path) -> None:
    for report in sweep.drills(slow(tmp_path), [1]):
        assert (report.broken, report.ending) == ("", "budget"), f"seed {report.seed}"
        assert report.virtual_s > ENDS_WITHIN_S


def test_a_campaign_that_is_too_long_to_practise_with_is_told_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "LONGEST_S", 1800.0)
    with pytest.raises(UserMistake, match=r"not come to its end after 0\.5 h .* \[stop\] runs"):
        list(sweep.drills(slow(tmp_path), [1]))


def report_of(seed: int, broken: str) -> Report:
    """A report of a drill."""
    return Report(
        seed=seed,
        faults=(),
        broken=broken,
        campaign="drill",
        head="",
        trace_sha256="",
        commands=20,
        done=20,
        kills=Counter(),
        points=Counter(),
        rough=Counter(),
        unknown=0,
        happened=0,
        wrong=0,
        ending="budget",
        virtual_s=34.0,
    )
