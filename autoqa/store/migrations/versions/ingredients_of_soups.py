"""A column for the ids of the candidates whose weights a soup is the mean of."""

from alembic import op
from sqlalchemy import JSON, Column

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds the column; the candidates that are there, points of runs, keep NULL in it."""
    op.add_column("autoqa_candidates", Column("ingredients", JSON))
