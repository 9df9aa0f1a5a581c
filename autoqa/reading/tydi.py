"""TyDi QA's primary task: whole articles, answers by their UTF-8 bytes.

Clark et al., TyDi QA: A Benchmark for Information-Seeking Question Answering in Typologically
Diverse Languages, 2020; the original lines and the data set ``tydiqa``, ``primary_task``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from autoqa.reading.rows import FileObject, PlacedQuestions, Unusable


def is_tydi(record: FileObject) -> bool:
    """An article's text with annotations."""
    return "document_plaintext" in record and "annotations" in record


def question(record: FileObject, where: str, name: str) -> PlacedQuestions:  # noqa: ARG001
    """The question, with the minimal answers that annotators marked.

    One that is answered by yes or no, or by a passage only, has no answer in the text.
    """
    text = record["document_plaintext"]
    row = {**record, "context": text, "question": record.get("question_text")}
    row.setdefault("id", record.get("example_id"))
    row.setdefault("document", record.get("document_title") or record.get("document_url"))
    row["answers"] = minimal_answers(text, record["annotations"]) if isinstance(text, str) else None
    yield where, row


def minimal_answers(text: str, annotations: object) -> list[dict[str, object]] | Unusable:
    """The spans that annotators marked, by code points.

    Args:
        text: The article.
        annotations: A list of objects, or an object of lists as ``datasets`` has it; bytes of -1
            stand for no answer.
    """
    try:
        spans = list(_spans(annotations))
    except (TypeError, ValueError, KeyError, AttributeError):
        return Unusable(
            "annotations must have the first and the last byte of each minimal answer, "
            f"found {annotations!r:.60}."
        )
    data = text.encode("utf-8", "surrogatepass")
    answers: list[dict[str, object]] = []
    for begin, end in spans:
        if begin == -1 and end == -1:
            continue
        if not 0 <= begin < end <= len(data):
            return Unusable(
                f"the answer's bytes {begin} to {end} are no part of the text, which has "
                f"{len(data)} bytes."
            )
        try:
            before, answer = data[:begin].decode(), data[begin:end].decode()
        except UnicodeDecodeError:
            return Unusable(f"the answer's bytes {begin} to {end} cut a character in two.")
        answers.append({"text": answer, "answer_start": len(before)})
    return answers


def _spans(annotations: Any) -> Iterator[tuple[int, int]]:
    if isinstance(annotations, Mapping):
        starts = annotations["minimal_answers_start_byte"]
        ends = annotations["minimal_answers_end_byte"]
        yield from ((int(s), int(e)) for s, e in zip(starts, ends, strict=True))
        return
    for annotation in annotations:
        answer = annotation["minimal_answer"]
        yield int(answer["plaintext_start_byte"]), int(answer["plaintext_end_byte"])
