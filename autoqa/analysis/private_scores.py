"""Private scores of ensembles: the private part is opened once for each, its score stored."""

import hashlib
import json
from dataclasses import asdict, dataclass

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.none_scores import split_of
from autoqa.analysis.stored_predictions import load_part
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.errors import DataError
from autoqa.features.files import kept_limits
from autoqa.scores.answerability import AnswerSplit
from autoqa.scores.summary import ScoreEntry
from autoqa.store.checksums import checksum
from autoqa.store.private_openings import Opening


@dataclass(frozen=True, slots=True)
class PrivateScore:
    """An ensemble's score on the private part.

    Attributes:
        score: The score.
        opening: Number of the opening that showed it.
        fresh: Whether that was this time.
        split: By whether there is an answer; ``None`` where the ensemble always answers.
    """

    score: ScoreEntry
    opening: int
    fresh: bool
    split: AnswerSplit | None = None


def private_score(run: StudyRun, plan: EnsemblePlan, *, reason: str) -> PrivateScore:
    """The stored score, or else that of a new opening of the private part.

    Args:
        run: The study's run.
        plan: The ensemble.
        reason: Why the private part is opened, if it must be; it is written down.

    Raises:
        DataError: Predictions are missing or damaged; nothing is opened then.
    """
    key = ensemble_key(run, plan)
    earlier = run.store.private_score(key)
    if earlier is not None:
        content = dict(earlier[1])
        split = content.pop("split", None)
        parts = None if split is None else AnswerSplit(**split)
        return PrivateScore(ScoreEntry.model_validate(content), earlier[0], False, parts)
    opening = run.store.log_opening(reason, purpose="export")
    part = load_part(run, plan.members, "private", opening)
    score, found = part.score(plan), split_of(part, plan)
    keep_score(run, key, opening, score, found)
    return PrivateScore(score, opening.number, True, found)


def keep_score(
    run: StudyRun, key: str, opening: Opening, score: ScoreEntry, split: AnswerSplit | None
) -> None:
    """Keeps what an opening showed of an ensemble, by its key."""
    parts = {} if split is None else {"split": asdict(split)}
    run.store.keep_private_score(key, opening, {**score.model_dump(), **parts})


def candidate_key(run: StudyRun, candidate: str) -> str:
    """What a candidate's own private score is kept by; other predictions have another.

    Raises:
        DataError: Its predictions are missing.
    """
    return f"{candidate} {private_digest(run, candidate)[:16]}"


def ensemble_key(run: StudyRun, plan: EnsemblePlan) -> str:
    """Digest of all that an ensemble's private score depends on.

    Members, weights, how they are joined, rules, how spans are scored and how long they may be, and
    the bytes of their predictions: a candidate that was trained again under its old id, and answers
    otherwise, is another one.

    Raises:
        DataError: A member's predictions or windows are missing.
    """
    # Only where there is any: the scores of ensembles without stay known by their key.
    scoring = {group: asdict(each) for group, each in plan.scoring.items()}
    limits = kept_limits(run.folder, plan.groups)
    others = {group: most for group, most in limits.items() if most != limits[plan.tie_group]}
    content = {
        **({"scoring": scoring} if scoring else {}),
        **({"max_answer_tokens": others} if others else {}),
        **({"no_answer": asdict(plan.none)} if plan.none is not None else {}),
        "members": [(m.id, m.group, m.weight, private_digest(run, m.id)) for m in plan.members],
        "vote": {
            "best": plan.tie_group,
            "max_answer_tokens": limits[plan.tie_group],
            "aggregator": plan.aggregator,
            "words": plan.words,
        },
        **({} if plan.segmentation == "words" else {"segmentation": plan.segmentation}),
        "rules": {language: list(names) for language, names in plan.rules.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def private_digest(run: StudyRun, candidate: str) -> str:
    """Digest of a candidate's private predictions, which gives nothing of them away.

    Raises:
        DataError: They are missing.
    """
    path = run.folder.logits_path(candidate, "private")
    try:
        return checksum(path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot read the predictions of candidate {candidate} ({error.strerror}): "
            "restore the run folder, or select again without it"
        ) from error
