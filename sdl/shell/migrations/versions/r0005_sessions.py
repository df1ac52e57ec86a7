"""Sessions of a lab, and what a campaign may claim of a bench that it shares.

There is no way back: a journal is not dropped.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to a database of the fourth schema, in which each campaign had its own journal."""
    op.create_table(
        "session",
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("lab", sa.String(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("speed", sa.Float(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.Float(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session"),
    )
    with op.batch_alter_table("campaign") as campaign:
        campaign.add_column(sa.Column("journal", sa.String(), nullable=True))
        campaign.add_column(sa.Column("priority", sa.Integer(), nullable=True))
        campaign.add_column(sa.Column("weight", sa.Float(), nullable=True))
        campaign.add_column(sa.Column("deadline", sa.Float(), nullable=True))
        campaign.add_column(sa.Column("runs_at_once", sa.Integer(), nullable=True))
    op.execute("UPDATE campaign SET journal = campaign, priority = 0, weight = 1.0")
    with op.batch_alter_table("campaign") as campaign:
        campaign.alter_column("journal", existing_type=sa.String(), nullable=False)
        campaign.alter_column("priority", existing_type=sa.Integer(), nullable=False)
        campaign.alter_column("weight", existing_type=sa.Float(), nullable=False)
