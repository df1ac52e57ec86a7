"""Campaigns of all shapes, from their files to the record, in virtual time."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sdl.cli.exits import Exit, exit_of_ending
from sdl.cli.summary import say_best
from sdl.core.aims import counts, losses
from sdl.core.events import CampaignStarted
from sdl.errors import UserMistake
from sdl.model.campaign import Campaign
from sdl.model.candidates import count_of
from sdl.shell.fronts import front_of
from sdl.shell.opening import again
from sdl.shell.outcome import Outcome
from sdl.shell.preflight import prepare
from sdl.shell.record import Record
from sdl.sim.simulate import simulate, simulate_together
from sdl.wire.journal import load
from tests.cli.conftest import command

HEAD = """\
[campaign]
name     = "{name}"
lab      = "lab.toml"
protocol = "./blend.py:blend"
seed     = 5

[roles]
station = "station"
"""
LAB = """\
[lab]
name   = "kitchen"
broker = "embedded"
record = "sqlite:///record.sqlite"

[instruments.station]
simulator = "./blend.py:Station"
"""
MIXTURE = """
[[mixture]]
components = ["a_fraction", "b_fraction", "c_fraction"]
step       = 0.1
"""
ONE = """
[objective]
measure = "gain_ratio"
goal    = "maximise"
"""
TWO = """
[[objective]]
measure   = "gain_ratio"
goal      = "maximise"

[[objective]]
measure   = "price_ratio"
goal      = "minimise"
threshold = 9.0

[[constraint]]
measure  = "purity_fraction"
at_least = 0.6
"""
GRID = '\n[planner]\nkind = "grid"\n'
SOBOL = '\n[planner]\nkind = "sobol"\n'


def written(folder: Path, *tables: str, name: str = "blend") -> Path:
    shutil.copy(Path(__file__).parent / "blend.py", folder)
    (folder / "lab.toml").write_text(LAB)
    path = folder / f"{name}.toml"
    path.write_text(HEAD.format(name=name) + "".join(tables))
    return path


def played(folder: Path, *tables: str, name: str = "blend") -> tuple[Outcome, Path]:
    record = folder / f"{name}.sqlite"
    return simulate(written(folder, *tables, name=name), record=record), record


def spec_of(record: Record, name: str) -> Campaign:
    first = next(record.lines(name))
    head = load(first.type, first.body)
    assert isinstance(head, CampaignStarted)
    return head.campaign


def refused(path: Path) -> str:
    with pytest.raises(UserMistake) as caught:
        prepare(path)
    return str(caught.value).replace(f"{path}:", "")


def test_a_mixture_on_a_lattice_is_tried_to_its_last_point(tmp_path: Path) -> None:
    outcome, _ = played(tmp_path, MIXTURE, ONE, GRID, "\n[stop]\nruns = 100\n")
    view = outcome.view
    assert view.ended is not None
    assert (view.ended.ending, view.runs_measured) == ("exhausted", 66)
    assert view.best is not None
    assert view.best.inputs["a_fraction"] == 1.0


def test_a_plain_space_is_kept_in_its_table_as_it_always_was(tmp_path: Path) -> None:
    search = "\n[search]\na_fraction = { from = 0, to = 1 }\nb_fraction = { choices = [0.5] }\n"
    _, path = played(tmp_path, search, ONE, SOBOL, "\n[stop]\nruns = 1\n")
    record = Record.open(f"sqlite:///{path}", create=False)
    try:
        (summary,) = record.campaigns()
        assert record.rebuild(check=True) == []
    finally:
        record.close()
    assert json.loads(summary.campaign.space) == [
        {
            "name": "a_fraction",
            "low": 0,
            "high": 1,
            "log": False,
            "integer": False,
            "kind": "range",
        },
        {"name": "b_fraction", "options": [0.5], "kind": "choice"},
    ]


def test_of_two_objectives_the_front_is_what_no_other_point_beats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome, path = played(tmp_path, MIXTURE, TWO, SOBOL, "\n[stop]\nruns = 40\n")
    view = outcome.view
    assert view.best is None
    assert view.front
    record = Record.open(f"sqlite:///{path}", create=False)
    try:
        spec = spec_of(record, "blend")
        measured: dict[str, dict[str, float]] = {}
        for seen in record.observations("blend"):
            measured.setdefault(seen.run, {})[seen.measure] = seen.value
        told = front_of(record, "blend")
        conclusion = next(line for line in record.lines("blend") if line.type == "Conclude")
    finally:
        record.close()
    good = {run: m for run, m in measured.items() if counts(spec, {}, m)}
    values = {run: losses(spec.objectives, m) for run, m in good.items()}
    expected = {
        run
        for run, mine in values.items()
        if not any(
            other != mine and all(x <= y for x, y in zip(other, mine, strict=True))
            for other in values.values()
        )
    }
    assert {one.run for one in view.front} == expected
    assert len(good) < 40
    assert told == view.front
    assert json.loads(conclusion.body)["front"] == [one.suggestion for one in view.front]
    listed = command(tmp_path, "runs", "list", "--in", str(path)).out.splitlines()
    assert listed[0].split()[-4:] == ["gain_ratio", "price_ratio", "purity_fraction", "inputs"]
    status = command(tmp_path, "status", "--in", str(path)).out
    assert f"{len(expected)} points on the front" in status
    say_best(view)
    assert f"{len(expected)} points that no other one beats" in capsys.readouterr().out


def test_the_example_with_three_aims_gives_a_front(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "lipid_nanoparticles"
    outcome = simulate(example / "three_aims.toml", record=tmp_path / "record.sqlite")
    front = outcome.view.front
    assert front
    assert len(front) > 3
    assert exit_of_ending(outcome.view) == Exit.OK
    assert exit_of_ending(replace(outcome.view, front=())) == Exit.FAULT
    for one in front:
        assert one.measures["encap_efficiency_fraction"] >= 0.10
        assert one.measures["particle_diameter_arb"] <= 3.0


def test_check_says_how_it_understood_all_of_it(tmp_path: Path) -> None:
    more = (
        '\n[prior]\ncsv = "old.csv"\n'
        "\n[cost]\nper_run = 2\n"
        '\n[search]\nsolvent = { choices = ["water", "oil"] }\n'
    )
    (tmp_path / "old.csv").write_text(
        "a_fraction,b_fraction,c_fraction,solvent,gain_ratio,price_ratio,purity_fraction,operator\n"
        "0.1,0.2,0.7,oil,0.3,1,0.9,mb\n7,0.2,0.7,oil,0.3,1,0.9,mb\n"
    )
    written(tmp_path, MIXTURE, TWO, more, SOBOL)
    said = command(tmp_path, "check", "blend.toml").out
    told = [" ".join(line.split()) for line in said.splitlines()]
    for line in (
        "objective maximise gain_ratio",
        "minimise price_ratio, of no use above 9",
        "purity_fraction at least 0.6, or a run does not count",
        "search solvent one of water, oil",
        "a_fraction + b_fraction + c_fraction = 1",
        "prior 1 trial of old.csv; 1 left out, see below",
        "old.csv: 1 of 2 rows left out: line 3: a_fraction = 7 is none of 0.0, 0.1, 0.2, 0.3, 0.4, "
        "0.5, 0.6, 0.7, 0.8, 0.9, 1.0",
        "mind old.csv: nothing reads the columns operator",
        "not used by the planner 'sobol': constraints on measures; runs that break them still do "
        "not count",
        "not used by the planner 'sobol': [cost]",
    ):
        assert line in told, said


def test_campaigns_of_one_session_have_fronts_of_their_own(tmp_path: Path) -> None:
    runs = "\n[stop]\nruns = 8\n"
    paths = [
        written(tmp_path, MIXTURE, TWO, SOBOL, runs, name="one"),
        written(tmp_path, MIXTURE, ONE, GRID, runs, name="two"),
    ]
    sqlite = tmp_path / "session.sqlite"
    simulate_together(paths, record=sqlite)
    record = Record.open(f"sqlite:///{sqlite}", create=False)
    try:
        front = front_of(record, "one")
        assert front_of(record, "two") is None
        journal = record.campaign("one").campaign.journal
        conclusions = [line for line in record.lines(journal) if line.type == "Conclude"]
    finally:
        record.close()
    assert front
    told = {json.loads(line.body)["campaign"]: json.loads(line.body) for line in conclusions}
    assert told["one"]["front"] == [point.suggestion for point in front]
    assert told["two"]["front"] == []


def test_weights_make_one_of_the_front_the_best(tmp_path: Path) -> None:
    weighted = TWO.replace('"maximise"', '"maximise"\nweight = 10.0')
    weighted = weighted.replace("threshold = 9.0", "weight = 0.5")
    outcome, _ = played(tmp_path, MIXTURE, weighted, SOBOL, "\n[stop]\nruns = 30\n")
    view = outcome.view
    assert view.front
    assert view.best is not None
    assert view.best.run in {one.run for one in view.front}
    score = {
        one.run: 0.5 * one.measures["price_ratio"] - 10.0 * one.measures["gain_ratio"]
        for one in view.front
    }
    assert view.best.run == min(score, key=lambda run: score[run])


def test_a_run_that_breaks_a_constraint_is_never_the_best(tmp_path: Path) -> None:
    limit = '\n[[constraint]]\nmeasure = "purity_fraction"\nat_least = 0.8\n'
    outcome, path = played(tmp_path, MIXTURE, ONE, limit, GRID, "\n[stop]\nruns = 100\n")
    best = outcome.view.best
    assert best is not None
    assert best.inputs["a_fraction"] == 0.4  # 1.0 would gain more, at a purity of 0.5
    record = Record.open(f"sqlite:///{path}", create=False)
    try:
        (summary,) = record.campaigns()
    finally:
        record.close()
    assert summary.best is not None
    assert summary.best.run == best.run


def test_the_planner_that_has_one_objective_refuses_two_at_their_line(tmp_path: Path) -> None:
    path = written(tmp_path, MIXTURE, TWO, '\n[planner]\nkind = "ax"\n')
    line = path.read_text().splitlines().index("[[objective]]", 17) + 1
    message = refused(path)
    assert message.startswith(f"{line}: objective[2]: "), message
    assert "the planner 'ax' has one objective only; take another planner" in message


LIST = """\
a_fraction,b_fraction,solvent
0.1,0.2,water
0.2,0.4,oil
0.3,0.1,none
0.3,0.6,water
0.1,0.2,water
"""
LISTED = '\n[search]\ncandidates = "list.csv"\n'


def test_of_a_list_each_point_is_tried_once_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(LIST)
    path = written(tmp_path, LISTED, ONE, GRID)
    assert prepare(path).remarks == ("list.csv: 1 of 5 rows come again",)
    outcome, sqlite = played(tmp_path, LISTED, ONE, GRID)
    (tmp_path / "list.csv").unlink()  # the record holds the list
    record = Record.open(f"sqlite:///{sqlite}", create=False)
    try:
        tried = [json.loads(one.inputs) for one in record.suggestions("blend")]
        spec = spec_of(record, "blend")
    finally:
        record.close()
    assert [tuple(one.values()) for one in tried] == [
        (0.1, 0.2, "water"), (0.2, 0.4, "oil"), (0.3, 0.1, "none"), (0.3, 0.6, "water"),
    ]  # fmt: skip
    assert outcome.view.ended is not None
    assert outcome.view.ended.ending == "exhausted"
    assert spec.candidates is not None
    assert count_of(spec.candidates) == 4


def test_listed_points_that_break_a_sum_are_told_and_passed_over(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(LIST)
    limit = "\n[[constraint]]\nsum = { a_fraction = 1, b_fraction = 1 }\nat_most = 0.6\n"
    prepared = prepare(written(tmp_path, LISTED, ONE, limit, GRID))
    assert prepared.remarks[1:] == ("1 candidates break a [[constraint]] or a [[mixture]]",)
    outcome, _ = played(tmp_path, LISTED, ONE, limit, GRID)
    assert outcome.view.runs_measured == 3


@pytest.mark.parametrize("kind", ["sobol", "ax"])
def test_each_planner_keeps_to_a_list(tmp_path: Path, kind: str) -> None:
    rows = [f"{a / 20},{b / 20},{s}" for a in range(5) for b in (1, 7) for s in ("oil", "water")]
    (tmp_path / "list.csv").write_text("\n".join(["a_fraction,b_fraction,solvent", *rows]))
    planner = f'\n[planner]\nkind = "{kind}"\n\n[stop]\nruns = 6\n'
    outcome, sqlite = played(tmp_path, LISTED, ONE, planner)
    assert outcome.view.runs_measured == 6
    record = Record.open(f"sqlite:///{sqlite}", create=False)
    try:
        tried = [json.loads(one.inputs) for one in record.suggestions("blend")]
    finally:
        record.close()
    said = [f"{one['a_fraction']:g},{one['b_fraction']:g},{one['solvent']}" for one in tried]
    assert set(said) <= {f"{float(r.split(',')[0]):g},{','.join(r.split(',')[1:])}" for r in rows}
    assert len(set(said)) == 6


SOMETIMES = """
[search]
solvent    = { choices = ["water", "oil"] }
b_fraction = { choices = [0.1, 0.2, 0.3], only_if = { solvent = "oil" }, otherwise = 0.5 }
a_fraction = { choices = [0.1, 0.2] }
"""


@pytest.mark.parametrize("kind", ["sobol", "grid", "ensemble"])
def test_an_input_rests_where_its_condition_does_not_hold(tmp_path: Path, kind: str) -> None:
    planner = f'\n[planner]\nkind = "{kind}"\n'
    outcome, sqlite = played(tmp_path, SOMETIMES, ONE, planner)
    record = Record.open(f"sqlite:///{sqlite}", create=False)
    try:
        tried = [json.loads(one.inputs) for one in record.suggestions("blend")]
    finally:
        record.close()
    assert outcome.view.ended is not None
    assert outcome.view.ended.ending == "exhausted"
    assert {(one["solvent"], one["b_fraction"]) for one in tried} == {
        ("water", 0.5), ("oil", 0.1), ("oil", 0.2), ("oil", 0.3),
    }  # fmt: skip
    assert len(tried) == 8


def test_a_campaign_with_conditions_is_checked_replayed_and_told_why(tmp_path: Path) -> None:
    search = SOMETIMES.replace("choices = [0.1, 0.2, 0.3]", "from = 0.1, to = 0.3")
    stop = "\n[planner]\nahead = 1\n\n[stop]\nruns = 6\n"
    checked = command(tmp_path, "check", written(tmp_path, search, ONE, stop).name)
    assert checked.code == Exit.OK, checked.err
    assert "only if solvent = oil, else 0.5" in checked.out
    outcome, sqlite = played(tmp_path, search, ONE, stop)
    assert outcome.view.runs_measured == 6
    replayed = command(tmp_path, "replay", "--in", str(sqlite))
    assert replayed.out.splitlines()[-1].endswith("answers: 6 bit-identical"), replayed.out
    why = command(tmp_path, "why", "blend/suggestion-5", "--in", str(sqlite))
    assert why.code == Exit.OK, why.err
    assert "ensemble" in why.out


PRIOR = """\
a_fraction,b_fraction,c_fraction,gain_ratio,operator
0.1,0.2,0.7,0.095,mb
0.2,0.2,0.6,0.18,mb
0.2,0.2,0.6,0.19,kl
0.5,0.5,0.0,,kl
7,0.5,0.0,0.3,kl
"""


def test_what_was_measured_before_is_seen_and_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text(PRIOR)
    prior = '\n[prior]\ncsv = "old.csv"\n'
    prepared = prepare(written(tmp_path, MIXTURE, ONE, prior, GRID))
    columns, rows = prepared.remarks
    assert columns == "old.csv: nothing reads the columns operator"
    assert rows.startswith("old.csv: 1 of 5 rows left out: line 6: a_fraction = 7 is none of 0.0,")
    (known,) = prepared.campaign.campaign.prior
    assert [trial.status for trial in known.trials] == ["measured"] * 3 + ["failed"]
    assert known.left_out == 1
    outcome, sqlite = played(tmp_path, MIXTURE, ONE, prior, GRID, "\n[stop]\nruns = 100\n")
    assert outcome.view.known_before == 4
    assert outcome.view.ended is not None
    assert outcome.view.ended.reason == (
        "all 63 points of the search space were tried, 4 trials of before aside"
    )
    record = Record.open(f"sqlite:///{sqlite}", create=False)
    try:
        first, *_ = record.planner_requests("blend")
        tried = [json.loads(one.inputs) for one in record.suggestions("blend")]
    finally:
        record.close()
    assert first.trials == 4
    assert {"a_fraction": 0.1, "b_fraction": 0.2, "c_fraction": 0.7} not in tried
    assert {"a_fraction": 0.5, "b_fraction": 0.5, "c_fraction": 0.0} not in tried


def test_an_earlier_campaign_of_the_record_is_known_and_does_not_count(tmp_path: Path) -> None:
    earlier = written(tmp_path, MIXTURE, ONE, GRID, "\n[stop]\nruns = 7\n", name="earlier")
    simulate(earlier, record=tmp_path / "record.sqlite")
    prior = '\n[prior]\ncampaign = "earlier"\n'
    outcome, sqlite = played(tmp_path, MIXTURE, ONE, prior, GRID, "\n[stop]\nruns = 3\n")
    assert (outcome.view.known_before, outcome.view.runs_measured) == (7, 3)
    record = Record.open(f"sqlite:///{sqlite}", create=False)
    try:
        spec = spec_of(record, "blend")
        assert record.verify() is None
        prepared = prepare(tmp_path / "blend.toml")
        campaign = prepared.campaign.campaign
        opening = again(prepared.script, record, campaign, prepared.lab.lab, at=0.0)
        # The earlier one may have gone on: what was known stands in the journal.
        (known,) = campaign.prior
        more = replace(campaign, prior=(replace(known, trials=known.trials[:2]),))
        again(prepared.script, record, more, prepared.lab.lab, at=0.0)
    finally:
        record.close()
    assert [trial.prior for trial in spec.prior[0].trials] == ["earlier"] * 7
    assert opening.engine.state.known_before == 7


def test_an_earlier_campaign_that_is_not_there_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, MIXTURE, ONE, '\n[prior]\ncampaign = "earlier"\n', GRID)
    line = path.read_text().splitlines().index("[prior]") + 2
    assert refused(path).startswith(f"{line}: prior.campaign: there is no record to read it from")
    simulate(written(tmp_path, MIXTURE, ONE, GRID, name="early"), record=tmp_path / "record.sqlite")
    message = (
        f"{line}: prior.campaign: the record holds no campaign 'earlier'; did you mean 'early'?"
    )
    assert refused(path) == message
