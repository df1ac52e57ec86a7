"""An empty place for a record on each database that we support, and hands to spoil one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from sdl.shell.database import parse

Spoil = Callable[..., None]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'record.sqlite'}"
    found = request.getfixturevalue("fresh_postgres")
    assert isinstance(found, str)
    return found


@pytest.fixture
def spoil(url: str) -> Spoil:
    """Runs SQL on the record behind its back."""

    def run(*statements: str) -> None:
        engine = create_engine(parse(url))
        try:
            with engine.begin() as connection:
                for statement in statements:
                    connection.execute(text(statement))
        finally:
            engine.dispose()

    return run


@pytest.fixture
def unguarded(url: str) -> tuple[str, ...]:
    """SQL that takes the triggers away, as somebody with the rights of an owner could."""
    if url.startswith("sqlite"):
        return tuple(
            f"DROP TRIGGER journal_refuses_{what}" for what in ("update", "delete", "replace")
        )
    return ("ALTER TABLE journal DISABLE TRIGGER ALL",)
