"""A table for who works on a study, and a column for what its workers must have in common."""

from alembic import op
from sqlalchemy import JSON, Boolean, Column, DateTime, Integer, String

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds both; studies that are there keep NULL in the column."""
    op.add_column("autoqa_study", Column("conditions", JSON))
    op.create_table(
        "autoqa_searchers",
        Column("id", String(40), primary_key=True),
        Column("study", String(200), nullable=False, index=True),
        Column("leads", Boolean, nullable=False),
        Column("purpose", String(200), nullable=False),
        Column("machine", String(200), nullable=False),
        Column("pid", Integer, nullable=False),
        Column("started", String(40), nullable=False),
        Column("begun", DateTime(timezone=True), nullable=False),
        Column("beat", DateTime(timezone=True), nullable=False),
        Column("workers", JSON, nullable=False),
    )
