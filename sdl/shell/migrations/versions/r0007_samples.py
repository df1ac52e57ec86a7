"""Samples of runs: a run of a batch protocol has several, each with its own numbers.

There is no way back: a journal is not dropped. Every run of before has one sample.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to a database of the fifth schema, in which a run was of one sample."""
    op.create_table(
        "sample",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("suggestion", sa.String(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("wells", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("loss", sa.Float(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "sample"),
    )
    op.create_index("ix_sample_campaign", "sample", ["campaign"])
    op.create_index("ix_sample_suggestion", "sample", ["suggestion"])
    _samples_of_old()
    _observation()
    _evidence()


def _samples_of_old() -> None:
    same = ("run", "campaign", "suggestion", "inputs", "outcome", "loss", "reason")
    names = (*same, "seq", "last_seq")
    run = sa.table("run", *(sa.column(name) for name in (*names, "roles")))
    sample = sa.table("sample", *(sa.column(name) for name in (*names, "sample", "wells")))
    rows = []
    for found in op.get_bind().execute(sa.select(run)).mappings():
        players = sorted(json.loads(found["roles"]).items())
        wells = ",".join(player for _, player in players if "/" in player)
        row = {name: found[name] for name in names}
        rows.append({**row, "sample": 1, "wells": wells})
    if rows:
        op.bulk_insert(sample, rows)


def _observation() -> None:
    op.rename_table("observation", "observation_of_old")
    op.create_table(
        "observation",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("uncertainty", sa.Float(), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "sample", "measure"),
    )
    _take_over("observation", "run", "measure", "campaign", "value", "unit", "uncertainty", "at")


def _evidence() -> None:
    op.rename_table("evidence", "evidence_of_old")
    op.create_table(
        "evidence",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("e_for", sa.Float(), nullable=False),
        sa.Column("e_against", sa.Float(), nullable=False),
        sa.Column("posterior", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "sample"),
    )
    _take_over("evidence", "run", "campaign", "runs", "e_for", "e_against", "posterior", "at")


def _take_over(table: str, *same: str) -> None:
    """Rows of the table of before, each of the first sample of its run."""
    names = (*same, "seq", "last_seq")
    old = sa.table(f"{table}_of_old", *(sa.column(name) for name in names))
    new = sa.table(table, *(sa.column(name) for name in (*names, "sample")))
    rows = sa.select(*(old.c[name] for name in names), sa.literal_column("1"))
    op.execute(sa.insert(new).from_select([*names, "sample"], rows))
    op.drop_table(f"{table}_of_old")
    op.create_index(f"ix_{table}_campaign", table, ["campaign"])
