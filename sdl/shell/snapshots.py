"""Snapshots of engines beside the journal, so that a long one need not be folded from its start.

A snapshot is an aid and never the truth: it names the line that it stands at, by number and hash,
and the software that took it. One that does not fit exactly is passed over, and the journal is
folded from its beginning. It may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import URL, delete, insert, select
from sqlalchemy import Engine as Database

import sdl
from sdl.core import snapshot as form
from sdl.core.engine import Engine
from sdl.core.script import Script
from sdl.errors import RecordFault
from sdl.shell.database import faults
from sdl.shell.tables import SNAPSHOT
from sdl.wire.journal import Chain

EVERY = 20_000
"""Journal lines from one snapshot to the next; a restart folds about so many at most, ..."""
SHARE = 0.05
"""... unless to write them would take a greater share of the time than this."""
LEAST = 1_000
"""Lines that a snapshot at the end has to save, to be worth it."""
STAY = 2
"""Snapshots of a campaign that are kept."""
ROOMS = ("authoring.py", "core", "model", "capabilities", "wire/journal.py")
"""What decides, or gives what is decided its form: a snapshot of other sources does not fit."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One snapshot on record."""

    campaign: str
    seq: int
    """The journal line after which it was taken, ..."""
    hash: str
    """... and the hash of that line."""
    stamp: str
    """JSON: by what software and for what protocol it was taken."""
    body: bytes
    """The text of ``sdl.core.snapshot``, zlib."""

    def text(self) -> str:
        """What ``Engine.restored`` takes. ValueError if it is damaged."""
        try:
            return zlib.decompress(self.body).decode()
        except zlib.error as error:
            raise ValueError(f"the snapshot is damaged: {error}") from error


class Snapshots:
    """All snapshots of one database. RecordAway or RecordFault where it does not answer."""

    def __init__(self, engine: Database, url: URL, lock: AbstractContextManager[object]) -> None:
        """``lock``: of the record, whose connection a database in memory shares."""
        self._engine = engine
        self._url = url
        self._lock = lock

    def add(self, kept: Kept) -> None:
        """Keep one more, and only the last ones of its campaign."""
        mine = SNAPSHOT.c.campaign == kept.campaign
        row = {
            "campaign": kept.campaign,
            "seq": kept.seq,
            "hash": kept.hash,
            "stamp": kept.stamp,
            "body": kept.body,
        }
        exclusive = self._engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        with self._lock, faults(self._url), exclusive.begin() as connection:
            connection.execute(delete(SNAPSHOT).where(mine, SNAPSHOT.c.seq >= kept.seq))
            connection.execute(insert(SNAPSHOT).values(**row))
            query = select(SNAPSHOT.c.seq).where(mine).order_by(SNAPSHOT.c.seq.desc())
            old = list(connection.execute(query).scalars())[STAY:]
            if old:
                connection.execute(delete(SNAPSHOT).where(mine, SNAPSHOT.c.seq.in_(old)))

    def of(self, campaign: str) -> list[Kept]:
        """Those of one campaign, the newest first."""
        query = select(SNAPSHOT).where(SNAPSHOT.c.campaign == campaign)
        with self._lock, faults(self._url), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(SNAPSHOT.c.seq.desc())).fetchall()
        return [
            Kept(campaign=row.campaign, seq=row.seq, hash=row.hash, stamp=row.stamp, body=row.body)
            for row in rows
        ]


def stamp(protocols: Mapping[str, str]) -> str:
    """What has to be the same for a snapshot to fit: software, sources, protocols.

    ``protocols``: by campaign, the ``digest_of`` its script.
    """
    plain = {
        "python": platform.python_version(),
        "pydantic": _pydantic(),
        "sources_sha256": _sources_sha256(),
        "protocols": dict(protocols),
    }
    return json.dumps(plain, sort_keys=True)


def digest_of(script: Script) -> str:
    """SHA-256 over a protocol and the files that its functions stand in, as they are now."""
    functions = (script.function, *script.recoveries.values())
    files = sorted({function.__code__.co_filename for function in functions})
    text = script.signature.source_sha256 + _files_sha256([Path(name) for name in files])
    return hashlib.sha256(text.encode()).hexdigest()


class Digests:
    """Of the protocols at work, each taken when it is first seen: its file may change later."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def look(self, engine: Engine) -> None:
        """Take those of campaigns that have come, and forget those that have gone."""
        if engine.campaigns.keys() != self._known.keys():
            self._known = {
                name: self._known.get(name) or digest_of(part.script)
                for name, part in engine.campaigns.items()
            }

    def stamp(self) -> str:
        """The stamp of a snapshot that is taken now."""
        return stamp(self._known)


@lru_cache(maxsize=1)  # its metadata takes milliseconds to read
def _pydantic() -> str:
    return version("pydantic")


@lru_cache(maxsize=1)
def _sources_sha256() -> str:
    top = Path(sdl.__file__).parent
    found = [top / room for room in ROOMS]
    return _files_sha256(sorted(p for f in found for p in ([f] if f.is_file() else f.glob("*.py"))))


def _files_sha256(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        text = path.read_bytes() if path.is_file() else b""
        digest.update(hashlib.sha256(text).digest())
    return digest.hexdigest()


class Keeping:
    """Takes a snapshot of an engine from time to time, while it is at work.

    The loop only takes the engine's state out, a matter of milliseconds; a thread of its own makes
    the text of it, piece by piece, and writes that. Whatever goes wrong with a snapshot is logged,
    and no more.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        *,
        after: int = 0,
        every: int = EVERY,
        share: float = SHARE,
        least: int = LEAST,
    ) -> None:
        """``after``: number of the line at which the last one was taken."""
        self._snapshots = snapshots
        self._digests = Digests()
        self._every, self._share, self._least = every, share, least
        self._last = after
        self._not_before = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshots")
        self._writing: Future[float] | None = None
        form.make_ready()

    def look(self, engine: Engine, chain: Chain) -> None:
        """Take one if it is time to; the journal holds every line of the chain."""
        self._digests.look(engine)
        if chain.seq - self._last < self._every or engine.is_over:
            return
        if self._writing is not None:
            if not self._writing.done():
                return
            self._not_before = time.monotonic() + self._writing.result() * (1.0 / self._share - 1.0)
            self._writing = None
        if time.monotonic() >= self._not_before:
            self._take(engine, chain)

    def close(self, engine: Engine, chain: Chain, head: Callable[[str], tuple[int, str]]) -> None:
        """Take a last one, if the campaign is to go on and all that was decided is on record.

        ``head``: tells number and hash of the last line of a journal.
        """
        try:
            if chain.seq - self._last >= self._least and self._is_whole(engine, chain, head):
                self._take(engine, chain)
        finally:
            self._thread.shutdown()

    @staticmethod
    def _is_whole(engine: Engine, chain: Chain, head: Callable[[str], tuple[int, str]]) -> bool:
        if chain.seq == 0 or (engine.is_over and not engine.is_shared):
            return False
        try:
            return head(chain.campaign) == (chain.seq, chain.head)
        except RecordFault:
            return False

    def _take(self, engine: Engine, chain: Chain) -> None:
        self._last = chain.seq
        self._digests.look(engine)
        try:
            taken = engine.snapshot()
        except Exception:  # a campaign does without it
            log.exception("no snapshot could be taken")
            return
        self._writing = self._thread.submit(
            self._write, taken, chain.campaign, chain.seq, chain.head, self._digests.stamp()
        )

    def _write(self, taken: form.Snapshot, campaign: str, seq: int, head: str, as_of: str) -> float:
        """Wall seconds that it took to write one."""
        began = time.monotonic()
        try:
            kept = kept_of(taken, campaign=campaign, seq=seq, head=head, as_of=as_of)
            self._snapshots.add(kept)
        except Exception:
            log.exception("a snapshot could not be written")
        return time.monotonic() - began


def kept_of(taken: form.Snapshot, *, campaign: str, seq: int, head: str, as_of: str) -> Kept:
    """The form in which a snapshot stands on record. ``as_of``: its stamp."""
    packed = zlib.compressobj(1)
    body = [packed.compress(piece.encode()) for piece in taken.pieces()]
    return Kept(
        campaign=campaign, seq=seq, hash=head, stamp=as_of, body=b"".join([*body, packed.flush()])
    )
