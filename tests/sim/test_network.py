"""The simulated broker: what it does to messages when it is well, in a storm, cut, or dead."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from sdl.shell.bus import Message
from sdl.sim.life import Life
from sdl.sim.loop import run_and_forget
from sdl.sim.network import KEEPALIVE_S, Network, Weather, Wire
from sdl.sim.trace import Trace

SEED = 5
EVENT = "sdl/v1/lab/dev/pump/evt"
STATUS = "sdl/v1/lab/node/node-1/status"
WILL = Message(STATUS, b"gone", retain=True)


class Ends:
    """A sender and a receiver on one network, each a process of its own."""

    def __init__(self) -> None:
        self.network = Network(random.Random(SEED), Trace())
        self.received: list[bytes] = []
        self.lives = {name: Life("node", f"{name}#1") for name in ("sender", "receiver")}
        self.wires: dict[str, Wire] = {}

    async def open(self) -> None:
        """Connect both."""
        for name, life in self.lives.items():
            life.start(self._join(name))
        await asyncio.sleep(0.01)

    async def _join(self, name: str) -> None:
        wire = self.wires[name] = self.network.client(f"{name}#1")
        if name == "receiver":
            await wire.subscribe(EVENT, STATUS)
            await wire.connect()
            async for message in wire.messages():
                self.received.append(message.payload)
        else:
            await wire.connect(will=WILL)

    async def send(self, count: int, *, from_: int = 0) -> None:
        """So many numbered messages, a tenth of a second apart."""
        for number in range(from_, from_ + count):
            await self.wires["sender"].publish(EVENT, b"%d" % number)
            await asyncio.sleep(0.1)


def played(act: Callable[[Ends], Awaitable[None]]) -> list[bytes]:
    """What the receiver got, in order."""

    async def play() -> list[bytes]:
        ends = Ends()
        await ends.open()
        await act(ends)
        await asyncio.sleep(30.0)
        return ends.received

    return run_and_forget(play())


def numbers(count: int, *, from_: int = 0) -> list[bytes]:
    """As ``Ends.send`` sends them."""
    return [b"%d" % number for number in range(from_, from_ + count)]


def test_in_fair_weather_all_arrive_in_order() -> None:
    async def act(ends: Ends) -> None:
        await ends.send(20)

    assert played(act) == numbers(20)


def test_a_storm_loses_repeats_and_reorders_and_the_same_seed_does_it_again() -> None:
    async def act(ends: Ends) -> None:
        ends.network.weather = Weather(drop=0.2, repeat=0.2, delay=0.5, reorder=True)
        await ends.send(100)

    first, second = played(act), played(act)
    assert first == second, f"seed {SEED}"
    assert len(set(first)) < 100, f"seed {SEED}: none was lost"
    assert len(first) > len(set(first)), f"seed {SEED}: none came twice"
    assert first != sorted(first, key=int), f"seed {SEED}: all came in order"


def test_a_short_silent_cut_loses_nothing_as_tcp_does_not() -> None:
    async def act(ends: Ends) -> None:
        await ends.send(5)
        ends.network.cut("receiver", silently=True)
        await ends.send(5, from_=5)
        ends.network.heal("receiver")
        await ends.send(5, from_=10)

    assert played(act) == numbers(15)


def test_a_cut_client_is_told_of_as_gone_and_sends_later_what_it_kept() -> None:
    async def act(ends: Ends) -> None:
        ends.network.cut("sender", silently=False)
        await ends.send(3)
        ends.network.heal("sender")

    assert played(act) == [b"gone", *numbers(3)]


def test_a_frozen_process_is_noticed_after_the_keepalive() -> None:
    async def act(ends: Ends) -> None:
        life = ends.lives["sender"]
        life.freeze()
        ends.network.watch_frozen(life)
        await asyncio.sleep(KEEPALIVE_S - 0.5)
        assert not ends.received
        await asyncio.sleep(1.0)

    assert played(act) == [b"gone"]


def test_a_killed_process_is_noticed_at_once() -> None:
    async def act(ends: Ends) -> None:
        ends.lives["sender"].kill()

    assert played(act) == [b"gone"]


def test_a_dead_broker_forgets_what_was_under_way_and_what_it_kept() -> None:
    async def act(ends: Ends) -> None:
        await ends.wires["sender"].publish(STATUS, b"here", retain=True)
        await asyncio.sleep(0.1)
        await ends.wires["sender"].publish(EVENT, b"lost")
        ends.network.die()
        await asyncio.sleep(1.0)
        ends.network.rise()
        await asyncio.sleep(5.0)
        assert not ends.network.retained(STATUS)
        await ends.send(2)

    assert played(act) == [b"here", *numbers(2)]


def test_a_restored_broker_sends_the_past_again() -> None:
    async def act(ends: Ends) -> None:
        await ends.send(4)
        kept = ends.network.snapshot()
        ends.network.die()
        await asyncio.sleep(1.0)
        ends.network.restore(kept, 4)

    received = played(act)
    assert received[:4] == numbers(4)
    assert set(received[4:]) <= set(numbers(4)), f"seed {SEED}"


def test_what_a_lasting_client_did_not_acknowledge_comes_again_to_the_next_of_its_name() -> None:
    async def play() -> list[list[bytes]]:
        ends = Ends()
        received: list[list[bytes]] = []

        async def node(acknowledged: int) -> None:
            mine: list[bytes] = []
            received.append(mine)
            wire = ends.network.client(f"node#{len(received)}", lasting=True)
            await wire.subscribe(EVENT)
            await wire.connect()
            async for message in wire.messages():
                mine.append(message.payload)
                if len(mine) <= acknowledged:
                    message.ack()

        await ends.open()
        first = Life("node", "node#1")
        first.start(node(acknowledged=2))
        await asyncio.sleep(0.1)
        await ends.send(4)
        first.kill()
        await ends.send(2, from_=4)
        Life("node", "node#2").start(node(acknowledged=100))
        await asyncio.sleep(0.1)
        await ends.send(1, from_=6)
        await asyncio.sleep(1.0)
        return received

    assert run_and_forget(play()) == [numbers(4), numbers(5, from_=2)]
