"""A fresh trampoline is told again what another one was told, and stands where that one does.

What a run was fed is plain: results as they came in, errors by class and words.
"""

from __future__ import annotations

from typing import cast

from sdl.authoring import Act
from sdl.core.script import Script
from sdl.core.trampoline import Fed, Trampoline, Wanted
from sdl.errors import (
    ActionRefused,
    Bug,
    DriverFault,
    LabFault,
    OutcomeUnknown,
    OutOfMaterial,
    SdlError,
    WindowMissed,
)
from sdl.model.data import JsonValue

ERRORS: dict[str, type[SdlError]] = {
    kind.__name__: kind
    for kind in (
        ActionRefused,
        Bug,
        DriverFault,
        LabFault,
        OutcomeUnknown,
        OutOfMaterial,
        WindowMissed,
    )
}
"""All that goes into a protocol as an error."""


class Unfit(Exception):
    """What is on record does not fit the code or the protocol any more."""


def tell(
    script: Script, trampoline: Trampoline, wanted: dict[str, Wanted], fed: Fed
) -> list[Wanted]:
    """Tell one thing again; what the protocol then asks for joins ``wanted``, and is returned.

    ``wanted``: the requests that wait, by path. KeyError or Unfit if the protocol is another one.
    """
    what, path, at, told = fed
    match what:
        case "start":
            more = trampoline.start(at)
        case "issue":
            trampoline.issue(path)
            return []
        case "recall":
            trampoline.recall(path)
            return []
        case "resume":
            value = _value(script, wanted.pop(path), told)
            more = trampoline.resume(path, at, value, told)
        case _:
            wanted.pop(path)
            more = trampoline.throw(path, at, error_of(*cast("list[str]", told)))
    wanted |= {one.path: one for one in more}
    return more


def error_of(name: str, words: str) -> SdlError:
    """An error that was fed to a protocol, by its class and its words. Unfit if it is no such."""
    if name not in ERRORS:
        raise Unfit(f"it holds an error of an unknown kind, {name}")
    return ERRORS[name](words)


def _value(script: Script, wanted: Wanted, told: JsonValue) -> object:
    """A result as the protocol receives it."""
    act = wanted.request
    if not isinstance(act, Act):
        return None
    return script.operations[act.role][act.operation].load_result(told)
