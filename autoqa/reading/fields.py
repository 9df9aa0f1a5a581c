"""Rows that come as mappings: the Hugging Face ``squad`` features, and what else tools write."""

import difflib
from collections.abc import Callable, Mapping

from autoqa.reading.columns import Columns, missing_column
from autoqa.reading.content import is_unicode
from autoqa.reading.references import (
    UnusableRowError,
    answers_of,
    is_missing,
    plain,
    type_name,
)
from autoqa.reading.rows import ContextNeed, RawRow, Unusable


class RowMaker:
    """Makes rows of mappings.

    Attributes:
        doubtful: Whether texts may hold lone surrogates, as bytes that are no UTF-8 become.

    Args:
        columns: Which column holds what.
        labels: Whether answers are read; rows are unlabelled otherwise, whatever they hold.
        encoding_hint: Says, where a byte is no UTF-8, what the file may be instead.
        need: What a row must say of its context; ``none`` does not look at it.
    """

    def __init__(
        self,
        columns: Columns,
        *,
        labels: bool = True,
        encoding_hint: Callable[[], str] = lambda: "",
        need: ContextNeed = "one",
    ) -> None:
        self.columns = columns
        self.doubtful = True
        self._mapped = bool(columns)
        self._labels = labels
        self._encoding_hint = encoding_hint
        self._need = need
        self._last = ""

    def row(self, raw: object, where: str, number: int | None = None) -> RawRow:
        """The row; one that cannot be used says why.

        Args:
            raw: A mapping, or what stands where one should.
            where: File and line, for messages.
            number: Its number, for an id; without it a row needs one of its own.
        """
        name, numbered = raw.id if isinstance(raw, Unusable) else "", False
        try:
            if type(raw) is not dict:
                raw = _object(raw)
            if self._mapped:
                raw = self.columns.applied(raw)
            # Looked at in place first: a file has many rows, and nearly all are as they should be.
            own = raw.get("id")
            name = own if type(own) is str and not own.isspace() else self._identifier(raw)
            if not name:
                if number is None:
                    raise UnusableRowError(self._wrong(raw, "id", "text or a number"))
                name, numbered = str(number), True
            context, contexts = self._context(raw)
            question = raw.get("question")
            if type(question) is not str:
                question = self._text(raw, "question")
            answers, labelled = answers_of(raw) if self._labels else ((), False)
            language = raw.get("language") or raw.get("lang") or ""
            if type(language) is not str:
                language = self._optional(raw, "language", "lang")
            document = raw.get("document") or raw.get("title") or ""
            if type(document) is not str:
                document = self._optional(raw, "document", "title")
            if self.doubtful or self._mapped:
                self._require_unicode("id", name)
                self._require_unicode("question", question)
                for text in contexts or (context,):
                    self._require_unicode("context", text)
                self._require_unicode("language", language)
                self._require_unicode("document", document)
                for text, _ in answers:
                    self._require_unicode("an answer", text)
            return RawRow(
                where,
                name,
                question,
                context,
                answers,
                language,
                document,
                labelled,
                "",
                numbered,
                contexts,
            )
        except UnusableRowError as bad:
            name = name if is_unicode(name) else ""
            if not name and number is not None:
                name, numbered = str(number), True
            return RawRow(where, name, "", "", (), problem=str(bad), numbered=numbered)

    def _context(self, raw: Mapping[str, object]) -> tuple[str, tuple[str, ...]]:
        """The row's context, or several in its place."""
        context = raw.get("context")
        if self._need == "none":
            return "", ()
        if type(context) is str:
            if self._need == "any" and not is_missing(raw.get("contexts")):
                raise UnusableRowError("it has both context and contexts: give one of them.")
            return context, ()
        key = "contexts" if "contexts" in raw else "context"
        values = raw.get(key)
        if self._need == "one" or not isinstance(values, list | tuple):
            return self._text(raw, "context" if "context" in raw else "text"), ()
        for number, value in enumerate(values, start=1):
            if not isinstance(value, str):
                raise UnusableRowError(
                    f"{key} must be texts, but number {number} is {type_name(value)}."
                )
        if all(not value or value.isspace() for value in values):
            raise UnusableRowError(f"{key} is empty: give at least one text.")
        return "", tuple(values)

    def _text(self, raw: Mapping[str, object], key: str) -> str:
        value = raw.get(key)
        if not isinstance(value, str):
            key = "context" if key == "text" and key not in raw else key
            raise UnusableRowError(self._wrong(raw, key, "text"))
        return value

    def _require_unicode(self, key: str, text: str) -> None:
        if text.isascii() or text is self._last:
            return
        if is_unicode(text):
            if key == "context":
                self._last = text  # questions that stand below their context share it
            return
        code = next(ord(letter) for letter in text if "\ud800" <= letter <= "\udfff")
        if 0xDC80 <= code <= 0xDCFF:  # how bytes were decoded that are no UTF-8
            raise UnusableRowError(
                f"{key} holds the byte 0x{code - 0xDC00:02x}, which is not UTF-8"
                f"{self._encoding_hint() or '.'}"
            )
        raise UnusableRowError(f"{key} holds half a surrogate pair (\\u{code:04x}).")

    def _identifier(self, raw: Mapping[str, object]) -> str:
        """The row's id, numbers too; empty where it has none."""
        value = raw.get("id")
        if isinstance(value, str):
            return value.strip() and value
        value = plain(value)
        if is_missing(value):
            return ""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UnusableRowError(self._wrong(raw, "id", "text or a number"))
        return str(int(value)) if isinstance(value, int) or value.is_integer() else str(value)

    def _optional(self, raw: Mapping[str, object], key: str, other: str) -> str:
        value = raw.get(key)
        if value is None or value == "":
            key, value = other, raw.get(other)
        if isinstance(value, str):
            return value
        if value is None or is_missing(value):
            return ""
        if key in ("document", "title") and isinstance(value, int):
            return str(value)
        raise UnusableRowError(self._wrong(raw, key, "text"))

    def _wrong(self, raw: Mapping[str, object], key: str, expected: str) -> str:
        if key in raw:
            return f"{key} must be {expected}, found {type_name(raw[key])}."
        column = self.columns.column_of(key)
        if column is not None:
            return missing_column(key, column, raw)
        near = difflib.get_close_matches(key, [str(name) for name in raw], n=1)
        hint = f"; is {near[0]!r} meant?" if near else "."
        fields = ", ".join(str(name) for name in raw) or "nothing"
        return f"{key} is missing; the row has {fields}{hint}"


def _object(raw: object) -> Mapping[str, object]:
    if isinstance(raw, Unusable):
        raise UnusableRowError(raw.problem)
    if not isinstance(raw, Mapping):
        raise UnusableRowError(
            f"expected an object with question and context, found {type_name(raw)}."
        )
    return raw


def row_from(
    raw: object,
    where: str,
    columns: Mapping[str, str] | None = None,
    *,
    number: int | None = None,
) -> RawRow:
    """Reads question, context and, where there are any, id, answers, language and document.

    Args:
        raw: A decoded row. ``answers`` is ``{"text": [...], "answer_start": [...]}``, a list of
            such objects or a list of texts; ``answer_text`` and ``answer_start`` stand for one.
            ``document`` or ``title`` names what the context was cut from.
        where: File and line, for messages.
        columns: Field to column, where the row calls them by other names.
        number: The row's number, which is its id where it has none.

    Returns:
        The row; where it cannot be used, its ``problem`` says why.

    Raises:
        ConfigError: ``columns`` names a field that rows do not have.
    """
    return RowMaker(Columns(columns or {})).row(raw, where, number)
