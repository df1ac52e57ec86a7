"""The first lines of a journal: a new campaign, or one that is taken up again."""

from __future__ import annotations

import gc
import hashlib
import logging
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Protocol, TypeAlias

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.beginning import IN_A_TURN
from sdl.core.engine import Engine, Scripts
from sdl.core.replay import fold, follow
from sdl.core.script import Script
from sdl.core.snapshot import heads_in
from sdl.errors import RecordFault, UserMistake
from sdl.model.campaign import FORMER_PLANNER, Campaign, PlannerChoice, Prior
from sdl.model.lab import Lab
from sdl.model.provenance import Clock, Origin
from sdl.shell.record import Record
from sdl.shell.redact import without_secrets
from sdl.shell.snapshots import Kept, digest_of, stamp
from sdl.wire.journal import Chain, Line, adapter, load, load_all


class Journals(Protocol):
    """What is asked of a record to take a campaign up again."""

    def lines(self, campaign: str, after: int = 0) -> Iterator[Line]:
        """The journal of one campaign in order, from the line after ``after`` on."""
        ...

    def bodies(self, campaign: str, after: int = 0) -> Iterator[tuple[int, str, str]]:
        """Number, type and body of the same lines: all that a replay needs of them."""
        ...


PACKAGES = (
    "sdl-runtime",
    "aiomqtt",
    "amqtt",
    "ax-platform",
    "botorch",
    "numpy",
    "pydantic",
    "pylabrobot",
    "scipy",
    "sqlalchemy",
    "torch",
)
"""Whose versions are written at the head of every journal."""

log = logging.getLogger(__name__)


Before: TypeAlias = ev.LabwareDoubted | ev.StockLeft | ev.WellsLeft
"""What is there from the last time that a lab was at work."""


@dataclass(frozen=True, slots=True)
class Opening:
    """An engine that stands where the record ends, and what happens next."""

    engine: Engine
    chain: Chain
    first: tuple[ev.Event, ...]
    sent: tuple[do.Perform, ...] = ()
    """Commands that are in the world, or of an unknown outcome."""
    restored: int = 0
    """Number of the line whose snapshot saved reading those before; 0 where there was none."""


def new(
    script: Script,
    campaign: Campaign,
    lab: Lab,
    *,
    at: float,
    clock: Clock,
    speed: float,
    file_name: str | None = None,
    epoch: int = 1,
    before: Sequence[Before] = (),
) -> Opening:
    """A campaign that begins at lab time ``at``.

    ``file_name``: its name in its file, where its id in the record is another.
    ``epoch``: of the lease. ``before``: what the record says of the last time, and the lab's file
    does not.
    """
    origin = origin_of(
        script, campaign, clock=clock, speed=speed, file_name=file_name or campaign.name
    )
    started = ev.CampaignStarted(
        at=at,
        campaign=campaign,
        lab=without_secrets(lab),
        protocol=script.signature,
        origin=origin,
    )
    first: tuple[ev.Event, ...] = (started, ev.OrchestratorStarted(at=at, epoch=epoch), *before)
    return Opening(Engine(script), Chain(campaign.name), first)


def origin_of(
    script: Script, campaign: Campaign, *, clock: Clock, speed: float, file_name: str
) -> Origin:
    """What makes a campaign that starts now."""
    return Origin(
        file_name=file_name,
        clock=clock,
        speed=speed,
        software=software(),
        protocol_sha256=script.signature.source_sha256,
        hypothesis_sha256=_hypothesis_sha256(campaign),
        runs_in_a_turn=IN_A_TURN,
        checks_draws=True,
    )


def again(
    script: Script,
    record: Journals,
    campaign: Campaign,
    lab: Lab,
    *,
    at: float,
    bench_checked: bool = False,
    epoch: int | None = None,
    kept: Sequence[Kept] = (),
) -> Opening:
    """A campaign that goes on after its process has ended, at lab time ``at``.

    ``kept``: snapshots of it, the newest first; the first that fits saves reading what is before.

    ``epoch``: of the lease; one more than the last if None.
    ``campaign`` and ``lab``: as their files read now, the campaign under its id in the record.
    UserMistake if they or the protocol were changed, RecordMismatch if replay differs all the same.
    """
    first = next(record.lines(campaign.name))
    head = load(first.type, first.body)
    if not isinstance(head, ev.CampaignStarted):
        raise RecordFault(f"the journal of {campaign.name!r} does not begin with its start")
    _refuse_changes(head, script, campaign, lab)
    stands = stand(script, record, campaign.name, kept)
    engine = stands.engine
    started = ev.OrchestratorStarted(
        at=max(at, engine.at),
        epoch=engine.lab.epoch + 1 if epoch is None else epoch,
        software=tuple(sorted(software().items())),
        bench_checked=bench_checked,
    )
    last = next(record.lines(campaign.name, after=stands.seq - 1))
    chain = Chain(campaign.name, last, origin=first.hash)
    return Opening(engine, chain, (started,), tuple(engine.sent()), stands.restored)


@dataclass(frozen=True, slots=True)
class Stands:
    """An engine at the end of its journal."""

    engine: Engine
    seq: int
    """Number of the last line."""
    restored: int = 0
    """Of the line whose snapshot it began with."""


def stand(scripts: Scripts, record: Journals, journal: str, kept: Sequence[Kept]) -> Stands:
    """Where a journal ends: from the first snapshot that fits, else from its beginning.

    ``kept``: snapshots of it, the newest first. RecordMismatch if replay differs.
    """
    with _no_collection():
        return _from_snapshots(scripts, record, kept) or _whole(scripts, record, journal)


def _whole(scripts: Scripts, record: Journals, journal: str) -> Stands:
    engine = Engine(scripts)
    return Stands(engine, follow(engine, load_all(record.bodies(journal))))


def _from_snapshots(scripts: Scripts, record: Journals, kept: Sequence[Kept]) -> Stands | None:
    """The engine of the first snapshot that fits, and of the lines after it; None if none does."""
    for each in kept:
        line = next(record.lines(each.campaign, after=each.seq - 1), None)
        if line is None or (line.seq, line.hash) != (each.seq, each.hash):
            log.info("passed over the snapshot of line %d: it is of another state", each.seq)
            continue
        try:
            text = each.text()
            if each.stamp != _stamp_of(scripts, text):
                log.info("passed over the snapshot of line %d: it is of other code", each.seq)
                continue
            engine = Engine.restored(scripts, text)
            lines = load_all(record.bodies(each.campaign, each.seq))
            seq = follow(engine, lines, each.seq)
        except Exception:  # whatever is wrong, the journal is the truth
            log.warning("passed over the snapshot of line %d", each.seq, exc_info=True)
        else:
            return Stands(engine, seq, each.seq)
    return None


def _stamp_of(scripts: Scripts, text: str) -> str:
    """The stamp that a snapshot has to have to fit today's code and protocols."""
    give = Engine(scripts).script
    return stamp({head.campaign.name: digest_of(give(head)) for head in heads_in(text)})


def wrong_snapshot(scripts: Scripts, record: Journals, kept: Kept) -> str:
    """What is wrong with a snapshot, held against its journal; empty if it leads to the same.

    RecordMismatch if the journal itself does not follow from the protocol.
    """
    lines = list(islice(record.lines(kept.campaign), kept.seq))
    if len(lines) < kept.seq or lines[-1].hash != kept.hash:
        return "it is of another journal"
    try:
        text = kept.text()
        if kept.stamp != _stamp_of(scripts, text):
            return ""  # passed over in any case
        restored = Engine.restored(scripts, text)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it
        return f"it cannot be read: {error!r}"
    whole = fold(scripts, [load(line.type, line.body) for line in lines])
    return "" if restored.state_sha256() == whole.state_sha256() else "it leads to another state"


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without looking for garbage: a replay makes millions of objects, and none in a circle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _refuse_changes(head: ev.CampaignStarted, script: Script, campaign: Campaign, lab: Lab) -> None:
    """What was pre-registered stays: a campaign cannot be resumed as another one.

    Options of instruments, broker and record may change: a cable may be put into another port.
    """
    campaign = _as_begun(campaign, head.campaign)
    both = (replace(one, prior=_named(one.prior)) for one in (head.campaign, campaign))
    then, today = (adapter(Campaign).dump_python(one, mode="json") for one in both)
    changed = [name for name in then if then[name] != today[name]]
    if bench_of(head.lab) != bench_of(lab):
        changed.append("bench in lab.toml (instruments, drivers, limits or plates)")
    if head.protocol != script.signature:
        changed.append("protocol file")
    if changed:
        raise UserMistake(
            f"campaign {campaign.name!r} began with another {', '.join(changed)} than there is "
            "now; put it back to go on, or begin another campaign with --new"
        )


def _as_begun(campaign: Campaign, then: Campaign) -> Campaign:
    """What its file says now, but for what is on unless a file says otherwise, and was not then.

    A campaign of before there was such a thing, whose file says nothing, goes on as it began.
    """
    now, before = campaign.planner, then.planner
    pairs = (("refresh", now.refresh, before.refresh), ("bench", now.bench, before.bench))
    for key, is_on, was_on in pairs:
        if is_on and not was_on:
            log.warning(
                "%s began without %s in [planner], and goes on without it", campaign.name, key
            )
    kept = replace(now, refresh=now.refresh and before.refresh, bench=now.bench and before.bench)
    if now.kind == PlannerChoice().kind and before.kind == FORMER_PLANNER:
        log.warning("%s began with the planner %s, and keeps it", campaign.name, FORMER_PLANNER)
        kept = replace(kept, kind=FORMER_PLANNER)
    return replace(campaign, planner=kept)


def _named(prior: Sequence[Prior]) -> tuple[Prior, ...]:
    """An earlier campaign by its name alone: it may have gone on meanwhile."""
    return tuple(
        Prior(source=one.source, is_campaign=True, is_hint=one.is_hint) if one.is_campaign else one
        for one in prior
    )


def bench_of(lab: Lab) -> object:
    """What of a lab may not change while it is at work."""
    instruments = {
        i.name: (i.driver, i.simulated, dict(i.limits), i.sites, i.reaches) for i in lab.instruments
    }
    # By the kind's name: what PyLabRobot says of its geometry may become more exact meanwhile.
    labware = {piece.name: (piece.kind.name, piece.at) for piece in lab.labware}
    return instruments, lab.places, labware


def unfinished(record: Record, name: str) -> str | None:
    """The latest campaign of this name that has not ended; None if there is none."""
    open_ones = [
        each
        for each in _alone(record)
        if record.campaign(each).campaign.ending is None and _file_name(record, each) == name
    ]
    return open_ones[-1] if open_ones else None


def latest(record: Record, name: str) -> str | None:
    """The latest campaign of this name, ended or not; None if there is none."""
    found = _alone(record)
    return next((one for one in reversed(found) if _file_name(record, one) == name), None)


def _alone(record: Record) -> list[str]:
    """Campaigns that have a journal for themselves, the earliest first."""
    found = [each.campaign for each in record.campaigns()]
    return [each.campaign for each in found if each.campaign == each.journal]


def _file_name(record: Record, campaign: str) -> str:
    """The name in the file that a campaign began with: its id without a number of ours."""
    first = next(record.lines(campaign))
    head = load(first.type, first.body)
    return head.origin.file_name if isinstance(head, ev.CampaignStarted) else campaign


def new_name(record: Record, name: str) -> str:
    """``dye``, or ``dye-2``, ``dye-3`` ... where the record holds that name already."""
    taken = {each.campaign.campaign for each in record.campaigns()}
    taken |= {each.session for each in record.sessions()}
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


def choose(record: Record, name: str, *, resume: bool, anew: bool) -> tuple[str, bool]:
    """The campaign's id in the record, and whether it goes on. UserMistake if that is unclear."""
    found = unfinished(record, name)
    if resume:
        if found is None:
            raise UserMistake(
                f"the record holds no unfinished campaign {name!r}; run without --resume"
            )
        return found, True
    if found is not None and not anew:
        raise UserMistake(
            f"campaign {found!r} has not ended: add --resume to go on with it, "
            "or --new to leave it and begin another"
        )
    return new_name(record, name), False


def renamed(campaign: Campaign, name: str) -> Campaign:
    """The same campaign under its id in the record."""
    return replace(campaign, name=name)


@lru_cache(maxsize=1)
def software() -> dict[str, str]:
    """Versions of interpreter, platform and packages; a package that is absent is left out."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _hypothesis_sha256(campaign: Campaign) -> str:
    if campaign.hypothesis is None:
        return ""
    hypothesis = campaign.hypothesis
    text: bytes = adapter(type(hypothesis)).dump_json(hypothesis)
    return hashlib.sha256(text).hexdigest()
