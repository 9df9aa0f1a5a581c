"""A bundle of three groups and four members, one with a conditional head; written once."""

from pathlib import Path

import pytest

from autoqa.bundle.entries import GroupEntry, MemberEntry
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.export.write import BundlePlan, write_bundle
from autoqa.scores.summary import ScoreEntry
from tests import bundle_kit

SCORE = ScoreEntry(jaccard=0.61, low=0.56, high=0.66, em=0.5, f1=0.7, questions=40)


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> BundlePlan:
    folder = tmp_path_factory.mktemp("models")
    groups, members, models = [], [], {}
    variants: tuple[tuple[str, dict[str, bool], tuple[int, ...]], ...] = (
        ("plain", {}, (3,)),
        ("lower", {"lower": True}, (1, 2)),
        ("backwards", {"backwards": True}, (4,)),
    )
    for backbone, variant, seeds in variants:
        key = bundle_kit.write_tokenizer(folder / backbone, **variant).key
        group = f"{key}-{bundle_kit.LENGTH}-{bundle_kit.STRIDE}"
        groups.append(
            GroupEntry(
                id=group,
                folder=f"tokenizers/{group}",
                length=bundle_kit.LENGTH,
                stride=bundle_kit.STRIDE,
                max_answer_tokens=None if groups else 7,
            )
        )
        for seed in seeds:
            name = f"t{seed:04d}-100"
            models[name] = folder / name
            bundle_kit.write_model(models[name], folder / backbone, seed, conditional=seed == 2)
            members.append(
                MemberEntry(
                    id=name,
                    backbone=backbone,
                    group=group,
                    weight=seed,
                    folder=f"members/{name}",
                    precision="fp32",
                    licence="MIT",
                    trial=seed,
                    fraction=1.0,
                    learning_rate=3e-5,
                    seed=seed,
                    recipe={"stages": [{"portions": [{"source": "toy", "languages": ["hi"]}]}]},
                    public=SCORE,
                    reason="highest in its group",
                )
            )
    return BundlePlan(
        study="toy",
        members=tuple(members),
        groups=tuple(groups),
        ensemble=EnsemblePlan([entry.member for entry in members], groups[1].id),
        max_answer_tokens=12,
        public=SCORE,
        private=SCORE,
        openings=1,
        models=models,
    )


@pytest.fixture(scope="session")
def bundle(plan: BundlePlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("bundles") / "bundle"
    write_bundle(plan, target)
    return target
