"""A column for the ids of the candidates that a distilled one was taught by."""

from alembic import op
from sqlalchemy import JSON, Column

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the column; the candidates that are there, runs and soups, keep NULL in it."""
    op.add_column("autoqa_candidates", Column("teachers", JSON))
