"""Argilla's records with a question for spans, nested as ``to_json`` writes them or flat.

Its page counts UTF-16 units, as JavaScript does, and a span says nothing of its text
(argilla-io/argilla, issue 5729).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from autoqa.reading.annotations import answering, character, with_text
from autoqa.reading.rows import FileObject, PlacedQuestions, Unusable

_RESPONSES = ".responses"


def is_argilla(record: FileObject) -> bool:
    """A record: fields with responses, or the same beside each other."""
    nested = isinstance(record.get("fields"), Mapping) and isinstance(
        record.get("responses"), Mapping
    )
    flat = "_server_id" in record and "status" in record and "fields" not in record
    return nested or flat


def of_argilla(record: FileObject, where: str, name: str) -> PlacedQuestions:  # noqa: ARG001
    """The record's question, with the spans of all responses that were not discarded.

    An id ``LANGUAGE:ID``, as ``autoqa data disagreements`` writes it, is taken apart.
    """
    nested = record.get("fields")
    fields = nested if isinstance(nested, Mapping) else record
    metadata = record.get("metadata")
    row = with_text(fields, metadata if isinstance(metadata, Mapping) else {})
    row.setdefault("id", record.get("id"))
    language, colon, rest = str(record.get("id") or "").partition(":")
    if colon and language.isalpha():
        row |= {"id": rest, "language": language}
    given = list(_responses(record))
    if given:
        row["answers"] = _spans(row.get("context"), given)
    elif fields is record:
        row.pop("answers", None)
    yield where, row


def _responses(record: FileObject) -> Iterator[list[Any]]:
    """Lists of spans, one for each person who answered."""
    nested = record.get("responses")
    if isinstance(nested, Mapping):
        for answers in nested.values():
            for each in answers if isinstance(answers, list) else ():
                if isinstance(each, Mapping) and isinstance(each.get("value"), list):
                    yield each["value"]
        return
    for key, values in record.items():
        if key.endswith(_RESPONSES) and isinstance(values, list):
            states = record.get(f"{key}.status")
            states = states if isinstance(states, list) else [None] * len(values)
            for value, state in zip(values, states, strict=False):
                if state != "discarded" and isinstance(value, list):
                    yield value


def _spans(context: object, given: list[list[Any]]) -> list[dict[str, object]] | Unusable:
    if not isinstance(context, str):
        return []
    spans: list[tuple[tuple[int, int, str], None]] = []
    for each in (span for spans_of_one in given for span in spans_of_one):
        start = each.get("start") if isinstance(each, Mapping) else None
        end = each.get("end") if isinstance(each, Mapping) else None
        if type(start) is not int or type(end) is not int:
            return Unusable(f"expected spans with start and end, found {each!r:.60}.")
        at, to = character(context, start), character(context, end)
        spans.append(((at, to, str(each.get("label", ""))), None))
    return [
        {"text": context[start:end], "answer_start": start}
        for (start, end, _), _ in answering(spans)
    ]
