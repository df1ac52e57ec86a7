"""A command at its node, from its reception to its last word."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument
from sdl.shell.node_journal import CommandId, JournalledStage, Remembered, Taken
from sdl.shell.offered import breach
from sdl.wire.mqtt import CommandMessage, digest

REASON_CAP = 4000
"""Characters of a reason; drivers may quote whole documents."""

_LOG = logging.getLogger("sdl.node")


def nobody_waits() -> None:
    """Nothing to acknowledge."""


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A command that is not over, as far as the journal knows."""

    id: CommandId
    memory: str
    """The journal's name when it came in."""
    args_sha256: str
    command: bytes
    """As it was received."""
    epoch: int = 0
    """Of the orchestrator that sent it."""
    operation: Operation | None = None
    """None until ``understand`` has read it."""
    arguments: Mapping[str, object] = field(default_factory=dict)
    deadline: float | None = None
    """Lab time by the node's clock after which it must not start."""
    ack: Callable[[], None] = nobody_waits
    """Tells the broker that it stands in the journal."""
    noted: JsonValue = None
    """What the driver put down before it was cut off."""
    accepting: asyncio.Task[None] | None = None
    """Writes that it was accepted, where it could not start at once."""
    stage: JournalledStage | None = None
    """Of its last durable word; None until there is one."""
    last: bytes = b""
    """That word, as it is published."""

    @classmethod
    def of(
        cls,
        message: CommandMessage,
        payload: bytes,
        deadline: float | None,
        ack: Callable[[], None],
    ) -> Job:
        """A command that has just come in, as ``payload``."""
        return cls(
            id=CommandId(message.journal, message.cid),
            memory=message.memory,
            args_sha256=message.args_sha256,
            command=payload,
            epoch=message.epoch,
            deadline=deadline,
            ack=ack,
        )

    @classmethod
    def again(cls, known: Remembered) -> Job:
        """A command from before the node's last death."""
        return cls(
            id=known.id,
            memory=known.memory,
            args_sha256=known.args_sha256,
            command=known.command,
            deadline=known.deadline,
            noted=known.noted,
            stage=known.stage,
            last=known.last,
        )

    @property
    def key(self) -> str:
        """The one name of its action, for an instrument that can log it."""
        return f"{self.id.journal}:{self.id.cid}"

    def taken(self, device: str) -> Taken | None:
        """What the journal keeps of it; None if that stands there already."""
        if self.stage is not None:
            return None
        return Taken(
            device=device,
            id=self.id,
            memory=self.memory,
            args_sha256=self.args_sha256,
            command=self.command,
            deadline=self.deadline,
        )

    def understand(
        self, message: CommandMessage, instrument: Instrument, operations: Mapping[str, Operation]
    ) -> str:
        """Read what is to be done. Why it cannot be, in a sentence; empty if it can."""
        if digest(message.args) != message.args_sha256:
            return "the arguments do not match their SHA-256"
        operation = operations.get(message.op)
        if operation is None:
            there = ", ".join(operations) or "nothing"
            return f"{instrument.name} offers no {message.op!r}; it offers {there}"
        try:
            self.arguments = operation.load_arguments(message.args)
            self.operation = operation
            return breach(operation, self.arguments, instrument.limits) or ""
        except TypeError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 -- whatever a message holds, the node goes on
            _LOG.exception("%s: %s could not be checked", instrument.name, message.cid)
            return f"the node cannot read it ({type(error).__name__}); see its log"


def fitting(reason: str) -> str:
    """A reason that fits into a message: no longer than the cap, and no half characters."""
    return reason[:REASON_CAP].encode("utf-8", "replace").decode()
