"""A snapshot saves reading a journal from its start, and changes nothing about what follows."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sdl.core.engine import Engine
from sdl.core.events import EVENTS
from sdl.core.replay import fold
from sdl.core.script import ProtocolFunction
from sdl.errors import RecordFault, RecordMismatch
from sdl.shell import opening
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.record import Record
from sdl.shell.snapshots import Keeping, Kept, digest_of, kept_of, stamp
from sdl.sim.simulate import simulate
from sdl.wire.journal import Chain, Line, load
from tests.record.conftest import Spoil
from tests.sim.places import place


@dataclass(frozen=True)
class Past:
    """A campaign that ended, and its journal."""

    prepared: Prepared
    lines: list[Line]

    def turns(self) -> list[int]:
        """Line numbers behind which a turn of the loop ends."""
        return [
            n
            for n in range(2, len(self.lines))
            if isinstance(load(self.lines[n].type, self.lines[n].body), EVENTS)
        ]

    def engine(self, count: int) -> Engine:
        """The engine behind so many lines."""
        lines = (load(line.type, line.body) for line in self.lines[:count])
        return fold(self.prepared.script, lines)

    def kept(self, count: int) -> Kept:
        """The snapshot behind so many lines."""
        return kept_of(
            self.engine(count).snapshot(),
            campaign="dye",
            seq=count,
            head=self.lines[count - 1].hash,
            as_of=stamp({"dye": digest_of(self.prepared.script)}),
        )

    def again(self, record: Record, kept: Sequence[Kept] = ()) -> opening.Opening:
        campaign, lab = self.prepared.campaign.campaign, self.prepared.lab.lab
        return opening.again(self.prepared.script, record, campaign, lab, at=1e9, kept=kept)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    path = place(tmp_path_factory.mktemp("past"), runs=14, parallel=2)
    record = Record.open(simulate(path).record_url)
    lines = list(record.lines("dye"))
    record.close()
    return Past(prepare(path), lines)


def same(first: opening.Opening, second: opening.Opening) -> bool:
    return (
        first.engine.state_sha256() == second.engine.state_sha256()
        and first.first == second.first
        and (first.chain.seq, first.chain.head) == (second.chain.seq, second.chain.head)
        and first.chain.origin == second.chain.origin
        and sorted(one.cid for one in first.sent) == sorted(one.cid for one in second.sent)
    )


def test_only_the_last_two_of_a_campaign_stay(url: str) -> None:
    record = Record.open(url)

    def kept(campaign: str, seq: int, body: bytes = b"\x00\xff") -> Kept:
        return Kept(campaign=campaign, seq=seq, hash="h", stamp="{}", body=body)

    for seq in (10, 20, 30):
        record.snapshots.add(kept("dye", seq))
        record.snapshots.add(kept("other", seq))
    assert record.snapshots.of("dye") == [kept("dye", 30), kept("dye", 20)]
    # One of a line again, after the journal was put back: it and all later ones are of another.
    record.snapshots.add(kept("dye", 20, b"anew"))
    assert record.snapshots.of("dye") == [kept("dye", 20, b"anew")]
    assert len(record.snapshots.of("other")) == 2
    assert record.snapshots.of("nobody") == []
    record.close()


def test_whatever_line_a_snapshot_stands_at_the_campaign_goes_on_alike(
    past: Past, tmp_path: Path
) -> None:
    turns = past.turns()
    for end in turns[len(turns) // 2 :: 20]:
        record = Record.open(f"sqlite:///{tmp_path / f'{end}.sqlite'}")
        record.append(past.lines[:end])
        whole = past.again(record)
        assert whole.restored == 0
        for at in [turn for turn in turns if turn <= end][::5]:
            restored = past.again(record, [past.kept(at)])
            assert restored.restored == at
            assert same(restored, whole), f"snapshot of line {at}, journal of {end} lines"
        record.close()


def test_on_both_databases_it_comes_back_as_it_was(past: Past, url: str) -> None:
    record = Record.open(url)
    middle, end = past.turns()[40], past.turns()[80]
    record.append(past.lines[:end])
    record.snapshots.add(past.kept(middle))
    found = past.again(record, record.snapshots.of("dye"))
    assert found.restored == middle
    assert same(found, past.again(record))
    record.close()


def spoilt(kept: Kept) -> list[Kept]:
    text = kept.text()
    return [
        replace(kept, hash="0" * 64),
        replace(kept, seq=kept.seq + 1),
        replace(kept, seq=10_000),
        replace(kept, stamp=kept.stamp.replace("python", "parrot")),
        replace(kept, body=kept.body[:-20]),
        replace(kept, body=b""),
        replace(kept, body=b"no snapshot"),
        _with(kept, text[: len(text) // 2]),
        _with(kept, text.replace("step\tstate", "step\tmood")),
    ]


def _with(kept: Kept, text: str) -> Kept:
    return replace(kept, body=zlib.compress(text.encode()))


def test_one_that_does_not_fit_is_passed_over(past: Past, tmp_path: Path) -> None:
    record = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}")
    early, middle, end = past.turns()[20], past.turns()[40], past.turns()[80]
    record.append(past.lines[:end])
    whole, good = past.again(record), past.kept(early)
    for number, bad in enumerate(spoilt(past.kept(middle))):
        alone, behind = past.again(record, [bad]), past.again(record, [bad, good])
        assert alone.restored == 0, number
        assert behind.restored == early, number
        assert same(alone, whole), number
        assert same(behind, whole), number
    record.close()


def test_one_that_holds_something_else_is_found_out_by_the_lines_after_it(
    past: Past, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A snapshot is never the truth: what it gets wrong is noticed, and the journal decides."""
    record = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}")
    middle, end = past.turns()[40], past.turns()[80]
    record.append(past.lines[:end])
    text = past.kept(middle).text()
    lying = _with(past.kept(middle), text.replace("state\tbegun\t[", "state\tbegun\t[1"))
    with caplog.at_level(logging.WARNING):
        found = past.again(record, [lying])
    assert found.restored == 0
    assert same(found, past.again(record))
    assert any(
        told.exc_info is not None and told.exc_info[0] is RecordMismatch for told in caplog.records
    )
    record.close()


def test_a_wrong_one_is_found_by_a_look_at_the_whole_journal(past: Past, url: str) -> None:
    record, script = Record.open(url), past.prepared.script
    middle, end = past.turns()[40], past.turns()[80]
    record.append(past.lines[:end])
    good = past.kept(middle)
    text = good.text()
    lying = _with(good, text.replace("state\tbegun\t[", "state\tbegun\t[1"))
    assert opening.wrong_snapshot(script, record, good) == ""
    assert opening.wrong_snapshot(script, record, lying) == "it leads to another state"
    assert "cannot be read" in opening.wrong_snapshot(script, record, replace(good, body=b"x"))
    other = replace(good, hash="0" * 64)
    assert opening.wrong_snapshot(script, record, other) == "it is of another journal"
    old = replace(lying, stamp="of another version")
    assert opening.wrong_snapshot(script, record, old) == ""
    record.snapshots.add(lying)
    record.rebuild(check=True)
    assert record.snapshots.of("dye") == [lying]
    record.rebuild(check=False)
    assert record.snapshots.of("dye") == []
    record.close()


def test_a_journal_that_ends_before_its_snapshot_is_folded_whole(
    past: Past, tmp_path: Path
) -> None:
    """The snapshot came through, the lines before it were lost: a journal that was put back."""
    record = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}")
    middle, end = past.turns()[40], past.turns()[80]
    record.append(past.lines[:middle])
    found = past.again(record, [past.kept(end)])
    assert found.restored == 0
    assert found.chain.seq == middle
    record.close()


def played(past: Past, record: Record, keeping: Keeping, end: int) -> tuple[Engine, Chain]:
    """A campaign at work: turn for turn onto the record, then a look at whether it is time."""
    engine, chain, done = Engine(past.prepared.script), Chain("dye"), 0
    for turn in [turn for turn in past.turns() if turn <= end]:
        for line in past.lines[done:turn]:
            value = load(line.type, line.body)
            if isinstance(value, EVENTS):
                engine.handle(value)  # type: ignore[arg-type]
        chain = Chain("dye", past.lines[turn - 1], origin=past.lines[0].hash)
        record.append(past.lines[done:turn])
        done = turn
        keeping.look(engine, chain)
        if keeping._writing is not None:
            keeping._writing.result()
            keeping._not_before = 0.0
    return engine, chain


def test_they_are_taken_every_so_many_lines_and_at_the_end(past: Past, url: str) -> None:
    record, end = Record.open(url), past.turns()[80]
    keeping = Keeping(record.snapshots, every=50, share=1.0, least=1)
    engine, chain = played(past, record, keeping, end)
    before = [each.seq for each in record.snapshots.of("dye")]
    assert len(before) == 2
    assert 50 <= before[0] - before[1] < 60
    keeping.close(engine, chain, record.head)
    assert [each.seq for each in record.snapshots.of("dye")] == [end, before[0]]
    found = past.again(record, record.snapshots.of("dye"))
    assert found.restored == end
    assert same(found, past.again(record))
    record.close()


def test_none_is_taken_of_what_is_not_on_record(past: Past, tmp_path: Path) -> None:
    record, end = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}"), past.turns()[80]
    keeping = Keeping(record.snapshots, every=10_000, least=1)
    engine, chain = played(past, record, keeping, end)
    keeping.close(engine, chain, lambda _: (chain.seq - 1, "of another line"))
    assert record.snapshots.of("dye") == []
    record.close()


def test_a_campaign_does_without_where_none_can_be_written(
    past: Past, url: str, spoil: Spoil, caplog: pytest.LogCaptureFixture
) -> None:
    record, end = Record.open(url), past.turns()[40]
    spoil("DROP TABLE snapshot")
    keeping = Keeping(record.snapshots, every=50, least=1)
    engine, chain = played(past, record, keeping, end)
    keeping.close(engine, chain, record.head)
    assert "a snapshot could not be written" in caplog.text
    assert record.head("dye")[0] == end
    record.close()


def test_where_the_record_is_away_at_the_end_none_is_taken(past: Past, tmp_path: Path) -> None:
    record, end = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}"), past.turns()[40]
    keeping = Keeping(record.snapshots, least=1)
    engine, chain = played(past, record, keeping, end)

    def away(_: str) -> tuple[int, str]:
        raise RecordFault("the server is away")

    keeping.close(engine, chain, away)
    assert record.snapshots.of("dye") == []
    record.close()


def test_a_snapshot_is_bound_to_its_protocol_and_recoveries(past: Past, tmp_path: Path) -> None:
    script = past.prepared.script
    assert digest_of(script) == digest_of(replace(script))
    edited = replace(script.signature, source_sha256="0" * 64)
    assert digest_of(replace(script, signature=edited)) != digest_of(script)
    file, found = tmp_path / "mend.py", set()
    for words in ("async def mend(): ...", "async def mend(): 1 / 0"):
        file.write_text(words, encoding="utf-8")
        rooms: dict[str, ProtocolFunction] = {}
        exec(compile(words, str(file), "exec"), rooms)  # noqa: S102 - a file of this very test
        found.add(digest_of(replace(script, recoveries={"mend": rooms["mend"]})))
    assert len(found) == 2


def test_a_snapshot_needs_nothing_beside_its_text_but_the_protocol(past: Past) -> None:
    end = past.turns()[60]
    engine = Engine.restored(past.prepared.script, past.kept(end).text())
    assert engine.view() == past.engine(end).view()
    assert engine.state_sha256() == past.engine(end).state_sha256()
