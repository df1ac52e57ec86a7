"""The tables of the record: the journal, which is the truth, and what is projected from it.

Every projected row carries ``campaign``, the one that it belongs to, or the lab's session where it
belongs to none; ``seq``, the line that made it, and ``last_seq``, the line that changed it last, of
the journal that ``campaign.journal`` names. Times are lab seconds since 1970 (UTC). A column that
holds JSON says so. Units stand in the name of a quantity, or in the ``unit`` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table

import sdl.shell.tables_of_plans  # these three make tables of their own
import sdl.shell.tables_of_stocks
import sdl.shell.tables_of_usage  # noqa: F401
from sdl.shell.columns import Big, Indexed, Key, Prose, metadata, table

SCHEMA = "0012"
"""The newest migration; a record at another one is upgraded, or refused if it is newer."""


@table("journal", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One line of a journal. Triggers refuse its change and its removal."""

    campaign: Key[str]
    """The journal's name: that of its campaign, or of the session of a lab."""
    seq: Key[Big]
    at: float
    kind: str
    type: str
    body: Prose
    hash: str


@table("campaign", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """One campaign, from its file and its end."""

    campaign: Key[str]
    journal: str
    """Its own name, or that of the session of a lab that it was part of."""
    lab: str
    protocol: str
    protocol_sha256: str
    measure: str
    unit: str
    goal: str
    target: float | None
    seed: Big
    parallel: int
    planner: str
    clock: str
    speed: float
    simulated: bool
    space: Prose
    """JSON: the searched inputs."""
    software: Prose
    """JSON: package to version."""
    status: str
    """``running`` or ``ended``."""
    started_at: float
    epoch: Big
    """Number of the lease under which it is led; higher after each resumption. 0 in a session,
    which has its own."""
    priority: int
    weight: float
    deadline: float | None
    runs_at_once: int | None
    """Runs in flight at most, where its claim on the lab says so."""
    paused: Prose | None
    """Who paused it, and why; empty while it is not paused."""
    stop_asked: Prose | None
    ending: str | None
    reason: Prose | None
    best_run: str | None
    ended_at: float | None
    seq: Big
    last_seq: Big


@table("session", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One session of a lab, into which campaigns came."""

    session: Key[str]
    campaign: str
    """The same: what belongs to no campaign belongs to the session."""
    lab: str
    clock: str
    speed: float
    simulated: bool
    software: Prose
    """JSON: package to version."""
    status: str
    """``open`` or ``closed``."""
    opened_at: float
    epoch: Big
    """Number of the lease under which it is led; higher after each resumption."""
    paused: Prose | None
    """Who paused the whole lab, and why; empty while it is not paused."""
    reason: Prose | None
    closed_at: float | None
    seq: Big
    last_seq: Big


@table("hypothesis", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class HypothesisRow:
    """The claim of a campaign, written before its first run."""

    campaign: Key[str]
    claim: Prose
    quantity: str
    unit: str
    scope: str
    direction: str
    threshold: float
    noise_sd: float | None
    prior: float
    error_level: float
    sha256: str
    stated_at: float
    verdict: str | None
    seq: Big
    last_seq: Big


@table("evidence", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """What all samples up to this one say about the claim."""

    run: Key[str]
    sample: Key[int]
    campaign: Indexed[str]
    runs: int
    e_for: float
    e_against: float
    posterior: float
    at: float
    seq: Big
    last_seq: Big


@table("suggestion", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionRow:
    """One accepted point of the planner and its one end."""

    suggestion: Key[str]
    campaign: Indexed[str]
    ask: str
    origin: str
    inputs: Prose
    """JSON: input to value, in the unit of its name."""
    predicted: Prose
    """JSON: measure to ``mean`` and ``sd``, in the unit of the measure's name."""
    acquisition: float | None
    seed: Big
    model_digest: str
    fall_back: Prose
    why: Prose | None
    """JSON: the planner's reason (``sdl.model.reason``); empty where it gave none."""
    accepted_at: float
    disposition: str | None
    reason: Prose | None
    ended_at: float | None
    seq: Big
    last_seq: Big


@table("run", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One execution of the protocol."""

    run: Key[str]
    campaign: Indexed[str]
    suggestion: str
    """Empty in a batch: see its samples."""
    inputs: Prose
    """JSON: searched and fixed inputs, in the unit of their names; in a batch a list of those of
    each sample, under the name that the protocol has for it."""
    roles: Prose
    """JSON: role to instrument or well, or to several wells with commas between."""
    begun_at: float
    outcome: str | None
    loss: float | None
    """Empty in a batch."""
    reason: Prose | None
    ended_at: float | None
    seq: Big
    last_seq: Big


@table("sample", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """One suggestion in one run: the only one of it, or one of a batch."""

    run: Key[str]
    sample: Key[int]
    """1, 2, 3 ... within the run."""
    campaign: Indexed[str]
    suggestion: Indexed[str]
    inputs: Prose
    """JSON: searched and fixed inputs, in the unit of their names."""
    wells: Prose
    """With commas between; empty where it has none, or the roles do not say which."""
    outcome: str | None
    loss: float | None
    reason: Prose | None
    seq: Big
    last_seq: Big


@table("step", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One attempt of one step: one command to one instrument."""

    cid: Key[str]
    campaign: str
    run: Indexed[str]
    step: str
    attempt: int
    instrument: str
    operation: str
    effect: str
    args: Prose
    """JSON: argument to value."""
    not_after: float | None
    status: str
    """``issued``, ``accepted``, ``started``, ``done``, ``failed`` or ``unknown``."""
    issued_at: float
    started_at: float | None
    ended_at: float | None
    duration_s: float | None
    result: Prose | None
    """JSON: what the instrument returned."""
    phase: str | None
    fault: str | None
    reason: Prose | None
    seq: Big
    last_seq: Big


@table("observation", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRow:
    """One measured number of one sample."""

    run: Key[str]
    sample: Key[int]
    measure: Key[str]
    campaign: Indexed[str]
    value: float
    unit: str
    uncertainty: float | None
    """Standard deviation in ``unit``; empty where nobody has stated one."""
    at: float
    seq: Big
    last_seq: Big


@table("instrument", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentRow:
    """One instrument as one campaign, or one session of a lab, saw it."""

    campaign: Key[str]
    instrument: Key[str]
    driver: str
    simulated: bool
    options: Prose
    """JSON: constructor arguments of the driver."""
    limits: Prose
    """JSON: ``action.argument`` to its bounds."""
    online: bool
    boot: str | None
    actions: Prose | None
    """JSON: names of what it offers; empty until it was seen."""
    reason: Prose | None
    """Why it is not online, where that was said."""
    paused: Prose | None
    """Who paused it, and why; empty while it is not paused."""
    stopped: Prose | None
    """Why it was stopped; empty once it was released."""
    held: Prose | None
    """Why it is not to be trusted after a stop; empty while its driver confirmed each."""
    changed_at: float
    seq: Big
    last_seq: Big


@table("planner_request", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerRequestRow:
    """One attempt of one question to the planner."""

    ask: Key[str]
    attempt: Key[int]
    campaign: Indexed[str]
    planner: str
    wanted: int
    """How many points were asked for."""
    seed: Big
    trials: int
    trials_sha256: str
    asked_at: float
    status: str
    """``asked``, ``answered`` or ``failed``."""
    answered_at: float | None
    received: int | None
    versions: Prose | None
    """JSON: package to version, of the planner's process."""
    reason: Prose | None
    seq: Big
    last_seq: Big


@table("resolution", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionRow:
    """What a person said of a step whose outcome nobody knew."""

    campaign: Key[str]
    seq: Key[Big]
    run: Indexed[str]
    step: str
    verdict: str
    """``happened``, ``did_not_happen`` or ``discard``."""
    by: str
    note: Prose
    result: Prose | None
    """JSON: what the action gave, where it happened."""
    at: float
    won: bool
    """Whether it decided; a later or contradicting one only flags the sample."""
    last_seq: Big


@table("act", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """What else a person told a running orchestrator."""

    campaign: Key[str]
    seq: Key[Big]
    act: str
    """``pause``, ``resume``, ``abort``, ``stop`` (the campaign, in good order), ``stop-all``,
    ``terms`` (another claim on the lab) or ``down`` (of the session)."""
    what: str
    """A run or an instrument; empty: the campaign, or the whole lab."""
    by: str
    note: Prose
    at: float
    last_seq: Big


@table("flag", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRow:
    """A sample that is not to be trusted without a look."""

    campaign: Key[str]
    seq: Key[Big]
    run: Indexed[str]
    step: str
    reason: Prose
    at: float
    last_seq: Big


@table("broken_window", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenWindowRow:
    """A step that has missed its maximum lag."""

    step: Key[str]
    campaign: Indexed[str]
    run: Indexed[str]
    instrument: str
    due_at: float
    """When it should have started at the latest."""
    late_s: float | None
    """By how much it has started too late; empty where it has not started."""
    remedy: str
    """What was done about it: ``flag``, ``divert``, ``requeue``, ``skip``, ``quarantine`` or
    ``stop``."""
    at: float
    """When it was found."""
    seq: Big
    last_seq: Big


@table("carry", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class CarryRow:
    """A piece of labware on its way from one site to another, or put somewhere by a person."""

    carry: Key[str]
    """``dye-450/carry-3``; of what a person put there: ``dye-450/placed-`` and the line."""
    campaign: Indexed[str]
    labware: Indexed[str]
    source: str
    """Empty where a person put it."""
    target: str
    carrier: str
    """A transporter; empty: a person."""
    step: str
    """For whose sake; empty: it was put away."""
    status: str
    """``under way``, ``done`` or ``lost``."""
    site: str
    """Where it stood after it; empty: not known, or not on the bench."""
    reason: Prose
    """Why it is lost."""
    begun_at: float
    ended_at: float | None
    seq: Big
    last_seq: Big


@table("lease", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRow:
    """Who leads a lab; see ``sdl.shell.lease``. It stands in no journal."""

    lab: Key[str]
    epoch: Big
    holder: Prose
    beat: Big


@table("snapshot", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRow:
    """An engine at one line of a journal; see ``sdl.shell.snapshots``. It stands in no journal."""

    campaign: Key[str]
    seq: Key[Big]
    hash: str
    stamp: Prose
    body: bytes


JOURNAL: Table = metadata.tables["journal"]
LEASE: Table = metadata.tables["lease"]
SNAPSHOT: Table = metadata.tables["snapshot"]
PROJECTED: dict[str, Table] = {
    name: table
    for name, table in metadata.tables.items()
    if name not in ("journal", "lease", "snapshot")
}
"""By name: everything that ``sdl db rebuild`` can make again from the journal."""
