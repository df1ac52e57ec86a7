"""Stocks, lots, movements of materials, and tasks to refill.

There is no way back: a journal is not dropped. Campaigns of before declare no stocks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to a database of the third schema."""
    op.create_table(
        "stock",
        *_text("campaign", "source"),
        *_numbers("volume_ul", "uncertainty_ul", "reserved_ul", "doubt_ul", "free_ul"),
        sa.Column("lots", sa.Text(), nullable=False),
        *_numbers("changed_at"),
        *_lines("seq", "last_seq"),
        sa.PrimaryKeyConstraint("campaign", "source"),
    )
    op.create_table(
        "lot",
        *_text("campaign", "source"),
        *_lines("seq"),
        *_text("lot"),
        *_numbers("volume_ul"),
        *_text("expires"),
        sa.Column("replaces", sa.Boolean(), nullable=False),
        *_text("by"),
        sa.Column("note", sa.Text(), nullable=False),
        *_numbers("at"),
        *_lines("last_seq"),
        sa.PrimaryKeyConstraint("campaign", "source", "seq"),
    )
    op.create_table(
        "movement",
        *_text("campaign"),
        *_lines("seq"),
        sa.Column("number", sa.Integer(), nullable=False),
        *_text("run", "cid", "component", "lot", "source", "target"),
        *_numbers("volume_ul", "uncertainty_ul", "at"),
        *_lines("last_seq"),
        sa.PrimaryKeyConstraint("campaign", "seq", "number"),
    )
    op.create_index("ix_movement_run", "movement", ["run"])
    op.create_table(
        "refill",
        *_text("task", "campaign", "source"),
        *_numbers("missing_ul"),
        sa.Column("reason", sa.Text(), nullable=False),
        *_numbers("asked_at"),
        sa.Column("done_at", sa.Float(), nullable=True),
        *_lines("seq", "last_seq"),
        sa.PrimaryKeyConstraint("task"),
    )
    op.create_index("ix_refill_campaign", "refill", ["campaign"])


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float(), nullable=False) for name in names]


def _lines(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]
