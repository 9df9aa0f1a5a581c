"""What one object of a file holds: a row, an article with its questions, a labelled task."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from autoqa.reading import annotations, questions, tydi
from autoqa.reading.annotations import is_doccano, is_haystack, is_label_studio
from autoqa.reading.questions import is_article, is_context, of_context
from autoqa.reading.rows import Unusable
from autoqa.reading.tydi import is_tydi

Object = Mapping[str, object]
Questions = Iterator[tuple[str, Object | Unusable]]


@dataclass(frozen=True)
class Layout:
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
    fits: Callable[[Object], bool]
    holds: Callable[[Object], bool]
    questions: Callable[[Object, str, str], Questions]
    nested: bool = False


def _as_it_stands(record: Object, where: str, name: str) -> Questions:  # noqa: ARG001
    yield where, record


ROWS = Layout("rows", bool, bool, _as_it_stands)
"""One row an object: the ``squad`` features of ``datasets``, chaii's columns, AutoTrain's."""

LAYOUTS = (
    Layout("squad", is_article, is_article, questions.of_article, nested=True),
    Layout("mrqa", questions.is_mrqa, is_context, of_context, nested=True),
    Layout("korquad", questions.is_korquad, is_context, of_context, nested=True),
    Layout("simpletransformers", is_context, is_context, of_context, nested=True),
    Layout("tydi", is_tydi, is_tydi, tydi.question),
    Layout("label-studio", is_label_studio, annotations.is_task, annotations.of_label_studio),
    Layout("haystack", is_haystack, is_haystack, annotations.of_haystack),
    Layout("doccano", is_doccano, is_doccano, annotations.of_doccano),
)
"""All others, in the order in which they are looked for."""


def layout_of(record: Object) -> Layout:
    """How an object is laid out."""
    return next((layout for layout in LAYOUTS if layout.fits(record)), ROWS)


def misfit(record: Object, layout: Layout) -> str:
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
