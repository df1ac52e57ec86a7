"""Reasons of suggestions.

There is no way back: a journal is not dropped. Before, planners gave no reasons.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to a database whose suggestions have a prediction only."""
    op.add_column("suggestion", sa.Column("why", sa.Text(), nullable=True))
