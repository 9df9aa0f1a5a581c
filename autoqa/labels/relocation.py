"""Relocation of a study's answers: texts, and what candidates of its search say about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from autoqa.analysis.finished_run import open_run
from autoqa.arrays import Doubles, Floats
from autoqa.config.checks import check_source
from autoqa.data.overlay import Overlay, fingerprint
from autoqa.data.prepare import corrected, load_source
from autoqa.decoding.fragments import log_probabilities
from autoqa.env import run_folder
from autoqa.errors import DataError, NothingFeasibleError
from autoqa.features.windows import Windows
from autoqa.labels.ambiguous_answers import (
    USUAL,
    AmbiguousAnswer,
    Coefficients,
    PlacedAnswer,
    changes,
    find_ambiguous,
    learn,
    model_evidence,
)
from autoqa.labels.candidate_opinions import Judges
from autoqa.registry import BoundStudy
from autoqa.store.run_folder import RunFolder
from autoqa.types import Example, ProgressCallback

EXPECTED_WRONG = 0.1
"""Share of the moves that may be expected to be wrong where nobody gives a threshold."""


@dataclass(frozen=True, slots=True)
class Relocation:
    """Where the answers of a source belong.

    Attributes:
        source: Its name.
        mark: Fingerprint of its rows before any correction.
        rows: How many it has.
        settled: Rows that another overlay has changed; they are left as they are.
        elsewhere: Answers that occur several times and are left alone, because they do not stand
            at the first occurrence: whoever put them there knew the place.
        placed: All others that occur several times, with the likeliest place.
        coefficients: What each kind of evidence counted.
    """

    source: str
    mark: str
    rows: int
    settled: int
    elsewhere: int
    placed: tuple[PlacedAnswer, ...]
    coefficients: Coefficients

    @property
    def judged(self) -> int:
        """Answers about which candidates were asked."""
        return sum(answer.ambiguous.models is not None for answer in self.placed)

    def moves(self, threshold: float) -> list[PlacedAnswer]:
        """Answers that move with at least this confidence, the most confident first."""
        moved = (each for each in self.placed if each.moved and each.confidence >= threshold)
        return sorted(moved, key=lambda each: -each.confidence)

    def careful_threshold(self) -> float:
        """From which confidence on fewer than :data:`EXPECTED_WRONG` of the moves are wrong.

        As the confidences say themselves, which are right where answers were put at their first
        occurrence, and too high where most stand where they were meant to. 1 where no move is sure
        enough. Equally sure moves are made together or not at all.
        """
        lowest, doubt, count = 1.0, 0.0, 0
        for confidence, equals in groupby(self.moves(0.0), key=lambda move: move.confidence):
            more = len(list(equals))
            doubt, count = doubt + more * (1 - confidence), count + more
            if doubt / count >= EXPECTED_WRONG:
                break
            lowest = confidence
        return lowest

    def overlay(self, threshold: float) -> Overlay:
        """The rows that move with at least this confidence."""
        return Overlay(self.source, self.mark, changes(self.placed, threshold))


def relocate(
    bound: BoundStudy,
    source: str,
    *,
    target: Path | None,
    models: int,
    learn_from: Sequence[str] = (),
    translations: Sequence[str] = (),
    any_place: bool = False,
    progress: ProgressCallback | None = None,
) -> Relocation:
    """Finds the likeliest place of every answer of a source that occurs several times.

    Rows that the source's overlays have changed already are left as they are, but for changes that
    stand in ``target``: they are made anew.

    Args:
        bound: The study with its plugins.
        source: Name of the source.
        target: The overlay that is going to be written, if one is.
        models: Most candidates that are asked about one answer, once the study was searched; 0
            goes by the texts alone.
        learn_from: Names of sources whose offsets can be trusted; what each kind of evidence
            counts is learned from them. Left out, it is as usual.
        translations: Names of sources that hold translations under the same ids.
        any_place: Whether answers are looked at that stand elsewhere than at their first
            occurrence.
        progress: Called with candidates asked and candidates in all.

    Raises:
        ConfigError: The study has no such source.
        DataError: A source cannot be read, too little can be learned from, or the study's rows
            are no longer those that it was searched with.
        MissingAssetError: A source or an overlay is not on this machine.
        PluginError: A plugin failed.
    """
    check_source(bound.study, source)
    _check_others(bound, learn_from, translations)
    coefficients = _learned(bound, learn_from, models, progress) if learn_from else USUAL
    given, rows = _rows(bound, source, target)
    found = find_ambiguous(rows, [row for n in translations for row in _rows(bound, n, None)[1]])
    doubtful = [each for each in found if any_place or each.answer.start == each.starts[0]]
    ambiguous = _with_candidates(bound, source, doubtful, models, progress)
    before = {(row.id, row.language): row.answers for row in given}
    current = {(row.id, row.language): row.answers for row in rows}
    return Relocation(
        source=source,
        mark=fingerprint(given),
        rows=len(given),
        elsewhere=len(found) - len(doubtful),
        settled=sum(current.get(key) != answers for key, answers in before.items()),
        placed=tuple(
            coefficients.place(answer)
            for answer in ambiguous
            if before[answer.example.id, answer.example.language] == answer.example.answers
        ),
        coefficients=coefficients,
    )


def _check_others(
    bound: BoundStudy, learn_from: Sequence[str], translations: Sequence[str]
) -> None:
    for option, names in (("--learn-from", learn_from), ("--translations", translations)):
        for name in names:
            check_source(bound.study, name, option)


def _learned(
    bound: BoundStudy, names: Sequence[str], models: int, progress: ProgressCallback | None
) -> Coefficients:
    """Coefficients from sources whose offsets can be trusted."""
    trusted = []
    for name in names:
        ambiguous = find_ambiguous(_rows(bound, name, None)[1])
        trusted += _with_candidates(bound, name, ambiguous, models, progress)
    return learn(trusted)


def _rows(bound: BoundStudy, name: str, target: Path | None) -> tuple[list[Example], list[Example]]:
    """A source's rows before any correction, and with the overlays other than the target."""
    given, _ = load_source(name, bound.sources[name])
    overlays = [
        path
        for path in bound.study.sources[name].overlays
        if target is None or Path(path).resolve() != target.resolve()
    ]
    return given, corrected(name, given, overlays)[0]


def _with_candidates(
    bound: BoundStudy,
    source: str,
    ambiguous: list[AmbiguousAnswer],
    models: int,
    progress: ProgressCallback | None,
) -> list[AmbiguousAnswer]:
    """Ambiguous answers with what candidates say, once the study was searched."""
    folder = RunFolder(run_folder(bound.study.name))
    if not models or not ambiguous or not folder.study_file.is_file() or not folder.candidate_ids():
        return ambiguous
    try:
        judges = Judges(open_run(bound.study.name), source)
    except (DataError, NothingFeasibleError) as error:
        raise DataError(f"{error} Or pass --models 0, which goes by the texts alone.") from error
    return with_models(ambiguous, judges, models=models, progress=progress)


def with_models(
    ambiguous: Sequence[AmbiguousAnswer],
    judges: Judges,
    *,
    models: int,
    progress: ProgressCallback | None = None,
) -> list[AmbiguousAnswer]:
    """Answers with what candidates say about each occurrence.

    Args:
        ambiguous: Answers of the judges' source.
        judges: The candidates.
        models: Most candidates that are asked about one answer.
        progress: Called with candidates asked and candidates in all.

    Returns:
        The same answers, row by row; those that no candidate can judge as they were.
    """
    wanted: dict[_RowId, list[AmbiguousAnswer]] = {}
    for answer in ambiguous:
        wanted.setdefault((answer.example.id, answer.example.language), []).append(answer)
    opinions = judges.ask(
        [row_answers[0].example for row_answers in wanted.values()],
        partial(_read, wanted),
        models=models,
        progress=progress,
    )
    return [
        replace(answer, models=model_evidence([opinion.value[place] for opinion in heard]))
        for row_answers, heard in zip(wanted.values(), opinions, strict=True)
        for place, answer in enumerate(row_answers)
    ]


_RowId = tuple[str, str]
"""Id and language of a row."""


def _read(
    wanted: Mapping[_RowId, Sequence[AmbiguousAnswer]],
    examples: Sequence[Example],
    windows: Windows,
    start: Floats,
    end: Floats,
) -> list[list[Doubles]]:
    """For each example the log-probabilities of the occurrences of each answer that is asked."""
    answers = [wanted.get((example.id, example.language), ()) for example in examples]
    fragments = [
        [(at, at + len(answer.answer.text)) for answer in row_answers for at in answer.starts]
        for row_answers in answers
    ]
    log_likelihoods = log_probabilities(start, end, windows, fragments)
    return [
        np.split(values, np.cumsum([len(answer.starts) for answer in row_answers])[:-1])
        for row_answers, values in zip(answers, log_likelihoods, strict=True)
    ]
