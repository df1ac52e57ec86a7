"""Both buses behave alike, and the MQTT one outlives its broker."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiomqtt import MqttError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from sdl.errors import LabFault, LimitReached, UserMistake
from sdl.shell import mqtt_bus
from sdl.shell.bus import Bus, Message
from sdl.shell.clock import WallClock
from sdl.shell.local_bus import LocalBroker
from sdl.shell.mqtt_bus import Address, MqttBus
from sdl.sim.loop import run_virtually
from sdl.testing.servers import free_port
from tests.shell.bad_line import BadLine
from tests.shell.bench_of_buses import Caller, command, open_mosquitto, probe_lab, running_node

NewBus = Callable[[str], Bus]
PATIENCE_S = 10.0


async def take(bus: Bus, count: int) -> list[Message]:
    """The next messages of a bus."""
    taken: list[Message] = []
    async with asyncio.timeout(PATIENCE_S):
        async for message in bus.messages():
            taken.append(message)
            if len(taken) == count:
                break
    return taken


async def check(new_bus: NewBus, prefix: str) -> None:
    """What every bus must do."""
    a, b = new_bus("a"), new_bus("b")
    calls: list[str] = []

    async def on_connect() -> None:
        calls.append("connected")
        await a.publish(f"{prefix}/born", b"here", retain=True)

    await a.connect(on_connect=on_connect)
    assert calls == ["connected"]
    await b.subscribe(f"{prefix}/+", f"{prefix}/deep/#")
    await b.connect()
    payloads = [bytes([number]) * 300 for number in range(250)]  # more than may be in flight
    for payload in payloads:
        await a.publish(f"{prefix}/number", payload)
    await a.publish(f"{prefix}/not/for/b", b"x")
    await a.publish(f"{prefix}/deep/down/here", b"x")
    taken = await take(b, 252)
    assert taken[0] == Message(f"{prefix}/born", b"here", retain=True)
    assert [message.payload for message in taken[1:251]] == payloads, "lost or out of order"
    assert taken[251] == Message(f"{prefix}/deep/down/here", b"x")
    await b.subscribe(f"{prefix}/x/late")
    await a.publish(f"{prefix}/x/late", b"y")
    assert await take(b, 1) == [Message(f"{prefix}/x/late", b"y")]
    await a.publish(f"{prefix}/born", b"", retain=True)
    assert await take(b, 1) == [Message(f"{prefix}/born", b"")]
    await a.aclose()
    await b.aclose()
    await b.aclose()
    assert [message async for message in b.messages()] == [], "a closed bus has an end"


def test_the_local_bus_carries_messages_in_virtual_time() -> None:
    run_virtually(check(LocalBroker().client, "t"))


async def test_an_mqtt_bus_carries_messages(broker_url: str) -> None:
    await check(lambda name: MqttBus(broker_url, f"test-bus-{name}"), "t/bus")


async def check_unasked(new_bus: NewBus, prefix: str) -> None:
    """A client is told nothing but what it has asked for, whatever others want and is kept."""
    a, b, c = new_bus("a"), new_bus("b"), new_bus("c")
    await a.subscribe(f"{prefix}/kept")
    await a.connect()
    await a.publish(f"{prefix}/kept", b"for a", retain=True)
    await take(a, 1)
    await b.subscribe(f"{prefix}/mine")
    await b.connect()
    await c.connect()
    await c.subscribe(f"{prefix}/kept")
    assert (await take(c, 1))[0].payload == b"for a"
    await a.publish(f"{prefix}/mine", b"for b")
    assert await take(b, 1) == [Message(f"{prefix}/mine", b"for b")]
    for bus in (a, b, c):
        await bus.aclose()


def test_the_local_bus_tells_nothing_unasked() -> None:
    run_virtually(check_unasked(LocalBroker().client, "t"))


async def test_an_mqtt_bus_tells_nothing_unasked(broker_url: str) -> None:
    await check_unasked(lambda name: MqttBus(broker_url, f"test-unasked-{name}"), "t/unasked")


async def test_an_mqtt_bus_outlives_its_broker(mosquitto: str, tmp_path: Path) -> None:
    del mosquitto  # skips where there is none
    port = free_port()
    a, b = (MqttBus(f"mqtt://127.0.0.1:{port}", name) for name in ("a", "b"))
    connections: list[int] = []
    back = asyncio.Event()

    async def on_connect() -> None:
        connections.append(1)
        if len(connections) == 2:
            back.set()

    with open_mosquitto(tmp_path, port):
        await b.subscribe("t/+")
        await b.connect(on_connect=on_connect)
        await a.connect()
        await a.publish("t/1", b"before")
        assert (await take(b, 1))[0].payload == b"before"
        connection = a._connection
        assert connection is not None
    with pytest.raises((MqttError, OSError)):
        await connection.lost()
    await a.publish("t/1", b"while it is away")
    await a.publish("t/1", b"too old by then", expiry_s=0.0)
    await a.publish("t/1", b"unimportant", qos=0)
    back.clear()
    # The broker forgets its clients: whoever subscribes again first hears what was kept.
    with open_mosquitto(tmp_path, port):
        async with asyncio.timeout(PATIENCE_S):
            await back.wait()
        await a.publish("t/1", b"after")
        payloads = [b""]
        while payloads[-1] != b"after":
            payloads += [message.payload for message in await take(b, 1)]
        assert payloads in ([b"", b"while it is away", b"after"], [b"", b"after"])
        await a.aclose()
        await b.aclose()


@pytest.mark.parametrize("when", ["kept", "greeting"])
async def test_a_line_that_breaks_in_mid_greeting_mends_itself(
    mosquitto: str, tmp_path: Path, when: str
) -> None:
    del mosquitto  # skips where there is none
    port, count = free_port(), 3 * mqtt_bus.IN_FLIGHT
    numbers = [str(number).encode().rjust(300) for number in range(count)]
    greeted = asyncio.Event()
    with open_mosquitto(tmp_path, port):
        async with BadLine(port).running() as line:
            a = MqttBus(f"mqtt://127.0.0.1:{line.port}", "a")
            b = MqttBus(f"mqtt://127.0.0.1:{port}", "b")

            connections: list[int] = []

            async def on_connect() -> None:
                connections.append(1)
                if when == "greeting" and len(connections) == 2:
                    for number in numbers:
                        await a.publish("t/number", number)
                if line.broke:
                    greeted.set()

            await b.subscribe("t/#")
            await b.connect()
            await a.connect(on_connect=on_connect)
            line.deaf, line.cut_after_bytes = True, 5_000
            line.cut()
            await until_lost(a)
            for number in numbers if when == "kept" else ():
                await a.publish("t/number", number)
            async with asyncio.timeout(PATIENCE_S):
                while not line.broke:  # noqa: ASYNC110 - the line says nothing
                    await asyncio.sleep(0.01)
                line.deaf, line.cut_after_bytes = False, None
                await greeted.wait()
            await a.publish("t/end", b"")
            heard: dict[bytes, None] = {}
            async with asyncio.timeout(PATIENCE_S):
                async for message in b.messages():
                    if message.topic == "t/end":
                        break
                    heard[message.payload] = None
            # What a broken greeting had not said yet, the next one says, if it still wants to.
            assert list(heard) == numbers[: count if when == "kept" else mqtt_bus.IN_FLIGHT]
            await a.aclose()
            await b.aclose()


@pytest.mark.parametrize("breaks", [1, pytest.param(mqtt_bus.FIRST_TRIES, marks=pytest.mark.drill)])
async def test_a_first_line_that_breaks_once_we_are_let_in_is_made_again(
    mosquitto: str, tmp_path: Path, breaks: int
) -> None:
    del mosquitto  # skips where there is none
    port = free_port()
    with open_mosquitto(tmp_path, port):
        async with BadLine(port).running() as line:
            bus = MqttBus(f"mqtt://127.0.0.1:{line.port}", "a")
            await bus.subscribe("t/a/topic/of/some/length")
            line.cut_after_bytes = 20  # all of the greeting, and some of the subscription

            async def mend() -> None:
                while line.broke < breaks:  # noqa: ASYNC110 - the line says nothing
                    await asyncio.sleep(0)
                line.cut_after_bytes = None

            mending = asyncio.create_task(mend())
            if breaks < mqtt_bus.FIRST_TRIES:
                await bus.connect()
                await bus.publish("t/a/topic/of/some/length", b"x")
                assert [message.payload for message in await take(bus, 1)] == [b"x"]
            else:
                with pytest.raises(LabFault, match="cannot be reached"):
                    await bus.connect()
            await mending
            assert line.broke == breaks
            await bus.aclose()


async def until_lost(bus: MqttBus) -> None:
    """Return when a bus has noticed that its line is broken."""
    async with asyncio.timeout(PATIENCE_S):
        while bus._connection is not None and bus._connection.is_open:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_what_was_not_acknowledged_in_time_is_not_sent_again(
    mosquitto: str, tmp_path: Path
) -> None:
    del mosquitto  # skips where there is none
    port = free_port()
    with open_mosquitto(tmp_path, port):
        async with BadLine(port).running() as line:
            a = MqttBus(f"mqtt://127.0.0.1:{line.port}", "a")
            b = MqttBus(f"mqtt://127.0.0.1:{port}", "b")
            await b.subscribe("t/#")
            await b.connect()
            line.deaf = True
            await a.connect()
            for payload, expiry_s in ((b"old", 0.05), (b"fresh", 60.0), (b"lasting", None)):
                await a.publish("t/x", payload, expiry_s=expiry_s)
            assert [message.payload for message in await take(b, 3)] == [
                b"old",
                b"fresh",
                b"lasting",
            ]
            await asyncio.sleep(0.06)
            line.deaf = False
            line.cut()
            assert [message.payload for message in await take(b, 2)] == [b"fresh", b"lasting"]
            await a.aclose()
            await b.aclose()


def test_the_local_bus_keeps_a_message_until_it_is_stale() -> None:
    async def run() -> None:
        broker = LocalBroker()
        a, b = broker.client("a"), broker.client("b")
        await b.subscribe("t")
        await b.connect()
        await a.connect()
        a.drop()
        for payload, expiry_s in ((b"old", 5.0), (b"fresh", 20.0), (b"lasting", None)):
            await a.publish("t", payload, expiry_s=expiry_s)
        await asyncio.sleep(10.0)
        await a.reconnect()
        assert [message.payload for message in await take(b, 2)] == [b"fresh", b"lasting"]

    run_virtually(run())


async def resend_until_answered(caller: Caller, count: int, results: asyncio.Queue[object]) -> None:
    """Do commands one after the other, each sent again and again until there is an answer."""
    for number in range(count):
        order = command(f"c/run-1/step-{number}/try-1", "act", what="ok")
        end = asyncio.create_task(caller.end(order.cid))
        while not end.done():
            await caller.send(order)
            await asyncio.wait((end,), timeout=0.3)
        await results.put(end.result().result)


async def test_commands_act_once_while_the_broker_is_killed_again_and_again(
    mosquitto: str, tmp_path: Path
) -> None:
    del mosquitto  # skips where there is none
    port, count, kills = free_port(), 100, 4
    url = f"mqtt://127.0.0.1:{port}"
    results: asyncio.Queue[object] = asyncio.Queue(maxsize=1)  # so that work goes on till the end
    seen: list[object] = []
    async with AsyncExitStack() as stack:
        with open_mosquitto(tmp_path, port) as process:
            caller = await stack.enter_async_context(Caller(MqttBus(url, "caller"), "once"))
            await stack.enter_async_context(
                running_node(probe_lab("once"), MqttBus(url, "node"), WallClock())
            )
            working = asyncio.create_task(resend_until_answered(caller, count, results))
            process.kill()
        for kill in range(1, kills + 1):
            with open_mosquitto(tmp_path, port) as process:
                while len(seen) < kill * count // kills:
                    seen.append(await results.get())
                process.kill()
        await working
    assert seen == [float(number) for number in range(1, count + 1)], "lost, or done twice"


def cut(bus: MqttBus) -> None:
    """End a client as if its process were killed: no good-bye is said."""
    assert bus._connection is not None
    assert bus._keeper is not None
    line = bus._connection._socket
    assert line is not None
    assert isinstance(line._sock, socket.socket)
    bus._keeper.cancel()
    line._sock.shutdown(socket.SHUT_RDWR)


async def test_a_lasting_client_gets_again_what_it_did_not_acknowledge(mosquitto: str) -> None:
    numbers = [str(number).encode() for number in range(12)]
    sender, first = MqttBus(mosquitto, "lasting-a"), MqttBus(mosquitto, "lasting-b", lasting=True)
    await first.subscribe("lasting/x")
    await first.connect()
    await sender.connect()
    for number in numbers:
        await sender.publish("lasting/x", number)
    taken = await take(first, 12)
    for index in (1, 0, 2, 5):  # one after the other: what is acknowledged is what has no gap
        taken[index].ack()
    await sender.publish("lasting/x", b"last")
    assert (await take(first, 1))[0].payload == b"last"
    cut(first)
    await sender.publish("lasting/x", b"while it was away")
    second = MqttBus(mosquitto, "lasting-b", lasting=True)
    await second.subscribe("lasting/x")
    await second.connect()
    again = await take(second, 11)
    assert [message.payload for message in again] == [*numbers[3:], b"last", b"while it was away"]
    for message in again:
        message.ack()
    await sender.aclose()
    await second.aclose()
    await first.aclose()


@pytest.mark.parametrize("where", ["mqtt", "local"])
async def test_what_is_at_once_overtakes_all_that_waits(
    request: pytest.FixtureRequest, broker_url: str, where: str
) -> None:
    """The reader is slow, and acknowledges nothing: a stop must still come through."""
    local, lasting = LocalBroker(), "embedded" not in request.node.name
    a: Bus = MqttBus(broker_url, "once-a") if where == "mqtt" else local.client("a")
    b: Bus = (
        MqttBus(broker_url, "once-b", lasting=lasting) if where == "mqtt" else local.client("b")
    )
    await b.subscribe("once/x")
    await b.subscribe("once/stop", at_once=True)
    await b.connect()
    await a.connect()
    for _ in range(1000):
        await a.publish("once/x", bytes(300))
    assert (await take(b, 1))[0].topic == "once/x"
    await a.publish("once/stop", b"")
    before = 0
    async with asyncio.timeout(PATIENCE_S):
        async for message in b.messages():
            if message.topic == "once/stop":
                break
            before += 1
            await asyncio.sleep(0.001)
    assert before < 500, "it waited its turn"
    await a.aclose()
    await b.aclose()


async def test_a_packet_does_not_wait_for_the_acknowledgement_of_the_one_before(
    broker_url: str,
) -> None:
    bus = MqttBus(broker_url, "test-bus-no-delay")
    await bus.connect()
    connection = bus._connection
    assert connection is not None
    file = connection._client.socket()
    assert file is not None
    with socket.fromfd(file.fileno(), socket.AF_INET, socket.SOCK_STREAM) as line:
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "40 ms in each round trip"
    await bus.aclose()


async def test_an_acknowledgement_makes_nothing_but_room(
    broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, made = MqttBus(broker_url, "test-bus-acks"), list[int]()
    await bus.connect()
    make = ReasonCode.__init__

    def counted(self: ReasonCode, kind: int, *words: object, **named: object) -> None:
        made.append(kind)
        make(self, kind, *words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ReasonCode, "__init__", counted)
    async with asyncio.timeout(PATIENCE_S):
        for number in range(3 * mqtt_bus.IN_FLIGHT):  # so that some wait for room
            await bus.publish("t/acks", str(number).encode())
        await bus._idle.wait()
    await bus.aclose()
    assert PacketTypes.PUBACK not in made


async def test_a_broken_line_publishes_the_will(broker_url: str) -> None:
    a, b = (MqttBus(broker_url, f"will-{name}") for name in ("a", "b"))
    await b.subscribe("t/will")
    await b.connect()
    await a.connect(will=Message("t/will", b"gone"))
    cut(a)
    assert await take(b, 1) == [Message("t/will", b"gone")]
    await a.aclose()
    await b.aclose()


@pytest.mark.parametrize("wrong", ["port", "password"])
async def test_a_broker_out_of_reach_is_named(mosquitto: str, wrong: str) -> None:
    port = free_port()
    url = f"mqtt://127.0.0.1:{port}" if wrong == "port" else mosquitto.replace("sdl:", "sdl:no")
    host = url.rpartition("@")[2].removeprefix("mqtt://")
    with pytest.raises(LabFault, match=f"{host} cannot be reached.*lab.toml") as caught:
        await MqttBus(url, "x").connect()
    assert mosquitto.partition("@")[0].rpartition(":")[2] not in str(caught.value)


async def test_a_bus_without_a_broker_keeps_a_bounded_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt_bus, "KEPT", 3)
    bus = MqttBus("mqtt://127.0.0.1:1", "x")
    for _ in range(3):
        await bus.publish("t", b"x")
    with pytest.raises(LimitReached, match="3 messages wait"):
        await bus.publish("t", b"x")


@pytest.mark.parametrize(
    "url,address",
    [
        ("mqtt://host", Address(host="host", port=1883, tls=False, user=None, password=None)),
        ("mqtts://host", Address(host="host", port=8883, tls=True, user=None, password=None)),
        (
            "mqtts://me:a%40b@host:99",
            Address(host="host", port=99, tls=True, user="me", password="a@b"),
        ),
    ],
)
def test_an_address_is_read(url: str, address: Address) -> None:
    assert Address.of(url) == address


@pytest.mark.parametrize("url", ["http://host", "mqtt://", "host:1883", "mqtt://host:x"])
def test_what_is_no_address_is_a_mistake(url: str) -> None:
    with pytest.raises(UserMistake, match="is no address; write"):
        Address.of(url)


async def test_a_second_client_of_the_same_name_takes_the_line_over() -> None:
    broker = LocalBroker()
    first, second = broker.client("x"), broker.client("x")
    await first.connect(will=Message("t/will", b"gone"))
    await second.subscribe("t/will")
    await second.connect()
    watcher = broker.client("w")
    await watcher.subscribe("t/#")
    await watcher.connect()
    await first.publish("t/kept", b"kept until the line is back")
    await second.publish("t/now", b"x")
    assert [message.topic for message in await take(watcher, 1)] == ["t/now"]
