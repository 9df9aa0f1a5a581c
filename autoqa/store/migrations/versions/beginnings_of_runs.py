"""A column for the ids of the candidates whose mean weights a run began with."""

from alembic import op
from sqlalchemy import JSON, Column

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Adds the column; the candidates that are there keep NULL in it."""
    op.add_column("autoqa_candidates", Column("begins_with", JSON))
