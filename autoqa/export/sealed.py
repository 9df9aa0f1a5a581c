"""Private scores of ensembles: the sealed part is opened once, and what it said is kept."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoqa.ensemble.aggregate import Member
from autoqa.errors import DataError
from autoqa.export.entries import ScoreEntry
from autoqa.export.manifest import VoteEntry
from autoqa.export.run import StudyRun
from autoqa.export.stored import load_part
from autoqa.store.weights import checksum


@dataclass(frozen=True, slots=True)
class PrivateScore:
    """What the sealed part says of an ensemble.

    Attributes:
        score: Its score there.
        opening: Number of the opening that showed it.
        fresh: Whether that was this time.
    """

    score: ScoreEntry
    opening: int
    fresh: bool


def private_score(
    run: StudyRun,
    members: Sequence[Member],
    vote: VoteEntry,
    rules: Mapping[str, Sequence[str]],
    *,
    reason: str,
) -> PrivateScore:
    """The score that is kept, or else opens the private part.

    Args:
        run: The study's run.
        members: The ensemble.
        vote: How members are joined.
        rules: Post-processing rules by language.
        reason: Why the private part is opened, if it must be; it is written down.

    Raises:
        DataError: Predictions are missing or damaged; nothing is opened then.
    """
    key = ensemble_key(run, members, vote, rules)
    kept = run.store.private_score(key)
    if kept is not None:
        return PrivateScore(ScoreEntry.model_validate(kept[1]), kept[0], fresh=False)
    opening = run.store.log_opening(reason, purpose="export")
    found = load_part(run, members, "private", opening).score(members, vote, rules)
    run.store.keep_private_score(key, opening, found.model_dump())
    return PrivateScore(found, opening.number, fresh=True)


def ensemble_key(
    run: StudyRun,
    members: Sequence[Member],
    vote: VoteEntry,
    rules: Mapping[str, Sequence[str]],
) -> str:
    """Digest of all that an ensemble's private score depends on.

    Members, weights, how they are joined, rules, and the bytes of their predictions: a candidate
    that was trained again under its old id, and answers otherwise, is another one.

    Raises:
        DataError: A member's predictions are missing.
    """
    content = {
        "members": [(m.id, m.group, m.weight, private_digest(run, m.id)) for m in members],
        "vote": vote.model_dump(),
        "rules": {language: list(names) for language, names in rules.items()},
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
