"""Answers to the public questions, packed into a page for its script to unpack.

Contexts are cut to what lies around the spans, and the whole is compressed: ten thousand questions
take a few megabytes. The letters of base64 need no escaping, whatever the texts hold.
"""

import base64
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoqa.analysis.answer_traces import AnswerTrace, AnswerTraces

_AROUND = 90
"""Characters of the context that are shown on each side of a span."""


def packed_questions(answers: "AnswerTraces") -> str:
    """Base64 of the deflated JSON object that ``study.js`` reads (zlib format)."""
    from autoqa.analysis.answer_traces import ERROR_KINDS

    kinds = list(ERROR_KINDS)
    content = {
        "members": answers.members,
        "voters": answers.voters,
        "leader": answers.leader,
        "kinds": kinds,
        "rows": [_row(trace, kinds) for trace in answers.traces],
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _row(trace: "AnswerTrace", kinds: Sequence[str]) -> list[Any]:
    example = trace.example
    gold = [(answer.start, answer.end) for answer in example.answers]
    spans = [(span.start, span.end) for span in (trace.answer, *trace.members)]
    shown = [(low, high) for low, high in (*gold, *spans) if high > low]
    return [
        example.id,
        example.language,
        kinds.index(trace.kind),
        round(trace.score, 3),
        example.question,
        [[answer.text, *place] for answer, place in zip(example.answers, gold, strict=True)],
        [trace.answer.text, *spans[0]],
        [[span.text, *place] for span, place in zip(trace.members, spans[1:], strict=True)],
        [[low, example.context[low:high]] for low, high in excerpts(shown, len(example.context))],
        len(example.context),
        [[votes.word, votes.voters, int(votes.kept)] for votes in trace.votes],
    ]


def excerpts(spans: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Parts of a text around spans, joined where they touch; its beginning where there are none.

    Args:
        spans: First and one-past-last characters.
        length: Of the text.
    """
    parts: list[tuple[int, int]] = []
    for low, high in sorted(spans) or [(0, _AROUND)]:
        begin, end = max(0, low - _AROUND), min(length, high + _AROUND)
        if parts and begin <= parts[-1][1]:
            parts[-1] = (parts[-1][0], max(parts[-1][1], end))
        else:
            parts.append((begin, end))
    return parts
