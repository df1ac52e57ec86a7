"""Messages of the wire contract as this node reads and makes them; parts are those of the page."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

CAP = 262144
"""Bytes of a payload."""
CAPS = {"epoch": 2**33, "attempt": 2**53}
"""What whole numbers have to be below."""
Body = dict[str, object]

ACTIONS: dict[str, tuple[str, float, Body]] = {
    "dispense": ("once", 60.0, {"volume_ul": {"type": "number"}}),
    "weigh": ("pure", 10.0, {}),
}
"""Effect, time-out in seconds, and the JSON Schemas of the arguments, by name."""
LIMITS = {"dispense.volume_ul": {"low": 0.0, "high": 500.0}}

OPTIONAL = {"v", "not_after", "ttl_s"}
TEXTS = {"journal", "memory", "cid", "dev", "op", "effect", "args_sha256", "run", "step"}
COMMAND = OPTIONAL | TEXTS | {"args", "attempt", "epoch", "issued_at"}
"""Fields of a command."""


def canonical_sha256(value: object) -> str:
    """Part 10."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def error(phase: str, kind: str, reason: str) -> Body:
    """Why something did not end well."""
    return {"v": 1, "phase": phase, "kind": kind, "reason": reason[:4000]}


def read(payload: bytes) -> Body:
    """A message's body; empty if it is none."""
    if len(payload) > CAP:
        return {}
    try:
        body = json.loads(payload)
        json.dumps(body, allow_nan=False, ensure_ascii=False).encode()  # finite, whole characters
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def whole(value: object, cap: int = 2**53) -> int | None:
    """A whole number from 0 to below the cap; None if it is anything else, also ``true``."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < cap else None


def malformed(body: Body, dev: str) -> str:
    """What is wrong with the form of a command; empty if nothing is."""
    if unknown := set(body) - COMMAND:
        return f"unknown fields: {', '.join(sorted(unknown))}"
    if missing := COMMAND - OPTIONAL - set(body):
        return f"fields are missing: {', '.join(sorted(missing))}"
    if body.get("v", 1) != 1 or body["dev"] != dev:
        return "another version of the contract, or another instrument"
    wrong = [name for name in sorted(TEXTS) if not isinstance(body[name], str)]
    wrong += [name for name in ("attempt", "epoch") if whole(body[name], CAPS[name]) is None]
    wrong += [] if isinstance(body["args"], dict) else ["args"]
    return f"of the wrong type: {', '.join(wrong)}" if wrong else ""


def birth(dev: str, driver: str, **now: object) -> str:
    """Part 3. ``now``: what may be another at the next start, and is not digested."""
    actions = [
        {
            "v": 1,
            "name": name,
            "effect": effect,
            "timeout_s": timeout_s,
            "arguments": {
                "type": "object",
                "properties": properties,
                "required": [*properties],
                "additionalProperties": False,
            },
        }
        for name, (effect, timeout_s, properties) in ACTIONS.items()
    ]
    body = {
        "v": 1,
        "dev": dev,
        "node": dev,
        "driver": driver,
        "driver_version": "1.0",
        "driver_sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
        "simulated": False,
        "actions": actions,
        "limits": LIMITS,
    }
    return json.dumps({**body, **now, "sha256": canonical_sha256(body)})
