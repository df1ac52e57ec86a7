"""``sdl why``: what waits and for what, why a run ended so, why a point was tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, cast

import typer

from sdl.cli.console import say, write_json
from sdl.cli.late import told
from sdl.cli.places import Where, chosen_campaign, folders, full_name, opened
from sdl.cli.runs import known_run
from sdl.cli.suggested import as_document, in_a_sentence, in_full
from sdl.core.events import CampaignStarted
from sdl.core.script import ProtocolFunction, Script
from sdl.core.view import View, Waiting
from sdl.errors import UserMistake
from sdl.wire.signature import read_signature
from sdl.wire.toml_table import did_you_mean

if TYPE_CHECKING:
    from sdl.core.engine import Scripts
    from sdl.shell.record import Record, RunDetail
    from sdl.shell.tables import RunRow, SampleRow


def why(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="STEP|RUN|SUGGESTION|CAMPAIGN",
            help="Such as dye-450/run-7/step-2, dye-450/run-7, dye-450/suggestion-7 or dye-450; "
            "else the last campaign, and all that are at work beside it.",
        ),
    ] = None,
    where: Where = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what a step waits for, why a run ended so, or why a point was tried."""
    with opened(where) as record:
        lines = reasons(Replay(record, folders(where)), what)
        named = [one.who for one in lines if "/suggestion-" in one.who]
        points = [record.suggestion(one) for one in named]
        if as_json:
            write_json(
                "sdl.why/1",
                reasons=[{"who": one.who, "why": one.why} for one in lines],
                suggestions=[as_document(record, one) for one in points],
            )
            return
        for one in lines:
            say(f"{one.who}: {one.why}")
            if len(points) == 1 and one.who == points[0].suggestion:
                for heading, line in in_full(record, points[0]):
                    say(f"  {heading:<10} {line}")


def reasons(replay: Replay, what: str | None) -> list[Waiting]:
    """Who, and why, one sentence each. UserMistake if there is no such thing on record."""
    record = replay.record
    name, _, rest = full_name(record, what or "").partition("/")
    campaign = chosen_campaign(record, name or None)
    together = [] if what else _together(record, campaign)
    if len(together) > 1:
        return _of_several(replay, together)
    if not rest:
        return _of_campaign(replay, campaign)
    kind = rest.partition("-")[0]
    if kind == "suggestion":
        wanted = f"{campaign}/{rest}"
        names = [one.suggestion for one in record.suggestions(campaign)]
        if wanted not in names:
            hint = did_you_mean(wanted, names[-9:])
            raise UserMistake(f"{campaign} has no suggestion {wanted!r}; {hint}")
        planner = record.campaign(campaign).campaign.planner
        found = record.suggestion(wanted)
        samples = record.samples(campaign)
        tried = [
            Waiting(who=each.run, why=_tried(each, sum(other.run == each.run for other in samples)))
            for each in samples
            if each.suggestion == wanted
        ]
        return [Waiting(who=found.suggestion, why=in_a_sentence(found, planner)), *tried]
    if kind != "run":
        raise UserMistake(
            f"{what!r} is no step, run, suggestion or campaign; see `sdl runs list` for names"
        )
    run, _, step = rest.partition("/")
    return _of_run(replay, campaign, f"{campaign}/{run}", step)


def _of_campaign(replay: Replay, campaign: str) -> list[Waiting]:
    row = replay.record.campaign(campaign).campaign
    if row.ending is not None:
        return [Waiting(who=campaign, why=f"ended ({row.ending}): {row.reason}")]
    return waiting(replay.view(campaign)) or [Waiting(who=campaign, why="nothing waits")]


def _together(record: Record, campaign: str) -> list[str]:
    """Those that have not ended of the session that a campaign is in."""
    session = record.journal_of(campaign)
    rows = [each.campaign for each in record.campaigns()]
    return [each.campaign for each in rows if each.journal == session and each.ending is None]


def _of_several(replay: Replay, names: Sequence[str]) -> list[Waiting]:
    """All that waits in a lab at work, what waits for a person first, whosesoever it is."""
    views = replay.views(names)
    asked = {question.step for view in views for question in view.questions}
    found = [one for view in views for one in waiting(view)]
    if not found:
        return [Waiting(who=name, why="nothing waits") for name in names]
    return sorted(found, key=lambda one: one.who not in asked)


def waiting(view: View) -> list[Waiting]:
    """All that waits, what waits for a person first."""
    paused = Waiting(who=view.campaign, why=f"{view.paused}; go on with: sdl resume")
    asked = {one.step for one in view.questions}
    return [
        *([paused] if view.paused else []),
        *(one for one in view.waits if one.who in asked),
        *(one for one in view.waits if one.who not in asked),
    ]


def _of_run(replay: Replay, campaign: str, run: str, step: str) -> list[Waiting]:
    wanted = f"{run}/{step}" if step else run
    record = replay.record
    if run not in [one.run for one in record.runs(campaign)]:
        is_over = record.campaign(campaign).campaign.ending is not None
        found = [] if is_over else _that_waits(replay, campaign, wanted)
        if found:  # the next one, which has not begun
            return found
    detail = known_run(record, run)
    if detail.run.outcome is None:
        found = _that_waits(replay, campaign, wanted)
        if found:
            return [*found, *told(detail.broken_windows, wanted)]
    if step:
        return _of_step(detail, wanted)
    lines = [_ended(detail.run), *told(detail.broken_windows, run)]
    planner = record.campaign(campaign).campaign.planner
    points = detail.suggestions
    return [*lines, *(Waiting(who=p.suggestion, why=in_a_sentence(p, planner)) for p in points)]


def _that_waits(replay: Replay, campaign: str, wanted: str) -> list[Waiting]:
    """A run or step that waits, and the steps of a run."""
    waits = waiting(replay.view(campaign))
    return [one for one in waits if one.who == wanted or one.who.startswith(f"{wanted}/")]


def _ended(run: RunRow) -> Waiting:
    reason = f": {run.reason}" if run.reason else ""
    return Waiting(who=run.run, why=f"{run.outcome or 'in flight'}{reason}")


def _of_step(detail: RunDetail, wanted: str) -> list[Waiting]:
    found = [
        Waiting(
            who=one.cid,
            why=f"{one.operation} on {one.instrument} {one.status}"
            + (f": {one.reason}" if one.reason else ""),
        )
        for one in detail.steps
        if wanted in (one.step, one.cid)
    ]
    found += told(detail.broken_windows, wanted)
    if not found:
        raise UserMistake(f"the run has no step {wanted!r}; see `sdl runs show {detail.run.run}`")
    return found


def _tried(sample: SampleRow, of: int) -> str:
    """Where a suggestion was tried, in a run of so many samples, and how that ended."""
    number = f" as sample {sample.sample} of {of}" if of > 1 else ""
    where = f" in {sample.wells}" if sample.wells else ""
    reason = f": {sample.reason}" if sample.reason else ""
    return f"tried it{number}{where}, {sample.outcome or 'in flight'}{reason}"


class Replay:
    """Folds a journal again, from its last snapshot on, with the very protocols that wrote it."""

    def __init__(self, record: Record, folders: list[Path]) -> None:
        self.record = record
        self._folders = folders

    def view(self, campaign: str) -> View:
        """A campaign as its journal leaves it. UserMistake if its protocol is not here."""
        (found,) = self.views((campaign,))
        return found

    def views(self, campaigns: Sequence[str]) -> list[View]:
        """The same of several that share a journal."""
        from sdl.shell.expectations import Expectations
        from sdl.shell.opening import stand

        journal = self.record.journal_of(campaigns[0])
        with self.scripts(journal) as scripts:
            engine = stand(scripts, self.record, journal, self.record.snapshots.of(journal)).engine
            head = engine.campaigns[campaigns[0]].head
            expectations = Expectations(head.lab, self._folders[0], self.record)
            expectations.learn()
            return [engine.view(campaign, (expectations,)) for campaign in campaigns]

    @contextmanager
    def scripts(self, journal: str) -> Iterator[Scripts]:
        """Who gives the protocols of a journal, during the block."""
        from sdl.shell.protocols import Protocols
        from sdl.wire.journal import load

        first = next(self.record.lines(journal))
        head = load(first.type, first.body)
        if isinstance(head, CampaignStarted):
            yield self.script(head)
            return
        with TemporaryDirectory(prefix="sdl-protocols-") as folder:
            yield Protocols(Path(folder))

    def script(self, head: CampaignStarted) -> Script:
        """The protocol of a journal's head. UserMistake if it is not here."""
        from sdl.shell.plugins import PROTOCOLS, load
        from sdl.shell.recoveries import load_recoveries

        reference = head.campaign.protocol
        for folder in self._folders:
            try:
                function = cast("ProtocolFunction", load(PROTOCOLS, reference, folder).value)
            except UserMistake:
                continue
            signature = read_signature(function, head.campaign.quantities)
            mends = load_recoveries(head.campaign.policy, signature, folder)
            script = Script.of(function, signature, mends.by_name)
            if script.signature == head.protocol:
                return script
        raise UserMistake(
            f"the protocol {reference!r} that made this record is not here, or was edited since; "
            "name the campaign file in the folder it was run from: sdl why --in campaign.toml"
        )
