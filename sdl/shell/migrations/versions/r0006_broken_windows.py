"""Steps that have missed their maximum lag.

There is no way back: a journal is not dropped. Journals of before do not speak of them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to a database of the fifth schema."""
    op.create_table(
        "broken_window",
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("late_s", sa.Float(), nullable=True),
        sa.Column("remedy", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("step"),
    )
    op.create_index("ix_broken_window_campaign", "broken_window", ["campaign"])
    op.create_index("ix_broken_window_run", "broken_window", ["run"])
