"""A study with a planted defect, an augmentation that repairs it, and one that does nothing.

Half of the training rows are labelled with a person instead of the place where the person lives.
``planted-repair`` labels them rightly; ``planted-shuffle`` only changes the order of rows, which is
random anyway; ``planted-broken`` fails. They are an installed distribution, made of files. Runs of
the random encoder take about a second.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForQuestionAnswering

from autoqa.cli.main import main
from autoqa.modeling.load import rounded_state, save_model
from autoqa.modeling.model import SpanModel
from autoqa.store.run_folder import RunFolder
from autoqa.types import Answer, Example
from tests import bundle_kit

PLUGIN = """
from dataclasses import replace

from autoqa.api import Augmentation, AugmentationSpec, Options
from autoqa.store.run_folder import RunFolder
from autoqa.types import Answer

PLACES = ("Pune", "Rome", "Delhi", "Oslo", "Lima")


class Repair(Augmentation):
    def rows(self, rows, rng):
        return [repaired(example) for example in rows.examples]


class Broken(Augmentation):
    def rows(self, rows, rng):
        raise ValueError("no rows today")


class Shuffle(Augmentation):
    def rows(self, rows, rng):
        return [rows.examples[number] for number in rng.permutation(len(rows.examples))]


def repaired(example):
    place = next(word for word in example.context.split() if word in PLACES)
    if example.answers[0].text == place:
        return example
    return replace(example, answers=(Answer(place, example.context.index(place)),))


def spec(name, make):
    return AugmentationSpec(
        name=name, summary="Planted", options=Options, build=lambda _: make(), api_version=1
    )


repair, shuffle = spec("planted-repair", Repair), spec("planted-shuffle", Shuffle)
broken = spec("planted-broken", Broken)
"""

STUDY = """
name = "planted"
seed = {seed}
[sources.train]
type = "file"
path = "{folder}/train.json"
[sources.exam]
type = "file"
path = "{folder}/exam.json"
[backbones.toy]
type = "huggingface"
model = "{folder}/backbone"
[backbones.toy.protocol]
learning_rate = 1e-2
batch_size = 8
epochs = 2
length = 48
stride = 8
precision = "fp32"
dropout = 0.1
[recipe]
{recipe}
[[recipe.augmentations]]
type = "planted-shuffle"
[[recipe.augmentations]]
type = "planted-repair"
include = "search"
{more}
[validation]
source = "exam"
public = 0.6
[search]
trials = 1
workers = 1
"""

BROKEN = """
[[recipe.augmentations]]
type = "planted-broken"
include = "search"
"""

NAMES = ("Ada", "Bose", "Curie", "Dev", "Euler", "Fermi", "Gauss", "Hari")
PLACES = ("Pune", "Rome", "Delhi", "Oslo", "Lima")


TRAIN = ("Where does {} live ?", "near the old station")
EXAM = ("In which town is the home of {} to be found ?", "past the new airport")


def rows(count: int, seed: int, words: tuple[str, str], wrong: float = 0.0) -> list[Example]:
    """Questions about contexts with one place each.

    Args:
        count: How many.
        seed: Decides all of them.
        words: The question, and what contexts have besides: training and validation share neither,
            or rows would be left out of training.
        wrong: Share of rows whose answer is the person.
    """
    rng = np.random.default_rng(seed)
    question, where = words
    made = []
    for number in range(count):
        people = rng.choice(NAMES, 3, replace=False)
        asked, place = int(rng.integers(3)), rng.choice(PLACES)
        context = " ".join(
            f"{name} lives in {place} , {where} ." if each == asked else f"{name} lives {where} ."
            for each, name in enumerate(people)
        )
        answer = str(people[asked]) if rng.random() < wrong else str(place)
        made.append(
            Example(
                id=f"{where[:4]}{number}",
                question=question.format(people[asked]),
                context=context,
                answers=(Answer(answer, context.index(answer)),),
                language="en",
                document=f"{where[:4]}{number // 2}",
            )
        )
    return made


def install(folder: Path) -> Path:
    """Writes the distribution; the folder returned belongs on sys.path."""
    packages = folder / "packages"
    info = packages / "autoqa_planted-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: autoqa-planted\nVersion: 1.0\n")
    names = ("repair", "shuffle", "broken")
    lines = ["[autoqa.augmentations]", *(f"planted-{name} = planted:{name}" for name in names)]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (packages / "planted.py").write_text(PLUGIN)
    return packages


PORTIONS = 'portions = [{ source = "train" }]'


def write_planted(folder: Path, seed: int = 0, more: str = "", recipe: str = PORTIONS) -> Path:
    """Writes data, a backbone and a study file.

    Args:
        folder: Where to.
        seed: Of the data and of the study.
        more: Further tables of augmentations.
        recipe: Keys of the study file's recipe, tables of its portions at the end.
    """
    tokenizer, backbone = folder / "tokenizer", folder / "backbone"
    bundle_kit.write_tokenizer(tokenizer)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.1,
    )
    model = SpanModel(BertForQuestionAnswering(config), None)
    save_model(model, rounded_state(model), tokenizer, backbone)
    (backbone / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"})
    )
    train = rows(160, 2 * seed, TRAIN, wrong=0.5)
    bundle_kit.write_squad(folder / "train.json", train)
    bundle_kit.write_squad(folder / "exam.json", rows(120, 2 * seed + 1, EXAM))
    path = folder / "study.toml"
    path.write_text(STUDY.format(folder=folder, seed=seed, more=more, recipe=recipe))
    return path


def search_planted(
    folder: Path, patch: pytest.MonkeyPatch, seed: int = 0, more: str = "", recipe: str = PORTIONS
) -> RunFolder:
    """Searches a planted study, with runs and cache beside its file.

    Args:
        folder: Where to.
        patch: Has the plugin's distribution, and the folder of runs, for as long as it lasts.
        seed: Of the data and of the study.
        more: Further tables of augmentations.
        recipe: As above.
    """
    patch.syspath_prepend(str(install(folder)))
    patch.setenv("AUTOQA_HOME", str(folder / "runs"))
    patch.setenv("AUTOQA_CACHE", str(folder / "cache"))
    with pytest.raises(SystemExit) as caught:
        main(["search", str(write_planted(folder, seed, more, recipe)), "--quiet"])
    assert not caught.value.code
    return RunFolder(folder / "runs" / "planted")
