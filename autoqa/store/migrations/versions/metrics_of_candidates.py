"""A column for the metric that a candidate is ranked by.

The columns of its interval and of its score in each language keep the names that they have from
when there was one metric.
"""

from alembic import op
from sqlalchemy import Column, String

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the column; the candidates that are there keep NULL in it, which stands for Jaccard."""
    op.add_column("autoqa_candidates", Column("metric", String(80)))
