"""Encoders that demand more than BERT, from their folder to an answer."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, processors

from autoqa.bundle.predictor import load
from autoqa.cli.main import main
from autoqa.store.run_folder import RunFolder
from tests import bundle_kit
from tests.modeling.architectures import save_pretrained
from tests.toy_study import search_study, write_study


def begin_with_text(folder: Path) -> None:
    """As T5's tokenizers do."""
    core = Tokenizer.from_file(str(folder / "tokenizer.json"))
    core.post_processor = processors.TemplateProcessing(
        single="$A [SEP]", pair="$A [SEP] $B [SEP]", special_tokens=[("[SEP]", 3)]
    )
    core.save(str(folder / "tokenizer.json"))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["t5", "longformer"])
def test_searched_exported_and_asked(tmp_path: Path, architecture: str) -> None:
    study = write_study(tmp_path, "trials = 1\nworkers = 1\n")
    backbone = tmp_path / "backbone"
    for name in ("config.json", "model.safetensors"):
        (backbone / name).unlink()
    save_pretrained(backbone, architecture)
    (backbone / "tokenizer_config.json").write_text(
        json.dumps({"pad_token": "[PAD]", "eos_token": "[SEP]"})
    )
    if architecture == "t5":
        begin_with_text(backbone)
        torch.save(load_file(backbone / "model.safetensors"), backbone / "pytorch_model.bin")
        (backbone / "model.safetensors").unlink()
        study.write_text(
            study.read_text().replace("[backbones.toy.p", "convert = true\n[backbones.toy.p")
        )
    folder = search_study(study)
    run = RunFolder(folder / "runs" / "toy")
    candidates = sorted(path.name for path in run.path.glob("candidates/t*"))
    assert candidates == ["t0000-050", "t0000-100"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_HOME", str(folder / "runs"))
        patch.setenv("AUTOQA_CACHE", str(folder / "cache"))
        with pytest.raises(SystemExit) as caught:
            main(["export", "toy", "--to", str(tmp_path / "bundle")])
        assert not caught.value.code
    ensemble = load(tmp_path / "bundle", device="cpu")
    row = bundle_kit.examples(1, 50)[0]
    answer = ensemble(question=row.question, context=row.context).answer
    assert answer in row.context
