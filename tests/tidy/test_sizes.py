"""No file over 500 lines, no function over 70 without its docstring, no line over 100."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

FILE_LINES = 500
FUNCTION_LINES = 70
LINE_LENGTH = 100
REMARK = re.compile(r"  # (noqa|type: ignore).*")  # a word to a tool does not count

Function = ast.FunctionDef | ast.AsyncFunctionDef


def body_lines(function: Function) -> int:
    """Lines from ``def`` to the end, the docstring left out."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def too_large(name: str, text: str) -> list[str]:
    """What in a file is larger than it may be."""
    lines = text.splitlines()
    found = []
    if len(lines) > FILE_LINES:
        found.append(f"{name}: {len(lines)} lines, at most {FILE_LINES}")
    found += [
        f"{name}:{number}: {len(line)} characters, at most {LINE_LENGTH}"
        for number, line in enumerate(lines, start=1)
        if len(REMARK.sub("", line)) > LINE_LENGTH
    ]
    found += [
        f"{name}:{node.lineno}: {node.name} has {count} lines, at most {FUNCTION_LINES}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, Function) and (count := body_lines(node)) > FUNCTION_LINES
    ]
    return found


def test_nothing_is_too_large(python: dict[Path, str]) -> None:
    found = [line for name, text in python.items() for line in too_large(str(name), text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text,expected",
    [
        ("x = 1\n" * 500, None),
        ("x = 1\n" * 501, "501 lines"),
        ("#" * 100, None),
        ("#" * 101, "101 characters"),
        ("x" * 90 + "  # noqa: X1 -- because", None),
        ("def f():\n" + "    x = 1\n" * 69, None),
        ("def f():\n" + "    x = 1\n" * 70, "f has 71 lines"),
        ('def f():\n    """A\n\n    b."""\n' + "    x = 1\n" * 69, None),
        ("async def f():\n" + "    x = 1\n" * 70, "f has 71 lines"),
    ],
)
def test_the_rule_on_sizes_sees_what_is_too_large(text: str, expected: str | None) -> None:
    found = too_large("sample.py", text)
    assert (not found) if expected is None else (expected in found[0])
