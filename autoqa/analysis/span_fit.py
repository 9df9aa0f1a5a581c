"""Weights of both ends and a prior on the length, fitted on stored public predictions.

A handful of settings is tried. Which is best is decided on some documents and measured on others,
each document once (cross-validation), so that the choice itself is paid for; it is enabled only
where the interval of that gain lies above zero. Each setting is a read of the public part.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

import numpy as np

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.kept_result import clear_result, kept_result
from autoqa.analysis.selection import candidate_seat, stored_selection
from autoqa.analysis.stored_predictions import StoredPart, ensemble_plan, load_part
from autoqa.arrays import Doubles, Indices
from autoqa.decoding.span_scoring import SpanScoring, fit_lengths
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.errors import ConfigError, DataError
from autoqa.features.windows import Windows
from autoqa.files import write_atomically
from autoqa.scores.bootstrap import Comparison, paired
from autoqa.store.candidate_record import by_score

STARTS = (1.0, 0.9, 1.1, 0.8, 1.2)
"""Weights of the start logit that are tried; the end's is 2 less it. The first is the plain sum,
and of equally good ones the one next to it is taken."""

LENGTHS = (0.0, 0.25, 0.5, 1.0)
"""Weights of the prior on the length that are tried; the first is none."""

FOLDS = 5
"""Parts of the documents, each of which is measured with what the others chose."""

Setting = tuple[float, float]
"""Weight of the start logit, weight of the prior."""

SETTINGS: tuple[Setting, ...] = tuple(product(STARTS, LENGTHS))

_NO_ANSWER = (
    "too few windows of the public part hold a whole answer to know how long answers are; raise "
    "validation.public, or the protocol's length"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanFit:
    """What was fitted, which can be written to a file and read again.

    Attributes:
        members: Ids of the candidates whose joined answers were fitted.
        scoring: What all documents together choose, by group.
        questions: Questions of the public part.
        folds: Parts of its documents.
        before: Score with the plain sum of logits.
        after: Score on documents that had no say in the choice.
        gain: Of that, with its 95 % interval.
    """

    members: tuple[str, ...]
    scoring: Mapping[str, SpanScoring]
    questions: int
    folds: int
    before: float
    after: float
    gain: Comparison

    @property
    def enabled(self) -> bool:
        """Whether the interval lies above zero."""
        return self.gain.low > 0

    def to_json(self) -> str:
        """The result as a JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "SpanFit":
        """What :meth:`to_json` wrote.

        Raises:
            DataError: The text is something else.
        """
        try:
            content = json.loads(text)
            content["members"] = tuple(content["members"])
            scoring = content["scoring"].items()
            content["scoring"] = {group: SpanScoring(**each) for group, each in scoring}
            content["gain"] = Comparison(**content["gain"])
            return cls(**content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"this is no result of a fit of spans ({error!r:.80})") from error


def ensemble_at_hand(run: StudyRun) -> EnsemblePlan:
    """The last selection, else the candidate with the highest score; plain sums, no rules.

    Raises:
        NothingFeasibleError: There is no candidate.
    """
    selection = stored_selection(run)
    if selection is not None:
        return ensemble_plan(run, selection.members, selection.tie_group)
    leader = min(run.candidates(), key=by_score)
    return ensemble_plan(run, [candidate_seat(run, leader.id)], leader.group)


def fit_spans(run: StudyRun) -> SpanFit:
    """Fits the ensemble at hand, and stores the result for `autoqa export`.

    Args:
        run: The study's run.

    Raises:
        NothingFeasibleError: There is no candidate.
        ConfigError: The study's aggregator adds no logits.
        DataError: There are fewer than three documents, or no answer in any window, or stored
            predictions are missing or damaged.
    """
    plan = ensemble_at_hand(run)
    if plan.aggregator == "characters":
        raise ConfigError(
            "selection.aggregator: 'characters' averages probabilities of characters, so there are "
            "no logits of starts and ends to weigh; spans can be fitted with 'vote' or 'vote-only'"
        )
    part = load_part(run, plan.members, "public")
    result = cross_fit(part, plan)
    run.store.log_read("span settings", ", ".join(result.members), len(SETTINGS) - 1)
    write_atomically(run.folder.span_scoring, result.to_json())
    return result


def stored_span_fit(run: StudyRun) -> SpanFit | None:
    """Result of the last fit; ``None`` where there was none, or it was cleared.

    Raises:
        DataError: The file cannot be read.
    """
    way_out = "`autoqa postprocess spans` writes it anew, with --none it goes."
    return kept_result(run.folder.span_scoring, SpanFit.from_json, way_out)


def with_scoring(run: StudyRun, plan: EnsemblePlan) -> EnsemblePlan:
    """The ensemble with the stored fit, where that was made for these members and helps.

    Raises:
        DataError: The file cannot be read.
    """
    fit = stored_span_fit(run)
    fits = fit is not None and fit.enabled and fit.members == _ids(plan)
    return replace(plan, scoring=fit.scoring) if fit is not None and fits else plan


def clear_spans(run: StudyRun) -> bool:
    """Goes back to the plain sum; says whether any fit was kept."""
    return clear_result(run.folder.span_scoring)


def cross_fit(part: StoredPart, plan: EnsemblePlan) -> SpanFit:
    """Chooses a setting on some documents and measures it on the others, each once.

    Args:
        part: Stored public predictions of the members.
        plan: The ensemble, with plain sums.

    Raises:
        DataError: There are fewer than three documents, or no answer in any window.
    """
    documents = [example.document for example in part.examples]
    fold = _folds(documents)
    lengths = {group: _answer_tokens(windows) for group, windows in part.windows.items()}
    held_out = np.zeros(len(documents))
    plain = _scores(part, plan)
    for number in range(fold.max() + 1):
        judged, chosen_on = fold == number, fold != number
        scores = dict(_all_scores(part, plan, lengths, chosen_on))
        best = max(SETTINGS, key=lambda each: float(scores[each][chosen_on].mean()))
        held_out[judged] = scores[best][judged]
    scores = dict(_all_scores(part, plan, lengths, np.ones(len(documents), bool)))
    setting = max(SETTINGS, key=lambda each: float(scores[each].mean()))
    return SpanFit(
        members=_ids(plan),
        scoring=_scoring(setting, lengths, np.ones(len(documents), bool)),
        questions=len(documents),
        folds=int(fold.max()) + 1,
        before=float(plain.mean()),
        after=float(held_out.mean()),
        gain=paired(held_out, plain, documents),
    )


def _ids(plan: EnsemblePlan) -> tuple[str, ...]:
    return tuple(member.id for member in plan.members)


def _folds(documents: Sequence[str]) -> Indices:
    """The fold of each question, int64 ``[Q]``; whole documents, as many in each as can be."""
    names = sorted(set(documents))
    if len(names) < 3:
        raise DataError(
            f"the public part has {len(names)} document{'' if len(names) == 1 else 's'}; fitting "
            "needs three, to choose on some and to measure on others"
        )
    turn = np.random.default_rng(0).permutation(len(names))
    places = {name: int(turn[i]) % min(FOLDS, len(names)) for i, name in enumerate(names)}
    return np.array([places[document] for document in documents])


def _answer_tokens(windows: Windows) -> tuple[Indices, Indices]:
    """Question and number of tokens of each labelled answer, int64 ``[A]``; a question once."""
    rows = np.flatnonzero(windows.answerable)
    questions, first = np.unique(windows.example[rows], return_index=True)
    if not len(questions):
        raise DataError(_NO_ANSWER)
    label = windows.label[rows[first]].astype(np.int64)
    return questions.astype(np.int64), label[:, 1] - label[:, 0] + 1


def _scoring(
    setting: Setting, lengths: Mapping[str, tuple[Indices, Indices]], seen: np.ndarray
) -> dict[str, SpanScoring]:
    """A setting for each group, its prior from the questions that may be seen."""
    start, length = setting
    made = {}
    for group, (questions, tokens) in lengths.items():
        known = tokens[seen[questions]]
        if not len(known):
            raise DataError(_NO_ANSWER)
        mean, spread = fit_lengths(known)
        made[group] = SpanScoring(start, 2 - start, length, mean, spread)
    return made


def _all_scores(
    part: StoredPart,
    plan: EnsemblePlan,
    lengths: Mapping[str, tuple[Indices, Indices]],
    seen: np.ndarray,
) -> Iterator[tuple[Setting, Doubles]]:
    for setting in SETTINGS:
        yield setting, _scores(part, replace(plan, scoring=_scoring(setting, lengths, seen)))


def _scores(part: StoredPart, plan: EnsemblePlan) -> Doubles:
    """Score of each question, float64 ``[Q]``."""
    return part.question_scores(plan)
