"""Disputed rows as tasks of annotation tools, with the label and what candidates answer."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autoqa.labels.decisions import Dispute, render_decisions
from autoqa.reading.annotations import utf16_units
from autoqa.types import Answer

LABEL = "answer"
"""What spans are labelled with."""


def label_studio_tasks(disputes: Sequence[Dispute]) -> str:
    """Tasks for Label Studio's import, in its JSON format.

    Each has two predictions: the candidates' answer with its confidence, and the label. Offsets
    are code points, as Label Studio counts since version 1.5.

    Args:
        disputes: The rows, in the order of the tasks.
    """
    return _lines([_task(dispute) for dispute in disputes])


def _task(dispute: Dispute) -> dict[str, Any]:
    row = dispute.example
    proposals: list[tuple[str, float, Sequence[Answer]]] = [
        ("candidates", dispute.confidence, [dispute.proposed])
    ]
    proposals.append(("label", 1 - dispute.confidence, row.answers))
    return {
        "data": {
            "id": row.id,
            "language": row.language,
            "document": row.document,
            "question": row.question,
            "text": row.context,
            "label": dispute.label,
            "confidence": round(dispute.confidence, 4),
        },
        "predictions": [
            {
                "model_version": version,
                "score": round(score, 4),
                "result": [_region(f"{version}-{n}", each) for n, each in enumerate(answers)],
            }
            for version, score, answers in proposals
        ],
    }


def _region(name: str, answer: Answer) -> dict[str, Any]:
    return {
        "id": name,
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": {
            "start": answer.start,
            "end": answer.end,
            "text": answer.text,
            "labels": [LABEL],
        },
    }


def argilla_records(disputes: Sequence[Dispute]) -> str:
    """Records for ``dataset.records.from_json`` of Argilla 2, with a suggestion each.

    Offsets are UTF-16 units, as Argilla's page counts. Its server refuses a span that ends beyond
    the text's length in code points; there the suggestion is left out.

    Args:
        disputes: The rows, in the order of the records.
    """
    return _lines([_record(dispute) for dispute in disputes])


def _record(dispute: Dispute) -> dict[str, Any]:
    row, proposed = dispute.example, dispute.proposed
    start, end = utf16_units(row.context, proposed.start), utf16_units(row.context, proposed.end)
    suggestion = {
        "value": [{"start": start, "end": end, "label": LABEL}],
        "score": [round(dispute.confidence, 4)],
        "agent": "autoqa",
    }
    return {
        "id": f"{row.language}:{row.id}",
        "fields": {
            "question": row.question,
            "text": row.context,
            "label": dispute.label,
            "proposed": proposed.text,
        },
        "metadata": {},
        "suggestions": {LABEL: suggestion} if end <= len(row.context) else {},
        "responses": {},
        "vectors": {},
        "status": "pending",
    }


def _lines(objects: Sequence[dict[str, Any]]) -> str:
    return json.dumps(objects, ensure_ascii=False, indent=1) + "\n"


TASKS: Mapping[str, Callable[[Sequence[Dispute]], str]] = {
    "csv": render_decisions,
    "label-studio": label_studio_tasks,
    "argilla": argilla_records,
}
"""What disputes can be written as."""
