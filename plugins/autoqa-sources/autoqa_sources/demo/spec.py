"""``type = "demo"``: what a study file says about the generated corpus."""

from typing import Annotated, Literal

from pydantic import Field

from autoqa.api import Example, Examples, Options, SourceSpec
from autoqa_sources.demo.corpus import examples

DemoLanguage = Literal["bn", "en", "hi", "ta", "te"]


class DemoOptions(Options):
    """How much of the corpus, and how clean.

    Attributes:
        languages: Which languages it is made in.
        documents: Articles in each language.
        questions_per_document: Questions about each article.
        seed: Another seed makes other articles. A larger corpus of the same seed begins with the
            articles of the smaller one.
        noise: Share of the answers that occur earlier in their context, too, whose offset is put
            to the first occurrence, the label noise of Kaggle's chaii data.
    """

    languages: Annotated[tuple[DemoLanguage, ...], Field(min_length=1)] = ("hi",)
    documents: Annotated[int, Field(ge=1, le=5000)] = 50
    questions_per_document: Annotated[int, Field(ge=1, le=5)] = 4
    seed: int = 0
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0


def load(options: DemoOptions) -> Examples:
    """Makes the corpus; the same options give the same examples on every machine."""
    corpus: list[Example] = []
    moved = 0
    for language in sorted(set(options.languages)):
        part, moved_in_part = examples(
            language,
            documents=options.documents,
            questions=options.questions_per_document,
            seed=options.seed,
            noise=options.noise,
        )
        corpus += part
        moved += moved_in_part
    notes = []
    if moved:
        notes.append(
            f"offsets put to an earlier occurrence of the answer (noise = {options.noise:g}): "
            f"{moved} of {len(corpus)}."
        )
    return Examples(corpus, notes)


def _missing(_: DemoOptions) -> None:
    return None


def _licence(_: DemoOptions) -> str:
    # Sentences and lists of names are part of this package.
    return "Apache-2.0"


spec = SourceSpec(
    name="demo",
    summary="Generated articles about invented places and people in bn, en, hi, ta, te",
    options=DemoOptions,
    load=load,
    missing=_missing,
    licence=_licence,
)
