"""The wire contract as documents: AsyncAPI 3.0 and JSON Schema, made from the messages themselves.

Two applications are described, a node and a planner worker, each from its own point of view:
*receive* is what comes to it. What a schema cannot say, the order of things and what has to be
durable when, stands in ``docs/wire/README.md``.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any, Literal

from pydantic import TypeAdapter

from sdl.model import action, data, lab, planning, space
from sdl.wire import mqtt
from sdl.wire.topics import PREFIX, Topics

SPEC = "asyncapi.json"
"""Name of the document of a node."""
SPEC_OF_PLANNER = "asyncapi-planner.json"
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
COMPONENT = "#/components/schemas/{model}"

_SOURCES: tuple[ModuleType, ...] = (mqtt, planning, data, lab, space, action)
"""Where the fields of messages are explained; a name of the first ones wins."""
_BREAK = re.compile(r"(?<!\n)\n(?!\n)")
_PARAMETERS = {
    "lab": "Name of the lab, as in lab.toml: [a-z0-9-], at most 40 characters.",
    "instrument": "Name of the instrument in its lab, of the same form.",
    "node": "Name of the node, of the same form; nothing depends on what it is.",
    "worker": "Name of the planner worker, of the same form.",
}
_ABOUT_NODE = (
    "A node hosts instruments of one lab, and does what an orchestrator asks it to, at most once. "
    "Read README.md beside this file: a schema cannot say what has to be durable when."
)
_ABOUT_PLANNER = (
    "A planner worker answers questions. It keeps nothing: the same question may be asked again. "
    "A trial with broke_window was measured later than its protocol allows, or failed by that."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One topic: what travels on it, which way, and how."""

    name: str
    """A method of ``Topics``."""
    carries: type
    way: Literal["send", "receive"]
    """As the application that is described sees it."""
    of: tuple[str, ...] = ()
    """Parameters of the topic besides the lab."""
    qos: Literal[0, 1] = 1
    retain: bool = False
    cap_bytes: int = mqtt.PAYLOAD_CAP


NODE = (
    Channel(name="command", carries=mqtt.CommandMessage, way="receive", of=("instrument",)),
    Channel(name="control", carries=mqtt.Control, way="receive", of=("instrument",)),
    Channel(name="stop_all", carries=mqtt.StopAll, way="receive"),
    Channel(name="placed", carries=mqtt.Placed, way="receive"),
    Channel(name="orchestrator_status", carries=mqtt.Status, way="receive", retain=True),
    Channel(name="orchestrator_heartbeat", carries=mqtt.Heartbeat, way="receive", qos=0),
    Channel(name="event", carries=mqtt.EventMessage, way="send", of=("instrument",)),
    Channel(name="birth", carries=mqtt.Birth, way="send", of=("instrument",), retain=True),
    Channel(name="state", carries=mqtt.State, way="send", of=("instrument",), retain=True),
    Channel(name="node_heartbeat", carries=mqtt.Heartbeat, way="send", of=("node",), qos=0),
    Channel(name="node_status", carries=mqtt.Status, way="send", of=("node",), retain=True),
)
"""All that a node hears and says."""
PLANNER = (
    Channel(
        name="planner_status", carries=mqtt.WorkerStatus, way="send", of=("worker",), retain=True
    ),
    Channel(
        name="ask",
        carries=planning.Ask,
        way="receive",
        of=("worker",),
        cap_bytes=mqtt.QUESTION_CAP,
    ),
    Channel(
        name="answer",
        carries=planning.Answer,
        way="send",
        of=("worker",),
        cap_bytes=mqtt.QUESTION_CAP,
    ),
)
"""All that a planner worker hears and says."""


def files() -> dict[str, str]:
    """Every document of the wire contract as text, by its path relative to ``docs/wire``."""
    made = {
        SPEC: asyncapi("node", _ABOUT_NODE, NODE),
        SPEC_OF_PLANNER: asyncapi("planner worker", _ABOUT_PLANNER, PLANNER),
    }
    for kind in _kinds((*NODE, *PLANNER)):
        made[f"schemas/{kind.__name__}.json"] = schema(kind)
    return {name: json.dumps(made[name], indent=2, ensure_ascii=False) + "\n" for name in made}


def schema(kind: type) -> dict[str, Any]:
    """JSON Schema of one message, complete in itself, each field explained."""
    found = TypeAdapter(kind).json_schema()
    parts: dict[str, Any] = found.pop("$defs", {})
    _explain(kind.__name__, found)
    for name, part in parts.items():
        _explain(name, part)
    rest = {"$defs": parts} if parts else {}
    return {"$schema": SCHEMA_DIALECT, **found, **rest}


def asyncapi(application: str, about: str, channels: Sequence[Channel]) -> dict[str, Any]:
    """The AsyncAPI 3.0 document of an application that hears and says what ``channels`` list."""
    kinds = _kinds(channels)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Self-driving laboratory: a {application}",
            "version": f"{PREFIX.rpartition('v')[2]}.0.0",
            "description": about,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {each.name: _channel(each) for each in channels},
        "operations": {f"{each.way}_{each.name}": _operation(each) for each in channels},
        "components": {
            "messages": {kind.__name__: _message(kind) for kind in kinds},
            "schemas": _components(kinds),
        },
    }


def _kinds(channels: Sequence[Channel]) -> tuple[type, ...]:
    return tuple(dict.fromkeys(each.carries for each in channels))


def _channel(channel: Channel) -> dict[str, Any]:
    topics = Topics("{lab}")
    address = vars(Topics)[channel.name](topics, *(f"{{{name}}}" for name in channel.of))
    name = channel.carries.__name__
    return {
        "address": address,
        "description": _meaning(channel),
        "parameters": {each: {"description": _PARAMETERS[each]} for each in ("lab", *channel.of)},
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "x-payload-cap-bytes": channel.cap_bytes,
    }


def _operation(channel: Channel) -> dict[str, Any]:
    name = channel.carries.__name__
    return {
        "action": channel.way,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": _meaning(channel),
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{name}"}],
        "bindings": {
            "mqtt": {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}
        },
    }


def _meaning(channel: Channel) -> str:
    return inspect.getdoc(vars(Topics)[channel.name]) or ""


def _message(kind: type) -> dict[str, Any]:
    return {
        "name": kind.__name__,
        "title": kind.__name__,
        "summary": (inspect.getdoc(kind) or "").partition("\n")[0],
        "contentType": "application/json",
        "payload": {"$ref": COMPONENT.format(model=kind.__name__)},
    }


def _components(kinds: Sequence[type]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in kinds:
        one = TypeAdapter(kind).json_schema(ref_template=COMPONENT)
        found.update(one.pop("$defs", {}))
        found[kind.__name__] = one
    for name, one in found.items():
        _explain(name, one)
    return found


def _explain(name: str, found: dict[str, Any]) -> None:
    """Each field's own words from the source, in place of a title that says nothing."""
    if name == "JsonValue":
        found["description"] = "Any JSON value; numbers are finite."
    if "description" in found:
        found["description"] = _flowing(found["description"])
    explained = _explanations().get(name, {})
    for field, one in found.get("properties", {}).items():
        one.pop("title", None)
        if field in explained and "description" not in one:
            one["description"] = _flowing(explained[field])


def _flowing(text: str) -> str:
    """A text without the line breaks of its file; an empty line still parts paragraphs."""
    return _BREAK.sub(" ", text)


@cache
def _explanations() -> Mapping[str, Mapping[str, str]]:
    """What stands below each field in the source, by class and field.

    A field without a word of its own has that of its type, where the type is a named one.
    """
    trees = [ast.parse(inspect.getsource(module)) for module in reversed(_SOURCES)]
    names = {name: text for tree in trees for name, text in _told(tree.body)}
    found: dict[str, dict[str, str]] = {}
    for tree in trees:
        for kind in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            fields = [node for node in kind.body if isinstance(node, ast.AnnAssign)]
            found[kind.name] = {
                node.target.id: names[node.annotation.id]
                for node in fields
                if isinstance(node.target, ast.Name)
                and isinstance(node.annotation, ast.Name)
                and node.annotation.id in names
            } | dict(_told(kind.body))
    return found


def _told(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Each name that is set, with the text right below it."""
    for node, below in pairwise(body):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                pass
            case _:
                continue
        match below:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
