"""The topics of one lab: where each kind of message travels."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "sdl/v1"
"""First levels of every topic; the number changes when a message of old would be misread."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names below ``sdl/v1/{lab}``; ``+`` as a name makes a filter for all of them."""

    lab: str

    def _below(self, *levels: str) -> str:
        return "/".join((PREFIX, self.lab, *levels))

    def command(self, device: str) -> str:
        """Orchestrator to node: do this. Never retained."""
        return self._below("dev", device, "cmd")

    def control(self, device: str) -> str:
        """Orchestrator to node: query, cancel, stop. Apart, so that a stop overtakes commands."""
        return self._below("dev", device, "ctl")

    def event(self, device: str) -> str:
        """Node to orchestrator: what became of a command."""
        return self._below("dev", device, "evt")

    def birth(self, device: str) -> str:
        """Node to all, retained: what the instrument is and can do."""
        return self._below("dev", device, "birth")

    def state(self, device: str) -> str:
        """Node to all, retained: idle or busy, and with what."""
        return self._below("dev", device, "state")

    def node_status(self, node: str) -> str:
        """Node to all, retained: online or not; also its last will."""
        return self._below("node", node, "status")

    def node_heartbeat(self, node: str) -> str:
        """Node to all, every few seconds, for all its instruments: a frozen node falls silent."""
        return self._below("node", node, "hb")

    def orchestrator_status(self) -> str:
        """Orchestrator to all, retained: online with its epoch, or not; also its last will."""
        return self._below("orch", "main", "status")

    def orchestrator_heartbeat(self) -> str:
        """Orchestrator to all nodes: without it they finish what they do and start nothing."""
        return self._below("orch", "main", "hb")

    def stop_all(self) -> str:
        """To every node: stop everything. A topic of its own, that nothing else can delay."""
        return self._below("lab", "all", "stop")

    def placed(self) -> str:
        """Orchestrator to every node: where people have set labware down, for virtual benches."""
        return self._below("lab", "all", "placed")

    def planner_status(self, worker: str) -> str:
        """Planner worker to all, retained: online or not, and the planners it offers."""
        return self._below("planner", worker, "status")

    def ask(self, worker: str) -> str:
        """A question for a planner worker."""
        return self._below("planner", worker, "ask")

    def answer(self, worker: str) -> str:
        """What the planner worker answered."""
        return self._below("planner", worker, "answer")


def name_in(topic: str) -> str:
    """The device, node or worker that a topic of ours names; empty if it is none of ours."""
    levels = topic.split("/")
    return levels[4] if len(levels) == 6 and topic.startswith(f"{PREFIX}/") else ""  # noqa: PLR2004


def kind_in(topic: str) -> str:
    """The last level: ``cmd``, ``evt``, ``status`` ..."""
    return topic.rpartition("/")[2]


def matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT filter with ``+`` and ``#`` lets a topic through."""
    if pattern == topic:
        return True
    wanted, given = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(given) or level not in ("+", given[index]):
            return False
    return len(wanted) == len(given)
