"""Payloads: what goes out comes in, and nothing else does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdl.core.commands import Perform
from sdl.core.events import (
    CommandAccepted,
    CommandConflict,
    CommandDone,
    CommandFailed,
    CommandNotSeen,
    CommandStarted,
    CommandUnknown,
    InstrumentMadeSafe,
)
from sdl.model.campaign import ChoiceParameter, LinearConstraint, Objective, RangeParameter
from sdl.model.data import Prediction, Suggestion, Trial
from sdl.model.planning import Answer, Ask, Problem
from sdl.model.reason import Doubt, Expected, Near, Reason
from sdl.wire.mqtt import (
    PAYLOAD_CAP,
    CommandEvent,
    CommandMessage,
    EventError,
    EventMessage,
    Unreadable,
    command_message,
    core_event,
    decode,
    decode_answer,
    decode_ask,
    digest,
    encode,
    encode_answer,
    encode_ask,
)
from sdl.wire.topics import Topics, kind_in, matches, name_in

PERFORM = Perform(
    cid="dye-450/run-7/step-2/try-1",
    step="dye-450/run-7/step-2",
    attempt=1,
    instrument="handler",
    operation="dispense",
    effect="once",
    memory="b-1",
    args={"well": {"labware": "plate-1", "name": "A1"}, "volumes_ul": {"dye": 12.5}},
    not_after=110.0,
)
PLAIN_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def event(**fields: object) -> EventMessage:
    """An event with the given fields."""
    some = {"journal": "j", "cid": "c", "dev": "d", "boot": "b", "memory": "m", "epoch": 1}
    some |= {"seq": 1, "st": "done", "at": 5.0}
    return EventMessage.model_validate({**some, **fields})


def test_a_command_message_says_all_that_the_engine_decided() -> None:
    message = command_message(PERFORM, epoch=3, issued_at=100.0, journal="j")
    assert (message.run, message.step) == ("dye-450/run-7", "dye-450/run-7/step-2")
    assert (message.dev, message.op, message.epoch) == ("handler", "dispense", 3)
    assert (message.journal, message.memory) == ("j", "b-1")
    assert message.ttl_s == 10.0
    assert message.args_sha256 == digest(message.args)
    assert decode(CommandMessage, encode(message)) == message
    assert command_message(PERFORM, epoch=3, issued_at=200.0, journal="j").ttl_s == 0.0, (
        "it is late already"
    )


@settings(max_examples=40)
@given(PLAIN_JSON)
def test_any_plain_json_survives_the_way(value: object) -> None:
    message = event(result=value)
    assert decode(EventMessage, encode(message)) == message


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=5), PLAIN_JSON, max_size=4))
def test_a_digest_does_not_depend_on_order(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))
    assert digest(json.loads(json.dumps(value))) == digest(json.loads(json.dumps(backwards)))


GOOD = json.loads(encode(command_message(PERFORM, epoch=1, issued_at=0.0, journal="j")))


@pytest.mark.parametrize(
    "payload,says",
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[1]", "is malformed at its root"),
        (json.dumps({**GOOD, "v": 2}).encode(), "is malformed at v"),
        (json.dumps({**GOOD, "more": 1}).encode(), "is malformed at more: Extra"),
        (json.dumps({**GOOD, "cid": "x" * 201}).encode(), "is malformed at cid"),
        (json.dumps({**GOOD, "issued_at": float("nan")}).encode(), "is not JSON with finite"),
        (json.dumps(GOOD).replace("12.5", "1e999").encode(), "finite number"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "is not JSON"),
        (b" " * (PAYLOAD_CAP + 1), "over the cap"),
    ],
)
def test_what_is_no_command_is_refused_in_a_sentence(payload: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        decode(CommandMessage, payload)


def test_a_message_over_the_cap_is_not_sent() -> None:
    with pytest.raises(Unreadable, match="store large data as a file"):
        encode(event(result="x" * PAYLOAD_CAP))


ERROR = EventError(phase="before_start", kind="refused", reason="too much")
CORE: list[tuple[EventMessage, CommandEvent]] = [
    (event(st="accepted"), CommandAccepted(at=7.0, cid="c", seq=1)),
    (event(st="started"), CommandStarted(at=7.0, cid="c", seq=1, boot="b")),
    (
        event(st="done", result=1.5, duration_s=2.0),
        CommandDone(at=7.0, cid="c", seq=1, result=1.5, duration_s=2.0),
    ),
    (
        event(st="failed", error=ERROR),
        CommandFailed(
            at=7.0, cid="c", seq=1, phase="before_start", kind="refused", reason="too much"
        ),
    ),
    (event(st="unknown", error=ERROR), CommandUnknown(at=7.0, cid="c", seq=1, reason="too much")),
    (event(st="not_seen"), CommandNotSeen(at=7.0, cid="c", memory="m")),
    (event(st="conflict", error=ERROR), CommandConflict(at=7.0, cid="c", reason="too much")),
    (
        event(st="made_safe", cid="", answers="dye/halt-1"),
        InstrumentMadeSafe(at=7.0, instrument="d", boot="b", safe=True, halt="dye/halt-1"),
    ),
    (
        event(st="made_safe", cid="", error=ERROR),
        InstrumentMadeSafe(at=7.0, instrument="d", boot="b", safe=False, reason="too much"),
    ),
]


@pytest.mark.parametrize("message,expected", CORE, ids=lambda value: str(value)[:20])
def test_every_event_message_has_its_event(message: EventMessage, expected: CommandEvent) -> None:
    assert core_event(message, at=7.0) == expected


def test_word_of_a_stale_command_is_no_event_of_its_campaign() -> None:
    with pytest.raises(Unreadable, match="stale"):
        core_event(event(st="stale"), at=7.0)


ASK = Ask(
    id="c/ask-1",
    planner="ax",
    problem=Problem(
        space=(
            RangeParameter(name="x_ul", low=0.5, high=10.0, log=True),
            ChoiceParameter(name="solvent", options=("water", "ethanol")),
            ChoiceParameter(name="level", options=(1, 2.5)),
        ),
        objective=Objective(measure="y", goal="target", target=0.8),
        constraints=(LinearConstraint(weights={"x_ul": 1.0}, at_most=5.0),),
        options={"a": [1, None]},
    ),
    trials=(
        Trial(inputs={"x_ul": 1.0, "solvent": "water"}, status="measured", measures={"y": 0.1}),
        Trial(inputs={"x_ul": 2.0, "solvent": "water"}, status="pending", measures={}),
    ),
    count=2,
    seed=7,
)


def test_a_question_and_its_answer_survive_the_way() -> None:
    assert decode_ask(encode_ask(ASK)) == ASK
    prediction = {"y": Prediction(mean=0.5, sd=0.1)}
    point = Suggestion(inputs={"x_ul": 1.0, "n": 3}, origin="botorch", predicted=prediction)
    near = Near(inputs={"x_ul": 2.0, "n": 3}, measures={"y": 0.4}, correlation=0.9)
    reason = Reason(
        expected={"y": Expected.of_normal(0.5, 0.1)},
        surrogates={"y": {"process": 1.0}},
        log_gain=-1.5,
        nearest=(near,),
        doubts=(Doubt(inputs=near.inputs, measure="y", value=0.4, probability=0.75),),
    )
    points = (point, replace(point, reason=reason))
    answer = Answer(id=ASK.id, suggestions=points, versions={"torch": "2"}, seconds=0.5)
    assert decode_answer(encode_answer(answer)) == answer


def test_an_answer_with_a_number_that_is_none_is_refused() -> None:
    point = Suggestion(inputs={"x_ul": float("nan")}, origin="x", predicted={})
    with pytest.raises(Unreadable, match=r"Answer is malformed at suggestions.0.inputs.x_ul"):
        decode_answer(encode_answer(Answer(id="a", suggestions=(point,))))


def test_topics_name_lab_device_and_kind() -> None:
    topic = Topics("bench").command("handler")
    assert topic == "sdl/v1/bench/dev/handler/cmd"
    assert (name_in(topic), kind_in(topic)) == ("handler", "cmd")
    assert name_in("sdl/v2/bench/dev/handler/cmd") == ""
    assert name_in("sdl/v1/bench") == ""


@pytest.mark.parametrize(
    "pattern,topic,expected",
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("+/+", "a/b", True),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("a/b", "a/c", False),
        ("a/+/c", "a/b/d", False),
        ("a/b/c", "a/b", False),
    ],
)
def test_filters_match_as_mqtt_says(pattern: str, topic: str, *, expected: bool) -> None:
    assert matches(pattern, topic) is expected
