"""What is wrong with a backbone is found by the check for it, in a sentence."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from autoqa.api import BackboneFacts, BackboneSpec, Options, TrainingProtocol
from autoqa.testing.new_plugin import write_plugin
from tests.testing.test_source_checks import failed


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackboneSpec]:
    """The backbone that `autoqa plugins new` writes."""
    folder = tmp_path_factory.mktemp("new") / "package"
    write_plugin("backbone", "my-made-encoder", folder)
    sys.path.insert(0, str(folder))
    from my_made_encoder.backbone import spec  # type: ignore[import-not-found]

    yield spec
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def model(made: BackboneSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder."""
    return made.prepare(made.options(), tmp_path_factory.mktemp("cache"))


def backbone(**changes: Any) -> BackboneSpec:
    parts = {
        "name": "made",
        "summary": "Made",
        "options": Options,
        "protocol": lambda options: TrainingProtocol(learning_rate=2e-3, length=256, stride=64),
        "missing": lambda options: None,
        "licence": lambda options: "CC0-1.0",
    }
    return BackboneSpec(**{**parts, **changes})


def copied(model: Path, change: Callable[[Path], None], options: Any, cache: Path) -> Path:
    folder = cache / "copied"
    shutil.copytree(model, folder, dirs_exist_ok=True)
    change(folder)
    return folder


def _less(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()


def _no_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def _random(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"cache": str(folder)}))


def _no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")


def _latin(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text())
    content["pre_tokenizer"] = {"type": "WhitespaceSplit"}
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5}
    content["model"] = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}
    (folder / "tokenizer.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    "change, check, sentence",
    [
        (_less, "files", "prepare gives copied, which lacks tokenizer_config.json"),
        (_no_json, "files", "config.json is no JSON: "),
        (_random, "equal-bytes", "in two cache folders prepare makes different bytes of config"),
        (_no_tokenizer, "tokenizer", "tokenizer.json cannot be read as a fast tokenizer"),
        (_latin, "letters", "100% of the tokens of a text in 'en' are unknown"),
    ],
)
def test_a_wrong_folder_is_found(
    model: Path, tmp_path: Path, change: Callable[[Path], None], check: str, sentence: str
) -> None:
    spec = backbone(prepare=partial(copied, model, change))
    said = failed(spec, only=check, folder=tmp_path, languages=("en",))
    assert sentence in said[check]


@pytest.mark.parametrize(
    "changes, check, sentence",
    [
        ({"licence": lambda o: ""}, "licence", "licence gives ''; give an SPDX identifier"),
        ({"protocol": lambda o: {}}, "protocol", "protocol gives {}, not a TrainingProtocol"),
        (
            {"facts": lambda o: BackboneFacts(positions=100)},
            "protocol",
            "the protocol's windows of 256 tokens are longer than the 100 positions",
        ),
        (
            {"facts": lambda o: BackboneFacts(positions=300)},
            "positions",
            "facts says 300 positions, and the model has 512",
        ),
    ],
)
def test_wrong_words_are_found(
    model: Path, tmp_path: Path, changes: dict[str, Any], check: str, sentence: str
) -> None:
    spec = backbone(prepare=lambda options, cache: model, **changes)
    assert failed(spec, only=check, folder=tmp_path)[check].startswith(sentence)


def test_what_is_missing_is_not_checked_any_further(tmp_path: Path) -> None:
    spec = backbone(prepare=lambda options, cache: 1 / 0, missing=lambda options: "get it")
    for check in ("files", "atomic", "concurrent", "logits", "overfitting"):
        assert failed(spec, only=check, folder=tmp_path) == {}


def test_a_model_that_does_not_learn_is_found(model: Path, tmp_path: Path) -> None:
    def frozen(options: Options) -> TrainingProtocol:
        return TrainingProtocol(
            learning_rate=2e-3, freeze_embeddings=True, frozen_layers=2, max_grad_norm=1e-9
        )

    spec = backbone(prepare=lambda options, cache: model, protocol=frozen)
    said = failed(spec, only="overfitting", folder=tmp_path, seconds=0.5)["overfitting"]
    assert said.startswith("after ")
    assert "steps in" in said
    assert "it should come down to 10% of that" in said


SLOPPY = """
def prepare(options, cache):
    import shutil
    target = cache / "sloppy"
    if not target.is_dir():
        target.mkdir(exist_ok=True)
        for path in sorted(os.scandir({model!r}), key=lambda entry: entry.name):
            shutil.copy(path, target / path.name)
            time.sleep(0.3)
    return target

class NoOptions(Options):
    "None."

spec = BackboneSpec(name="sloppy", summary="Sloppy", options=NoOptions, prepare=prepare,
    protocol=lambda o: TrainingProtocol(), missing=lambda o: None, licence=lambda o: "CC0-1.0")
"""


def test_a_folder_that_is_half_written_is_found(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_sloppy.py").write_text(
        f"import os, time\nfrom autoqa.api import *\n{SLOPPY.format(model=str(model))}"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import my_sloppy  # type: ignore[import-not-found]

    said = failed(my_sloppy.spec, only="atomic", folder=tmp_path)["atomic"]
    assert said.startswith("killed while it prepared, and prepared again, ")
    assert "write to a temporary name first" in said
    said = failed(my_sloppy.spec, only="concurrent", folder=tmp_path)["concurrent"]
    assert "is handed a folder in which" in said


@pytest.mark.parametrize(
    "check", ["logits", "saving", "seeds", "windows-apart", "positions", "letters", "overfitting"]
)
def test_the_one_that_is_written_for_authors_is_sound(
    made: BackboneSpec, tmp_path: Path, check: str
) -> None:
    assert failed(made, only=check, folder=tmp_path) == {}
