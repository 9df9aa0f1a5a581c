"""Which column holds what, where a file calls its columns by names of its own."""

import difflib
from collections.abc import Iterator, Mapping, Sequence

from autoqa.errors import ConfigError, did_you_mean
from autoqa.reading.cells import literal

FIELDS = (
    "id",
    "question",
    "context",
    "answers",
    "answers.text",
    "answers.answer_start",
    "answer_text",
    "answer_start",
    "is_impossible",
    "language",
    "document",
)
"""What a row is made of, as ``columns`` names it."""

SYNONYMS = {"context": ("text",), "answer": ("prediction_text", "PredictionString")}
"""Other names that fields have in files of many writers: ``prediction_text`` is what evaluate's
``squad`` metric takes, ``PredictionString`` what chaii's submissions have."""

_REFERENCES = frozenset({"answers", "answers.text", "answer_text", "answer"})
_ABSENT = object()


class Columns:
    """Brings the columns of a file under the names that are read.

    Attributes:
        unseen: Columns that no row has had so far, by the field that they were named for.
        first: The first row, for messages.
        needed: What a table must have.

    Args:
        names: Field to column; dots reach into nested objects (``meta.question``).
        needed: What the header of a table must have, under these names or those of
            :data:`SYNONYMS`.

    Raises:
        ConfigError: There is no such field, or a column has no name.
    """

    def __init__(
        self, names: Mapping[str, str], needed: Sequence[str] = ("question", "context")
    ) -> None:
        problems = column_problems(names)
        if problems:
            raise ConfigError(*problems)
        self.needed = tuple(needed)
        self._names = dict(names)
        self.unseen = dict(names)
        self.first: Mapping[str, object] = {}
        # One column of references is named: what else the file has of them is not meant.
        named = _REFERENCES & names.keys()
        self._hidden = (_REFERENCES | {"answers.answer_start"}) - names.keys() if named else ()

    def __bool__(self) -> bool:
        return bool(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def applied(self, raw: Mapping[str, object]) -> Mapping[str, object]:
        """The row under the names that are read."""
        self.first = self.first or raw
        row = {key: value for key, value in raw.items() if key not in self._hidden}
        for field, column in self._names.items():
            value = _reach(raw, column)
            if value is _ABSENT:
                row.pop(field, None)
            else:
                row[field] = value
                self.unseen.pop(field, None)
        return row

    def column_of(self, field: str) -> str | None:
        """The column that was named for a field, if one was."""
        return self._names.get(field)


def column_problems(names: Mapping[str, str]) -> list[str]:
    """Sentences about fields that rows do not have, and columns without a name."""
    problems = []
    for field, column in names.items():
        if field not in FIELDS:
            hint = did_you_mean(field, FIELDS) or "."
            problems.append(f"columns: {field!r} is none of {', '.join(FIELDS)}{hint}")
        elif not column:
            problems.append(f"columns: {field} is given a column without a name.")
    return problems


def missing_column(field: str, column: str, raw: Mapping[str, object]) -> str:
    """The sentence about a column that a row does not have."""
    names = list(_paths(raw))
    near = difflib.get_close_matches(column, names, n=1)
    hint = f"; is {near[0]!r} meant?" if near else "."
    return f"no column {column!r} for {field}; found {', '.join(map(str, raw)) or 'nothing'}{hint}"


def _paths(raw: Mapping[str, object]) -> Iterator[str]:
    for key, value in raw.items():
        yield str(key)
        if isinstance(value, Mapping):
            yield from (f"{key}.{inner}" for inner in value)


def _reach(value: object, path: str) -> object:
    """What stands at a path of keys; of a list of objects, the list of what stands in each."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            value = literal(value)
        except ValueError:
            return _ABSENT
    if isinstance(value, list):
        reached = [_reach(each, path) for each in value]
        return _ABSENT if _ABSENT in reached else reached
    if not isinstance(value, Mapping):
        return _ABSENT
    if path in value:
        return value[path]
    # The longest key first: a column may have dots in its name.
    place = path.rfind(".")
    while place > 0:
        inner = value.get(path[:place], _ABSENT)
        if inner is not _ABSENT:
            return _reach(inner, path[place + 1 :])
        place = path.rfind(".", 0, place)
    return _ABSENT
