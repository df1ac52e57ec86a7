"""Nodes as processes, of the example and of ours, and an orchestrator that speaks to them."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sdl.model.data import JsonValue
from sdl.shell.mqtt_bus import MqttBus
from sdl.wire.mqtt import (
    Birth,
    Body,
    CommandMessage,
    Control,
    EventMessage,
    Heartbeat,
    State,
    Status,
    StopAll,
    decode,
    digest,
    encode,
)
from sdl.wire.topics import Topics, kind_in
from tests.tidy.conftest import ROOT

EXAMPLE = ROOT / "examples" / "foreign_node"
ENDS = {"done", "failed", "unknown"}
PATIENCE_S = 40.0
SOON_S = 0.4
"""Long enough for a node on the same machine to do what it must not do."""


OUR_LAB = """
[lab]
name   = "{lab}"
broker = "{url}"

[instruments.doser]
driver = "{driver}:HostedDoser"
folder = "{folder}"

[instruments.doser.limits]
"dispense.volume_ul" = {{ from = 0, to = 500 }}
"""


def foreign_node(url: str, lab: str, folder: Path) -> NodeProcess:
    """The node of the example."""
    words = [str(EXAMPLE / "node.py"), "--broker", url, "--lab", lab, "--folder", str(folder)]
    return NodeProcess(words, folder, folder / "doser.node.sqlite")


def our_node(url: str, lab: str, folder: Path) -> NodeProcess:
    """``sdl node`` with the same instrument: what the page says has to hold for it as well."""
    driver = Path(__file__).with_name("doser_driver.py")
    file = folder / "lab.toml"
    text = OUR_LAB.format(lab=lab, url=url, driver=driver, folder=folder)
    file.write_text(text, encoding="utf-8")
    words = ["-m", "sdl", "node", str(file)]
    return NodeProcess(words, folder, folder / ".sdl" / f"{lab}.node.sqlite")


class NodeProcess:
    """A node with the example's pump: started, killed and started again over one folder."""

    def __init__(self, words: list[str], folder: Path, journal: Path) -> None:
        self.folder = folder
        self.journal = journal
        self._words = [sys.executable, *words]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        self._process = subprocess.Popen(
            [*self._words, *more], cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )

    def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> int:
        """``SIGTERM``; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=PATIENCE_S)

    @property
    def doses(self) -> list[float]:
        """What lies on the pan: one number for each time that the pump really dosed."""
        pan = self.folder / "doser.pan"
        return [float(line) for line in pan.read_text().split()] if pan.exists() else []


class Orchestrator:
    """Sends whatever a test wants, and keeps all that it hears, read as strictly as the engine."""

    def __init__(self, url: str, lab: str) -> None:
        self.topics = Topics(lab)
        self.bus = MqttBus(url, f"{lab}-orchestrator")
        self.epoch = 5
        self.events: list[EventMessage] = []
        self.states: list[State] = []
        self.births: list[Birth] = []
        self.online: Status | None = None
        self.beats = 0

    async def listen(self) -> None:
        async for message in self.bus.messages():
            match kind_in(message.topic):
                case "evt":
                    self.events.append(decode(EventMessage, message.payload))
                case "birth":
                    self.births.append(decode(Birth, message.payload))
                case "state":
                    self.states.append(decode(State, message.payload))
                case "hb":
                    self.beats += decode(Heartbeat, message.payload).v
                case "status":
                    self.online = decode(Status, message.payload)

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not holds():
            heard = [(event.cid, event.st, event.seq) for event in self.events]
            assert time.monotonic() < end, f"{what} did not come; heard {heard}"
            await asyncio.sleep(0.01)

    async def there(self, *, after: Birth | None = None) -> Birth:
        """Wait for a birth whose node is online; of another boot or memory than ``after``."""

        def born() -> bool:
            if not self.births or self.online is None or not self.online.online:
                return False
            birth = self.births[-1]
            newer = after is None or (birth.boot, birth.memory) != (after.boot, after.memory)
            return newer and birth.boot == self.online.boot

        await self.until(born, "a birth")
        return self.births[-1]

    async def greet(self, birth: Birth, from_seq: int | None = None) -> None:
        memory = birth.memory
        await self.control("greet", boot=birth.boot, memory=memory, from_seq=from_seq)

    async def greeted(self, *, after: Birth | None = None, from_seq: int | None = None) -> Birth:
        birth = await self.there(after=after)
        await self.greet(birth, from_seq)
        return birth

    async def control(self, op: str, **fields: object) -> None:
        told = {"id": secrets.token_hex(4), "op": op, "epoch": self.epoch, "journal": "j"}
        await self._send(self.topics.control("doser"), Control.model_validate({**told, **fields}))

    async def stop_all(self) -> None:
        await self._send(self.topics.stop_all(), StopAll(id="all", by="mika"))

    async def beat(self) -> None:
        topic = self.topics.orchestrator_heartbeat()
        await self._send(topic, Heartbeat(boot="o", seq=1, monotonic=1.0))

    async def command(
        self,
        birth: Birth,
        cid: str,
        volume_ul: float | None = 10.0,
        *,
        retain: bool = False,
        **fields: object,
    ) -> bytes:
        """A dose, or, without a volume, a look at the balance; the payload, to send it again."""
        args: dict[str, JsonValue] = {} if volume_ul is None else {"volume_ul": volume_ul}
        message = CommandMessage(
            journal="j",
            memory=birth.memory,
            cid=cid,
            dev="doser",
            op="weigh" if volume_ul is None else "dispense",
            effect="pure" if volume_ul is None else "once",
            args=args,
            args_sha256=digest(args),
            run="run",
            step="step",
            attempt=1,
            epoch=self.epoch,
            issued_at=time.time(),
        ).model_copy(update=fields)
        payload = encode(message)
        await self.again(payload, retain=retain)
        return payload

    async def again(self, payload: bytes, *, retain: bool = False) -> None:
        await self.bus.publish(self.topics.command("doser"), payload, retain=retain)

    def of(self, cid: str) -> list[str]:
        """The stages heard about one command, in order."""
        return [event.st for event in self.events if event.cid == cid]

    async def hears(self, cid: str, stage: str) -> EventMessage:
        def heard() -> bool:
            return stage in self.of(cid)

        await self.until(heard, f"{stage!r} of {cid!r}")
        return next(each for each in self.events if each.cid == cid and each.st == stage)

    def has_all(self) -> bool:
        """Whether no number of the node's journal is missing among its words."""
        heard = {event.seq for event in self.events}
        return heard == set(range(1, max(heard) + 1))

    async def ends(self, cid: str) -> None:
        def over() -> bool:
            return not ENDS.isdisjoint(self.of(cid))

        await self.until(over, f"an end of {cid!r}")

    async def _send(self, topic: str, body: Body) -> None:
        await self.bus.publish(topic, encode(body))


@asynccontextmanager
async def orchestrator(url: str, lab: str) -> AsyncIterator[Orchestrator]:
    """Connected, and listening until the block ends."""
    one = Orchestrator(url, lab)
    await one.bus.subscribe(
        *(one.topics.event("+"), one.topics.birth("+"), one.topics.state("+")),
        *(one.topics.node_heartbeat("+"), one.topics.node_status("+")),
    )
    await one.bus.connect()
    listening = asyncio.create_task(one.listen())
    try:
        yield one
    finally:
        listening.cancel()
        await one.bus.aclose()
