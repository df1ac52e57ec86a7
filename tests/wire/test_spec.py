"""The wire contract as documents: up to date, valid by AsyncAPI's own schema, and complete."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import (  # type: ignore[import-untyped]
    Draft7Validator,
    Draft202012Validator,
)
from pydantic import JsonValue
from typer import Typer
from typer.testing import CliRunner, Result

from sdl.cli.wire import wire
from sdl.wire import mqtt
from sdl.wire.asyncapi import NODE, PLANNER, SPEC, SPEC_OF_PLANNER, files
from sdl.wire.topics import Topics
from tests.tidy.conftest import ROOT

FOREIGN = runpy.run_path(str(ROOT / "examples" / "foreign_node" / "messages.py"))
FOLDER = ROOT / "docs" / "wire"
RULES = Path(__file__).parent / "asyncapi" / "asyncapi-3.0.0.json"
MADE = files()
SPECS = (SPEC, SPEC_OF_PLANNER)
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^An? `(\w+)`:\n\n```json\n(.*?)```", re.DOTALL | re.MULTILINE)
EXAMPLES = [(name, text) for name, text in EXAMPLE.findall(PAGE) if name in vars(mqtt)]
VECTOR = re.compile(r"^\| `(.+)` \| `(.+)` \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def document(name: str) -> dict[str, object]:
    return cast("dict[str, object]", json.loads(MADE[name]))


def schema_of(kind: str) -> dict[str, object]:
    return document(f"schemas/{kind}.json")


def example(kind: str) -> str:
    return next(str(text) for name, text in EXAMPLES if name == kind)


@pytest.mark.parametrize("name", MADE)
def test_what_is_checked_in_is_what_the_code_speaks(name: str) -> None:
    there = FOLDER / name
    assert there.exists(), f"{there} is missing; run: sdl wire --write docs/wire"
    text = there.read_text(encoding="utf-8")
    assert text == MADE[name], f"{name} has drifted; run: sdl wire --write docs/wire"


def test_no_document_is_left_over_from_former_messages() -> None:
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json")}
    assert there == set(MADE)


@pytest.mark.parametrize("name", SPECS)
def test_the_documents_are_valid_by_the_schema_of_asyncapi_itself(name: str) -> None:
    rules = Draft7Validator(json.loads(RULES.read_text(encoding="utf-8")))
    faults = [f"{list(fault.path)}: {fault.message}" for fault in rules.iter_errors(document(name))]
    assert faults == []


def test_the_schema_of_asyncapi_sees_a_fault() -> None:
    rules = Draft7Validator(json.loads(RULES.read_text(encoding="utf-8")))
    broken = json.loads(MADE[SPEC].replace('"action": "receive"', '"action": "obey"', 1))
    assert not rules.is_valid(broken)


@pytest.mark.parametrize("name", SPECS)
def test_every_reference_leads_somewhere(name: str) -> None:
    whole = document(name)
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', MADE[name]):
        inside: object = whole
        for step in reference.split("/"):
            assert isinstance(inside, dict), reference
            assert step in inside, reference
            inside = inside[step]


def test_every_topic_of_a_lab_is_described() -> None:
    described = {channel.name for channel in (*NODE, *PLANNER)}
    there = {name for name, value in vars(Topics).items() if callable(value) and name[0] != "_"}
    assert described == there


def test_the_addresses_are_those_that_the_code_uses() -> None:
    channels = cast("dict[str, dict[str, str]]", document(SPEC)["channels"])
    command = channels["command"]["address"].format(lab="bench", instrument="pump")
    assert command == Topics("bench").command("pump")
    assert channels["stop_all"]["address"].format(lab="bench") == Topics("bench").stop_all()


@pytest.mark.parametrize("name", [name for name in MADE if name not in SPECS])
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(document(name))


def test_fields_carry_the_words_of_the_source() -> None:
    fields = cast("dict[str, dict[str, str]]", schema_of("EventMessage")["properties"])
    assert fields["boot"]["description"] == "Made anew each time the node starts."
    assert "*made_safe*: the answer to a stop" in fields["st"]["description"]


def test_the_page_shows_every_message_of_a_node() -> None:
    assert {name for name, _ in EXAMPLES} == {channel.carries.__name__ for channel in NODE}


@pytest.mark.parametrize(
    "kind, text", EXAMPLES, ids=[f"{name}-{at}" for at, (name, _) in enumerate(EXAMPLES)]
)
def test_every_example_of_the_page_is_a_message_and_keeps_its_schema(kind: str, text: str) -> None:
    model = cast("type[mqtt.Body]", vars(mqtt)[kind])
    message = mqtt.decode(model, text.encode())
    assert mqtt.decode(model, mqtt.encode(message)) == message
    given_fields = json.loads(text)
    assert {**json.loads(mqtt.encode(message)), **given_fields} == json.loads(mqtt.encode(message))
    Draft202012Validator(schema_of(kind)).validate(given_fields)


def test_the_digests_on_the_page_are_right() -> None:
    vectors = VECTOR.findall(PAGE)
    assert len(vectors) >= 6
    for value, canonical, sha256 in vectors:
        text = json.dumps(
            json.loads(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        assert text == canonical
        assert mqtt.digest(json.loads(value)) == sha256, value


def test_the_example_command_and_birth_carry_their_own_digests() -> None:
    command = json.loads(example("CommandMessage"))
    assert mqtt.digest(command["args"]) == command["args_sha256"]
    birth = json.loads(example("Birth"))
    assert mqtt.birth_digest(birth) == birth["sha256"]


def test_the_verb_prints_writes_and_checks_them(tmp_path: Path) -> None:
    cli = Typer()
    cli.command()(wire)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, words)

    assert run().stdout == MADE[SPEC]
    assert run("--write", str(tmp_path), "--check", str(tmp_path)).exit_code == 0
    (tmp_path / SPEC).write_text("{}", encoding="utf-8")
    assert "asyncapi.json in" in str(run("--check", str(tmp_path)).exception)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.none() | st.booleans() | st.integers() | TEXT
JSON = st.recursive(
    PLAIN | st.floats(allow_nan=False, allow_infinity=False),
    lambda inside: st.lists(inside) | st.dictionaries(TEXT, inside),
    max_leaves=10,
)


@given(value=JSON)
def test_the_foreign_node_makes_the_same_digests(value: JsonValue) -> None:
    assert FOREIGN["canonical_sha256"](value) == mqtt.digest(value)


COMMAND = json.loads(example("CommandMessage")) if EXAMPLES else {}
NUMBERS = {"attempt", "epoch", "issued_at", "not_after", "ttl_s", "v"}
NONSENSE: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, "", "x" * 300, [], {}, {"a": 1}]
)


@given(field=st.sampled_from(sorted(COMMAND)), value=NONSENSE)
def test_schema_and_code_refuse_the_same_commands(field: str, value: object) -> None:
    changed = {**COMMAND, field: value}
    valid = Draft202012Validator(schema_of("CommandMessage")).is_valid(changed)
    try:
        mqtt.decode(mqtt.CommandMessage, json.dumps(changed).encode())
        read = True
    except mqtt.Unreadable:
        read = False
    lenient = type(value) is bool and field in NUMBERS  # the code reads true as 1
    assert read == valid or lenient, f"{field} = {value!r}: schema {valid}, code {read}"
