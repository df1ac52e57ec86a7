"""The locator of keys in TOML text."""

from __future__ import annotations

import tomllib

import pytest

from sdl.wire.toml_lines import KeyPath, TomlLines

TEXT = '''# a comment with = and [brackets]
top = 1

[a]
b.c = "x # no comment"
"quoted \\"key\\".with dots" = { inner = 2, deep = { er = [
    1, # one
    { x = 1 },
] } }

[[list]]
name = """
several
[not.a.table]
lines"""
[list.below]
key = \'\'\'raw
text\'\'\'

[[list]]
name = 'second'
[[list.nested]]
n = 1
[[list.nested]]
n = 2

[ a . "d e" ]
"\\u00b5" = 1979-05-27T07:32:00Z
empty = []
nothing = {}
last = true'''

CASES: list[tuple[KeyPath, int]] = [
    (("top",), 2),
    (("a",), 4),
    (("a", "b"), 5),
    (("a", "b", "c"), 5),
    (("a", 'quoted "key".with dots'), 6),
    (("a", 'quoted "key".with dots', "inner"), 6),
    (("a", 'quoted "key".with dots', "deep", "er", 0), 7),
    (("a", 'quoted "key".with dots', "deep", "er", 1, "x"), 8),
    (("list",), 11),
    (("list", 0, "name"), 12),
    (("list", 0, "below", "key"), 17),
    (("list", 1), 20),
    (("list", 1, "name"), 21),
    (("list", 1, "nested", 0, "n"), 23),
    (("list", 1, "nested", 1, "n"), 25),
    (("a", "d e"), 27),
    (("a", "d e", "µ"), 28),
    (("a", "d e", "empty"), 29),
    (("a", "d e", "nothing"), 30),
    (("a", "d e", "last"), 31),
    (("a", "d e", "not written"), 27),
    (("nowhere",), 1),
]


@pytest.mark.parametrize("path,line", CASES)
def test_every_key_has_its_line(path: KeyPath, line: int) -> None:
    tomllib.loads(TEXT)  # the text is valid to begin with
    assert TomlLines(TEXT).line(path) == line
