"""What a person most likely meant by a line that is not TOML."""

from __future__ import annotations

import re

_DATE = re.compile(r"=\s*(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_COMMA = re.compile(r"=\s*([+-]?\d+),(\d+)")
_UNIT = re.compile(r"=\s*([+-]?\d+(?:\.\d+)?)(?![eE][+-]?\d)\s*([%A-Za-zµμ°][^\s,}\]#]*)")
_WORD = re.compile(r"=\s*([A-Za-z][\w/.-]*)\s*(?:[,}#]|$)")


def likely_slip(line: str, complaint: str) -> str:
    """A way out, to be put behind the parser's ``complaint``; empty where none is likely."""
    if "overwrite" in complaint or "declare" in complaint:
        return "; it is written twice: keep one"
    if date := _DATE.search(line):
        return f"; a date is written as {date[3]}-{int(date[2]):02}-{int(date[1]):02}"
    if comma := _COMMA.search(line):
        return f"; decimals need a point: {comma[1]}.{comma[2]}"
    if unit := _UNIT.search(line):
        return f'; a number with its unit stands in quotes: "{unit[1]} {unit[2]}"'
    word = _WORD.search(line)
    if word and word[1] not in ("true", "false"):
        return f'; text stands in quotes: "{word[1]}"'
    return ""
