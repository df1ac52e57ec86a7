"""Reads journal lines page by page, so that nothing stays open while a caller thinks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from sqlalchemy import Connection, select

from sdl.shell.tables import JOURNAL
from sdl.wire.journal import Line

PAGE = 1000
"""Lines in a full page."""


def page(connection: Connection, campaign: str, after: int) -> list[Line]:
    """The next lines of a campaign after number ``after``; fewer than PAGE at the end."""
    query = (
        select(*JOURNAL.columns)
        .where(JOURNAL.c.campaign == campaign, JOURNAL.c.seq > after)
        .order_by(JOURNAL.c.seq)
        .limit(PAGE)
    )
    rows = connection.execute(query).fetchall()  # one by one would cost three times as much
    return [
        Line(
            campaign=name,
            seq=seq,
            at=at,
            kind=cast("Literal['event', 'command']", kind),
            type=type_name,
            body=body,
            hash=digest,
        )
        for name, seq, at, kind, type_name, body, digest in rows
    ]


def of_types(
    connection: Connection, campaign: str, types: Sequence[str]
) -> Sequence[tuple[str, str]]:
    """Type and body of a campaign's lines of some types, in order."""
    query = (
        select(JOURNAL.c.type, JOURNAL.c.body)
        .where(JOURNAL.c.campaign == campaign, JOURNAL.c.type.in_(types))
        .order_by(JOURNAL.c.seq)
    )
    return [(name, body) for name, body in connection.execute(query)]


def bodies(connection: Connection, campaign: str, after: int) -> Sequence[tuple[int, str, str]]:
    """The same page as number, type and body alone: all that a replay needs.

    As the driver of the database gives them: to make each an SQLAlchemy row would double the cost.
    """
    query = (
        select(JOURNAL.c.seq, JOURNAL.c.type, JOURNAL.c.body)
        .where(JOURNAL.c.campaign == campaign, JOURNAL.c.seq > after)
        .order_by(JOURNAL.c.seq)
        .limit(PAGE)
    )
    with connection.execute(query) as result:
        assert result.cursor is not None
        return cast("Sequence[tuple[int, str, str]]", result.cursor.fetchall())
