"""Alembic's scripts that bring a record to the newest schema."""
