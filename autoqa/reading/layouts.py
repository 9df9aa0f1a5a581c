"""What one object of a file holds: a row, an article with its questions, a labelled task."""

from collections.abc import Callable
from dataclasses import dataclass

from autoqa.reading import annotations, questions, tydi
from autoqa.reading.annotations import is_doccano, is_haystack, is_label_studio
from autoqa.reading.argilla import is_argilla, of_argilla
from autoqa.reading.questions import is_article, is_context, of_context
from autoqa.reading.rows import FileObject, PlacedQuestions
from autoqa.reading.tydi import is_tydi


@dataclass(frozen=True)
class RecordLayout:
    """One way of putting questions into objects.

    Attributes:
        name: What study files call it.
        fits: Whether an object is laid out so; the first one of a file tells.
        holds: Whether an object of such a file may be read so.
        questions: (object, its place, a name for what it is) to its questions, each with its place
            and under the names that :mod:`autoqa.reading.fields` reads.
        nested: Whether an object holds several questions, so that places are paths.
    """

    name: str
    fits: Callable[[FileObject], bool]
    holds: Callable[[FileObject], bool]
    questions: Callable[[FileObject, str, str], PlacedQuestions]
    nested: bool = False


def _as_it_stands(record: FileObject, where: str, name: str) -> PlacedQuestions:  # noqa: ARG001
    yield where, record


ROWS = RecordLayout("rows", bool, bool, _as_it_stands)
"""One row an object: the ``squad`` features of ``datasets``, chaii's columns, AutoTrain's."""

LAYOUTS = (
    RecordLayout("squad", is_article, is_article, questions.of_article, nested=True),
    RecordLayout("mrqa", questions.is_mrqa, is_context, of_context, nested=True),
    RecordLayout("korquad", questions.is_korquad, is_context, of_context, nested=True),
    RecordLayout("simpletransformers", is_context, is_context, of_context, nested=True),
    RecordLayout("tydi", is_tydi, is_tydi, tydi.question),
    RecordLayout("label-studio", is_label_studio, annotations.is_task, annotations.of_label_studio),
    RecordLayout("argilla", is_argilla, is_argilla, of_argilla),
    RecordLayout("haystack", is_haystack, is_haystack, annotations.of_haystack),
    RecordLayout("doccano", is_doccano, is_doccano, annotations.of_doccano),
)
"""All others, in the order in which they are looked for."""


def layout_of(record: FileObject) -> RecordLayout:
    """How an object is laid out."""
    return next((layout for layout in LAYOUTS if layout.fits(record)), ROWS)


def misfit(record: FileObject, layout: RecordLayout) -> str:
    """The sentence about an object that is laid out otherwise than the first; empty if it is not.

    Args:
        record: An object.
        layout: The first one's.
    """
    if layout is not ROWS and layout.holds(record):
        return ""
    other = layout_of(record)
    if other is layout:
        return ""
    kinds = [f"of {each.name}" if each is not ROWS else "one row" for each in (other, layout)]
    found = ", ".join(map(str, record)) or "nothing"
    return (
        f"the object has {found}, as {kinds[0]}, but the first one of the file is {kinds[1]}; "
        "put them into files of their own."
    )
