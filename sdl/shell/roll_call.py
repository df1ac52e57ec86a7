"""Who is there: births, statuses and heartbeats of nodes, turned into events of instruments.

An instrument is online when its birth and the status of its node name the same boot. A retained
birth alone proves nothing: the node may have died long ago.
"""

from __future__ import annotations

from dataclasses import dataclass

from sdl.core.events import InstrumentLost, InstrumentOnline
from sdl.wire.mqtt import Birth, Heartbeat, Status, online_event

SILENCE_S = 6.0
"""Wall seconds without a heartbeat after which a node is taken for frozen or cut off."""


@dataclass(slots=True)
class _Seat:
    birth: Birth
    heard: float
    """When the last sign of life came, by the loop's clock."""
    online: bool = False


class RollCall:
    """What is known of the nodes of one lab."""

    def __init__(self) -> None:
        self._seats: dict[str, _Seat] = {}
        self._boots: dict[str, str] = {}
        """Boot of each node that is online, by node."""

    def birth(self, birth: Birth, at: float, heard: float) -> list[InstrumentOnline]:
        """An instrument was announced. ``at``: lab time; ``heard``: the loop's clock.

        A node that is there already announces itself again when its line to the broker is mended,
        and the broker repeats it when ours is: words may have been lost either way, so that it
        comes online once more.
        """
        self._seats[birth.dev] = _Seat(birth, heard)
        return self._seat(birth.node, at, heard)

    def status(
        self, node: str, status: Status, at: float, heard: float
    ) -> list[InstrumentOnline | InstrumentLost]:
        """A node came, or went: by its own word or by its last will."""
        if status.online:
            self._boots[node] = status.boot
            return [*self._seat(node, at, heard)]
        if self._boots.get(node) not in {None, status.boot}:
            return []  # the will of a node that has been replaced since
        self._boots.pop(node, None)
        return [
            self._lose(seat, at, f"node {node} went offline")
            for seat in self._seats.values()
            if seat.birth.node == node and seat.online
        ]

    def heartbeat(
        self, device: str, beat: Heartbeat, at: float, heard: float
    ) -> list[InstrumentOnline]:
        """A sign of life; brings an instrument back that was lost through silence."""
        seat = self._seats.get(device)
        if seat is None or seat.birth.boot != beat.boot:
            return []
        seat.heard = heard
        # Never kept by a broker, so it proves life, even against a will that came late.
        self._boots[seat.birth.node] = beat.boot
        return self._seat(seat.birth.node, at, heard)

    def node_heartbeat(
        self, node: str, beat: Heartbeat, at: float, heard: float
    ) -> list[InstrumentOnline]:
        """The same for all instruments of a node."""
        seats = [one for one in self._seats.values() if one.birth.node == node]
        alive = [one for one in seats if one.birth.boot == beat.boot]
        for seat in alive:
            seat.heard = heard
        if not alive:
            return []
        self._boots[node] = beat.boot
        return self._seat(node, at, heard)

    def silent(self, at: float, now: float) -> list[InstrumentLost]:
        """Instruments that have not been heard of for ``SILENCE_S``. ``now``: the loop's clock."""
        return [
            self._lose(seat, at, f"no heartbeat for {now - seat.heard:.0f} s")
            for seat in self._seats.values()
            if seat.online and now - seat.heard > SILENCE_S
        ]

    def _seat(self, node: str, at: float, heard: float) -> list[InstrumentOnline]:
        boot = self._boots.get(node)
        events: list[InstrumentOnline] = []
        for seat in self._seats.values():
            if seat.birth.node == node and seat.birth.boot == boot and not seat.online:
                seat.online, seat.heard = True, heard
                events.append(online_event(seat.birth, at))
        return events

    @staticmethod
    def _lose(seat: _Seat, at: float, reason: str) -> InstrumentLost:
        seat.online = False
        return InstrumentLost(at=at, instrument=seat.birth.dev, reason=reason)
