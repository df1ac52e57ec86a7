"""Takes a TOML file apart key by key, and collects what is wrong with file, line and a way out."""

from __future__ import annotations

import difflib
import math
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from sdl.errors import Place, UserMistake, UserMistakes
from sdl.model.data import JsonValue
from sdl.model.lab import is_name
from sdl.wire.quantity import read_quantity
from sdl.wire.slips import likely_slip
from sdl.wire.toml_lines import Key, KeyPath, TomlLines

Toml: TypeAlias = Any
"""What ``tomllib`` makes: str, int, float, bool, dates, lists and dicts of these."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a word that is not among the known ones: the closest of them, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are: {', '.join(sorted(known))}" if known else "there are none"


def raise_all(mistakes: Sequence[UserMistake]) -> None:
    """Raise the mistakes as one error, each file's in the order of its lines; none: return."""
    if not mistakes:
        return
    if len(mistakes) == 1:
        raise mistakes[0]
    files = list(dict.fromkeys(_place(mistake).file for mistake in mistakes))
    raise UserMistakes(
        tuple(sorted(mistakes, key=lambda m: (files.index(_place(m).file), _place(m).line or 0)))
    )


def _place(mistake: UserMistake) -> Place:
    return mistake.place or Place("")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the keys of a file stand. Kept after reading, for checks against other files."""

    file: str
    lines: TomlLines | None

    def of(self, *keys: Key) -> Place:
        """The line of a key, or of the table around it if the key is not written."""
        return Place(self.file, None if self.lines is None else self.lines.line(keys))

    def mistake(self, keys: KeyPath, message: str) -> UserMistake:
        """A mistake at a key: ``campaign.toml:14: search.dye_fraction: ...``."""
        name = dotted(keys)
        return UserMistake(f"{name}: {message}" if name else message, self.of(*keys))


def dotted(keys: KeyPath) -> str:
    """A key path as a person would say it: ``search.dye_fraction``, ``constraint[2].sum``."""
    said = ""
    for key in keys:
        if isinstance(key, int):
            said += f"[{key + 1}]"
        else:
            said += ("." if said else "") + (key if _BARE.fullmatch(key) else f'"{key}"')
    return said


class TomlFile:
    """One file being read: its top table, and the mistakes found so far."""

    def __init__(self, path: Path) -> None:
        """Read and parse. UserMistake if there is no such file or it is not TOML."""
        text = _read(path)
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _syntax(path, text, error) from error
        self.places = Places(str(path), TomlLines(text))
        self.mistakes: list[UserMistake] = []
        self._spoken_of: set[KeyPath] = set()
        self.top = Table(self, (), data)

    def mistake(self, keys: KeyPath, message: str) -> None:
        """Note a mistake; a key is blamed once, for the first thing that is wrong with it."""
        if keys not in self._spoken_of:
            self._spoken_of.add(keys)
            self.mistakes.append(self.places.mistake(keys, message))

    def finish(self) -> None:
        """Raise what was found, if anything, in the order of the lines."""
        raise_all(self.mistakes)


def _read(path: Path) -> str:
    place = Place(str(path))
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError as error:
        hint = "`sdl init` makes a working example" if path.parent.is_dir() else "no such folder"
        raise UserMistake(f"there is no such file; {hint}", place) from error
    except IsADirectoryError as error:
        raise UserMistake("this is a folder; name the file in it", place) from error
    except UnicodeDecodeError as error:
        raise UserMistake("the file is not UTF-8 text; save it as UTF-8", place) from error
    except OSError as error:
        raise UserMistake(f"cannot be read: {error.strerror}", place) from error


def _syntax(path: Path, text: str, error: tomllib.TOMLDecodeError) -> UserMistake:
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|(end of document))\)", str(error))
    if found is None:
        return UserMistake(f"not valid TOML: {error}", Place(str(path)))
    if found[4]:
        return UserMistake(f"not valid TOML: {found[1]}, at the end of the file", Place(str(path)))
    number = int(found[2])
    hint = likely_slip(text.split("\n")[number - 1], found[1])
    said = f"not valid TOML: {found[1]} (column {found[3]}){hint}"
    return UserMistake(said, Place(str(path), number))


class Table:
    """One table, taken apart key by key; ``close`` refuses the keys that nobody asked for.

    Each getter returns the key's value, or the default where the key is missing or wrong; a wrong
    one, and a missing one without a default, is noted as a mistake and reading goes on.
    """

    def __init__(self, file: TomlFile, keys: KeyPath, data: Mapping[str, Toml]) -> None:
        self.file = file
        self.keys = keys
        self._data = data
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def mistake(self, key: Key | None, message: str) -> None:
        """Note a mistake at one of the table's keys, or at the table itself."""
        self.file.mistake(self.keys if key is None else (*self.keys, key), message)

    def take(self, key: str, example: str | None = None) -> Toml:
        """The raw value; None if it is missing, which is a mistake where an example is given."""
        self._asked.add(key)
        if key not in self._data and example is not None:
            self.mistake(key, f"is missing; write for instance: {key} = {example}")
        return self._data.get(key)

    def text(self, key: str, default: str | None = None, *, example: str = '"..."') -> str:
        """A string that is not empty."""
        value = self.take(key, None if default is not None else example)
        if value is None:
            return default or ""
        if isinstance(value, str) and value.strip():
            return value
        self.mistake(key, f"needs text in quotes, not {said(value)}")
        return default or "x"

    def name(self, key: str) -> str:
        """A name: small letters, digits and hyphens, at most 40."""
        value = self.text(key, example='"my-name"')
        if value and not is_name(value):
            self.mistake(key, f"{value!r} is no name: {NAME_RULE}")
        return value

    def word(self, key: str, words: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self.text(key, default)
        if value in words:
            return value
        self.mistake(key, f"{value!r} is not offered; {did_you_mean(value, words)}")
        return default

    def number(self, key: str, default: float | None = None, *, unit_name: str = "") -> float:
        """A finite number; text such as ``"50 uL"`` is converted to the unit of ``unit_name``."""
        value = self.take(key, None if default is not None else "1.0")
        fallback = math.nan if default is None else default
        if value is None:
            return fallback
        found = self.as_number(value, key, unit_name or key)
        return fallback if found is None else found

    def maybe_number(self, key: str, *, unit_name: str = "") -> float | None:
        """As ``number``, and None where the key is not written."""
        value = self.take(key)
        return None if value is None else self.as_number(value, key, unit_name or key)

    def as_number(self, value: Toml, key: str, unit_name: str) -> float | None:
        """A raw value of this table as a finite number; None after noting a mistake."""
        if isinstance(value, str):
            try:
                return read_quantity(value, unit_name)
            except ValueError as error:
                self.mistake(key, str(error))
                return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.mistake(key, f"needs a number, not {said(value)}")
            return None
        if not abs(value) < math.inf or abs(value) > sys.float_info.max:
            self.mistake(key, f"needs a finite number, not {value}")
            return None
        return float(value)

    def whole(self, key: str, default: int) -> int:
        """A whole number."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.mistake(key, f"needs a whole number, not {said(value)}")
        return default

    def truth(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.take(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.mistake(key, f"needs true or false, not {said(value)}")
        return default

    def table(self, key: str, *, needed: bool = False) -> Table:
        """A table; an empty one where it is not written."""
        value = self.take(key)
        if value is None and needed:
            self.mistake(key, f"is missing; add a table [{dotted((*self.keys, key))}]")
        if value is not None and not isinstance(value, dict):
            self.mistake(key, f"needs a table, not {said(value)}")
            value = None
        return Table(self.file, (*self.keys, key), value or {})

    def tables(self, key: str) -> list[Table]:
        """The tables of an array ``[[key]]``; none where it is not written."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.mistake(key, f"needs tables; write [[{key}]] above each")
            return []
        return [
            Table(self.file, (*self.keys, key, place), item) for place, item in enumerate(value)
        ]

    def rest(self) -> dict[str, JsonValue]:
        """All keys that were not asked for yet, as they are."""
        left = {key: value for key, value in self._data.items() if key not in self._asked}
        self._asked.update(left)
        for key, value in left.items():
            if not _is_json(value):
                self.mistake(key, "holds a date, a time, or a number that is not finite; use text")
        return left

    def close(self) -> None:
        """Refuse the keys that nobody asked for."""
        for key in self._data:
            if key not in self._asked:
                self.mistake(key, f"unknown key; {did_you_mean(key, self._asked)}")


def _is_json(value: Toml) -> bool:
    if isinstance(value, dict):
        return all(_is_json(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


NAME_RULE = "use small letters, digits and hyphens, 40 at most"


def said(value: Toml) -> str:
    """A TOML value in a message: short, and with its kind where the kind is the point."""
    kinds = {dict: "a table", list: "a list", bool: str(value).lower()}
    return kinds.get(type(value), repr(value))
