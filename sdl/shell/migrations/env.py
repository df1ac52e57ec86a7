"""What Alembic runs: the scripts on the connection that ``sdl.shell.database`` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from sdl.shell.tables import JOURNAL

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
context.configure(connection=connection, target_metadata=JOURNAL.metadata)
context.run_migrations()
