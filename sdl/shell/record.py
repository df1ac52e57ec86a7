"""The record of a lab: one database with every journal and the tables made from it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, Connection, Engine, func, select

from sdl.core.durations import Durations
from sdl.errors import Bug, LeaseLost, RecordFault
from sdl.model.lab import Lab
from sdl.shell.columns import row, rows, table_of
from sdl.shell.database import connect, faults, is_conflict, parse
from sdl.shell.leases import Leases, lost
from sdl.shell.lessons import lessons
from sdl.shell.reading import PAGE, bodies, of_types, page
from sdl.shell.rowset import RowSet
from sdl.shell.snapshots import Snapshots
from sdl.shell.statements import Pen
from sdl.shell.tables import (
    JOURNAL,
    ActRow,
    BrokenWindowRow,
    CampaignRow,
    EvidenceRow,
    FlagRow,
    HypothesisRow,
    InstrumentRow,
    ObservationRow,
    PlannerRequestRow,
    ResolutionRow,
    RunRow,
    SampleRow,
    SessionRow,
    StepRow,
    SuggestionRow,
)
from sdl.shell.tables_of_plans import PlanRow
from sdl.shell.tables_of_stocks import LotRow, MovementRow, RefillRow, StockRow
from sdl.shell.tables_of_usage import UtilisationRow
from sdl.shell.verify import Break, first_break, rebuild_tables
from sdl.wire.journal import GENESIS, Line


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSummary:
    """One campaign at a glance."""

    campaign: CampaignRow
    runs: int
    """Begun so far; of a batch protocol, samples, as in the next two."""
    measured: int
    failed: int
    """Ended without a measurement, *unknown* and *abandoned* included."""
    broken_windows: int
    """Steps that have missed their maximum lag."""
    best: ObservationRow | None
    """The steered measure of the sample with the smallest loss so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """One run with all that belongs to it."""

    run: RunRow
    samples: tuple[SampleRow, ...]
    """One, or those of a batch in their order."""
    suggestions: tuple[SuggestionRow, ...]
    """Of each sample, in the same order."""
    steps: tuple[StepRow, ...]
    observations: tuple[ObservationRow, ...]
    evidence: EvidenceRow | None
    """After its last measured sample."""
    resolutions: tuple[ResolutionRow, ...] = ()
    """What people said of its unknown steps, in order."""
    flags: tuple[FlagRow, ...] = ()
    """Why its sample is not to be trusted without a look."""
    movements: tuple[MovementRow, ...] = ()
    """What its actions have moved, where the lab's file declares stocks."""
    broken_windows: tuple[BrokenWindowRow, ...] = ()
    """Its steps that have missed their maximum lag."""


class Record:
    """An open record. Its methods may be called from any thread; they raise RecordFault."""

    def __init__(self, engine: Engine, url: URL) -> None:
        self._engine = engine
        self._url = url
        self._pen: Pen | None = None
        self._heads: dict[str, tuple[int, str]] = {}
        self._lock = threading.RLock()
        self._fence: tuple[str, int] | None = None
        self._doubtful: Line | None = None
        """The first line of a group that may have been written although an error came back."""
        self.leases = Leases(engine, url, self._lock)
        self.snapshots = Snapshots(engine, url, self._lock)

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Record:
        """Open the record at an SQLAlchemy URL, upgrading an older schema.

        ``create``: make it if it is not there, and make sure that it can be written. RecordFault
        says in one sentence what is wrong, without the password.
        """
        parsed = parse(url)
        return cls(connect(parsed, create=create), parsed)

    def close(self) -> None:
        """Close all connections; safe to call twice."""
        with self._lock:
            if self._pen is not None:
                self._pen.close()
                self._pen = None
            self._engine.dispose()

    def fence(self, lab: str, epoch: int) -> None:
        """From now on write only while this is the epoch of the lab's lease."""
        self._fence = (lab, epoch)

    def append(self, lines: Sequence[Line]) -> None:
        """Write lines and what they change in the tables: one transaction, durable on return.

        The lines of each campaign continue its chain. After an error nothing of them is written,
        or all, where the answer to a commit got lost: to append the same again is safe, and does
        what is left to do. LeaseLost if another orchestrator has taken over; RecordAway if a later
        try may succeed.
        """
        if not lines:
            return
        with self._lock, faults(self._url):
            is_again = self._doubtful == lines[0]
            try:
                self._write(self._missing(lines) if is_again else lines)
            except BaseException as error:
                self._heads.clear()
                self._drop_pen()
                # The commit that we asked about may have come through only after the answer.
                if is_again and is_conflict(error) and not self._missing(lines):
                    self._doubtful = None
                    return
                self._doubtful = None if isinstance(error, Bug | LeaseLost) else lines[0]
                if isinstance(error, Bug):
                    self._blame_another()
                raise
            self._doubtful = None

    def _blame_another(self) -> None:
        """A chain that does not fit is no defect of ours where another one has taken over."""
        if self._fence is not None:
            lab, epoch = self._fence
            held = self.leases.held(lab)
            if held is None or held.epoch != epoch:
                raise lost(lab, epoch, held)

    def _missing(self, lines: Sequence[Line]) -> Sequence[Line]:
        """What is left of lines of which the database may hold the first ones already."""
        left = list(lines)
        for name in {line.campaign for line in lines}:
            seq, digest = self.head(name)
            if any((line.campaign, line.seq, line.hash) == (name, seq, digest) for line in lines):
                left = [line for line in left if line.campaign != name or line.seq > seq]
        return left

    def _write(self, lines: Sequence[Line]) -> None:
        if not lines:
            return
        heads = self._continued(lines)
        changed = RowSet()
        changed.add_lines(lines)
        if self._pen is None:
            self._pen = Pen(self._engine)
        self._pen.write(lines, changed, self._fence)
        self._heads.update(heads)

    def _drop_pen(self) -> None:
        """After an error the next try gets a new connection: this one may be dead."""
        pen, self._pen = self._pen, None
        if pen is not None:
            pen.discard()

    def _continued(self, lines: Sequence[Line]) -> dict[str, tuple[int, str]]:
        """The heads after these lines. Bug if one does not follow on the line before it."""
        heads: dict[str, tuple[int, str]] = {}
        for line in lines:
            name = line.campaign
            seq, previous = heads.get(name) or self._heads.get(name) or self.head(name)
            if line.seq != seq + 1 or line.hash != line.expected_hash(previous):
                raise Bug(
                    f"journal line {line.seq} of {name} does not continue the chain, which "
                    f"stands at {seq}; nothing was written"
                )
            heads[name] = (line.seq, line.hash)
        return heads

    def lines(self, campaign: str, after: int = 0) -> Iterator[Line]:
        """One journal in order, from the line after ``after`` on.

        ``campaign``: its name, which is that of its campaign or of the session of a lab.
        """
        while True:
            with faults(self._url), self._engine.connect() as connection:
                found = page(connection, campaign, after)
            yield from found
            if len(found) < PAGE:
                return
            after = found[-1].seq

    def bodies(self, campaign: str, after: int = 0) -> Iterator[tuple[int, str, str]]:
        """The same lines as number, type and body: all that a replay needs, at a third of the cost.

        RecordFault where one is missing.
        """
        while True:
            with faults(self._url), self._engine.connect() as connection:
                found = bodies(connection, campaign, after)
            if found and found[-1][0] != after + len(found):
                raise RecordFault(
                    f"the journal of {campaign!r} lacks lines after {after}; find out with: "
                    "sdl db verify"
                )
            yield from found
            if len(found) < PAGE:
                return
            after += PAGE

    def of_types(self, campaign: str, types: tuple[str, ...]) -> list[tuple[str, str]]:
        """Type and body of those of its lines that are of some types, in order."""
        with faults(self._url), self._engine.connect() as connection:
            return list(of_types(connection, campaign, types))

    def head(self, campaign: str) -> tuple[int, str]:
        """Number and hash of the last line; 0 and GENESIS where there is none."""
        query = (
            select(JOURNAL.c.seq, JOURNAL.c.hash)
            .where(JOURNAL.c.campaign == campaign)
            .order_by(JOURNAL.c.seq.desc())
            .limit(1)
        )
        with faults(self._url), self._engine.connect() as connection:
            found = connection.execute(query).first()
        return (0, GENESIS) if found is None else (found.seq, found.hash)

    def verify(self, campaign: str | None = None) -> Break | None:
        """The first broken link of one campaign's journal, or of all; None if every one holds."""
        with faults(self._url):
            return first_break(self._engine, campaign)

    def rebuild(self, *, check: bool) -> list[str]:
        """Make the tables again from the journal; a sentence for each difference found.

        ``check``: only compare, change nothing.
        """
        with self._lock, faults(self._url):
            return rebuild_tables(self._engine, check=check)

    def campaigns(self) -> list[CampaignSummary]:
        """All campaigns, the earliest first."""
        with self._reading() as reading:
            found = rows(reading, CampaignRow, "started_at", "campaign")
            return [_summary(reading, each) for each in found]

    def campaign(self, name: str) -> CampaignSummary:
        """One campaign. RecordFault, with the names there are, if it is not in the record."""
        with self._reading() as reading:
            found = row(reading, CampaignRow, campaign=name)
            if found is None:
                names = [each.campaign for each in rows(reading, CampaignRow, "campaign")]
                there = f"there are: {', '.join(names)}" if names else "it is empty"
                raise RecordFault(f"the record holds no campaign {name!r}; {there}")
            return _summary(reading, found)

    def sessions(self) -> list[SessionRow]:
        """All sessions of labs, the earliest first."""
        with self._reading() as reading:
            return rows(reading, SessionRow, "opened_at", "session")

    def highest_epoch(self) -> int:
        """Of all orchestrators that this record has seen; 0 if none."""
        epochs = [each.campaign.epoch for each in self.campaigns()]
        return max([*epochs, *(each.epoch for each in self.sessions())], default=0)

    def journals(self) -> list[str]:
        """Of campaigns by themselves and of sessions, the earliest first."""
        found = [(each.campaign.started_at, each.campaign.journal) for each in self.campaigns()]
        found += [(each.opened_at, each.session) for each in self.sessions()]
        return list(dict.fromkeys(name for _, name in sorted(found)))

    def journal_of(self, name: str) -> str:
        """The journal in which a campaign stands, or a session of that name.

        RecordFault if there is neither.
        """
        if any(each.session == name for each in self.sessions()):
            return name
        return self.campaign(name).campaign.journal

    def runs(self, campaign: str) -> list[RunRow]:
        """The runs of one campaign in the order in which they were begun."""
        with self._reading() as reading:
            return rows(reading, RunRow, "seq", campaign=campaign)

    def run(self, run: str) -> RunDetail:
        """One run. RecordFault if it is not in the record."""
        with self._reading() as reading:
            found = row(reading, RunRow, run=run)
            if found is None:
                raise RecordFault(f"the record holds no run {run!r}; see 'sdl runs list'")
            samples = tuple(rows(reading, SampleRow, "sample", run=run))
            suggested = [row(reading, SuggestionRow, suggestion=s.suggestion) for s in samples]
            weighed = rows(reading, EvidenceRow, "sample", run=run)
            return RunDetail(
                run=found,
                samples=samples,
                suggestions=tuple(one for one in suggested if one is not None),
                steps=tuple(rows(reading, StepRow, "seq", run=run)),
                observations=tuple(rows(reading, ObservationRow, "sample", "measure", run=run)),
                evidence=weighed[-1] if weighed else None,
                resolutions=tuple(rows(reading, ResolutionRow, "seq", run=run)),
                flags=tuple(rows(reading, FlagRow, "seq", run=run)),
                movements=tuple(rows(reading, MovementRow, "seq", "number", run=run)),
                broken_windows=tuple(rows(reading, BrokenWindowRow, "seq", run=run)),
            )

    def broken_windows(self, campaign: str) -> list[BrokenWindowRow]:
        """The steps of one campaign that have missed their maximum lag, in order."""
        with self._reading() as reading:
            return rows(reading, BrokenWindowRow, "seq", campaign=campaign)

    def observations(self, campaign: str) -> list[ObservationRow]:
        """Every measured number of one campaign in the order of arrival."""
        with self._reading() as reading:
            return rows(reading, ObservationRow, "seq", "sample", "measure", campaign=campaign)

    def samples(self, campaign: str) -> list[SampleRow]:
        """The samples of one campaign: of each run one, or those of its batch, in order."""
        with self._reading() as reading:
            return rows(reading, SampleRow, "seq", "sample", campaign=campaign)

    def suggestions(self, campaign: str) -> list[SuggestionRow]:
        """The accepted points of one campaign in order."""
        with self._reading() as reading:
            return rows(reading, SuggestionRow, "seq", campaign=campaign)

    def suggestion(self, suggestion: str) -> SuggestionRow:
        """One accepted point. RecordFault if it is not in the record."""
        with self._reading() as reading:
            found = row(reading, SuggestionRow, suggestion=suggestion)
        if found is None:
            raise RecordFault(f"the record holds no suggestion {suggestion!r}")
        return found

    def planner_requests(self, campaign: str) -> list[PlannerRequestRow]:
        """What the planner was asked, each attempt, in order."""
        with self._reading() as reading:
            return rows(reading, PlannerRequestRow, "seq", campaign=campaign)

    def hypothesis(self, campaign: str) -> HypothesisRow | None:
        """The claim of one campaign; None where it has none."""
        with self._reading() as reading:
            return row(reading, HypothesisRow, campaign=campaign)

    def evidence(self, campaign: str) -> list[EvidenceRow]:
        """The evidence after each run, in order."""
        with self._reading() as reading:
            return rows(reading, EvidenceRow, "seq", campaign=campaign)

    def acts(self, campaign: str) -> list[ActRow]:
        """What people told the orchestrator of one campaign, in order."""
        with self._reading() as reading:
            return rows(reading, ActRow, "seq", campaign=campaign)

    def instruments(self, campaign: str) -> list[InstrumentRow]:
        """The instruments as one campaign, or a session of a lab, sees them, by name."""
        with self._reading() as reading:
            return rows(reading, InstrumentRow, "instrument", campaign=_owner(reading, campaign))

    def utilisation(self, campaign: str) -> list[UtilisationRow]:
        """What instruments spent a campaign's, or a session's, time on, as it stood at its end.

        By instrument; nothing where it has not ended. Of a session that was closed more than once
        the last account counts.
        """
        with self._reading() as reading:
            found = rows(reading, UtilisationRow, "seq", campaign=campaign)
        return sorted({each.instrument: each for each in found}.values(), key=_instrument)

    def plans(self, campaign: str) -> list[PlanRow]:
        """What the scheduler answered in one campaign, or its session, in order."""
        with self._reading() as reading:
            return rows(reading, PlanRow, "seq", campaign=_owner(reading, campaign))

    def stocks(self, campaign: str) -> list[StockRow]:
        """The declared sources as the ledger of a campaign, or its session, has them, by name."""
        with self._reading() as reading:
            return rows(reading, StockRow, "source", campaign=_owner(reading, campaign))

    def lots(self, campaign: str) -> list[LotRow]:
        """What was in those sources at the beginning, and was filled in since, in order."""
        with self._reading() as reading:
            return rows(reading, LotRow, "seq", "source", campaign=_owner(reading, campaign))

    def refills(self, campaign: str) -> list[RefillRow]:
        """What people were asked to refill in one campaign, or its session, in order."""
        with self._reading() as reading:
            return rows(reading, RefillRow, "seq", campaign=_owner(reading, campaign))

    def lessons(self, lab: Lab) -> Durations:
        """How long the actions of a lab's instruments took, in all of its campaigns."""
        with self._reading() as reading:
            return lessons(reading, lab)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection to read with."""
        with faults(self._url), self._engine.connect() as connection:
            yield connection


def _instrument(one: UtilisationRow) -> str:
    return one.instrument


def _owner(reading: Connection, campaign: str) -> str:
    """Whose the bench is: of a campaign of a session it is the session's."""
    known = row(reading, CampaignRow, campaign=campaign)
    return campaign if known is None else known.journal


def _summary(reading: Connection, campaign: CampaignRow) -> CampaignSummary:
    sample, seen = table_of(SampleRow).c, table_of(ObservationRow).c
    counted = (
        select(sample.outcome, func.count().label("runs"))
        .where(sample.campaign == campaign.campaign)
        .group_by(sample.outcome)
    )
    by_outcome = {each.outcome: each.runs for each in reading.execute(counted)}
    best = (
        select(table_of(ObservationRow))
        .join(table_of(SampleRow), (sample.run == seen.run) & (sample.sample == seen.sample))
        .where(sample.campaign == campaign.campaign, sample.loss.is_not(None))
        .where(seen.measure == campaign.measure)
        .order_by(sample.loss, sample.seq, sample.sample)
        .limit(1)
    )
    found = reading.execute(best).mappings().first()
    window = table_of(BrokenWindowRow)
    missed = select(func.count()).where(window.c.campaign == campaign.campaign)
    return CampaignSummary(
        campaign=campaign,
        runs=sum(by_outcome.values()),
        measured=by_outcome.get("measured", 0),
        failed=sum(by_outcome.get(each, 0) for each in ("failed", "unknown", "abandoned")),
        broken_windows=reading.execute(missed).scalar_one(),
        best=None if found is None else ObservationRow(**found),
    )
