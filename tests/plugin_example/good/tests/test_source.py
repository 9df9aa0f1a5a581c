"""The source passes the checks of all sources."""

import pytest
from autoqa_plugin_example.source import LinesOptions, spec
from pydantic import ValidationError

from autoqa.testing.cases import SourceCase


class TestLines(SourceCase):
    spec = spec
    options = LinesOptions(
        lines=("Where is Ansel?|Ansel is in Tove.|Tove", "Who built it?|Ada built it.|Ada")
    )


def test_a_line_has_three_fields() -> None:
    with pytest.raises(ValidationError, match="is not question"):
        LinesOptions(lines=("Where?",))
