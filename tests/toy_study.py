"""A whole study around a toy model: real plugins, real files, seconds per run."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from autoqa.cli.main import main
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from tests import bundle_kit

STUDY = """
name = "toy"
[sources.train]
type = "file"
path = "{folder}/train.json"
language = "en"
[sources.exam]
type = "file"
path = "{folder}/exam.json"
language = "en"
[backbones.toy]
type = "huggingface"
model = "{folder}/backbone"
[backbones.toy.protocol]
learning_rate = 5e-3
batch_size = 4
length = 32
stride = 8
precision = "fp32"
dropout = 0.1
[recipe]
portions = [{{ source = "train" }}]
[validation]
source = "exam"
public = 0.5
[search]
snapshots = [0.5, 1.0]
"""


def write_study(folder: Path, tail: str = "", *, share: float = 1.0) -> Path:
    """Writes data, a backbone and a study file.

    Args:
        folder: Where to.
        tail: What follows at the end of the study file, that is in its table ``[search]``.
        share: How much of the source ``exam`` validates; below 1 the rest is trained on, too.
    """
    backbone = folder / "backbone"
    tokenizer = folder / "tokenizer"
    bundle_kit.write_tokenizer(tokenizer)
    bundle_kit.write_model(backbone, tokenizer, seed=0)
    (backbone / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"})
    )
    bundle_kit.write_squad(folder / "train.json", bundle_kit.examples(40))
    # Other contexts of the same length, and other questions: what overlaps with the validation set
    # is not trained on.
    exam = [
        replace(
            e,
            id=f"exam-{e.id}",
            context=e.context.replace("near the old station", "past the new airport"),
            question=e.question.replace("live", "stay"),
        )
        for e in bundle_kit.examples(60, 40)
    ]
    bundle_kit.write_squad(folder / "exam.json", exam)
    path = folder / "study.toml"
    text = STUDY.format(folder=folder)
    if share < 1:
        text = text.replace('{ source = "train" }', '{ source = "train" }, { source = "exam" }')
        text = text.replace("public = 0.5", f"public = 0.5\nshare = {share}")
    path.write_text(text + tail)
    return path


def search_study(study: Path) -> Path:
    """Searches a study by the command line, with runs and cache beside its file.

    Returns:
        The study's folder.
    """
    folder = study.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_HOME", str(folder / "runs"))
        patch.setenv("AUTOQA_CACHE", str(folder / "cache"))
        with pytest.raises(SystemExit) as caught:
            main(["search", str(study), "--quiet"])
    assert not caught.value.code
    return folder


def copied_run(searched: Path, home: Path, patch: pytest.MonkeyPatch) -> RunFolder:
    """A run folder of its own for one test, with the cache of the search."""
    shutil.copytree(searched / "runs", home)
    patch.setenv("AUTOQA_CACHE", str(searched / "cache"))
    return RunFolder(home / "toy")


def records(folder: RunFolder) -> dict[str, CandidateRecord]:
    """The study's candidates by id, as its database has them."""
    with Store(folder.store_url(), "toy") as store:
        return {record.id: record for record in store.candidates()}
