"""The tables of autoqa 0.1.0, made where they are missing.

They are written out because a revision must stay what it was when the tables change.
"""

from alembic import op
from sqlalchemy import JSON, Column, DateTime, Float, Integer, MetaData, String, Table, Text

revision = "0001"
down_revision = None

_metadata = MetaData()

Table(
    "autoqa_study",
    _metadata,
    Column("name", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("validation", String(64)),
    Column("toml", Text, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
)

Table(
    "autoqa_candidates",
    _metadata,
    Column("study", String(200), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("trial", Integer, nullable=False),
    Column("fraction", Float, nullable=False),
    Column("backbone", String(200), nullable=False),
    Column("group", String(80), nullable=False),
    Column("recipe_hash", String(40), nullable=False),
    Column("recipe", JSON, nullable=False),
    Column("learning_rate", Float, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("jaccard", Float, nullable=False),
    Column("em", Float, nullable=False),
    Column("f1", Float, nullable=False),
    Column("jaccard_by_language", JSON, nullable=False),
    Column("windows_per_second", Float),
    Column("seconds", Float),
    Column("inference_seconds", Float),
    Column("licence", String(200), nullable=False),
    Column("jaccard_half_width", Float),
)

Table(
    "autoqa_openings",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(200), nullable=False, index=True),
    Column("opened", DateTime(timezone=True), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("reason", Text, nullable=False),
)

Table(
    "autoqa_selections",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(200), nullable=False, index=True),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("selection", JSON, nullable=False),
)

Table(
    "autoqa_private_scores",
    _metadata,
    Column("study", String(200), primary_key=True),
    Column("ensemble", String(64), primary_key=True),
    Column("opening", Integer, nullable=False),
    Column("score", JSON, nullable=False),
)

Table(
    "autoqa_reads",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(200), nullable=False, index=True),
    Column("moment", DateTime(timezone=True), nullable=False),
    Column("kind", String(80), nullable=False),
    Column("subject", Text, nullable=False),
    Column("count", Integer, nullable=False),
)

Table(
    "autoqa_externals",
    _metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(200), nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("board", String(200), nullable=False),
    Column("score", Float, nullable=False),
    Column("public", Float, nullable=False),
    Column("note", Text, nullable=False),
    Column("added", DateTime(timezone=True), nullable=False),
)


def upgrade() -> None:
    """Leaves tables that are there as they are."""
    _metadata.create_all(op.get_bind())
