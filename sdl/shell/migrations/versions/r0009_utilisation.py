"""What instruments spent their time on, at the end of a campaign or session.

There is no way back: a journal is not dropped. Campaigns that ended before have no such rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

SECONDS = ("busy", "idle", "waiting", "paused", "stopped", "person", "mending", "offline")


def upgrade() -> None:
    """Add to a database of the schema before."""
    op.create_table(
        "utilisation",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("begin_at", sa.Float(), nullable=False),
        sa.Column("end_at", sa.Float(), nullable=False),
        *(sa.Column(f"{name}_s", sa.Float(), nullable=False) for name in SECONDS),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "instrument", "seq"),
    )
