"""What one object of a file holds: a row, an article with its questions, a labelled task."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from autoqa.reading import annotations, questions, tydi
from autoqa.reading.rows import Unusable

Object = Mapping[str, object]
Questions = Iterator[tuple[str, Object | Unusable]]


@dataclass(frozen=True)
class Layout:
    """One way of putting questions into objects.

    Attributes:
        name: What study files call it.
        fits: Whether an object is laid out so.
        questions: (object, its place, a name for what it is) to its questions, each with its place
            and under the names that :mod:`autoqa.reading.fields` reads.
        nested: Whether an object holds several questions, so that places are paths.
    """

    name: str
    fits: Callable[[Object], bool]
    questions: Callable[[Object, str, str], Questions]
    nested: bool = False


def _as_it_stands(record: Object, where: str, name: str) -> Questions:  # noqa: ARG001
    yield where, record


ROWS = Layout("rows", bool, _as_it_stands)
"""One row an object: the ``squad`` features of ``datasets``, chaii's columns, AutoTrain's."""

LAYOUTS = (
    Layout("squad", questions.is_article, questions.of_article, nested=True),
    Layout("mrqa", questions.is_mrqa, questions.of_context, nested=True),
    Layout("korquad", questions.is_korquad, questions.of_context, nested=True),
    Layout("simpletransformers", questions.is_context, questions.of_context, nested=True),
    Layout("tydi", tydi.is_tydi, tydi.question),
    Layout("label-studio", annotations.is_label_studio, annotations.of_label_studio),
    Layout("haystack", annotations.is_haystack, annotations.of_haystack),
    Layout("doccano", annotations.is_doccano, annotations.of_doccano),
)
"""All others, in the order in which they are looked for."""


def layout_of(record: Object) -> Layout:
    """How an object is laid out."""
    return next((layout for layout in LAYOUTS if layout.fits(record)), ROWS)
