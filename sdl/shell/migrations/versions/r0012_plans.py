"""Plans of the scheduler, with their age; those that journals hold already are entered.

There is no way back: a journal is not dropped.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SAME = ("asked_at", "status", "cause", "found_by", "seconds")


def upgrade() -> None:
    """Add to a database that had plans in its journals only."""
    op.create_table(
        "plan",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("arrived_at", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("found_by", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("breaks", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "seq"),
    )
    _plans_of_old()


def _plans_of_old() -> None:
    journal = sa.table("journal", *map(sa.column, ("campaign", "seq", "type", "body")))
    names = (*SAME, "campaign", "seq", "arrived_at", "steps", "breaks", "last_seq")
    plan = sa.table("plan", *map(sa.column, names))
    lines = sa.select(journal).where(journal.c.type == "PlanArrived")
    rows = []
    for line in op.get_bind().execute(lines).mappings():
        said = json.loads(line["body"])
        row = {name: said[name] for name in SAME}
        row |= {name: len(said[name]) for name in ("steps", "breaks")}
        number = line["seq"]
        row |= {"campaign": line["campaign"], "seq": number, "last_seq": number}
        rows.append({**row, "arrived_at": said["at"]})
    if rows:
        op.bulk_insert(plan, rows)
