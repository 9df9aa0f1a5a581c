"""One candidate as a plain value; the row of the database and the file beside its weights."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from autoqa.errors import DataError, check_keys
from autoqa.recipes import Recipe, TrainingRun
from autoqa.store.checksums import DamagedError
from autoqa.types import DEFAULT_METRIC

VOTER_MARK = "."
"""Stands between the key of windows and the candidate in the group of one that votes alone."""

_FLAT_SCORES = ("jaccard", "em", "f1")
"""What version 0.1.0 wrote beside the other values instead of into ``scores``."""

_MADE_OF = ("ingredients", "teachers", "begins_with")

_OF_METRIC = ("by_language", "half_width")
"""Values whose names in files begin with that of the metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRecord:
    """A saved point of a trial's run, or what was made of several: a soup, or their pupil.

    A soup is the mean of such points' weights; what it has of a run (trial, learning rate, seed,
    training speed) is its latest ingredient's. A pupil was distilled: trained as one of the
    trials was, but to answer as other candidates, its teachers, do.

    Attributes:
        id: ``t0003-100``: the trial, and the point of its run in per cent; of a soup
            :func:`soup_id`, of a pupil :func:`distil_id`.
        trial: Optuna's trial number; of a pupil, the trial whose recipe it was trained with.
        fraction: Point of the run, 0 < fraction <= 1; of a soup 1.
        backbone: Name in the study file.
        group: Key of its evaluation windows (:class:`autoqa.features.window_group.WindowGroup`):
            the first 12 hex digits of the tokenizer file's sha256, window length and stride.
            Candidates of one group have identical windows, so their logits align. One that
            generates answers is alone in its group: its own id follows after :data:`VOTER_MARK`.
        recipe_hash: ``Recipe.hash``; of a soup :func:`soup_hash`, of a pupil :func:`distil_hash`.
        recipe: The recipe as nested dictionaries; of a soup all different stages of its
            ingredients' recipes.
        learning_rate: Peak rate of the encoder.
        seed: The run's seed.
        scores: Means on the public part by name of the metric, the study's among them.
        by_language: Public mean of the study's metric per language.
        windows_per_second: Training throughput.
        seconds: Training time until this point; of a soup that of all its ingredients' runs.
        inference_seconds: Time it took to predict the public part.
        licence: Licence of the pretrained weights.
        half_width: Half the width of the 95 % interval of ``score`` (documents drawn anew);
            ``None`` where it was not measured.
        ingredients: Ids of the candidates whose weights were averaged, in the order of
            :func:`in_time`; empty for a point of a run.
        teachers: Ids of the candidates that a pupil was taught by, sorted, each as often as it had
            seats; empty for all others.
        begins_with: Ids of the candidates whose mean weights its run began with, sorted; empty
            where it began with the pretrained ones, and of a soup.
        metric: The study's metric, which candidates are ranked by.
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
    scores: dict[str, float]
    by_language: dict[str, float]
    windows_per_second: float
    seconds: float
    inference_seconds: float
    licence: str
    half_width: float | None = None
    ingredients: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()
    begins_with: tuple[str, ...] = ()
    metric: str = DEFAULT_METRIC

    @property
    def derived(self) -> bool:
        """Whether it was made of other candidates, and is no point of a trial's own run."""
        return bool(self.ingredients or self.teachers)

    @property
    def generates(self) -> bool:
        """Whether it generates answers, and votes alone, in place of scoring tokens."""
        return generates_alone(self.group)

    @property
    def windows(self) -> str:
        """Key of its evaluation windows, whoever else has them."""
        return windows_key(self.group)

    @property
    def score(self) -> float:
        """Mean of the study's metric on the public part, which search and selection raise."""
        return self.scores[self.metric]

    @property
    def further_scores(self) -> dict[str, float]:
        """The scores but that of the study's metric."""
        return {name: mean for name, mean in self.scores.items() if name != self.metric}

    @property
    def training_run(self) -> TrainingRun:
        """What was trained; of a soup its latest ingredient's method, rate and seed.

        Raises:
            DataError: The recipe says what this version does not know.
        """
        try:
            recipe = Recipe.from_dict(self.recipe)
        except (KeyError, TypeError) as error:
            raise DataError(
                f"candidate {self.id}: its recipe is of another version of autoqa ({error!r:.80}): "
                "search again, or export with that version."
            ) from error
        return TrainingRun(recipe, self.learning_rate, self.seed, self.begins_with)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """A record from the object in a candidate's file, also one of version 0.1.0.

        Raises:
            DataError: It has keys that only a newer version can have written.
            TypeError: A value is missing.
            KeyError: It has no score of its metric.
        """
        values = dict(content)
        if "scores" not in values:
            values["scores"] = {name: values.pop(name) for name in _FLAT_SCORES}
        metric = values.get("metric", DEFAULT_METRIC)
        if metric not in values["scores"]:
            raise KeyError(metric)
        for name in _OF_METRIC:
            if f"{metric}_{name}" in values:
                values[name] = values.pop(f"{metric}_{name}")
        check_keys(cls, values)
        for name in _MADE_OF:
            values[name] = tuple(values.get(name, ()))
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        """The object in a candidate's file; what it is not made of, and Jaccard, goes unsaid."""
        content = {
            f"{self.metric}_{key}" if key in _OF_METRIC else key: value
            for key, value in asdict(self).items()
            if value or key not in _MADE_OF
        }
        if self.metric == DEFAULT_METRIC:
            del content["metric"]
        return content

    def as_text(self) -> str:
        """The text of a candidate's file."""
        return json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n"

    def as_flat(self) -> dict[str, Any]:
        """All values in one object, every score under its metric's name."""
        flat: dict[str, Any] = {}
        for name, value in self.as_json().items():
            flat |= value if name == "scores" else {name: value}
        return flat


def parse_record(content: bytes, where: str) -> CandidateRecord:
    """The record in a candidate's file.

    Args:
        content: Of the file.
        where: The file, for messages.

    Raises:
        DamagedError: It is not a candidate record.
        DataError: It is of a newer version.
    """
    try:
        return CandidateRecord.from_json(json.loads(content))
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedError(f"{where}: not a candidate record ({error})") from error


def windows_key(group: str) -> str:
    """Key of the windows of a group; those of one that votes alone are as others' are."""
    return group.partition(VOTER_MARK)[0]


def generates_alone(group: str) -> bool:
    """Whether a group is that of one model that generates answers."""
    return VOTER_MARK in group


def group_alone(windows: str, candidate: str) -> str:
    """Key of the group of a candidate that votes alone, whose windows have the given key."""
    return f"{windows}{VOTER_MARK}{candidate}"


def identity(record: CandidateRecord) -> tuple[object, ...]:
    """What was trained; two candidates of equal identity are one."""
    run = record.recipe_hash, record.learning_rate, record.seed, record.begins_with
    return record.backbone, *run


def by_score(record: CandidateRecord) -> tuple[float, str]:
    """Sorts by public score, the highest first; of equals, what was made of others first."""
    return -record.score, record.id


def in_time(record: CandidateRecord) -> tuple[int, float, bool, str]:
    """Sorts candidates by trial and point of the run, a soup after its latest ingredient."""
    return record.trial, record.fraction, record.derived, record.id


def soup_hash(ingredients: Iterable[str]) -> str:
    """Twelve hex digits that stand for a set of ingredients, by their ids."""
    return hashlib.sha256("\n".join(sorted(ingredients)).encode()).hexdigest()[:12]


def soup_id(backbone: str, ingredients: Iterable[str]) -> str:
    """``soup-e5-3fa9c1``: the same for the same ingredients, in whatever order.

    Long names of backbones are cut, because the database's column ends at 40 characters.
    """
    return f"soup-{backbone[:28]}-{soup_hash(ingredients)[:6]}"


def distil_hash(run_key: str, teachers: Iterable[str]) -> str:
    """Twelve hex digits that stand for a pupil.

    Args:
        run_key: :attr:`autoqa.recipes.TrainingRun.key` of its training.
        teachers: As in :attr:`CandidateRecord.teachers`, in whatever order.
    """
    return hashlib.sha256("\n".join([run_key, *sorted(teachers)]).encode()).hexdigest()[:12]


def distil_id(backbone: str, run_key: str, teachers: Iterable[str]) -> str:
    """``distil-e5-3fa9c1``: the same for the same run and teachers; long names are cut as above."""
    return f"distil-{backbone[:26]}-{distil_hash(run_key, teachers)[:6]}"
