"""Who is there: births, statuses and heartbeats of nodes, turned into events of instruments.

An instrument is online when its birth and a sign of life of its node name the same boot. What a
broker keeps proves nothing: the node may have died long ago, and a broker that was put back to an
older state repeats births and statuses of starts that are over. A heartbeat is never kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sdl.core.events import InstrumentLost, InstrumentOnline
from sdl.wire.mqtt import Birth, Heartbeat, Status, online_event

SILENCE_S = 5.5
"""Wall seconds without a heartbeat after which a node is taken for frozen or cut off."""
BOOTS = 3
"""Starts of one node, besides the present one, whose births are kept: which is which may show
late."""


@dataclass(slots=True)
class _Seat:
    """An instrument that is online."""

    birth: Birth
    heard: float
    """When the last sign of life of its boot came, by the loop's clock."""


@dataclass(slots=True)
class _Node:
    name: str
    online: bool = False
    boot: str = ""
    """Of the start that is taken for the present one."""
    former: set[str] = field(default_factory=set)
    """Boots that this node had before, by its own word; what is late may still come of them."""
    heard: float = -math.inf
    """When the last sign of life of the present boot came, by the loop's clock."""
    beaten: float = -math.inf
    """When its last heartbeat came."""
    births: dict[str, dict[str, Birth]] = field(default_factory=dict)
    """By boot and instrument; the boot of the last birth at the end."""
    seats: dict[str, _Seat] = field(default_factory=dict)
    """Instruments that are online here."""

    def beats(self, now: float) -> bool:
        """Whether it is certainly alive, under this boot."""
        return self.online and now - self.beaten <= SILENCE_S

    def is_late(self, boot: str, now: float) -> bool:
        """Whether word of a boot is from before the present one."""
        return boot != self.boot and boot in self.former and now - self.heard <= SILENCE_S


class RollCall:
    """What is known of the nodes of one lab."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}
        self._hosts: dict[str, _Node] = {}
        """Where each instrument is online."""

    def birth(self, birth: Birth, at: float, heard: float) -> list[InstrumentOnline]:
        """An instrument was announced. ``at``: lab time; ``heard``: the loop's clock.

        A node that is there already announces itself again when its line to the broker is mended,
        and the broker repeats it when ours is: words may have been lost either way, so that it
        comes online once more. A birth of another boot than the node's present one waits for a
        sign of life of that boot, and changes nothing until then.
        """
        node = self._node(birth.node)
        known = node.births.pop(birth.boot, {})
        known[birth.dev] = birth
        node.births[birth.boot] = known
        for boot in [boot for boot in node.births if boot != node.boot][:-BOOTS]:
            del node.births[boot]
        if not node.online or node.boot != birth.boot:
            return []
        host = self._hosts.get(birth.dev, node)
        if host is not node and host.beats(heard) and not node.beats(heard):
            return []  # what a broker kept moves no instrument away from a node that is alive
        return [self._seat(node, birth, at, heard)]

    def status(
        self, name: str, status: Status, at: float, heard: float, *, kept: bool = False
    ) -> list[InstrumentOnline | InstrumentLost]:
        """A node came, or went: by its own word or by its last will.

        ``kept``: the broker had kept it; heartbeats of another boot are worth more.
        """
        node, boot = self._node(name), status.boot
        if status.online:
            if node.is_late(boot, heard) or (kept and boot != node.boot and node.beats(heard)):
                return []
            return [*self._take_up(node, boot, at, heard, kept=kept)]
        if node.boot not in ("", boot):
            return []  # the will of a node that has been replaced since
        node.boot, node.online = boot, False
        lost = [self._lose(node, device, at, f"node {name} went offline") for device in node.seats]
        node.seats.clear()
        return [*lost]

    def heartbeat(
        self, name: str, beat: Heartbeat, at: float, heard: float
    ) -> list[InstrumentOnline]:
        """A sign of life of a node; brings its instruments back that were lost through silence.

        Never kept by a broker, so it proves life, even against a will that came late.
        """
        node = self._node(name)
        if beat.boot not in node.births or node.is_late(beat.boot, heard):
            return []
        online = self._take_up(node, beat.boot, at, heard)
        node.beaten = heard
        return online

    def silent(self, at: float, now: float) -> list[InstrumentLost]:
        """Instruments that have not been heard of for ``SILENCE_S``. ``now``: the loop's clock."""
        lost: list[InstrumentLost] = []
        for node in self._nodes.values():
            for device, seat in tuple(node.seats.items()):
                silence_s = now - seat.heard
                if silence_s > SILENCE_S:
                    lost.append(self._lose(node, device, at, f"no heartbeat for {silence_s:.0f} s"))
                    del node.seats[device]
        return lost

    def _node(self, name: str) -> _Node:
        if name not in self._nodes:
            self._nodes[name] = _Node(name)
        return self._nodes[name]

    def _take_up(
        self, node: _Node, boot: str, at: float, heard: float, *, kept: bool = False
    ) -> list[InstrumentOnline]:
        """A node is alive under this boot: what it has announced under it is online."""
        if node.boot != boot:
            if node.boot and not kept:
                node.former.add(node.boot)
            node.former.discard(boot)
            node.boot, node.beaten = boot, -math.inf
        node.online, node.heard = True, heard
        online: list[InstrumentOnline] = []
        for device, birth in node.births.get(boot, {}).items():
            seat = node.seats.get(device)
            if seat is not None and seat.birth.boot == boot:
                seat.heard = heard
            elif self._hosts.get(device, node) is node:
                online.append(self._seat(node, birth, at, heard))
        return online

    def _seat(self, node: _Node, birth: Birth, at: float, heard: float) -> InstrumentOnline:
        host = self._hosts.get(birth.dev, node)
        if host is not node:
            del host.seats[birth.dev]
        self._hosts[birth.dev] = node
        node.seats[birth.dev] = _Seat(birth, heard)
        return online_event(birth, at)

    def _lose(self, node: _Node, device: str, at: float, reason: str) -> InstrumentLost:
        assert self._hosts.pop(device) is node
        return InstrumentLost(at=at, instrument=device, reason=reason)
