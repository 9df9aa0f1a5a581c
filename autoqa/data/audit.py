"""What is in a study's sources, and what is wrong with it; nothing is repaired or refused."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from autoqa import env
from autoqa.api import AutoqaError, DataError, RawRow, RowOptions
from autoqa.config.checks import check_source
from autoqa.data.answer_lengths import length_sentences
from autoqa.data.metric_fit import metric_sentences
from autoqa.data.overlap import Leak, Reason, between
from autoqa.data.prepare import naming
from autoqa.data.references import merged, several_sentence
from autoqa.data.tally import Loading, SourceAudit, Tally
from autoqa.placing.examples import settle
from autoqa.placing.units import UnitEvidence
from autoqa.registry.bound import BoundSource, BoundStudy
from autoqa.store.run_folder import RunFolder
from autoqa.types import Example


@dataclass(frozen=True, slots=True)
class Shared:
    """What one source has in common with an earlier one.

    Attributes:
        source: The later one.
        held_source: The earlier one.
        rows: Rows of the later one by reason, see :data:`autoqa.data.overlap.REASONS`.
        samples: Some of them.
    """

    source: str
    held_source: str
    rows: dict[Reason, int]
    samples: list[Leak]


@dataclass(frozen=True, slots=True)
class StudyAudit:
    """What is in a study's sources.

    Attributes:
        study: The study's name.
        sources: One for each source, in the file's order.
        shared: Pairs of sources that have something in common.
        answers: Sentences on answers that are longer than those that models may give, on rows with
            several different ones, and on what the metric counts of them.
    """

    study: str
    sources: list[SourceAudit]
    shared: list[Shared]
    answers: list[str]

    @property
    def exit_code(self) -> int:
        """That of the first source which could not be read; 0 where all were."""
        return next((source.exit_code for source in self.sources if source.exit_code), 0)

    @property
    def rows(self) -> int:
        """Rows of all sources."""
        return sum(source.rows for source in self.sources)


def audit_study(bound: BoundStudy, only: str | None = None) -> StudyAudit:
    """Looks at every row of a study's sources, as it stands there, before any overlay.

    A source that cannot be read says so in its audit; the others are looked at.

    Args:
        bound: The study with its plugins.
        only: Name of a source; the others are not looked at.

    Raises:
        ConfigError: There is no source of that name.
    """
    if only is not None:
        check_source(bound.study, only)
    audits, examples = [], {}
    for name in [only] if only is not None else bound.sources:
        audit, examples[name] = audit_source(name, bound.sources[name])
        audits.append(audit)
    shared = _shared(between(examples))
    return StudyAudit(bound.study.name, audits, shared, _answers(bound, examples))


def _answers(bound: BoundStudy, examples: Mapping[str, Sequence[Example]]) -> list[str]:
    run_folder = RunFolder(env.run_folder(bound.study.name))
    recipe = bound.study.recipe
    used = {portion.source for portion in recipe.portions if portion.include is not False}
    trained = {name: merged(rows) for name, rows in examples.items() if name in used}
    several = several_sentence(trained, recipe.answers)
    lines = [*length_sentences(bound, examples, run_folder), *([several] if several else [])]
    validating = examples.get(bound.study.validation.source)
    return [*lines, *(metric_sentences(bound.study, validating) if validating else [])]


def audit_source(name: str, source: BoundSource) -> tuple[SourceAudit, list[Example]]:
    """What is in one source, and its rows for comparing sources."""
    options = source.options if isinstance(source.options, RowOptions) else None
    tally = Tally(name, options.offset_unit if options else "auto")
    rows: list[RawRow] = []
    stopped: AutoqaError | None = None
    try:
        for row in _rows(name, source):
            tally.add(row)
            if options:
                rows.append(row)
    except AutoqaError as error:
        stopped = error
    result = replace(
        tally.result(), loading=_loading(rows, options, tally.evidence) if options else None
    )
    if stopped is not None:
        result = replace(result, unreadable=str(stopped), exit_code=stopped.exit_code)
    return result, tally.examples


def _loading(rows: Sequence[RawRow], options: RowOptions, evidence: UnitEvidence) -> Loading:
    readings = evidence.readings() if options.repairs else None
    try:
        fates = settle(rows, options, readings).fates
    except DataError as error:
        return Loading({}, {}, refused=str(error))
    return Loading(
        repaired=dict(fates.kinds("repaired").most_common()),
        dropped=dict(fates.kinds("dropped").most_common()),
    )


def _rows(name: str, source: BoundSource) -> Iterator[RawRow]:
    """A source's rows as they stand, or as it loads them where it cannot show that."""
    with naming(name, source):
        if source.spec.rows is not None:
            yield from source.spec.rows(source.options)
            return
        for number, example in enumerate(source.spec.load(source.options), start=1):
            yield RawRow(
                where=f"row {number}",
                id=example.id,
                question=example.question,
                context=example.context,
                answers=tuple((answer.text, answer.start) for answer in example.answers),
                language=example.language,
                document=example.document,
            )


def _shared(leaks: Iterable[Leak]) -> list[Shared]:
    pairs: dict[tuple[str, str], list[Leak]] = {}
    for leak in leaks:
        pairs.setdefault((leak.source, leak.held_source), []).append(leak)
    return [
        Shared(*names, dict(Counter(leak.reason for leak in pair_leaks)), _samples(pair_leaks))
        for names, pair_leaks in pairs.items()
    ]


def _samples(leaks: Sequence[Leak]) -> list[Leak]:
    """The first two rows of each reason."""
    taken: Counter[str] = Counter()
    samples = []
    for leak in leaks:
        taken[leak.reason] += 1
        if taken[leak.reason] <= 2:
            samples.append(leak)
    return samples
