"""Exports of annotation tools: Label Studio, doccano, Haystack's labels."""

from collections.abc import Mapping
from typing import Any

from autoqa.reading.cells import literal
from autoqa.reading.rows import FileObject, PlacedQuestions, Unusable

_TEXTS = ("context", "text", "passage", "document", "paragraph")
_SPANS = ("label", "labels", "entities", "annotations")


def is_label_studio(record: FileObject) -> bool:
    """A task of the JSON export, or an annotation of JSON-MIN."""
    whole = isinstance(record.get("data"), Mapping) and (
        "annotations" in record or "completions" in record
    )
    return whole or ("annotation_id" in record and "annotator" in record and _bare(record))


def is_task(record: FileObject) -> bool:
    """The same of tasks that nobody has annotated, too."""
    return isinstance(record.get("data"), Mapping) or is_label_studio(record)


def of_label_studio(record: FileObject, where: str, name: str) -> PlacedQuestions:  # noqa: ARG001
    """The task's question, with the spans of all annotations that were not cancelled."""
    data = record.get("data")
    if not isinstance(data, Mapping):  # JSON-MIN: the spans stand under the name of their tag
        row = with_text(record, record)
        values = [each for value in record.values() for each in _marked(value)]
        row["answers"] = _spans_of(row.get("context"), values)
        yield where, row
        return
    row = with_text(data, record)
    row.setdefault("id", record.get("id"))
    taken = [
        annotation
        for annotation in _list(record.get("annotations", record.get("completions")))
        if isinstance(annotation, Mapping) and not annotation.get("was_cancelled")
    ]
    if taken:
        results = [each for annotation in taken for each in _list(annotation.get("result"))]
        values = [each.get("value") for each in results if isinstance(each, Mapping)]
        row["answers"] = _spans_of(row.get("context"), values)
    yield where, row


def _spans_of(context: object, values: list[Any]) -> list[dict[str, object]] | Unusable:
    spans: list[tuple[int, int, str]] = []
    texts: list[object] = []
    for value in values:
        if not isinstance(value, Mapping) or "start" not in value or "end" not in value:
            continue  # a choice, a rating, an area to write in
        offsets = value.get("globalOffsets", value)
        start, end = offsets.get("start"), offsets.get("end")
        if type(start) is not int or type(end) is not int:
            return Unusable(
                f"an answer's start and end must be whole numbers, found {start!r:.40}."
            )
        labels = value.get("labels")
        spans.append((start, end, str(labels[0]) if isinstance(labels, list) and labels else ""))
        texts.append(value.get("text"))
    if not isinstance(context, str):
        return []
    return [
        _placed(context, start, end, text)
        for (start, end, _), text in answering(list(zip(spans, texts, strict=True)))
    ]


def _placed(context: str, start: int, end: int, text: object) -> dict[str, object]:
    """An answer in code points.

    Label Studio counts those since version 1.5, and counted UTF-16 units before; the text beside a
    span says which. It has line breaks spelt out.
    """
    if isinstance(text, str) and not _alike(context[start:end], text):
        first, last = character(context, start), character(context, end)
        if not _alike(context[first:last], text):
            return {"text": text, "answer_start": start}
        start, end = first, last
    return {"text": context[start:end], "answer_start": start}


def _alike(fragment: str, text: str) -> bool:
    return fragment == text or fragment.split() == text.replace("\\n", "\n").split()


def character(context: str, units: int) -> int:
    """The place in code points of a place in UTF-16 units, as JavaScript counts."""
    before = context.encode("utf-16-le", "surrogatepass")[: 2 * units]
    return len(before.decode("utf-16-le", "ignore"))


def utf16_units(context: str, place: int) -> int:
    """The place in UTF-16 units of a place in code points."""
    return len(context[:place].encode("utf-16-le", "surrogatepass")) // 2


def is_doccano(record: FileObject) -> bool:
    """A text with a list of spans."""
    text = "text" in record or "data" in record
    return text and _bare(record) and any(_is_marked(record.get(key)) for key in _SPANS)


def of_doccano(record: FileObject, where: str, name: str) -> PlacedQuestions:  # noqa: ARG001
    """The text's question, from a column or the metadata, with the spans that were marked."""
    meta = record.get("meta", record.get("metadata"))
    row = with_text(record, meta if isinstance(meta, Mapping) else {})
    if "context" not in row and isinstance(record.get("data"), str):
        row["context"] = record["data"]
    row.setdefault("id", record.get("doc_id"))
    context = row.get("context")
    marked = next(record[key] for key in _SPANS if _is_marked(record.get(key)))
    spans = [_doccano_span(each) for each in _list(marked)]
    if not all(spans):
        row["answers"] = Unusable(f"expected spans [start, end, label], found {marked!r:.60}.")
    elif isinstance(context, str):
        row["answers"] = [
            {"text": context[start:end], "answer_start": start}
            for (start, end, _), _ in answering([(span, None) for span in spans if span])
        ]
    yield where, row


def _is_marked(value: object) -> bool:
    return isinstance(value, list) and (not value or _doccano_span(value[0]) is not None)


def _doccano_span(value: object) -> tuple[int, int, str] | None:
    if isinstance(value, list) and len(value) == 3:
        start, end, label = value
    elif isinstance(value, Mapping):
        start, end = value.get("start_offset"), value.get("end_offset")
        label = value.get("label")
    else:
        return None
    return (start, end, str(label)) if type(start) is int and type(end) is int else None


def is_haystack(record: FileObject) -> bool:
    """A ``Label``: a query, a document, an answer."""
    return "query" in record and isinstance(record.get("document"), Mapping)


def of_haystack(record: FileObject, where: str, name: str) -> PlacedQuestions:  # noqa: ARG001
    """The label's question, with its answer."""
    document: Any = record["document"]
    context = document.get("content", document.get("text"))
    meta = document.get("meta")
    title = meta.get("name", meta.get("title")) if isinstance(meta, Mapping) else None
    row: dict[str, object] = {
        **{key: value for key, value in record.items() if key != "answer"},
        "question": record["query"],
        "context": context,
        "document": title if isinstance(title, str) else document.get("id"),
        "answers": _haystack_answer(record, context),
    }
    yield where, row


def _haystack_answer(record: FileObject, context: object) -> object:
    if record.get("is_correct_answer") is False:
        return Unusable("the label says that its answer is wrong.")
    answer = record.get("answer")
    if record.get("no_answer") is True or answer is None:
        return []
    text = answer.get("answer") if isinstance(answer, Mapping) else answer
    offsets = answer.get("offsets_in_document") if isinstance(answer, Mapping) else None
    first = offsets[0] if isinstance(offsets, list) and offsets else None
    start = first.get("start") if isinstance(first, Mapping) else None
    if start is None and not isinstance(answer, Mapping):
        start = record.get("offset_start_in_doc")
    if not text and isinstance(first, Mapping) and isinstance(context, str) and first.get("end"):
        text = context[first["start"] : first["end"]]
    return [{"text": text, "answer_start": start}]


def answering(spans: list[tuple[tuple[int, int, str], Any]]) -> list[Any]:
    """Where some spans are labelled ``answer``, those; all else."""
    named = [each for each in spans if each[0][2].strip().casefold() == "answer"]
    return named or spans


def with_text(record: FileObject, beside: FileObject) -> dict[str, object]:
    """The fields of both, the first one's going first, its text as the context."""
    row = {**beside, **record}
    context = next((record[key] for key in _TEXTS if isinstance(record.get(key), str)), None)
    if context is not None:
        row["context"] = context
    if not isinstance(row.get("document"), str) or row["document"] is context:
        row.pop("document", None)
    return row


def _bare(record: FileObject) -> bool:
    """Whether answers stand nowhere but in spans."""
    return not {"answers", "answer_text", "answer"} & record.keys()


def _marked(value: object) -> list[Any]:
    """What a tag of JSON-MIN holds; the CSV export has it as text."""
    if isinstance(value, str) and value.startswith("[{"):
        try:
            value = literal(value)
        except ValueError:
            return []
    return _list(value)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
