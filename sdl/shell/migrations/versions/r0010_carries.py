"""Carries of labware.

There is no way back: a journal is not dropped. Before, labware stood where every instrument
reached it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to a database in which nothing was carried."""
    op.create_table(
        "carry",
        *_text("carry", "campaign", "labware", "source", "target", "carrier", "step", "status"),
        *_text("site"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("carry"),
    )
    op.create_index("ix_carry_campaign", "carry", ["campaign"])
    op.create_index("ix_carry_labware", "carry", ["labware"])


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]
