"""Names say what a thing is for: none of the words that fit anything, no reflection, no Any."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

EMPTY_WORDS = {
    *("abstract", "base", "factory", "factories", "handlers", "helper", "helpers", "impl"),
    *("implementation", "manager", "managers", "misc", "util", "utils", "utilities"),
}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
REFLECTION = {"getattr", "hasattr", "delattr"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
SHIPPED = ("sdl", "drivers", "protocols", "simulators")


def words(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    return [word.lower() for word in WORD.findall(name)]


def empty_words(name: str, kind: str) -> set[str]:
    """The words of a name that say nothing."""
    found = words(name)
    empty = EMPTY_WORDS.intersection(found)
    if "handler" in found and found[:1] != ["handler"] and "liquid" not in found:
        empty.add("handler")  # unless it is the instrument: a liquid handler, or *the* handler
    if "service" in found and kind == "class":
        empty.add("service")
    return empty


def badly_named(path: Path, text: str) -> list[str]:
    """Modules, classes and functions of a file with empty words in their names."""
    named: list[tuple[str, str, int]] = [(part, "module", 1) for part in path.with_suffix("").parts]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            named.append((node.name, "class", node.lineno))
        elif isinstance(node, Function) and not node.name.startswith("test_"):  # a claim
            named.append((node.name, "function", node.lineno))
    return [
        f"{path}:{line}: {kind} {name}: {', '.join(sorted(empty))} says nothing"
        for name, kind, line in named
        if (empty := empty_words(name, kind))
    ]


def tricks(path: Path, text: str) -> list[str]:
    """Reflection, and ``Any`` outside the room where bytes turn into values."""
    found = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Name(id=name), lineno=line) if name in REFLECTION:
                found.append(f"{path}:{line}: {name}() hides a type")
            case ast.alias(name="Any", lineno=line) if path.parts[:2] != ("sdl", "wire"):
                found.append(f"{path}:{line}: Any belongs in sdl/wire alone")
    return found


def test_no_name_is_empty(python: dict[Path, str]) -> None:
    found = [line for path, text in python.items() for line in badly_named(path, text)]
    assert not found, "\n".join(found)


def test_shipped_code_plays_no_tricks_on_types(python: dict[Path, str]) -> None:
    shipped = {path: text for path, text in python.items() if path.parts[0] in SHIPPED}
    found = [line for path, text in shipped.items() for line in tricks(path, text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "path,text,bad",
    [
        ("sdl/run.py", "class Run: ...", False),
        ("sdl/utils.py", "", True),
        ("sdl/run.py", "class RunManager: ...", True),
        ("sdl/run.py", "class HTTPService: ...", True),
        ("sdl/service/page.py", "", False),
        ("sdl/run.py", "async def make_helper(): ...", True),
        ("sdl/liquid_handler.py", "class SimulatedLiquidHandler: ...", False),
        ("sdl/run.py", "class EventHandler: ...", True),
        ("tests/test_run.py", "def handler_on(port): ...", False),
        ("sdl/run.py", "def open_database(): ...", False),
        ("tests/test_run.py", "def test_the_base_is_stable(): ...", False),
    ],
)
def test_the_rule_on_names_sees_empty_words(path: str, text: str, *, bad: bool) -> None:
    assert bool(badly_named(Path(path), text)) is bad


@pytest.mark.parametrize(
    "path,text,bad",
    [
        ("sdl/core/run.py", "x = getattr(y, 'z')", True),
        ("sdl/core/run.py", "x = y.z", False),
        ("sdl/core/run.py", "from typing import Any", True),
        ("sdl/wire/run.py", "from typing import Any", False),
    ],
)
def test_the_rule_on_tricks_sees_them(path: str, text: str, *, bad: bool) -> None:
    assert bool(tricks(Path(path), text)) is bad
