"""One candidate as a plain value; the row of the database and the file beside its weights."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRecord:
    """A saved point of a trial's run.

    Attributes:
        id: ``t0003-100``: the trial, and the point of its run in per cent.
        trial: Optuna's trial number.
        fraction: Point of the run, 0 < fraction <= 1.
        backbone: Name in the study file.
        group: Key of its evaluation windows (:class:`autoqa.features.window_group.WindowGroup`):
            the first 12 hex digits of the tokenizer file's sha256, window length and stride.
            Candidates of one group have identical windows, so their logits align.
        recipe_hash: ``Recipe.hash``.
        recipe: The recipe as nested dictionaries.
        learning_rate: Peak rate of the encoder.
        seed: The run's seed.
        jaccard: Mean word-level Jaccard on the public part, 0 to 1.
        em: SQuAD exact match on the public part, 0 to 1.
        f1: SQuAD F1 on the public part, 0 to 1.
        jaccard_by_language: Public Jaccard per language.
        windows_per_second: Training throughput.
        seconds: Training time until this point.
        inference_seconds: Time it took to predict the public part.
        licence: Licence of the pretrained weights.
        jaccard_half_width: Half the width of the 95 % interval of ``jaccard`` (documents drawn
            anew); ``None`` where it was not measured.
    """

    id: str
    trial: int
    fraction: float
    backbone: str
    group: str
    recipe_hash: str
    recipe: dict[str, Any]
    learning_rate: float
    seed: int
    jaccard: float
    em: float
    f1: float
    jaccard_by_language: dict[str, float]
    windows_per_second: float
    seconds: float
    inference_seconds: float
    licence: str
    jaccard_half_width: float | None = None


def by_score(record: CandidateRecord) -> tuple[float, str]:
    """Sorts candidates by public Jaccard, the highest first; of equals, the first trial's."""
    return -record.jaccard, record.id
