"""PlacedQuestions that stand below their context: SQuAD and what was made after it."""

from collections.abc import Mapping
from typing import Any

from autoqa.reading.rows import FileObject, PlacedQuestions, Unusable


def is_article(record: FileObject) -> bool:
    """SQuAD 1.1 and 2.0, and annotation tools that export them: an article of paragraphs."""
    return "paragraphs" in record


def is_context(record: FileObject) -> bool:
    """simpletransformers: a context with its questions, without articles around it."""
    return "qas" in record or isinstance(record.get("header"), Mapping)


def is_mrqa(record: FileObject) -> bool:
    """MRQA 2019: a context a line, the file's header in the first one."""
    first = _first_question(record)
    return isinstance(record.get("header"), Mapping) or (
        first is not None and ("detected_answers" in first or "context_tokens" in record)
    )


def is_korquad(record: FileObject) -> bool:
    """KorQuAD 2: a page with its questions, each with one ``answer``, the HTML beside."""
    first = _first_question(record)
    answer = first.get("answer") if first is not None else None
    return "raw_html" in record or (isinstance(answer, Mapping) and "html_answer_start" in answer)


def _first_question(record: FileObject) -> Mapping[str, Any] | None:
    questions = record.get("qas")
    first = questions[0] if isinstance(questions, list) and questions else None
    return first if isinstance(first, Mapping) else None


def of_article(record: FileObject, where: str, name: str) -> PlacedQuestions:
    """The questions of all paragraphs; the article's title names the document, or its place."""
    title = record.get("title")
    document = title if isinstance(title, str) and title else name
    paragraphs = record.get("paragraphs")
    if not isinstance(paragraphs, list):
        yield where, Unusable(_no_list("paragraphs", record))
        return
    for p, paragraph in enumerate(paragraphs):
        place = f"{where}.paragraphs[{p}]"
        if isinstance(paragraph, Mapping):
            yield from _below(paragraph, place, {"document": document})
        else:
            yield (
                place,
                Unusable(f"expected an object with context and qas, found {paragraph!r:.60}."),
            )


def of_context(record: FileObject, where: str, name: str) -> PlacedQuestions:  # noqa: ARG001
    """The questions of one context; an MRQA header has none."""
    if isinstance(record.get("header"), Mapping) and "qas" not in record:
        return
    outer = {key: record[key] for key in ("title", "document", "language") if key in record}
    yield from _below(record, where, outer)


def _below(paragraph: FileObject, place: str, outer: dict[str, object]) -> PlacedQuestions:
    questions = paragraph.get("qas")
    if not isinstance(questions, list):
        yield place, Unusable(_no_list("qas", paragraph))
        return
    context = paragraph.get("context")
    if "context" in paragraph:
        outer = {**outer, "context": context}
    for q, question in enumerate(questions):
        where = f"{place}.qas[{q}]"
        if not isinstance(question, Mapping):
            yield (
                where,
                Unusable(
                    f"expected an object with id, question and answers, found {question!r:.60}."
                ),
            )
            continue
        row = {**outer, **question}
        if "id" not in row and "qid" in row:
            row["id"] = row["qid"]
        if "detected_answers" in row and isinstance(context, str):
            row["answers"] = _detected(row, context)
        name = row.get("id")
        yield where if name is None else f"{where} (id {name})", row


def _no_list(key: str, record: FileObject) -> str:
    if key in record:
        return f"{key} must be a list, found {record[key]!r:.60}."
    return f"expected a list {key!r} as SQuAD has it; found {', '.join(record) or 'nothing'}."


def _detected(row: FileObject, context: str) -> object:
    """The answers that MRQA found in the context, at each place where they stand.

    ``char_spans`` are first and last character. The context itself says how an answer is spelt,
    unless something else stands there: ``text`` comes from tokens.
    """
    detected = row["detected_answers"]
    if not isinstance(detected, list) or not detected:
        return row.get("answers")
    found: list[dict[str, object]] = []
    for answer in detected:
        text = answer.get("text") if isinstance(answer, Mapping) else None
        spans = answer.get("char_spans") if isinstance(answer, Mapping) else None
        # As rows of `datasets` have them: lists of starts and of ends.
        if isinstance(spans, Mapping):
            starts, ends = spans.get("start"), spans.get("end")
            if isinstance(starts, list) and isinstance(ends, list):
                spans = [list(pair) for pair in zip(starts, ends, strict=False)]
        if not isinstance(spans, list) or not all(map(_is_span, spans)):
            return Unusable(
                f"char_spans must be pairs of a first and a last character, found {spans!r:.60}."
            )
        for first, last in spans:
            there = context[first : last + 1]
            same = text is None or _letters(there) == _letters(str(text))
            found.append({"text": there if same else text, "answer_start": first})
    return found


def _is_span(span: object) -> bool:
    return isinstance(span, list) and len(span) == 2 and all(type(end) is int for end in span)


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
