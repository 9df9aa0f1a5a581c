"""A study with sources given as lists, bound without any plugin."""

from collections.abc import Iterable
from typing import Any

from autoqa.api import Answer, Example, Options, SourceSpec
from autoqa.config.study import StudyFile
from autoqa.registry import BoundSource, BoundStudy, Catalogue


def bind(
    sources: dict[str, Any],
    validation: dict[str, Any],
    portions: list[dict[str, Any]] | None = None,
) -> BoundStudy:
    """Sources are lists of examples, or functions from options to them."""
    study = StudyFile.model_validate(
        {
            "name": "study",
            "sources": {name: {"type": "list"} for name in sources},
            "backbones": {"tiny": {"type": "tiny"}},
            "recipe": {"portions": portions or [{"source": name} for name in sources]},
            "validation": validation,
        }
    )
    bound = {name: BoundSource(name, spec(given), Options()) for name, given in sources.items()}
    return BoundStudy(study=study, backbones={}, sources=bound, catalogue=Catalogue())


def spec(given: Any) -> SourceSpec:
    load = given if callable(given) else lambda options: given
    return SourceSpec(
        name="list", summary="A list", options=Options, load=load, missing=lambda options: None
    )


def example(
    number: int, document: str = "", language: str = "hi", prefix: str = "q", **changes: Any
) -> Example:
    """One of many examples that have nothing in common."""
    context = changes.pop("context", f"Context {prefix}{number} in {language} has answer{number}.")
    answers = changes.pop("answers", None)
    if answers is None:
        text = f"answer{number}"
        answers = (Answer(text, context.find(text)),)
    fields: dict[str, Any] = {
        "id": f"{prefix}-{number}-{language}",
        "question": f"What about {prefix}{number} in {language}?",
        "context": context,
        "answers": answers,
        "language": language,
        "document": document or f"{prefix}-document-{number}",
    }
    return Example(**(fields | changes))


def examples(numbers: Iterable[int], **common: Any) -> list[Example]:
    return [example(number, **common) for number in numbers]
