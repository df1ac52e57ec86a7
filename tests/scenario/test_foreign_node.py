"""A node written against docs/wire/README.md alone keeps the contract, on a real Mosquitto."""

from __future__ import annotations

import ast
import asyncio
import random
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sdl.testing.servers import SBIN, find_program, free_port, server
from sdl.testing.servers import mosquitto as running_mosquitto
from sdl.wire.mqtt import Birth, birth_digest
from tests.scenario.foreign import (
    ENDS,
    EXAMPLE,
    SOON_S,
    NodeProcess,
    Orchestrator,
    foreign_node,
    orchestrator,
    our_node,
)

SLOW_UL = 200.0
"""A dose that takes two seconds, and falls after one."""
UNBORN = Birth.model_construct(memory="none")
OWN = {"instrument", "journal", "messages", "node"}


@pytest.fixture
def lab(tmp_path: Path) -> str:
    """A name of its own, so that tests do not meet each other's retained messages."""
    return f"lab-{abs(hash(str(tmp_path))) % 10**9}"


MAKERS = {"foreign": foreign_node, "ours": our_node}
BOTH = pytest.mark.parametrize("node", MAKERS, indirect=True)
"""What the page says has to hold for the nodes of this project, too."""


@pytest.fixture
def node(
    request: pytest.FixtureRequest, mosquitto: str, lab: str, tmp_path: Path
) -> Iterator[NodeProcess]:
    process = MAKERS[vars(request).get("param", "foreign")](mosquitto, lab, tmp_path)
    yield process
    process.kill()


@pytest.fixture
async def boss(mosquitto: str, lab: str) -> AsyncIterator[Orchestrator]:
    async with orchestrator(mosquitto, lab) as one:
        yield one


def test_it_imports_nothing_of_sdl() -> None:
    outside = set()
    for name in OWN:
        for part in ast.walk(ast.parse((EXAMPLE / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(part, ast.Import):
                outside |= {alias.name.partition(".")[0] for alias in part.names}
            elif isinstance(part, ast.ImportFrom):
                outside.add((part.module or "").partition(".")[0])
    assert outside - sys.stdlib_module_names - OWN == {"paho"}


async def test_it_introduces_itself_and_does_what_it_is_told(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    birth = await boss.there()
    assert birth.sha256 == birth_digest(birth.model_dump(mode="json", exclude_unset=True))
    await boss.greet(birth)
    await boss.command(birth, "dose", 20.0)
    await boss.command(birth, "look", None)
    assert (await boss.hears("look", "done")).result == pytest.approx((20.0 - 4.0) * 0.93)
    assert boss.of("dose") == boss.of("look") == ["accepted", "started", "done"]
    assert sorted(event.seq for event in boss.events) == [1, 2, 3, 4, 5, 6]
    await boss.until(lambda: boss.states[-1].status == "idle", "an idle state")
    await boss.until(lambda: boss.beats > 0, "a heartbeat")
    assert node.end() == 0
    await boss.until(lambda: boss.online is not None and not boss.online.online, "a good-bye")


@BOTH
async def test_it_starts_nothing_before_it_is_greeted(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    birth = await boss.there()
    await boss.command(birth, "early")
    await boss.control("greet", boot="another")
    await boss.hears("early", "accepted")
    await asyncio.sleep(SOON_S)
    assert boss.of("early") == ["accepted"]
    assert boss.states[-1].status == "waiting"
    await boss.greet(birth)
    await boss.hears("early", "done")


@BOTH
async def test_a_greeting_for_another_journal_brings_the_birth_again_and_no_more(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    birth = await boss.there()
    await boss.command(birth, "early")
    await boss.hears("early", "accepted")
    await boss.greet(birth.model_copy(update={"memory": "another"}), 8)
    await boss.until(lambda: len(boss.births) >= 2, "one more birth")
    await asyncio.sleep(SOON_S)
    assert {each.memory for each in boss.births} == {birth.memory}
    assert boss.of("early") == ["accepted"]
    await boss.greet(birth, 1)
    await boss.hears("early", "done")


@BOTH
async def test_a_kill_in_mid_action_is_unknown_and_the_dose_is_never_repeated(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    first = await boss.greeted()
    payload = await boss.command(first, "cut", SLOW_UL)
    await boss.hears("cut", "started")
    node.kill()
    node.start()
    second = await boss.greeted(after=first, from_seq=1)
    assert second.memory == first.memory
    unknown = await boss.hears("cut", "unknown")
    assert unknown.seq == 3
    assert unknown.error is not None
    await boss.again(payload)
    await boss.control("query", cid="cut")
    await boss.until(lambda: boss.of("cut").count("unknown") >= 3, "two answers more")
    assert node.doses == []


@BOTH
async def test_whatever_comes_twice_is_done_once_also_after_a_restart(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    first = await boss.greeted()
    payload = await boss.command(first, "dose")
    await boss.again(payload)
    await boss.hears("dose", "done")
    await boss.again(payload)
    await boss.until(lambda: boss.of("dose").count("done") == 2, "the answer again")
    node.kill()
    node.start()
    await boss.greeted(after=first)
    await boss.again(payload)
    await boss.until(lambda: boss.of("dose").count("done") == 3, "the answer after a restart")
    assert len(node.doses) == 1


@BOTH
async def test_what_was_not_heard_is_said_again_word_by_word(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    first = await boss.greeted()
    await boss.command(first, "dose")
    await boss.hears("dose", "done")
    heard = list(boss.events)
    node.kill()
    node.start()
    boss.events.clear()
    await boss.greeted(after=first, from_seq=2)
    await boss.until(lambda: len(boss.events) >= 2, "two words")
    assert boss.events == heard[1:]


@pytest.mark.parametrize(
    "fields, stage, words",
    [
        ({"memory": "another"}, "not_seen", ""),
        ({"epoch": 4}, "stale", ""),
        ({"op": "heat"}, "failed", "offers no 'heat'; it offers dispense, weigh"),
        ({"args": {"volume_ul": 1.0}}, "failed", "do not match their SHA-256"),
        ({"ttl_s": 0.0}, "failed", "deadline passed"),
    ],
)
async def test_what_may_not_be_done_is_refused_before_anything_moves(
    node: NodeProcess, boss: Orchestrator, fields: dict[str, object], stage: str, words: str
) -> None:
    node.start()
    birth = await boss.greeted()
    await boss.command(birth, "bad", **fields)  # type: ignore[arg-type]
    event = await boss.hears("bad", stage)
    if stage == "failed":
        assert event.error is not None
        assert event.error.phase == "before_start"
        assert words in event.error.reason
    else:
        assert (event.seq, event.epoch) == (0, 5)
    assert node.doses == []


@pytest.mark.parametrize("volume_ul", [500.1, -0.1])
async def test_its_own_limits_hold_whoever_asks(
    node: NodeProcess, boss: Orchestrator, volume_ul: float
) -> None:
    node.start()
    await boss.command(await boss.greeted(), "much", volume_ul)
    event = await boss.hears("much", "failed")
    assert event.error is not None
    assert "is not within 0.0 to 500.0" in event.error.reason


@BOTH
async def test_a_known_command_with_other_arguments_is_a_conflict(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    birth = await boss.greeted()
    await boss.command(birth, "dose", 10.0)
    await boss.command(birth, "dose", 11.0)
    await boss.hears("dose", "conflict")
    await boss.hears("dose", "done")
    assert len(node.doses) == 1


NOISE = [
    b"",
    b"{",
    b"[" * 100_000,
    b'{"epoch": 1e999}',
    b'{"epoch": true, "op": "greet"}',
    b'{"journal": "j", "cid": "noise"}',
    b'{"journal": "j", "cid": "\\ud800"}',
    b"x" * 300_000,
]


async def test_no_message_brings_it_down(node: NodeProcess, boss: Orchestrator) -> None:
    node.start()
    birth = await boss.greeted()
    await boss.command(birth, "kept", retain=True)
    for payload in NOISE:
        for topic in (boss.topics.command("doser"), boss.topics.control("doser")):
            await boss.bus.publish(topic, payload)
    await boss.command(birth, "dose")
    await boss.hears("dose", "done")
    assert (await boss.hears("noise", "failed")).error is not None
    assert boss.births == [birth]
    node.kill()
    node.start()
    await boss.greeted(after=birth)  # the retained command comes to it again: it is known by now
    await asyncio.sleep(SOON_S)
    assert len(node.doses) == 2
    await boss.bus.publish(boss.topics.command("doser"), b"", retain=True)


async def test_a_command_that_the_broker_kept_is_refused(
    node: NodeProcess, boss: Orchestrator
) -> None:
    await boss.command(UNBORN, "kept", retain=True)
    node.start()
    await boss.greeted()
    refused = await boss.hears("kept", "failed")
    await boss.bus.publish(boss.topics.command("doser"), b"", retain=True)
    assert refused.error is not None
    assert "retained" in refused.error.reason
    assert node.doses == []


@BOTH
async def test_a_stop_cuts_the_stroke_refuses_the_rest_and_holds_over_a_restart(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    first = await boss.greeted()
    await boss.command(first, "now", SLOW_UL)
    await boss.command(first, "next")
    await boss.hears("now", "started")
    await boss.control("stop", epoch=0, by="mika", id="gravimetry/halt-1")
    safe = await boss.hears("", "made_safe")
    assert (safe.error, safe.answers) == (None, "gravimetry/halt-1")
    await boss.hears("next", "failed")
    await boss.hears("now", "unknown")
    node.kill()
    node.start()
    second = await boss.greeted(after=first)
    assert "mika" in second.stopped
    await boss.command(second, "still")
    refused = await boss.hears("still", "failed")
    assert refused.error is not None
    assert (refused.error.phase, refused.error.kind) == ("before_start", "lab")
    assert "stopped" in refused.error.reason
    assert "mika" in refused.error.reason
    assert second.stops == ("gravimetry/halt-1",)
    await boss.control("release", lifts=("gravimetry/halt-0",))  # of another stop
    await boss.command(second, "not yet")
    await boss.hears("not yet", "failed")
    await boss.control("release", lifts=("gravimetry/halt-1",))
    await boss.until(lambda: boss.states[-1].status == "idle", "the end of the stop")
    await boss.until(lambda: not boss.births[-1].stopped, "a birth without it")
    await boss.command(second, "again")
    await boss.hears("again", "done")
    assert len(node.doses) == 1


async def test_stop_all_passes_a_hundred_commands_that_wait(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    birth = await boss.greeted()
    for number in range(100):
        await boss.command(birth, f"c-{number}", SLOW_UL)
    await boss.stop_all()
    assert (await boss.hears("", "made_safe")).answers == "all"
    stages = [event.st for event in boss.events]
    assert stages.count("done") == 0
    await boss.hears("c-99", "failed")
    assert node.doses == []


@BOTH
async def test_an_orchestrator_that_was_taken_over_from_is_told_so(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    birth = await boss.greeted()
    await boss.control("query", epoch=9, cid="asked")  # of that, no epoch is learned
    await boss.hears("asked", "not_seen")
    await boss.control("greet", boot=birth.boot, epoch=7)
    await boss.control("query", epoch=6, cid="mine")
    assert (await boss.hears("mine", "stale")).epoch == 7
    node.kill()
    node.start()
    again = await boss.there(after=birth)
    await boss.command(again, "late")  # of epoch 5
    assert (await boss.hears("late", "stale")).epoch == 7


async def test_a_waiting_command_can_be_taken_back(node: NodeProcess, boss: Orchestrator) -> None:
    node.start()
    birth = await boss.there()
    await boss.command(birth, "back")
    await boss.hears("back", "accepted")
    await boss.control("cancel", cid="back")
    await boss.hears("back", "failed")
    await boss.control("query", cid="never")
    await boss.hears("never", "not_seen")
    await boss.greet(birth)
    await asyncio.sleep(SOON_S)
    assert node.doses == []


@BOTH
async def test_an_older_copy_of_its_journal_is_noticed_by_its_mark(
    node: NodeProcess, boss: Orchestrator
) -> None:
    file, copy = node.journal, node.folder / "copy"
    node.start()
    first = await boss.there()
    assert node.end() == 0
    shutil.copy(file, copy)
    node.start()
    second = await boss.greeted(after=first)
    assert second.memory == first.memory
    payload = await boss.command(second, "dose")
    await boss.hears("dose", "done")
    assert node.end() == 0
    shutil.copy(copy, file)
    node.start()
    third = await boss.greeted(after=second)
    assert third.memory != second.memory
    await boss.again(payload)
    await boss.hears("dose", "not_seen")
    assert len(node.doses) == 1


@BOTH
async def test_a_greeting_that_knows_more_than_the_journal_makes_it_take_another_name(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    first = await boss.there()
    await boss.command(first, "waits")
    await boss.hears("waits", "accepted")
    await boss.greet(first, from_seq=9)
    second = await boss.there(after=first)
    assert (second.boot, second.memory == first.memory) == (first.boot, False)
    await boss.greet(second, from_seq=1)
    await boss.control("query", cid="waits")
    await boss.hears("waits", "not_seen")
    await boss.command(second, "dose")
    await boss.hears("dose", "done")
    assert boss.of("waits") == ["accepted", "not_seen"]
    assert len(node.doses) == 1


async def test_without_an_orchestrator_it_starts_nothing_until_it_is_greeted_again(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start("--silence-s", "0.5")
    birth = await boss.greeted()
    await boss.until(lambda: boss.states[-1].status == "idle", "idle")
    await boss.until(lambda: boss.states[-1].status == "waiting", "silence")
    await boss.command(birth, "late")
    await asyncio.sleep(SOON_S)
    assert boss.of("late") == ["accepted"]
    boss.births.clear()
    await boss.beat()
    assert await boss.greeted() == birth  # it asks for it by announcing itself anew
    await boss.hears("late", "done")


async def test_a_broker_that_dies_in_mid_action_changes_nothing(tmp_path: Path, lab: str) -> None:
    port = free_port()
    with running_mosquitto(tmp_path, port) as url:
        node = foreign_node(url, lab, tmp_path)
        node.start()
        async with orchestrator(url, lab) as boss:
            birth = await boss.greeted()
            await boss.command(birth, "dose", SLOW_UL)
            await boss.hears("dose", "started")
    assert boss.of("dose") == ["accepted", "started"]
    program = find_program("mosquitto", *SBIN)
    assert program is not None
    command = [program, "-c", str(tmp_path / "mosquitto.conf")]
    with server(command, port, tmp_path / "mosquitto-again.log"):
        async with orchestrator(url, lab) as boss:
            assert await boss.greeted(from_seq=3) == birth
            await boss.hears("dose", "done")
        assert node.end() == 0
    assert len(node.doses) == 1


@pytest.mark.slow
async def test_killed_again_and_again_it_does_nothing_twice_and_loses_nothing(
    node: NodeProcess, boss: Orchestrator
) -> None:
    seed = 20
    chance = random.Random(seed)
    node.start()
    birth = await boss.greeted()
    sent = []
    for number in range(25):
        cid = f"c-{number}"
        payload = await boss.command(birth, cid, 5.0 + number)
        sent.append((cid, payload))
        await asyncio.sleep(chance.uniform(0.0, 0.25))
        node.kill()
        node.start()
        birth = await boss.greeted(after=birth, from_seq=1)
        await boss.again(payload)
        await boss.ends(cid)
    fallen = sorted(node.doses)
    assert len(fallen) == len(set(fallen)), f"seed {seed}: a dose fell twice"
    for number, (cid, _) in enumerate(sent):
        ends = ENDS.intersection(boss.of(cid))
        dosed = any(abs(each - (1.0 + number) * 0.93) < 0.01 for each in fallen)
        assert len(ends) == 1, f"seed {seed}: {cid} ended as {ends}"
        assert dosed or ends != {"done"}, f"seed {seed}: {cid} is done and did not fall"
        assert not dosed or ends != {"failed"}, f"seed {seed}: {cid} failed and fell"
    await boss.until(boss.has_all, f"seed {seed}: every number of its journal")  # told again


@BOTH
async def test_what_waits_of_a_campaign_that_was_left_is_never_started(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    birth = await boss.there()
    await boss.command(birth, "old")
    await boss.hears("old", "accepted")
    await boss.control("greet", boot=birth.boot, epoch=boss.epoch + 1, journal="another")
    refused = await boss.hears("old", "failed")
    assert refused.error is not None
    assert (refused.error.phase, refused.error.kind) == ("before_start", "refused")
    assert node.doses == []


@BOTH
async def test_a_node_of_which_a_copy_was_greeted_starts_nothing_more(
    node: NodeProcess, boss: Orchestrator
) -> None:
    node.start()
    birth = await boss.greeted()
    await boss.command(birth, "ours")
    await boss.hears("ours", "done")
    await boss.control("greet", boot="the copy's")
    await boss.until(lambda: boss.states[-1].status == "waiting", "the end of the greeting")
    await boss.command(birth, "the copy's")
    await boss.hears("the copy's", "accepted")
    await boss.greet(birth)
    await boss.hears("the copy's", "done")
    assert len(node.doses) == 2
