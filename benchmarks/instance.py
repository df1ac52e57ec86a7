"""A scheduling instance of some file format, ready for the scheduler and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sdl.errors import Place, UserMistake
from sdl.scheduling.model import Plan, Problem

Operation = dict[str, int | str]
"""One line of a schedule, numbered as in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What a file states, and how a plan is written down in the terms of that file."""

    name: str
    kind: str
    problem: Problem
    operations: Callable[[Plan], list[Operation]]


def mistake(file: Path, line: int | None, what: str) -> UserMistake:
    """What is wrong with a file, and where."""
    return UserMistake(what, Place(str(file), line))


def text_of(file: Path) -> str:
    """The text of a file. UserMistake if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise mistake(file, None, f"cannot be read as text: {error}") from error


def data_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that hold something, with their numbers; a line that begins with # is a remark."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def whole_numbers(file: Path, line: int, words: str) -> list[int]:
    """The numbers on a line. UserMistake with file and line if something else stands there."""
    numbers = []
    for word in words.split():
        try:
            numbers.append(int(word))
        except ValueError:
            raise mistake(file, line, f"expected whole numbers only, not {word!r}") from None
    return numbers


def coloured(spans: list[tuple[int, int]], colours: list[str]) -> list[str]:
    """A colour for each span of time such that no two of one colour overlap.

    At most ``len(colours)`` of them overlap at any time. A colour that comes twice has two slots.
    """
    free = list(range(len(colours)))[::-1]
    busy: list[tuple[int, int]] = []
    answer = [""] * len(spans)
    for at in sorted(range(len(spans)), key=lambda one: (spans[one], one)):
        start_s, end_s = spans[at]
        free += sorted((slot for until_s, slot in busy if until_s <= start_s), reverse=True)
        busy = [(until_s, slot) for until_s, slot in busy if until_s > start_s]
        if not free and start_s == end_s:  # takes no time, so it is in nobody's way
            answer[at] = colours[0]
            continue
        slot = free.pop()
        answer[at] = colours[slot]
        busy.append((end_s, slot))
    return answer
