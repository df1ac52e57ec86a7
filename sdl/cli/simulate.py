"""``sdl simulate``: a campaign in virtual time, in one process, the same for the same seed."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from sdl.cli.best import in_short
from sdl.cli.console import say, table, tell, write_json
from sdl.cli.exits import Exit, exit_of_ending, exit_of_session
from sdl.cli.faults import show_faults
from sdl.cli.gantt import Gantt, draw_record
from sdl.cli.summary import content, say_summary, say_usage
from sdl.cli.unattended import Answer, tell_unattended
from sdl.cli.usage import usages
from sdl.cli.watch import watching
from sdl.cli.words import count, duration
from sdl.core.events import Verdict
from sdl.core.view import View
from sdl.shell.outcome import Outcome
from sdl.sim.simulate import Together, simulate_together
from sdl.sim.simulate import simulate as simulate_campaign
from sdl.wire.toml import open_campaign

Weights: TypeAlias = Annotated[
    list[float] | None,
    typer.Option(
        min=0.01,
        max=100.0,
        help="Of several campaigns, in turn, once for each: shares of what they contend for.",
    ),
]
Said: TypeAlias = Annotated[
    Answer | None,
    typer.Option(help="What a person says of each action that is asked about; else it ends."),
]


def simulate(
    campaigns: Annotated[
        list[Path],
        typer.Argument(metavar="CAMPAIGN", help="The campaign file; several share one lab."),
    ],
    seed: Annotated[
        int | None, typer.Option(min=0, help="In place of the campaign's and the lab's seed.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=10_000, help="Simulate this many, one seed after the other.")
    ] = 1,
    record: Annotated[
        Path | None,
        typer.Option(help="SQLite file to write, anew; else simulated/NAME-SEED.sqlite."),
    ] = None,
    faults: Annotated[
        bool,
        typer.Option(
            "--faults",
            help="Kill, freeze and cut off its parts, lose messages, fill disks: as the seed says.",
        ),
    ] = False,
    plan: Annotated[
        bool,
        typer.Option("--plan", help='Let a scheduler plan, as [scheduling] plan = "auto" does.'),
    ] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="With --faults: every message and event, as it comes.")
    ] = False,
    jobs: Annotated[
        int, typer.Option(min=1, max=64, help="With --faults and --seeds: processes.")
    ] = 1,
    weight: Weights = None,
    answer: Said = None,
    gantt: Gantt = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Run a campaign in virtual time, in one process, the same for the same seed.

    The engine, the node, the codecs, the record and the simulators are those of `sdl run`; only
    the clock and the bus are in-process. All instruments must be simulated. With `--faults`
    nothing is recorded: it shows that no command is done twice and no result is lost. Several
    campaigns of one lab run together, as in `sdl lab up`. Where everything waits for a person,
    who is not there, it ends, and says what for.
    """
    campaign, *beside = campaigns
    is_one = seeds == 1 and not faults
    if not is_one and (record is not None or gantt is not None or plan):
        raise typer.BadParameter("--record, --gantt, --plan take one simulation without faults")
    if trace and (not faults or seeds > 1):
        raise typer.BadParameter("--trace shows one seed of --faults")
    if weight and (faults or len(weight) != len(campaigns)):
        raise typer.BadParameter("--weight is given once for each campaign, without --faults")
    if answer is not None and faults:
        raise typer.BadParameter("with --faults a simulated person answers; leave out --answer")
    said = answer.verdict if answer is not None else None
    if faults:
        raise typer.Exit(
            show_faults(campaigns, seed, seeds, jobs=jobs, trace=trace, as_json=as_json)
        )
    if beside:
        if seeds > 1:
            raise typer.BadParameter("several campaigns take one --seed, or --faults")
        weights = weight or (1.0,)
        came_to = simulate_together(
            campaigns, seed=seed, record=record, weights=weights, plan=plan, verdict=said
        )
        raise typer.Exit(_together(came_to, campaigns, gantt, as_json=as_json))
    if seeds > 1:
        _sweep(campaign, seed or 0, seeds, verdict=said, as_json=as_json)
        return
    with watching() as watch:
        outcome = simulate_campaign(
            campaign, seed=seed, watch=watch, record=record, plan=plan, verdict=said
        )
    _tell(outcome, campaign, gantt, as_json=as_json)
    raise typer.Exit(_exit(outcome))


def _exit(outcome: Outcome) -> Exit:
    return Exit.FAULT if outcome.view.ended is None else exit_of_ending(outcome.view)


def _tell(outcome: Outcome, campaign: Path, gantt: Path | None, *, as_json: bool) -> None:
    if gantt is not None:
        draw_record(outcome.record_url, outcome.view.campaign, _lab_folder(campaign), gantt)
    if as_json:
        write_json("sdl.outcome/1", **content(outcome))
    else:
        say_summary(outcome, campaign, is_virtual=True)
    if outcome.view.ended is None:
        tell_unattended(outcome.view, outcome.lab_s, campaign)


def _lab_folder(campaign: Path) -> Path:
    return open_campaign(campaign).lab_path.parent


def _together(
    came_to: Together, campaigns: list[Path], gantt: Path | None, *, as_json: bool
) -> Exit:
    lab = came_to.lab
    if gantt is not None:
        draw_record(came_to.record_url, lab.name, _lab_folder(campaigns[0]), gantt)
    if as_json:
        write_json(
            "sdl.session/1",
            session=lab.name,
            utilisation=usages(lab.instruments),
            ended=lab.ended,
            record=came_to.record_url,
            lines=came_to.seq,
            head=came_to.head,
            wall_s=came_to.wall_s,
        )
    else:
        for one in lab.ended:
            say(f"{one.campaign}: {one.reason} (after {duration(one.at)} of virtual time)")
        say_usage(lab.instruments)
        say(f"  record     {came_to.record_url}")
        say(f"  journal    {count(came_to.seq, 'line')}, head {came_to.head}")
        say()
        say(f"Next: sdl status {came_to.record_url}")
    if not lab.closed:
        for view in lab.campaigns:
            tell_unattended(view, view.at - view.started_at, _file_of(view, campaigns))
        return Exit.FAULT
    return exit_of_session([one.ending for one in lab.ended])


def _file_of(view: View, campaigns: list[Path]) -> Path:
    return next(path for path in campaigns if open_campaign(path).campaign.name == view.campaign)


def _sweep(
    campaign: Path, first: int, seeds: int, *, verdict: Verdict | None, as_json: bool
) -> None:
    outcomes: dict[int, Outcome] = {}
    for seed in range(first, first + seeds):
        outcomes[seed] = simulate_campaign(
            campaign, seed=seed, watch=lambda _view: None, verdict=verdict
        )
        tell(f"seed {seed}: {_row(seed, outcomes[seed])[-1]}")
    if as_json:
        runs = [{"seed": seed, **content(outcome)} for seed, outcome in outcomes.items()]
        write_json("sdl.sweep/1", simulations=runs)
    else:
        rows = [_row(seed, outcome) for seed, outcome in outcomes.items()]
        for line in table(("seed", "runs", "best", "ending"), rows):
            say(line)
        used = [outcome.view.runs_ended for outcome in outcomes.values()]
        say()
        say(f"runs: median {statistics.median(used):g}, mean {statistics.mean(used):.1f}")
    worst = max(map(_exit, outcomes.values()))
    raise typer.Exit(Exit(worst))


def _row(seed: int, outcome: Outcome) -> tuple[str, str, str, str]:
    view = outcome.view
    best = in_short(view, "none")
    ending = "waits for a person" if view.ended is None else view.ended.ending
    return str(seed), str(view.runs_ended), best, ending
