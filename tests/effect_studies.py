"""Studies whose effects are known, searched by a sampler that drifts to what scored well.

A score is a question's difficulty, plus what the recipe does, plus how that differs between
documents, plus the run's luck, plus that of single questions. Ten of the conditions have an
effect, the others have none. Shares, places and languages exist only where their source is taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoqa.recipes import AugmentationUse, Portion, Recipe, Stage
from autoqa.recipes.method import Method
from autoqa.store.candidate_record import CandidateRecord

PLANTED = {
    "minilm instead of e5": -0.06,
    "with squad": 0.05,
    "squad: twice as much": 0.02,
    "squad: last instead of first": -0.05,
    "with tydi": 0.06,
    "tydi: with bn": 0.05,
    "tydi: with ja": -0.05,
    "with cutout": 0.04,
    "learning rate off the first run's by a factor of 2": -0.03,
    "loss jaccard instead of span": 0.04,
}
NULL = (
    "learning rate twice the first run's",
    "one stage more",
    "tydi: with te",
    "tydi: with ru",
    "tydi: twice as much",
    "tydi: last instead of first",
    "with nq",
    "nq: twice as much",
    "nq: last instead of first",
    "with crop",
    "schedule cosine instead of linear",
    "target: last instead of first",
)
LANGUAGES = ("bn", "ja", "ru", "te")
SHARES = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Simulated:
    """What a search leaves that the effects are told from."""

    records: list[CandidateRecord]
    scores: np.ndarray
    documents: list[str]


def _draw(rng: np.random.Generator, centre: Mapping[str, Any] | None) -> dict[str, Any]:
    """A point: anywhere, or near another one, as a sampler does that has seen good ones."""
    point: dict[str, Any] = {
        "backbone": str(rng.choice(["e5", "minilm"])),
        "rate": float(rng.uniform(-1.6, 1.6)),
        "stages": int(rng.integers(1, 4)),
        "loss": str(rng.choice(["span", "jaccard"])),
        "schedule": str(rng.choice(["linear", "cosine"])),
        "cutout": bool(rng.random() < 0.5),
        "crop": bool(rng.random() < 0.5),
        "target.position": float(rng.random()),
    }
    for name in ("squad", "tydi", "nq"):
        point[name] = bool(rng.random() < 0.5)
        point[f"{name}.share"] = float(rng.choice(SHARES))
        point[f"{name}.position"] = float(rng.random())
    point |= {f"tydi.{language}": bool(rng.random() < 0.5) for language in LANGUAGES}
    if centre is not None:
        point |= {key: value for key, value in centre.items() if rng.random() < 0.6}
    return point


def _recipe(point: Mapping[str, Any]) -> Recipe:
    stages: list[list[Portion]] = [[] for _ in range(point["stages"])]

    def put(name: str, portion: Portion) -> None:
        place = int(point[f"{name}.position"] * point["stages"])
        stages[min(place, point["stages"] - 1)].append(portion)

    put("target", Portion("target"))
    for name in ("squad", "tydi", "nq"):
        languages = tuple(each for each in LANGUAGES if point.get(f"{name}.{each}"))
        if point[name] and (name != "tydi" or languages):
            chosen = languages if name == "tydi" and len(languages) < len(LANGUAGES) else None
            put(name, Portion(name, chosen, point[f"{name}.share"]))
    uses = tuple(AugmentationUse(name) for name in ("cutout", "crop") if point[name])
    method = Method(loss=point["loss"], schedule=point["schedule"])
    return Recipe(
        tuple(Stage(tuple(portions), 384, 128, uses) for portions in stages if portions), method
    )


def _truth(point: Mapping[str, Any], recipe: Recipe, effects: Mapping[str, float]) -> list[float]:
    """What each planted condition adds, in the order of :data:`PLANTED`."""
    at = {
        portion.source: (number / max(1, len(recipe.stages) - 1), portion)
        for number, stage in enumerate(recipe.stages)
        for portion in stage.portions
    }
    squad, tydi = at.get("squad"), at.get("tydi")
    languages = () if tydi is None else tydi[1].languages or LANGUAGES
    several = len(recipe.stages) > 1
    amounts = {
        "minilm instead of e5": point["backbone"] == "minilm",
        "with squad": squad is not None,
        "squad: twice as much": np.log2(squad[1].share) + 1 if squad else 0.0,
        "squad: last instead of first": squad[0] - 0.5 if squad and several else 0.0,
        "with tydi": tydi is not None,
        "tydi: with bn": ("bn" in languages) - 0.5 if tydi else 0.0,
        "tydi: with ja": ("ja" in languages) - 0.5 if tydi else 0.0,
        "with cutout": point["cutout"],
        "learning rate off the first run's by a factor of 2": point["rate"] ** 2,
        "loss jaccard instead of span": point["loss"] == "jaccard",
    }
    return [effects.get(name, 0.0) * float(amounts[name]) for name in PLANTED]


def simulate(
    seed: int,
    trials: int,
    *,
    effects: Mapping[str, float] = PLANTED,
    documents: int = 100,
    luck: float = 0.015,
) -> Simulated:
    """One search.

    Args:
        seed: Decides everything.
        trials: How many.
        effects: By how much conditions change the mean score.
        documents: Four questions each.
        luck: Standard deviation of a run's mean score over seeds.
    """
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(documents), 4)
    difficulty = rng.normal(0.55, 0.2, documents)[rows] + rng.normal(0, 0.2, len(rows))
    # The same effect is larger on some documents and smaller on others.
    varying = 1 + rng.normal(0, 1.5, (len(PLANTED), documents))
    varying += 1 - varying.mean(axis=1, keepdims=True)
    records: list[CandidateRecord] = []
    scores: list[np.ndarray] = []
    points: list[dict[str, Any]] = []
    for trial in range(trials):
        drift = trial >= 8 and rng.random() < 0.7
        best = np.argsort([-row.mean() for row in scores])[:5] if drift else []
        point = _draw(rng, points[int(rng.choice(best))] if drift else None)
        if trial < 2:  # a search begins with each backbone's protocol
            point |= {"backbone": ("e5", "minilm")[trial], "rate": 0.0}
        recipe = _recipe(point)
        gains = np.array(_truth(point, recipe, effects)) @ varying
        row = difficulty + gains[rows] + rng.normal(0, luck) + rng.normal(0, 0.15, len(rows))
        points.append(point)
        scores.append(row)
        records.append(record(trial, point["backbone"], recipe, 3e-5 * 2 ** point["rate"]))
    return Simulated(records, np.array(scores), [f"d{number}" for number in rows])


def record(trial: int, backbone: str, recipe: Recipe, rate: float) -> CandidateRecord:
    """The last point of a run."""
    return CandidateRecord(
        id=f"t{trial:04d}-100",
        trial=trial,
        fraction=1.0,
        backbone=backbone,
        group="0" * 12,
        recipe_hash=recipe.hash,
        recipe=recipe.to_dict(),
        learning_rate=rate,
        seed=0,
        scores={"jaccard": 0.5},
        by_language={},
        windows_per_second=1.0,
        seconds=1.0,
        inference_seconds=0.1,
        licence="MIT",
    )
