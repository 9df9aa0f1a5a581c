"""Which rows of a source are wanted, and which of them could become examples."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import blake2b

from autoqa.errors import DataError
from autoqa.placing.fates import Fate, Fates
from autoqa.placing.options import RowOptions
from autoqa.reading import languages
from autoqa.reading.rows import RawRow

NO_LANGUAGE = "its language is not known"
UNUSABLE = "it cannot be used"


def selected(
    rows: Iterable[RawRow], options: RowOptions, skipped: Counter[str] | None = None
) -> Iterator[RawRow]:
    """The rows in the wanted languages, each with an ISO code and the name of a document.

    Rows that cannot be used, for their language is not known, say so as their problem.

    Args:
        rows: Rows in file order.
        options: Which languages are wanted, and which one rows have that state none.
        skipped: Counts the other rows by language.
    """
    for row, _ in _selected(rows, options, Counter() if skipped is None else skipped):
        yield row


def _selected(
    rows: Iterable[RawRow], options: RowOptions, skipped: Counter[str]
) -> Iterator[tuple[RawRow, bool]]:
    """Rows as :func:`selected` gives them, and whether their language is what is wrong."""
    wanted = None if options.languages is None else set(options.languages)
    contexts: dict[str, tuple[str, str]] = {}
    spellings: dict[str, str] = {}
    for row in rows:
        language, problem = spellings.get(row.language, ""), row.problem
        if not language:
            try:
                language = _language(row, options)
            except ValueError as error:
                problem = problem or str(error)
            if row.language and language:
                spellings[row.language] = language
        if language and wanted is not None and language not in wanted:
            skipped[language] += 1
            continue
        # One string object per context, however many questions a file asks about it.
        context_and_document = contexts.get(row.context)
        if context_and_document is None:
            context_and_document = contexts[row.context] = (row.context, _fingerprint(row.context))
        context, document = context_and_document
        document = row.document or document
        language_unknown = problem != row.problem
        said = (row.language, row.document, row.problem)
        if context is not row.context or (language, document, problem) != said:
            row = replace(
                row, context=context, language=language, document=document, problem=problem
            )
        yield row, language_unknown


def _fingerprint(context: str) -> str:
    return "context-" + blake2b(context.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _language(row: RawRow, options: RowOptions) -> str:
    """The row's language as an ISO code; raises a ValueError where it is not known."""
    if row.language:
        try:
            return languages.code(row.language)
        except ValueError as error:
            raise ValueError(f"language {error}.") from None
    language = options.language or languages.code_in_id(row.id)
    if language is None:
        raise ValueError(
            "the row names no language; "
            'set the source\'s option language to its ISO code, such as language = "hi".'
        )
    return language


def usable(rows: Iterable[RawRow], options: RowOptions, fates: Fates) -> list[RawRow]:
    """The wanted rows that could become examples; the others are dropped or refused.

    Args:
        rows: Rows in file order.
        options: Which languages are wanted, and what to do with rows that cannot be used.
        fates: Takes the rows that are not wanted, or dropped.

    Raises:
        DataError: A row is refused, or the languages of most rows are not known.
    """
    left, nameless = [], []
    for row, language_unknown in _selected(rows, options, fates.skipped):
        fates.total += 1
        problem = row.problem or _problem(row)
        if not problem:
            left.append(row)
            continue
        refusal = DataError(f"{row.where}: {problem}")
        if not options.drops:
            raise refusal
        if language_unknown:
            nameless.append(refusal)
        kind = NO_LANGUAGE if language_unknown else UNUSABLE
        sentence = f"{problem.removesuffix('.')}; dropped."
        fates.rows.append(Fate(row.where, row.id, "dropped", (kind,), sentence))
    # Then not single rows are at fault, but an option that was forgotten.
    if 2 * len(nameless) > fates.total:
        raise nameless[0]
    return left


def _problem(row: RawRow) -> str:
    for field in ("id", "question", "context"):
        if not getattr(row, field).strip():
            return f"{field} is empty; correct or remove the row."
    if not row.labelled:
        return (
            "it says nothing about answers; give it answers or answer_text, empty where there is "
            "none."
        )
    return ""
