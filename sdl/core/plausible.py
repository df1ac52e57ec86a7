"""A value of a type, where an action's result has to be made up: 1.0 for a number, and so on.

A forecast feeds it to a protocol where nobody predicts what an instrument will say. It need not be
right; it has to let the protocol go on.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

DEPTH_MAX = 8
"""Types within types; a type that holds itself ends there as None."""
_PLAIN: dict[object, object] = {bool: True, int: 1, float: 1.0, str: "", bytes: b""}
_LISTS = (list, set, frozenset, collections.abc.Sequence, collections.abc.Collection)
_ITERABLES = (*_LISTS, collections.abc.Iterable, collections.abc.Set)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class AnyKey(dict[object, object]):
    """A mapping that has whatever it is asked for: nobody knows which names a driver will give."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self._value = value

    def __missing__(self, key: object) -> object:
        return self._value


def plausible(kind: object, depth: int = 0) -> object:
    """Some value of type ``kind``, the same each time; None where no such value can be made up."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if depth >= DEPTH_MAX or kind is None or kind is type(None):
        return None
    try:
        return _made(kind, depth + 1)
    except Exception:  # noqa: BLE001 - a type of somebody's own, whose annotations may not resolve
        return None


def _made(kind: object, depth: int) -> object:
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return plausible(inside[0], depth)
    if origin is Literal:
        return inside[0]
    if origin in (Union, UnionType):
        return plausible(next(each for each in inside if each is not type(None)), depth)
    if origin is tuple or kind is tuple:
        wanted = inside[:1] if inside[1:] == (...,) else inside
        return tuple(plausible(each, depth) for each in wanted)
    whole = origin or kind
    if whole in _MAPPINGS:
        return AnyKey(plausible(inside[1], depth) if inside else 1.0)
    if whole in _ITERABLES:
        one = [plausible(each, depth) for each in inside[:1]]
        return whole(one) if whole in (set, frozenset) else one
    if not isinstance(kind, type):
        return None
    if issubclass(kind, enum.Enum):
        return next(iter(kind))
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        made = {
            each.name: plausible(hints[each.name], depth)
            for each in dataclasses.fields(kind)
            if each.init
        }
        return kind(**made)
    return None
