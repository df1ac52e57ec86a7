"""Row classes and their tables: what stands in a column is said once, by the annotation of a field.

A row is a frozen dataclass. Nothing here loads SQLAlchemy's ORM, which takes longer to load than an
orchestrator to take up its campaign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from types import NoneType, UnionType
from typing import Annotated, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    select,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()
"""All tables of the record; ``tables`` makes them."""

Row = TypeVar("Row")
Kind = TypeVar("Kind")

Big: TypeAlias = Annotated[int, BigInteger()]
"""A number that may be larger than 2**31."""
Prose: TypeAlias = Annotated[str, Text()]
"""A text of any length."""
Key: TypeAlias = Annotated[Kind, "key"]
"""Of the primary key."""
Indexed: TypeAlias = Annotated[Kind, "index"]
"""Rows are looked up by it."""

_TYPES: dict[object, type[TypeEngine[object]]] = {
    str: String,  # type: ignore[dict-item]
    int: Integer,  # type: ignore[dict-item]
    float: Float,
    bool: Boolean,  # type: ignore[dict-item]
    bytes: LargeBinary,  # type: ignore[dict-item]
}
_TABLES: dict[type, Table] = {}


def table(name: str, metadata: MetaData) -> Callable[[type[Row]], type[Row]]:
    """Give a dataclass its table, of this name, with a column for each field."""

    def give(kind: type[Row]) -> type[Row]:
        hints = get_type_hints(kind, include_extras=True)
        names = [each.name for each in fields(kind)]  # type: ignore[arg-type]
        _TABLES[kind] = Table(name, metadata, *(_column(each, hints[each]) for each in names))
        return kind

    return give


def table_of(kind: type) -> Table:
    """The table of a row class."""
    return _TABLES[kind]


def rows(connection: Connection, kind: type[Row], /, *order: str, **where: object) -> list[Row]:
    """The rows with these values in these columns, by the columns of ``order``."""
    columns = table_of(kind).columns
    query = select(table_of(kind)).where(*(columns[name] == each for name, each in where.items()))
    found = connection.execute(query.order_by(*(columns[name] for name in order))).mappings()
    return [kind(**row) for row in found]


def row(connection: Connection, kind: type[Row], /, **where: object) -> Row | None:
    """The one row with these values; None if there is none."""
    found = rows(connection, kind, **where)
    return found[0] if found else None


def _column(name: str, hint: object) -> Column[object]:
    marks: tuple[object, ...] = ()
    is_nullable = get_origin(hint) in (Union, UnionType)
    if is_nullable:
        [hint] = [each for each in get_args(hint) if each is not NoneType]
    if get_origin(hint) is Annotated:
        hint, *found = get_args(hint)
        marks = tuple(found)
    types = [mark for mark in marks if isinstance(mark, TypeEngine)]
    return Column(
        name,
        types[0] if types else _TYPES[hint](),
        nullable=is_nullable,
        primary_key="key" in marks,
        index="index" in marks or None,
    )
