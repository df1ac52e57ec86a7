"""A node that knows nothing of ``sdl``: written against docs/wire/README.md, whose parts it names.

    python node.py --broker mqtt://127.0.0.1:1883 --lab gravimetry --instrument doser

Needs Python and paho-mqtt, nothing else. One instrument, one process, one journal.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import queue
import secrets
import signal
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from instrument import CutOffError, Doser
from journal import Journal
from messages import (
    ACTIONS,
    CAPS,
    LIMITS,
    Body,
    birth,
    canonical_sha256,
    error,
    malformed,
    read,
    whole,
)

QUEUE, BEAT_S = 100, 2.0
DRIVER = "./doser.py:Doser"
"""What lab.toml calls it."""
TOPICS = ("cmd", "ctl", "evt", "birth", "state")
ASKED = ("query", "cancel", "release")
"""Controls from which no epoch is learned."""


class Node:
    """One thread owns the journal and decides; paho's reads the line, a third moves the pump."""

    def __init__(
        self, broker: str, lab: str, instrument: str, folder: Path, silence_s: float
    ) -> None:
        self.dev, self.boot, self.silence_s = instrument, secrets.token_hex(8), silence_s
        self.journal = Journal(folder / f"{instrument}.node.sqlite")
        self.doser = Doser(folder / f"{instrument}.pan")
        top = f"sdl/v1/{lab}"
        self.topic = {name: f"{top}/dev/{instrument}/{name}" for name in TOPICS}
        self.status, self.heartbeat = (
            f"{top}/node/{instrument}/{name}" for name in ("status", "hb")
        )
        self.heard_on = (f"{top}/lab/all/stop", f"{top}/orch/main/hb", f"{top}/orch/main/status")
        self.inbox: queue.PriorityQueue[tuple[int, int, str, object]] = queue.PriorityQueue()
        self.count = itertools.count()
        self.waiting: deque[tuple[Body, float]] = deque()
        self.current: Body | None = None
        self.worker = threading.Thread()
        self.began = self.heard = self.beaten = time.monotonic()
        self.greeted = self.silent = self.resting = self.leaving = False
        self.beats = 0
        self.shown: Body = {}
        self.line = self.client(broker, f"{lab}-{instrument}")

    def client(self, broker: str, name: str) -> mqtt.Client:
        """Part 1: our own acknowledgements, TCP_NODELAY, a last will."""
        where = urlsplit(broker)
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, clean_session=False, manual_ack=True
        )
        client.username_pw_set(unquote(where.username or ""), unquote(where.password or ""))
        client.will_set(self.status, self.online(there=False), qos=1, retain=True)
        client.on_socket_open = lambda _, __, line: at_once(line)
        client.on_connect = lambda *_: self.connected()
        client.on_message = lambda _, __, message: self.put(message.topic, message)
        client.connect_async(where.hostname or "localhost", where.port or 1883, keepalive=5)
        return client

    def put(self, what: str, content: object = None) -> None:
        """Into the inbox; whatever is no command passes those that wait."""
        self.inbox.put((int(what == self.topic["cmd"]), next(self.count), what, content))

    def connected(self) -> None:
        """Subscribe after every connection, and let the node say again who it is."""
        names = (self.topic["cmd"], self.topic["ctl"], *self.heard_on)
        self.line.subscribe([(name, 1) for name in names])
        self.put("connected")

    @property
    def epoch(self) -> int:
        """The highest that was seen."""
        return int(self.journal.fact("epoch") or "0")

    @property
    def stops(self) -> list[str]:
        """Part 8: ids of the orders to stop that stand."""
        return [str(each) for each in json.loads(self.journal.fact("stops") or "[]")]

    def run(self) -> None:
        """Live until told to leave."""
        self.recover()
        self.line.loop_start()
        while not self.leaving:
            try:
                _, _, what, content = self.inbox.get(timeout=0.1)
            except queue.Empty:
                pass
            else:
                self.obey(what, content)
            self.look_around()
        self.leave()

    def leave(self) -> None:
        """Part 9: make safe, let what runs end, and say good-bye."""
        self.doser.halt()
        if self.current is not None:
            self.worker.join(2.0)
        while not self.inbox.empty():
            _, _, what, content = self.inbox.get()
            if what == "ended":
                self.obey(what, content)
        self.end("unknown", error("during", "driver", "the node was ended while it ran"))
        with suppress(RuntimeError):  # no broker: its last will says the same
            said = self.line.publish(self.status, self.online(there=False), qos=1, retain=True)
            said.wait_for_publish(2.0)
        self.line.disconnect()
        self.line.loop_stop()

    def recover(self) -> None:
        """Part 3: what was cut off is unknown; what only waited may start if it has all day."""
        for stage, command in self.journal.unfinished():
            op = str(command["op"])
            if stage == "started" and ACTIONS[op][0] == "pure":
                self.word(command, "failed", error("during", "driver", f"{op} was cut off"))
            elif stage == "started":
                why = f"the node died during {op}, so nobody can say whether it happened"
                self.word(command, "unknown", error("during", "driver", why))
            elif command.get("ttl_s") is not None:
                self.refuse(command, "the node was started anew; its deadline may have passed")
            else:
                self.waiting.append((command, math.inf))

    def obey(self, what: str, content: object) -> None:
        """One thing from the inbox."""
        if what == "connected":
            self.line.publish(self.status, self.online(there=True), qos=1, retain=True)
            self.introduce()
            self.shown = {}
        elif what == "ended":
            assert isinstance(content, tuple)
            self.end(*content)
        elif isinstance(content, mqtt.MQTTMessage):
            body = read(bytes(content.payload))
            if what == self.topic["cmd"]:
                self.command(body, retained=content.retain)
            elif what == self.heard_on[0] and not content.retain:
                self.stop(body)
            elif what == self.topic["ctl"] and not content.retain:
                self.control(body)
            elif not content.retain and body.get("online", True):
                self.hear()
            self.line.ack(content.mid, content.qos)  # all that it says is committed by now

    def introduce(self) -> None:
        """Part 3: what is hosted here, and whether it is stopped."""
        now = {"boot": self.boot, "memory": self.journal.memory, "stops": self.stops}
        told = birth(self.dev, DRIVER, **now, stopped=self.journal.fact("stopped"))
        self.line.publish(self.topic["birth"], told, qos=1, retain=True)

    def hear(self) -> None:
        """Part 9: an orchestrator is there; after a silence it has to greet us anew."""
        self.heard = time.monotonic()
        if self.silent:
            self.silent = False
            self.line.publish(self.status, self.online(there=False), qos=1, retain=True)
            self.put("connected")

    def command(self, body: Body, *, retained: bool) -> None:
        """Part 6, in its order."""
        if not isinstance(body.get("journal"), str) or not isinstance(body.get("cid"), str):
            return
        known = self.journal.known(str(body["journal"]), str(body["cid"]))
        wrong = "a retained command is never obeyed" if retained else malformed(body, self.dev)
        if wrong:
            if known is None:
                self.refuse(body, wrong)
        elif not self.up_to_date(body):
            self.say(body, "stale")
        elif body["memory"] != self.journal.memory:
            self.say(body, "not_seen")
        elif known is not None and known.args_sha256 == body["args_sha256"]:
            self.line.publish(self.topic["evt"], known.payload, qos=1)
        elif known is not None:
            self.say(body, "conflict", error("before_start", "refused", "other arguments before"))
        elif objection := self.objection(body):
            self.refuse(body, objection)
        elif stopped := self.journal.fact("stopped"):
            self.refuse(body, f"{self.dev} is stopped: {stopped}", "lab")
        else:
            self.heard = time.monotonic()
            self.word(body, "accepted")
            ttl_s = body.get("ttl_s")
            left_s = float(ttl_s) if isinstance(ttl_s, int | float) else math.inf
            self.waiting.append((body, time.monotonic() + left_s))

    def up_to_date(self, body: Body) -> bool:
        """Whether no other orchestrator has taken over.

        A higher epoch is kept first of all, if this is a command or a greeting.
        """
        epoch, seen = whole(body.get("epoch"), CAPS["epoch"]), self.epoch
        if epoch is not None and epoch > seen and body.get("op") not in ASKED:
            self.journal.note("epoch", str(epoch))
        return epoch is not None and epoch >= seen

    def objection(self, body: Body) -> str:
        """Why this action may not be done; empty if it may."""
        op, args = str(body["op"]), body["args"]
        if op not in ACTIONS:
            return f"{self.dev} offers no {op!r}; it offers {', '.join(ACTIONS)}"
        if not isinstance(args, dict) or args.keys() != ACTIONS[op][2].keys():
            return f"{op} takes {', '.join(ACTIONS[op][2]) or 'no arguments'}"
        if canonical_sha256(args) != body["args_sha256"]:
            return "the arguments do not match their SHA-256"
        for name, value in args.items():
            limit = LIMITS[f"{op}.{name}"]
            if isinstance(value, bool) or not isinstance(value, int | float):
                return f"{op}.{name} has to be a number"
            if not limit["low"] <= value <= limit["high"]:
                return f"{op}.{name} = {value} is not within {limit['low']} to {limit['high']}"
        return f"{QUEUE} commands wait already" if len(self.waiting) >= QUEUE else ""

    def control(self, body: Body) -> None:
        """Parts 5, 7 and 8."""
        op = body.get("op")
        if op == "stop":
            self.stop(body)
        elif not self.up_to_date(body):
            self.say({"journal": body.get("journal", ""), "cid": body.get("cid") or ""}, "stale")
        elif op == "greet" and body.get("boot") != self.boot:  # a copy of us is to work, not we
            self.resting, self.greeted = self.greeted or self.resting, False
        elif op == "greet" and body.get("memory", "") not in ("", self.journal.memory):
            self.introduce()  # it counts in a journal that we no longer have
        elif op == "greet":
            self.meet(str(body.get("journal", "")), self.epoch)
            self.greet(whole(body.get("from_seq")))
        elif op == "release":
            self.release(body.get("lifts"))
        elif op in ("query", "cancel"):
            self.answer(body, cancel=op == "cancel")

    def release(self, lifts: object) -> None:
        """Part 8: lift these orders to stop, or all that stand if none is named."""
        named = lifts if isinstance(lifts, list) else []
        left = [each for each in self.stops if each not in named] if named else []
        self.journal.note("stops", json.dumps(left))
        if not left:
            self.journal.note("stopped", "")
        self.introduce()

    def meet(self, journal: str, epoch: int) -> None:
        """Part 5: what waits of another journal, from before, is refused."""
        for waits in tuple(self.waiting):
            command = waits[0]
            older = (whole(command["epoch"]) or 0) < epoch
            if older and journal not in ("", command["journal"]):
                self.waiting.remove(waits)
                self.refuse(
                    command, "another orchestrator has taken over from the one that sent it"
                )

    def greet(self, first: int | None) -> None:
        """Part 5: say again what was not heard, then begin; or own up to an older journal."""
        if first is not None and first > self.journal.seq + 1:
            self.journal.renew()
            self.journal.mark()
            self.waiting.clear()  # what became of them, only the lost part of the journal knew
            self.put("connected")
            return
        for payload in [] if first is None else self.journal.words(max(first, 1)):
            self.line.publish(self.topic["evt"], payload, qos=1)
        self.greeted, self.heard = True, time.monotonic()
        self.silent = self.resting = False

    def answer(self, body: Body, *, cancel: bool) -> None:
        """Part 7."""
        key = str(body.get("journal", "")), str(body.get("cid", ""))
        for waits in tuple(self.waiting):
            if cancel and (waits[0]["journal"], waits[0]["cid"]) == key:
                self.waiting.remove(waits)
                self.refuse(waits[0], "it was cancelled before it started")
                return
        known = self.journal.known(*key)
        if known is None or known.memory != self.journal.memory:
            self.say({"journal": key[0], "cid": key[1]}, "not_seen")
        else:
            self.line.publish(self.topic["evt"], known.payload, qos=1)

    def stop(self, order: Body) -> None:
        """Part 8."""
        self.doser.halt()  # first: it must not wait for a disk
        id_ = str(order.get("id", ""))
        self.journal.note("stops", json.dumps([*(set(self.stops) - {id_}), id_]))
        self.journal.note("stopped", f"by {order.get('by') or 'an orchestrator'}")
        self.introduce()
        for command, _ in self.waiting:
            self.refuse(command, "the instrument was stopped", "lab")
        self.waiting.clear()
        moving = self.current is not None and self.moves()
        if self.current is not None:  # up to its end it may have switched something on again
            self.doser.halt()
        trouble = error("during", "driver", "the pump does not stop") if moving else None
        about: Body = {"journal": str(order.get("journal", "")), "cid": ""}
        self.say(about, "made_safe", trouble, answers=id_)

    def moves(self) -> bool:
        """Whether the pump still runs a second after it was halted."""
        self.worker.join(1.0)
        return self.worker.is_alive()

    def look_around(self) -> None:
        """What is due: the end of an orchestrator, the next command, a beat, a state."""
        now = time.monotonic()
        if self.greeted and self.current is None and now - self.heard > self.silence_s:
            self.greeted, self.silent, self.resting = False, True, True
        if self.resting and self.current is None:
            self.resting = False
            self.doser.halt()
        if self.greeted and self.current is None and self.waiting:
            self.start(*self.waiting.popleft())
        if self.current is not None and now - self.began > ACTIONS[str(self.current["op"])][1]:
            self.doser.halt()
        if now - self.beaten >= BEAT_S:
            self.beaten = now
            self.beats += 1
            beat = {"v": 1, "boot": self.boot, "seq": self.beats, "monotonic": now}
            self.line.publish(self.heartbeat, json.dumps(beat), qos=0)
        state = self.state()
        if state != self.shown:
            self.shown = state
            told = json.dumps({**state, "at": time.time()})
            self.line.publish(self.topic["state"], told, qos=1, retain=True)

    def start(self, command: Body, deadline: float) -> None:
        """Rules 7 and 8 of part 6."""
        objection = self.objection(command)
        if objection or time.monotonic() >= deadline:
            self.refuse(command, objection or "its deadline passed before it could start")
            return
        if stopped := self.journal.fact("stopped"):  # the node died before it could refuse it
            self.refuse(command, f"{self.dev} is stopped: {stopped}", "lab")
            return
        self.word(command, "started")  # on disk, before the pump gets its first byte
        self.current, self.began = command, time.monotonic()
        self.worker = threading.Thread(target=self.work, args=(command,), daemon=True)
        self.worker.start()

    def work(self, command: Body) -> None:
        """In a thread of its own: the call of the instrument, which may take its time."""
        args = command["args"]
        assert isinstance(args, dict)
        try:
            result = None
            if command["op"] == "weigh":
                result = self.doser.weigh()
            else:
                self.doser.dispense(float(args["volume_ul"]))
            self.put("ended", ("done", None, result))
        except CutOffError as cut_off:
            self.put("ended", ("unknown", error("during", "driver", str(cut_off))))
        except Exception as failure:  # noqa: BLE001 -- whatever it was, it has to be told
            self.put("ended", ("failed", error("during", "driver", repr(failure))))

    def end(self, st: str, why: Body | None = None, result: object = None) -> None:
        """Rule 9 of part 6."""
        if self.current is None:
            return
        command, self.current = self.current, None
        took_s = time.monotonic() - self.began
        self.word(command, st, why, duration_s=took_s, result=result)

    def refuse(self, command: Body, reason: str, kind: str = "refused") -> None:
        """It was not started, and will not be."""
        self.word(command, "failed", error("before_start", kind, reason))

    def word(self, command: Body, st: str, why: Body | None = None, **rest: object) -> None:
        """Something that stands in the journal: commit it, then tell."""
        seq = self.journal.seq + 1
        payload = self.event(command, st, seq, why, rest)
        self.journal.commit(command, seq, st, payload)
        self.line.publish(self.topic["evt"], payload, qos=1)

    def say(self, about: Body, st: str, why: Body | None = None, **rest: object) -> None:
        """Something that stands in no journal."""
        self.line.publish(self.topic["evt"], self.event(about, st, 0, why, rest), qos=1)

    def event(self, about: Body, st: str, seq: int, why: Body | None, rest: Body) -> bytes:
        """An EventMessage."""
        body = {
            "v": 1,
            "journal": about["journal"],
            "cid": about["cid"],
            "dev": self.dev,
            "boot": self.boot,
            "memory": self.journal.memory,
            "epoch": self.epoch,
            "seq": seq,
            "st": st,
            "at": time.time(),
            "error": why,
        }
        return json.dumps({**body, **rest}, allow_nan=False).encode()

    def online(self, *, there: bool) -> str:
        """A Status."""
        body = {"v": 1, "boot": self.boot, "epoch": self.epoch, "online": there}
        return json.dumps({**body, "at": time.time()})

    def state(self) -> Body:
        """A State, but for its moment."""
        free = "idle" if self.greeted else "waiting"
        status = "stopped" if self.journal.fact("stopped") else free
        busy = {"status": "busy", "cid": self.current["cid"]} if self.current else {"cid": None}
        queued = len(self.waiting)
        body: Body = {"v": 1, "boot": self.boot, "status": status, "queued": queued}
        return {**body, **busy, "seq": self.journal.seq, "stops": self.stops}


def at_once(line: object) -> None:
    """Send small packets at once."""
    if isinstance(line, socket.socket):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def main() -> None:
    """Read the command line and live."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="mqtt://127.0.0.1:1883")
    parser.add_argument("--lab", default="gravimetry")
    parser.add_argument("--instrument", default="doser")
    parser.add_argument("--folder", type=Path, default=Path(), help="for the journal")
    parser.add_argument("--silence-s", type=float, default=30.0, help="no orchestrator, no work")
    told = parser.parse_args()
    node = Node(told.broker, told.lab, told.instrument, told.folder, told.silence_s)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: vars(node).update(leaving=True))
    node.run()


if __name__ == "__main__":
    main()
