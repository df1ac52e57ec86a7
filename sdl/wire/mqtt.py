"""MQTT payloads: strict JSON messages between orchestrator, nodes and planner workers.

Every field that matters stands in the payload, none in MQTT properties, so that brokers of
version 3.1.1 and 5 do equally. A number that is not finite has no place in JSON and is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json

from sdl.core.commands import Perform
from sdl.core.events import (
    CommandAccepted,
    CommandConflict,
    CommandDone,
    CommandFailed,
    CommandNotSeen,
    CommandStarted,
    CommandUnknown,
    CommandWord,
    FaultKind,
    InstrumentMadeSafe,
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
Epoch = Annotated[int, Field(ge=0, lt=2**33)]
"""Which orchestrator: seconds since 1970 when it began to lead, or more. A journal keeps the
highest, so that one that cannot be would shut everybody out for ever."""
Count = Annotated[int, Field(ge=0, lt=2**53)]
"""A number that every language, and every database, can hold."""

Stage = Literal[
    "accepted", "started", "done", "failed", "unknown", "not_seen", "conflict", "stale", "made_safe"
]
"""The first five stand in the node's journal. *not_seen*: the answer to a query about a command
that does not. *conflict*: the same id came with other arguments. *stale*: the command was sent by
an orchestrator that another one has taken over from. *made_safe*: the answer to a stop."""


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
    memory: str = Field(max_length=CID_CAP)
    """The node's journal that it is meant for; another one does not know what that one did."""
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
    attempt: Count
    epoch: Epoch
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
    """As in the command, or in the control that it answers."""
    cid: str
    """Empty where it is about the instrument: *made_safe*."""
    dev: str
    boot: str
    """Made anew each time the node starts."""
    memory: str
    """Names the node's journal; another one where that was lost or put back."""
    epoch: Epoch
    """The highest that the node has seen."""
    seq: Count
    """1, 2, 3 ... per device and journal, without a gap; 0 where it does not stand in it."""
    st: Stage
    at: float
    """Lab time by the node's clock."""
    duration_s: float | None = None
    result: JsonValue = None
    error: EventError | None = None
    answers: str = ""
    """*made_safe*: ``id`` of the order to stop that it answers; else empty."""


class Control(Body):
    """Greet, ask about, take back, stop or release; never waits behind commands.

    *greet* (with ``boot``): from now on the node may start what it is sent; before the first
    greeting of its boot it only takes commands in. With ``from_seq`` it says again what its journal
    holds from there on, each word with its number; if it holds less than ``from_seq`` - 1, its
    journal was put back to an older state, and it begins a new one under a new name. With the
    ``memory`` of another journal than the node's it is no greeting: the birth is published again.
    *stop*: nothing that waits is started, the driver makes safe, and *made_safe* says how that
    ended; nothing is started until *release*. *greet* also tells ``journal``: what waits of another
    journal, with a lower epoch, is refused.
    """

    id: str
    """Of a *stop*: *made_safe* names it. It comes again, with the same id, until it is answered."""
    op: Literal["greet", "query", "cancel", "stop", "release"]
    epoch: Epoch
    """A node listens to none that is lower than the highest it has seen; to a stop, always."""
    journal: str = ""
    """As in the command that it is about."""
    cid: str | None = None
    boot: str = ""
    from_seq: Count | None = None
    memory: str = ""
    """Of a *greet*: the node's journal in which ``from_seq`` counts."""
    by: str = ""
    lifts: tuple[str, ...] = ()
    """Of a *release*: ids of the orders to stop that it lifts. The instrument obeys again once none
    stands; where no id is given, all those are lifted that stand when it comes."""


class StopAll(Body):
    """Everything in the lab stops: as *stop* for every instrument of every node. Any epoch."""

    id: str
    """Each *made_safe* that answers it names it."""
    by: str
    note: str = ""


class Placement(Body):
    """Where one piece of labware stands."""

    number: Count
    """1, 2, 3 ... in the order in which it was said, over all labware of a journal."""
    labware: str
    site: str
    """``reader/1``; empty: it is off the bench."""
    kind: str = ""
    """Of a plate that was brought while the lab was at work; empty: ``lab.toml`` says it."""


class Placed(Body):
    """Labware that others than simulated arms have set down, and none has taken up since.

    For nodes with a virtual bench; all others may ignore it. It comes whenever there is news and
    before each greeting, and is whole each time: what is numbered no higher than something that
    was heard already, of the same ``journal``, is old.
    """

    journal: str = Field(max_length=CID_CAP)
    """Which journal the numbers count in."""
    epoch: Epoch
    labware: tuple[Placement, ...]


class Status(Body):
    """A node or an orchestrator is there, or is not."""

    boot: str
    epoch: Epoch
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
    probe: bool = False
    """Whether the node can find out by itself if a *once* action happened."""
    timeout_s: float
    """Lab seconds."""
    arguments: dict[str, JsonValue]
    """JSON Schema of an object with one property per argument."""


class Birth(Body):
    """What an instrument is, can do, and may do."""

    dev: str
    node: str
    boot: str
    memory: str
    """Names the journal in which the node keeps what became of its commands."""
    driver: str
    driver_version: str
    driver_sha256: str
    """Over the driver's source file."""
    simulated: bool
    actions: tuple[OfferedAction, ...]
    limits: dict[str, Limit]
    """By ``action.argument``."""
    stopped: str = ""
    """Why it obeys nothing before it is released; empty where it was not stopped."""
    stops: tuple[str, ...] = ()
    """Ids of the orders to stop that stand, the last one at the end."""
    sha256: str
    """Over the canonical JSON of all fields but ``boot``, ``memory``, ``stopped``, ``stops`` and
    this one."""


class State(Body):
    """What an instrument is doing."""

    boot: str
    status: Literal["waiting", "idle", "busy", "attention", "stopped"]
    """*waiting*: for the orchestrator's greeting. *attention*: an action was given up on and may
    still be going on. *stopped*: nothing starts until a person lets it."""
    cid: str | None
    queued: Count
    seq: Count
    """Of the last event."""
    at: float
    stops: tuple[str, ...] = ()
    """Ids of the orders to stop that stand, the last one at the end."""


class Heartbeat(Body):
    """A node is not frozen."""

    boot: str
    seq: Count
    monotonic: float
    """Wall seconds by the node's own clock."""


M = TypeVar("M", bound=Body)
T = TypeVar("T")

_ASK = TypeAdapter(Ask)
_ANSWER = TypeAdapter(Answer)


def encode(message: Body) -> bytes:
    """UTF-8 JSON. Unreadable if it would be larger than the cap, or if its text is none."""
    try:
        payload = message.__pydantic_serializer__.to_json(message)
    except PydanticSerializationError as error:
        raise Unreadable(f"a {type(message).__name__} cannot be written as JSON: {error}") from None
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
        memory=perform.memory,
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


CommandEvent = CommandWord | CommandNotSeen | CommandConflict | InstrumentMadeSafe


def core_event(message: EventMessage, at: float) -> CommandEvent:
    """The event that the engine understands. ``at``: lab time of the receiver.

    Unreadable for *stale*, which is about the orchestrator and not about its campaign.
    """
    reason = message.error.reason if message.error is not None else ""
    cid, seq = message.cid, message.seq
    match message.st:
        case "accepted":
            return CommandAccepted(at=at, cid=cid, seq=seq)
        case "started":
            return CommandStarted(at=at, cid=cid, seq=seq, boot=message.boot)
        case "done":
            took_s = message.duration_s or 0.0
            return CommandDone(at=at, cid=cid, seq=seq, result=message.result, duration_s=took_s)
        case "failed":
            error = message.error or EventError(phase="during", kind="driver", reason="no reason")
            return CommandFailed(
                at=at, cid=cid, seq=seq, phase=error.phase, kind=error.kind, reason=error.reason
            )
        case "unknown":
            return CommandUnknown(at=at, cid=cid, seq=seq, reason=reason)
        case "not_seen":
            return CommandNotSeen(at=at, cid=cid, memory=message.memory)
        case "conflict":
            return CommandConflict(at=at, cid=cid, reason=reason)
        case "made_safe":
            return InstrumentMadeSafe(
                at=at,
                instrument=message.dev,
                boot=message.boot,
                safe=message.error is None,
                reason=reason,
                halt=message.answers,
            )
        case "stale":
            raise Unreadable("a stale command is no event of its campaign")


def online_event(birth: Birth, at: float) -> InstrumentOnline:
    """The event that a birth tells the engine. ``at``: lab time of the receiver."""
    return InstrumentOnline(
        at=at,
        instrument=birth.dev,
        boot=birth.boot,
        driver=birth.driver,
        simulated=birth.simulated,
        actions=tuple(action.name for action in birth.actions),
        memory=birth.memory,
        effects=tuple((action.name, action.effect) for action in birth.actions),
        stopped=birth.stopped,
        stops=birth.stops,
    )


def birth_digest(fields: Mapping[str, JsonValue]) -> str:
    """What ``Birth.sha256`` must be, given the birth as JSON."""
    apart = ("boot", "memory", "stopped", "stops", "sha256")
    return digest({key: fields[key] for key in fields if key not in apart})


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
