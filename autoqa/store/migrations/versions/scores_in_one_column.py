"""A candidate's scores in one JSON column by name of the metric, in place of a column each."""

from alembic import op
from sqlalchemy import JSON, Column, Float, String, select, table, update
from sqlalchemy import column as any_column

revision = "0002"
down_revision = "0001"

_TABLE = "autoqa_candidates"
_METRICS = ("jaccard", "em", "f1")

_candidates = table(
    _TABLE,
    any_column("study", String),
    any_column("id", String),
    *(any_column(name, Float) for name in _METRICS),
    any_column("scores", JSON),
)


def upgrade() -> None:
    """Moves the scores, which stay what they were to the last bit."""
    op.add_column(_TABLE, Column("scores", JSON))
    connection = op.get_bind()
    columns = _candidates.c
    for row in connection.execute(select(_candidates)).mappings().all():
        scores = {name: row[name] for name in _METRICS}
        this_one = (columns.study == row["study"]) & (columns.id == row["id"])
        connection.execute(update(_candidates).where(this_one).values(scores=scores))
    with op.batch_alter_table(_TABLE) as batch:
        batch.alter_column("scores", existing_type=JSON(), nullable=False)
        for name in _METRICS:
            batch.drop_column(name)
