"""Augmentations of rows in a whole study: what it lacks, whom they may ask, what is trained on."""

import json
from pathlib import Path

import pytest

from autoqa.cli.main import main
from autoqa.data import prepare_data
from autoqa.errors import ConfigError
from autoqa.recipes import AugmentationUse, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import BoundStudy, open_study
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Message, RecipeCard, SnapshotTaken
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench
from tests.toy_study import write_study

CROSSED = """
[[recipe.augmentations]]
type = "cross-lingual"
share = 1.0
sources = ["lent"]
[validation]"""
TABLE = """
[[recipe.augmentations]]
type = "back-translation"
table = "{folder}/table.jsonl"
[validation]"""


def study(folder: Path, augmentation: str, *, share: float = 1.0) -> Path:
    """A toy study, and the questions of all its rows in another language."""
    path = write_study(folder, share=share)
    lent = []
    for name in ("train", "exam"):
        rows = json.loads((folder / f"{name}.json").read_text())
        questions = [q for a in rows["data"] for p in a["paragraphs"] for q in p["qas"]]
        for question in questions:
            question |= {"id": f"{name}-row-{question['id']}", "language": "en"}
        (folder / f"{name}.json").write_text(json.dumps(rows))
        for question in questions:
            question |= {"question": f"कहाँ {question['question']}", "language": "hi"}
        lent += rows["data"]
    (folder / "lent.json").write_text(json.dumps({"data": lent}))
    text = path.read_text().replace("[validation]", augmentation.format(folder=folder))
    lending = f'[sources.lent]\ntype = "file"\npath = "{folder}/lent.json"\nlanguage = "hi"\n'
    path.write_text(text.replace("[backbones.toy]\n", f"{lending}[backbones.toy]\n"))
    return path


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))


def asked(bound: BoundStudy, folder: Path, portion: str = "train") -> list[str]:
    """The questions that a trial trains on, as far as augmentations made them."""
    messages: list[Message] = []
    use = AugmentationUse("cross-lingual", (("share", 1.0), ("sources", ("lent",))))
    run = TrainingRun(Recipe((Stage((Portion(portion),), 32, 8, (use,)),)), 5e-3, 0)
    bench = Workbench(bound, folder / "runs" / "toy")
    seen: list[str] = []

    def teach(stages):  # type: ignore[no-untyped-def]
        seen.extend(each.question for stage in stages for each in stage.made)
        return stages

    run_trial(TrialJob(0, "toy", run, bench.run_folder), bench, messages.append, teach)
    assert any(isinstance(each, SnapshotTaken) for each in messages)
    (card,) = (each for each in messages if isinstance(each, RecipeCard))
    assert any("made by augmentations" in line for line in card.lines)
    return seen


def test_a_trial_trains_on_what_augmentations_made(tmp_path: Path) -> None:
    bound = open_study(study(tmp_path, CROSSED))
    data = prepare_data(bound)
    made = asked(bound, tmp_path)
    assert len(made) == len(data.train["train"])
    assert all(question.startswith("कहाँ") for question in made)


def test_no_question_of_a_validation_row_is_lent(tmp_path: Path) -> None:
    """A source that lends questions loses what stands in validation, as those of slots do."""
    bound = open_study(study(tmp_path, CROSSED, share=0.5))
    data = prepare_data(bound)
    held = {each.id for each in (*data.public, *data.private)}
    lent = {each.id for each in data.train["lent"]}
    assert held
    assert not held & lent
    assert {each.id for each in data.train["exam"]} <= lent
    forbidden = {f"कहाँ {each.question}" for each in (*data.public, *data.private)}
    made = asked(bound, tmp_path, "exam")
    assert made
    assert not forbidden & set(made) - {f"कहाँ {each.question}" for each in data.train["exam"]}


def test_a_source_that_nobody_knows_is_named(tmp_path: Path) -> None:
    path = study(tmp_path, CROSSED.replace('"lent"', '"lend"'))
    with pytest.raises(ConfigError) as caught:
        open_study(path)
    sentence = "recipe.augmentations[0]: there is no source 'lend'; did you mean 'lent'?"
    assert caught.value.problems == (f"{path}: {sentence}",)


def test_a_table_that_is_not_here_is_said_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study(tmp_path, TABLE)
    with pytest.raises(SystemExit) as caught:
        main(["search", str(path), "--dry-run"])
    assert caught.value.code == 4
    sentence = f"Error: recipe.augmentations[0]: there is no table '{tmp_path}/table.jsonl'"
    assert sentence in capsys.readouterr().err
    unused = path.read_text().replace("[validation]", "include = false\n[validation]")
    path.write_text(unused)
    assert open_study(path).missing() == []
