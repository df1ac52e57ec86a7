"""A greeting counts in one journal of a node, and says nothing to a node that has another one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sdl.shell.clock import LoopClock
from sdl.shell.local_bus import LocalBroker
from sdl.shell.node import Node
from sdl.sim.loop import run_virtually
from tests.shell.bench_of_buses import BOOT, Caller, command, new_node, probe_lab

NAMES = tuple(f"probe-{number}" for number in range(5))
CID = "c/run-1/step-1/try-1"

Story = Callable[[Caller, Node], Awaitable[None]]


def with_a_node(story: Story) -> None:
    """Let a story happen to a node with several instruments, in virtual time."""

    async def run() -> None:
        broker, clock = LocalBroker(), LoopClock(asyncio.get_running_loop().time)
        async with Caller(broker.client("caller"), "g", greets=False) as caller:
            node = new_node(probe_lab("g", *NAMES), broker.client("node"), clock)
            await node.start()
            await story(caller, node)
            node.kill()

    run_virtually(run())


def test_a_journal_that_was_put_back_is_renewed_once_whatever_number_is_greeted() -> None:
    async def story(caller: Caller, node: Node) -> None:
        births = [await caller.birth_of(name) for name in NAMES]
        for birth in births:  # seven words of each were heard, which the journal does not hold
            await caller.greet(birth, from_seq=8)
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.0)
        anew = [caller.births(name)[-1] for name in NAMES]
        assert {birth.memory for name in NAMES for birth in caller.births(name)} == {
            BOOT,
            node.memory,
        }
        assert {birth.memory for birth in anew} == {node.memory}
        assert {caller.status_of(name) for name in NAMES} == {"waiting"}
        for birth in anew:
            await caller.greet(birth)
        await caller.ready(*NAMES)
        sent = command(CID, "act", NAMES[4], what="ok").model_copy(update={"memory": node.memory})
        assert (await caller.run(sent)).st == "done"

    with_a_node(story)


def test_a_greeting_for_another_journal_begins_nothing_and_brings_the_birth_again() -> None:
    async def story(caller: Caller, node: Node) -> None:
        birth = await caller.birth_of(NAMES[0])
        old = birth.model_copy(update={"memory": "the one before"})
        await caller.greet(old, from_seq=1)
        await caller.greet(old)
        assert (await caller.birth_of(NAMES[0], 3)).memory == node.memory
        assert len(caller.births(NAMES[1])) == 1, "nobody asked about that one"
        await caller.send(command(CID, "act", NAMES[0], what="ok"))
        await caller.told(CID, "accepted")
        await asyncio.sleep(5.0)
        assert caller.stages(CID) == ["accepted"]
        await caller.greet(birth, from_seq=1)
        assert (await caller.end(CID)).st == "done"

    with_a_node(story)


def test_a_greeting_that_is_not_through_when_the_journal_is_renewed_begins_nothing() -> None:
    async def story(caller: Caller, node: Node) -> None:
        births = [await caller.birth_of(name) for name in NAMES]
        await caller.greet(births[0], from_seq=8, epoch=2)
        await caller.greet(births[1], from_seq=1, epoch=2)
        await asyncio.sleep(1.0)
        assert node.memory != BOOT
        assert {caller.status_of(name) for name in NAMES[:2]} == {"waiting"}

    with_a_node(story)
