"""The lease of a lab, and what people tell a running orchestrator.

There is no way back: a journal is not dropped.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to a database of the first schema."""
    _lease()
    _resolution()
    _act()
    _flag()
    with op.batch_alter_table("campaign") as table:
        table.alter_column("epoch", type_=sa.BigInteger(), existing_type=sa.Integer())
        table.add_column(sa.Column("paused", sa.Text(), nullable=True))
    with op.batch_alter_table("instrument") as table:
        for name in ("paused", "stopped", "held"):
            table.add_column(sa.Column(name, sa.Text(), nullable=True))
    _acts_of_old()


def _acts_of_old() -> None:
    """The one thing that a person could tell a campaign before: to stop."""
    journal = sa.table("journal", *(sa.column(name) for name in ("campaign", "seq", "at", "body")))
    asked = sa.select(journal).where(sa.column("type") == "StopRequested")
    names = ("campaign", "seq", "act", "what", "by", "note", "at", "last_seq")
    acts = sa.table("act", *(sa.column(name) for name in names))
    rows = []
    for campaign, seq, at, body in op.get_bind().execute(asked):
        said = json.loads(body)
        by, note = (said[name].replace("\x00", "\ufffd") for name in ("by", "reason"))
        row = (campaign, seq, "stop", "", by, note, at, seq)
        rows.append(dict(zip(names, row, strict=True)))
    op.bulk_insert(acts, rows)


def _lease() -> None:
    op.create_table(
        "lease",
        sa.Column("lab", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lab"),
    )


def _resolution() -> None:
    op.create_table(
        "resolution",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "seq"),
    )
    op.create_index("ix_resolution_run", "resolution", ["run"])


def _act() -> None:
    op.create_table(
        "act",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "seq"),
    )


def _flag() -> None:
    op.create_table(
        "flag",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "seq"),
    )
    op.create_index("ix_flag_run", "flag", ["run"])
