"""Tables of a study, beside Optuna's own in the same database."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Those below :mod:`autoqa.store.migrations`, in their order; the last leads to these tables."""

studies = Table(
    "autoqa_study",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("validation", String(64)),
    Column("toml", Text, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("conditions", JSON),
)

candidates = Table(
    "autoqa_candidates",
    metadata,
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
    Column("scores", JSON, nullable=False),
    Column("jaccard_by_language", JSON, key="by_language", nullable=False),
    Column("windows_per_second", Float),
    Column("seconds", Float),
    Column("inference_seconds", Float),
    Column("licence", String(200), nullable=False),
    Column("jaccard_half_width", Float, key="half_width"),
    Column("ingredients", JSON),
    Column("teachers", JSON),
    Column("begins_with", JSON),
    Column("metric", String(80)),
)

openings = Table(
    "autoqa_openings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(200), nullable=False, index=True),
    Column("opened", DateTime(timezone=True), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("reason", Text, nullable=False),
)

selections = Table(
    "autoqa_selections",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(200), nullable=False, index=True),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("selection", JSON, nullable=False),
)

private_scores = Table(
    "autoqa_private_scores",
    metadata,
    Column("study", String(200), primary_key=True),
    Column("ensemble", String(64), primary_key=True),
    Column("opening", Integer, nullable=False),
    Column("score", JSON, nullable=False),
)

reads = Table(
    "autoqa_reads",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(200), nullable=False, index=True),
    Column("moment", DateTime(timezone=True), nullable=False),
    Column("kind", String(80), nullable=False),
    Column("subject", Text, nullable=False),
    Column("count", Integer, nullable=False),
)

externals = Table(
    "autoqa_externals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(200), nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("board", String(200), nullable=False),
    Column("score", Float, nullable=False),
    Column("public", Float, nullable=False),
    Column("note", Text, nullable=False),
    Column("added", DateTime(timezone=True), nullable=False),
)

searchers = Table(
    "autoqa_searchers",
    metadata,
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
