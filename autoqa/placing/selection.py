"""Which rows of a source are wanted, and which of them could become examples."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import blake2b
from typing import NamedTuple

from autoqa.errors import DataError
from autoqa.placing.fates import Fate, Fates
from autoqa.placing.options import RowOptions
from autoqa.reading import languages
from autoqa.reading.rows import RawRow

NO_LANGUAGE = "its language is not known"
UNUSABLE = "it cannot be used"
_EMPTY = "{} is empty; correct or remove the row."
_UNLABELLED = (
    "it says nothing about answers; give it answers or answer_text, empty where there is none."
)


class Chosen(NamedTuple):
    """A row in a wanted language.

    Attributes:
        row: As it was read.
        context: Its context; rows with equal ones share it.
        language: ISO code; empty where it is not known.
        document: Its document, or a name for its context.
        problem: Why it cannot be used.
        language_unknown: Whether its language is what is wrong.
    """

    row: RawRow
    context: str
    language: str
    document: str
    problem: str
    language_unknown: bool

    def settled(self) -> RawRow:
        """The row with all that."""
        row = self.row
        said = (row.language, row.document, row.problem)
        if self.context is row.context and (self.language, self.document, self.problem) == said:
            return row
        return replace(
            row,
            context=self.context,
            language=self.language,
            document=self.document,
            problem=self.problem,
        )


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
    for chosen in _chosen(rows, options, Counter() if skipped is None else skipped):
        yield chosen.settled()


def _chosen(rows: Iterable[RawRow], options: RowOptions, skipped: Counter[str]) -> Iterator[Chosen]:
    wanted = None if options.languages is None else set(options.languages)
    contexts: dict[str, str] = {}
    spellings: dict[str, str] = {"": options.language or ""}
    context, fingerprint = "", ""
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
        if row.context != context:
            context, fingerprint = contexts.setdefault(row.context, row.context), ""
        document = row.document
        if not document:
            document = fingerprint = fingerprint or _fingerprint(context)
        yield Chosen(row, context, language, document, problem, problem != row.problem)


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


def usable(rows: Iterable[RawRow], options: RowOptions, fates: Fates) -> Iterator[Chosen]:
    """The wanted rows that could become examples; the others are dropped or refused.

    Args:
        rows: Rows in file order.
        options: Which languages are wanted, and what to do with rows that cannot be used.
        fates: Takes the rows that are not wanted, or dropped.

    Raises:
        DataError: A row is refused; or, after the last one, the languages of most are not known.
    """
    nameless = []
    for chosen in _chosen(rows, options, fates.skipped):
        fates.total += 1
        problem = chosen.problem or _problem(chosen.row)
        if not problem:
            yield chosen
            continue
        row = chosen.row
        refusal = DataError(f"{row.where}: {problem}")
        if not options.drops:
            raise refusal
        if chosen.language_unknown:
            nameless.append(refusal)
        kind = NO_LANGUAGE if chosen.language_unknown else UNUSABLE
        sentence = f"{problem.removesuffix('.')}; dropped."
        fates.rows.append(Fate(row.where, row.id, "dropped", (kind,), sentence))
    # Then not single rows are at fault, but an option that was forgotten.
    if 2 * len(nameless) > fates.total:
        raise nameless[0]


def _problem(row: RawRow) -> str:
    name, question, context = row.id, row.question, row.context
    if not name or name.isspace():
        return _EMPTY.format("id")
    if not question or question.isspace():
        return _EMPTY.format("question")
    if not context or context.isspace():
        return _EMPTY.format("context")
    return "" if row.labelled else _UNLABELLED
