"""MQTT payloads: strict JSON messages between orchestrator, nodes and planner workers.

Every field that matters stands in the payload, none in MQTT properties, so that brokers of
version 3.1.1 and 5 do equally. A number that is not finite has no place in JSON and is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic_core import from_json

from sdl.core.commands import Perform
from sdl.core.events import (
    CommandAccepted,
    CommandDone,
    CommandFailed,
    CommandNotSeen,
    CommandStarted,
    CommandUnknown,
    FaultKind,
    InstrumentOnline,
    Phase,
)
from sdl.model.action import Effect
from sdl.model.lab import Limit
from sdl.model.planning import Answer, Ask

PAYLOAD_CAP = 256 * 1024
"""Bytes that one message of an instrument may have; larger data travels as a file."""
QUESTION_CAP = 16 * 1024 * 1024
"""Bytes that a question to a planner may have; it holds the history of its campaign."""
CID_CAP = 200
"""Characters that a command id, a journal's id or a boot may have."""

Stage = Literal["accepted", "started", "done", "failed", "unknown", "not_seen"]


class Unreadable(ValueError):
    """A payload that is not the message it should be; says why in one sentence."""


class Body(BaseModel):
    """What all messages share: nothing unknown, nothing infinite, nothing that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    v: Literal[1] = 1


class CommandMessage(Body):
    """Do one action; acted on at most once per ``journal`` and ``cid``."""

    journal: str = Field(max_length=CID_CAP)
    """Which journal it stands in: two of them may hold campaigns of one name, so equal cids."""
    boot: str = Field(max_length=CID_CAP)
    """The start of the node that it is meant for; a later one does not know what that one did."""
    cid: str = Field(max_length=CID_CAP)
    """``dye-450/run-7/step-2/try-1``."""
    dev: str
    op: str
    effect: Effect
    args: dict[str, JsonValue]
    args_sha256: str
    """Over the canonical JSON of ``args``; the same command with another digest is a conflict."""
    run: str
    step: str
    attempt: int
    epoch: int
    issued_at: float
    """Lab time by the orchestrator's clock."""
    not_after: float | None = None
    """Lab time by the orchestrator's clock after which it must not start."""
    ttl_s: float | None = None
    """The same as lab seconds from reception, which holds where two clocks differ."""


class EventError(Body):
    """Why an action did not end well."""

    phase: Phase
    kind: FaultKind
    reason: str


class EventMessage(Body):
    """What became of a command."""

    journal: str
    """As in the command."""
    cid: str
    dev: str
    boot: str
    """Made anew each time the node starts."""
    seq: int
    """1, 2, 3 ... per device and boot, without a gap."""
    st: Stage
    at: float
    """Lab time by the node's clock."""
    duration_s: float | None = None
    result: JsonValue = None
    error: EventError | None = None


class Control(Body):
    """Ask about, take back or stop; never waits behind commands."""

    id: str
    op: Literal["query", "cancel", "stop"]
    journal: str
    """As in the command that it is about."""
    cid: str | None = None
    epoch: int


class Status(Body):
    """A node or an orchestrator is there, or is not."""

    boot: str
    epoch: int
    online: bool
    at: float


class WorkerStatus(Body):
    """A planner worker is there, or is not, and the planners it offers."""

    boot: str
    online: bool
    planners: tuple[str, ...]


class OfferedAction(Body):
    """One action of an instrument."""

    name: str
    effect: Effect
    timeout_s: float
    """Lab seconds."""
    arguments: dict[str, JsonValue]
    """JSON Schema of an object with one property per argument."""


class Birth(Body):
    """What an instrument is, can do, and may do."""

    dev: str
    node: str
    boot: str
    driver: str
    driver_version: str
    driver_sha256: str
    """Over the driver's source file."""
    simulated: bool
    actions: tuple[OfferedAction, ...]
    limits: dict[str, Limit]
    """By ``action.argument``."""
    sha256: str
    """Over the canonical JSON of all fields but ``boot`` and this one."""


class State(Body):
    """What an instrument is doing."""

    boot: str
    status: Literal["idle", "busy", "attention"]
    """*attention*: an action was given up on and may still be going on."""
    cid: str | None
    queued: int
    seq: int
    """Of the last event."""
    at: float


class Heartbeat(Body):
    """A node is not frozen."""

    boot: str
    seq: int
    monotonic: float
    """Wall seconds by the node's own clock."""


M = TypeVar("M", bound=Body)
T = TypeVar("T")

_ASK = TypeAdapter(Ask)
_ANSWER = TypeAdapter(Answer)


def encode(message: Body) -> bytes:
    """UTF-8 JSON. Unreadable if it would be larger than the cap."""
    payload = message.__pydantic_serializer__.to_json(message)
    if len(payload) > PAYLOAD_CAP:
        raise Unreadable(
            f"a {type(message).__name__} of {len(payload)} bytes is over the cap of {PAYLOAD_CAP}; "
            "store large data as a file and send its name"
        )
    return payload


def decode(kind: type[M], payload: bytes) -> M:
    """The inverse of ``encode``. Unreadable says what is wrong with the payload."""
    return _checked(kind.__name__, payload, PAYLOAD_CAP, kind.model_validate)


def _checked(name: str, payload: bytes, cap: int, validate: Callable[[Any], T]) -> T:
    if len(payload) > cap:
        raise Unreadable(f"{name} of {len(payload)} bytes is over the cap of {cap}")
    try:
        return validate(from_json(payload, allow_inf_nan=False))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unreadable(f"{name} is malformed at {where or 'its root'}: {first['msg']}") from None
    except ValueError as error:
        raise Unreadable(f"{name} is not JSON with finite numbers: {error}") from None


def digest(value: JsonValue) -> str:
    """SHA-256 (hex) over canonical JSON: sorted keys, no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def command_message(
    perform: Perform, *, epoch: int, issued_at: float, journal: str
) -> CommandMessage:
    """The message that asks a node for this action.

    ``issued_at``: lab time now. ``journal``: id of the journal that ``perform`` stands in.
    """
    args = dict(perform.args)
    ttl_s = None if perform.not_after is None else max(0.0, perform.not_after - issued_at)
    return CommandMessage(
        journal=journal,
        boot=perform.boot,
        cid=perform.cid,
        dev=perform.instrument,
        op=perform.operation,
        effect=perform.effect,
        args=args,
        args_sha256=digest(args),
        run=perform.step.rpartition("/")[0],
        step=perform.step,
        attempt=perform.attempt,
        epoch=epoch,
        issued_at=issued_at,
        not_after=perform.not_after,
        ttl_s=ttl_s,
    )


CommandEvent = (
    CommandAccepted | CommandStarted | CommandDone | CommandFailed | CommandUnknown | CommandNotSeen
)


def core_event(message: EventMessage, at: float | None = None) -> CommandEvent:
    """The event that the engine understands.

    ``at``: lab time of the receiver, whose clock orders the journal; the node's own if None.
    """
    moment = message.at if at is None else at
    reason = message.error.reason if message.error is not None else ""
    match message.st:
        case "accepted":
            return CommandAccepted(at=moment, cid=message.cid)
        case "started":
            return CommandStarted(at=moment, cid=message.cid)
        case "done":
            return CommandDone(
                at=moment,
                cid=message.cid,
                result=message.result,
                duration_s=message.duration_s or 0.0,
            )
        case "failed":
            error = message.error or EventError(phase="during", kind="driver", reason="no reason")
            return CommandFailed(
                at=moment, cid=message.cid, phase=error.phase, kind=error.kind, reason=error.reason
            )
        case "unknown":
            return CommandUnknown(at=moment, cid=message.cid, reason=reason)
        case "not_seen":
            return CommandNotSeen(at=moment, cid=message.cid, boot=message.boot)


def online_event(birth: Birth, at: float) -> InstrumentOnline:
    """The event that a birth tells the engine. ``at``: lab time of the receiver."""
    return InstrumentOnline(
        at=at,
        instrument=birth.dev,
        boot=birth.boot,
        driver=birth.driver,
        simulated=birth.simulated,
        actions=tuple(action.name for action in birth.actions),
    )


def birth_digest(fields: Mapping[str, JsonValue]) -> str:
    """What ``Birth.sha256`` must be, given the birth as JSON."""
    return digest({key: fields[key] for key in fields if key not in ("boot", "sha256")})


def encode_ask(ask: Ask) -> bytes:
    """A question as UTF-8 JSON."""
    return _ASK.dump_json(ask)


def decode_ask(payload: bytes) -> Ask:
    """The inverse of ``encode_ask``. Unreadable if it is none."""
    return _checked("Ask", payload, QUESTION_CAP, _ASK.validate_python)


def encode_answer(answer: Answer) -> bytes:
    """An answer as UTF-8 JSON; a number that is not finite becomes null and is refused there."""
    return _ANSWER.dump_json(answer)


def decode_answer(payload: bytes) -> Answer:
    """The inverse of ``encode_answer``. Unreadable if it is none."""
    return _checked("Answer", payload, QUESTION_CAP, _ANSWER.validate_python)
