"""Finds the line of each key in a TOML text, which ``tomllib`` does not tell.

The text must already be valid TOML: the scanner follows the grammar just far enough to know where
keys and values begin, and leaves meaning to ``tomllib``.
"""

from __future__ import annotations

import bisect
import re
from typing import TypeAlias

Key: TypeAlias = "str | int"
KeyPath: TypeAlias = "tuple[Key, ...]"
"""Names of tables and keys, and places in arrays counted from 0."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]*")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


class TomlLines:
    """Where the keys of one TOML text stand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._lines: dict[KeyPath, int] = {}
        self._lengths: dict[KeyPath, int] = {}
        self._is_scanned = False

    def line(self, path: KeyPath) -> int:
        """Line (from 1) of a key; of the nearest table around it where the key is not written."""
        if not self._is_scanned:  # only for a file with a mistake in it
            self._is_scanned = True
            self._scan()
        for length in range(len(path), 0, -1):
            found = self._lines.get(path[:length])
            if found is not None:
                return found
        return 1

    def _scan(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> KeyPath:
        start = self._at
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        names = self._keys()
        self._at += 2 if is_array else 1
        table: KeyPath = ()
        for number, name in enumerate(names):
            table = (*table, name)
            self._mark(table, start)
            if table not in self._lengths or (is_array and number == len(names) - 1):
                continue
            table = (*table, self._lengths[table] - 1)
        if is_array:
            place = self._lengths.get(table, 0)
            self._lengths[table] = place + 1
            table = (*table, place)
        self._mark(table, start)
        return table

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = table
        for name in self._keys():
            path = (*path, name)
            self._mark(path, start)
        self._at += 1  # the equals sign
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        opening = self._text[self._at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_STRING if opening in "\"'" else _SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        place = 0
        self._skip(_BLANK)
        while self._text[self._at] != "]":
            self._mark((*path, place), self._at)
            self._value((*path, place))
            place += 1
            self._skip_comma()
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BLANK)
        while self._text[self._at] != "}":
            self._pair(path)
            self._skip_comma()
        self._at += 1

    def _keys(self) -> list[str]:
        """A dotted key, up to and without what follows it."""
        names = []
        while True:
            self._skip(_SPACE)
            names.append(self._name())
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return names
            self._at += 1

    def _name(self) -> str:
        if self._text[self._at] not in "\"'":
            return self._skip(_BARE)
        quoted = self._skip(_STRING)
        return quoted[1:-1] if quoted[0] == "'" else _ESCAPE.sub(_unescape, quoted[1:-1])

    def _skip_comma(self) -> None:
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"not valid TOML at character {self._at}")
        self._at = match.end()
        return match.group()

    def _mark(self, path: KeyPath, at: int) -> None:
        self._lines.setdefault(path, bisect.bisect_right(self._starts, at))


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    return chr(int(code[1:], 16)) if code[0] in "uU" else _ESCAPED[code]
