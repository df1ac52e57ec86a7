"""The tables of the record: the journal, which is the truth, and what is projected from it.

Every projected row carries ``seq``, the journal line that made it, and ``last_seq``, the line that
changed it last, within its campaign. Times are lab seconds since 1970 (UTC). A column that holds
JSON says so. Units stand in the name of a quantity, or in the ``unit`` beside it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Table, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

SCHEMA = "0003"
"""The newest migration; a record at another one is upgraded, or refused if it is newer."""

_REGISTRY = registry()


class Row(SQLModel, registry=_REGISTRY):
    """A row of the record. An own registry keeps a lab's other SQLModel tables out of it."""


class JournalRow(Row, table=True):
    """One line of a campaign's journal. Triggers refuse its change and its removal."""

    __tablename__ = "journal"
    campaign: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    at: float
    kind: str
    type: str
    body: str = Field(sa_type=Text)
    hash: str


class CampaignRow(Row, table=True):
    """One campaign, from its file and its end."""

    __tablename__ = "campaign"
    campaign: str = Field(primary_key=True)
    lab: str
    protocol: str
    protocol_sha256: str
    measure: str
    unit: str
    goal: str
    target: float | None
    seed: int = Field(sa_type=BigInteger)
    parallel: int
    planner: str
    clock: str
    speed: float
    simulated: bool
    space: str = Field(sa_type=Text)
    """JSON: the searched inputs."""
    software: str = Field(sa_type=Text)
    """JSON: package to version."""
    status: str
    """``running`` or ``ended``."""
    started_at: float
    epoch: int = Field(sa_type=BigInteger)
    """Number of the lease under which it is led; higher after each resumption."""
    paused: str | None = Field(sa_type=Text)
    """Who paused it, and why; empty while it is not paused."""
    stop_asked: str | None = Field(sa_type=Text)
    ending: str | None
    reason: str | None = Field(sa_type=Text)
    best_run: str | None
    ended_at: float | None
    seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)


class HypothesisRow(Row, table=True):
    """The claim of a campaign, written before its first run."""

    __tablename__ = "hypothesis"
    campaign: str = Field(primary_key=True)
    claim: str = Field(sa_type=Text)
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
    seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)


class EvidenceRow(Row, table=True):
    """What all runs up to this one say about the claim."""

    __tablename__ = "evidence"
    run: str = Field(primary_key=True)
    campaign: str = Field(index=True)
    runs: int
    e_for: float
    e_against: float
    posterior: float
    at: float
    seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)


class SuggestionRow(Row, table=True):
    """One accepted point of the planner and its one end."""

    __tablename__ = "suggestion"
    suggestion: str = Field(primary_key=True)
    campaign: str = Field(index=True)
    ask: str
    origin: str
    inputs: str = Field(sa_type=Text)
    """JSON: input to value, in the unit of its name."""
    predicted: str = Field(sa_type=Text)
    """JSON: measure to ``mean`` and ``sd``, in the unit of the measure's name."""
    acquisition: float | None
    seed: int = Field(sa_type=BigInteger)
    model_digest: str
    fall_back: str = Field(sa_type=Text)
    accepted_at: float
    disposition: str | None
    reason: str | None = Field(sa_type=Text)
    ended_at: float | None
    seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)


class RunRow(Row, table=True):
    """One execution of the protocol."""

    __tablename__ = "run"
    run: str = Field(primary_key=True)
    campaign: str = Field(index=True)
    suggestion: str
    inputs: str = Field(sa_type=Text)
    """JSON: searched and fixed inputs, in the unit of their names."""
    roles: str = Field(sa_type=Text)
    """JSON: role to instrument or well."""
    begun_at: float
    outcome: str | None
    loss: float | None
    reason: str | None = Field(sa_type=Text)
    ended_at: float | None
    seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)


class StepRow(Row, table=True):
    """One attempt of one step: one command to one instrument."""

    __tablename__ = "step"
    cid: str = Field(primary_key=True)
    campaign: str
    run: str = Field(index=True)
    step: str
    attempt: int
    instrument: str
    operation: str
    effect: str
    args: str = Field(sa_type=Text)
    """JSON: argument to value."""
    not_after: float | None
    status: str
    """``issued``, ``accepted``, ``started``, ``done``, ``failed`` or ``unknown``."""
    issued_at: float
    started_at: float | None
    ended_at: float | None
    duration_s: float | None
    result: str | None = Field(sa_type=Text)
    """JSON: what the instrument returned."""
    phase: str | None
    fault: str | None
    reason: str | None = Field(sa_type=Text)
    seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)


class ObservationRow(Row, table=True):
    """One measured number of one run."""

    __tablename__ = "observation"
    run: str = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    campaign: str = Field(index=True)
    value: float
    unit: str
    uncertainty: float | None
    """Standard deviation in ``unit``; empty where nobody has stated one."""
    at: float
    seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)


class InstrumentRow(Row, table=True):
    """One instrument as one campaign saw it."""

    __tablename__ = "instrument"
    campaign: str = Field(primary_key=True)
    instrument: str = Field(primary_key=True)
    driver: str
    simulated: bool
    options: str = Field(sa_type=Text)
    """JSON: constructor arguments of the driver."""
    limits: str = Field(sa_type=Text)
    """JSON: ``action.argument`` to its bounds."""
    online: bool
    boot: str | None
    actions: str | None = Field(sa_type=Text)
    """JSON: names of what it offers; empty until it was seen."""
    reason: str | None = Field(sa_type=Text)
    """Why it is not online, where that was said."""
    paused: str | None = Field(sa_type=Text)
    """Who paused it, and why; empty while it is not paused."""
    stopped: str | None = Field(sa_type=Text)
    """Why it was stopped; empty once it was released."""
    held: str | None = Field(sa_type=Text)
    """Why it is not to be trusted after a stop; empty while its driver confirmed each."""
    changed_at: float
    seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)


class PlannerRequestRow(Row, table=True):
    """One attempt of one question to the planner."""

    __tablename__ = "planner_request"
    ask: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    campaign: str = Field(index=True)
    planner: str
    wanted: int
    """How many points were asked for."""
    seed: int = Field(sa_type=BigInteger)
    trials: int
    trials_sha256: str
    asked_at: float
    status: str
    """``asked``, ``answered`` or ``failed``."""
    answered_at: float | None
    received: int | None
    versions: str | None = Field(sa_type=Text)
    """JSON: package to version, of the planner's process."""
    reason: str | None = Field(sa_type=Text)
    seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)


class ResolutionRow(Row, table=True):
    """What a person said of a step whose outcome nobody knew."""

    __tablename__ = "resolution"
    campaign: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    run: str = Field(index=True)
    step: str
    verdict: str
    """``happened``, ``did_not_happen`` or ``discard``."""
    by: str
    note: str = Field(sa_type=Text)
    result: str | None = Field(sa_type=Text)
    """JSON: what the action gave, where it happened."""
    at: float
    won: bool
    """Whether it decided; a later or contradicting one only flags the sample."""
    last_seq: int = Field(sa_type=BigInteger)


class ActRow(Row, table=True):
    """What else a person told a running orchestrator."""

    __tablename__ = "act"
    campaign: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    act: str
    """``pause``, ``resume``, ``abort``, ``stop`` (the campaign, in good order) or ``stop-all``."""
    what: str
    """A run or an instrument; empty: all of it."""
    by: str
    note: str = Field(sa_type=Text)
    at: float
    last_seq: int = Field(sa_type=BigInteger)


class FlagRow(Row, table=True):
    """A sample that is not to be trusted without a look."""

    __tablename__ = "flag"
    campaign: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    run: str = Field(index=True)
    step: str
    reason: str = Field(sa_type=Text)
    at: float
    last_seq: int = Field(sa_type=BigInteger)


class LeaseRow(Row, table=True):
    """Who leads a lab; see ``sdl.shell.lease``. It stands in no journal."""

    __tablename__ = "lease"
    lab: str = Field(primary_key=True)
    epoch: int = Field(sa_type=BigInteger)
    holder: str = Field(sa_type=Text)
    beat: int = Field(sa_type=BigInteger)


class SnapshotRow(Row, table=True):
    """An engine at one line of a journal; see ``sdl.shell.snapshots``. It stands in no journal."""

    __tablename__ = "snapshot"
    campaign: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    hash: str
    stamp: str = Field(sa_type=Text)
    body: bytes


metadata = _REGISTRY.metadata
JOURNAL: Table = metadata.tables["journal"]
LEASE: Table = metadata.tables["lease"]
SNAPSHOT: Table = metadata.tables["snapshot"]
PROJECTED: dict[str, Table] = {
    name: table
    for name, table in metadata.tables.items()
    if name not in ("journal", "lease", "snapshot")
}
"""By name: everything that ``sdl db rebuild`` can make again from the journal."""
