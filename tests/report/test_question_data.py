"""Questions are packed with what lies around their spans, and nothing that a page could run."""

import base64
import json
import re
import zlib
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from autoqa.analysis.answer_traces import AnswerTrace, AnswerTraces
from autoqa.ensemble.joining.vote import WordVotes
from autoqa.report.question_data import excerpts, packed_questions
from autoqa.types import Answer, Example, Span


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 60)), max_size=6))
def test_excerpts_hold_every_span_and_do_not_touch(places: list[tuple[int, int]]) -> None:
    spans = [(low, low + size) for low, size in places]
    found = excerpts(spans, 1000)
    assert found
    assert all(before[1] < after[0] for before, after in pairwise(found))
    for low, high in spans:
        assert any(begin <= low and high <= end for begin, end in found)


def test_a_row_says_all_that_the_page_shows() -> None:
    context = "</script><b>" + "x" * 500 + " मुंबई 🙂 Pune " + "y" * 500
    place = context.index("Pune")
    example = Example(
        "q1", "Where </script>?", context, (Answer("Pune", place),), "hi", "d1", "target"
    )
    said = Span(place - 2, place + 4, 1.0, context[place - 2 : place + 4])
    trace = AnswerTrace(
        example,
        said,
        0.5,
        "too long",
        (said, Span(0, 0, 0.0, "")),
        (WordVotes("pune", (0,), 1, True),),
    )
    packed = packed_questions(
        AnswerTraces(("a", "b"), (("a",), ("b",)), 0, (trace,), ((0, 1), (1, 0)))
    )
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", packed)
    content = json.loads(zlib.decompress(base64.b64decode(packed)))
    (row,) = content["rows"]
    assert row[0:2] == ["q1", "hi"]
    assert content["kinds"][row[2]] == "too long"
    assert row[5] == [["Pune", place, place + 4]]
    ((start, text),) = row[8]
    assert text[place - start : place - start + 4] == "Pune"
    assert len(text) < 300
    assert row[9] == len(context)
    assert row[10] == [["pune", [0], 1]]
