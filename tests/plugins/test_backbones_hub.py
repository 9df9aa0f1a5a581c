"""huggingface: folders, the local cache, and protocols."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from autoqa_backbones import hub, protocols
from autoqa_backbones.folders import is_complete
from autoqa_backbones.hub_layout import HuggingFaceOptions, local_folder
from pydantic import ValidationError
from tokenizers import Tokenizer

from autoqa.api import ConfigError, MissingAssetError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = [*SPECIAL, "who", "what", "?", "##s", "river", "gang", "##a", "is", "the", ",", "."]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete folder of a tiny BERT, saved by transformers."""
    import torch
    from transformers import BertConfig, BertForQuestionAnswering

    folder = tmp_path_factory.mktemp("tiny-bert")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertForQuestionAnswering(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True})
    )
    return folder


@pytest.fixture
def slow_only(tiny: Path, tmp_path: Path) -> Path:
    """A copy with vocab.txt and without tokenizer.json."""
    return Path(shutil.copytree(tiny, tmp_path / "slow-only"))


@pytest.fixture
def hub_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty Hugging Face cache."""
    import huggingface_hub.constants

    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


def put_in_cache(hub_cache: Path, model: str, files: Path, revision: str = "main") -> Path:
    """Lays a repository down as huggingface_hub does after a download."""
    repository = hub_cache / f"models--{model.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    (repository / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path in files.iterdir():
        blob = repository / "blobs" / hashlib.sha256(path.read_bytes()).hexdigest()
        shutil.copyfile(path, blob)
        (snapshot / path.name).symlink_to(os.path.relpath(blob, snapshot))
    reference = repository / "refs" / revision
    reference.parent.mkdir(parents=True)
    reference.write_text(COMMIT)
    return snapshot


class TestFolder:
    def test_tokenizer_is_made_and_the_folder_loads(self, tiny: Path, tmp_path: Path) -> None:
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer

        options = HuggingFaceOptions(model=str(tiny))
        assert hub.missing(options) is None
        folder = hub.prepare(options, tmp_path)
        assert folder.is_relative_to(tmp_path / "backbones")
        assert is_complete(folder)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        encoding = tokenizer.encode("Who is?", "the Ganga river")
        assert " ".join(encoding.tokens) == "[CLS] who is ? [SEP] the gang ##a river [SEP]"
        assert encoding.type_ids == [0] * 5 + [1] * 5
        assert AutoTokenizer.from_pretrained(folder).mask_token == "[MASK]"
        _, info = AutoModelForQuestionAnswering.from_pretrained(folder, output_loading_info=True)
        assert not info["missing_keys"]

    def test_a_complete_folder_is_used_as_it_is(self, tiny: Path, tmp_path: Path) -> None:
        prepared = hub.prepare(HuggingFaceOptions(model=str(tiny)), tmp_path)
        complete = shutil.copytree(prepared, tmp_path / "complete")
        options = HuggingFaceOptions(model=str(complete))
        assert hub.prepare(options, tmp_path / "unused") == complete
        assert not (tmp_path / "unused").exists()

    def test_made_once_and_again_after_a_change(self, slow_only: Path, tmp_path: Path) -> None:
        options = HuggingFaceOptions(model=str(slow_only))
        first = hub.prepare(options, tmp_path)
        stamp = (first / "tokenizer.json").stat().st_mtime_ns
        assert hub.prepare(options, tmp_path) == first
        assert (first / "tokenizer.json").stat().st_mtime_ns == stamp
        (slow_only / "vocab.txt").write_text("\n".join([*VOCABULARY, "new"]) + "\n")
        assert hub.prepare(options, tmp_path) != first

    def test_absent(self, tmp_path: Path) -> None:
        options = HuggingFaceOptions(model=str(tmp_path / "nowhere"))
        assert f"{tmp_path / 'nowhere'} does not exist" in (hub.missing(options) or "")
        with pytest.raises(MissingAssetError, match="nowhere does not exist"):
            hub.prepare(options, tmp_path)
        (tmp_path / "file").write_text("x")
        options = HuggingFaceOptions(model=str(tmp_path / "file"))
        assert f"{tmp_path / 'file'} is a file, and no folder" in (hub.missing(options) or "")

    def test_pickled_weights_are_refused(self, slow_only: Path, tmp_path: Path) -> None:
        (slow_only / "model.safetensors").rename(slow_only / "pytorch_model.bin")
        options = HuggingFaceOptions(model=str(slow_only))
        sentence = hub.missing(options) or ""
        assert "only as pytorch_model.bin" in sentence
        assert "refs/pr/N" in sentence
        assert "set `convert = true`" in sentence
        with pytest.raises(MissingAssetError, match=r"autoqa reads model\.safetensors"):
            hub.prepare(options, tmp_path)

    @pytest.mark.parametrize(
        "absent, words",
        [
            ("config.json", "has no config.json"),
            ("model.safetensors", "has no model.safetensors"),
            ("vocab.txt", "has no tokenizer"),
        ],
    )
    def test_incomplete(self, slow_only: Path, tmp_path: Path, absent: str, words: str) -> None:
        (slow_only / absent).unlink()
        options = HuggingFaceOptions(model=str(slow_only))
        assert words in (hub.missing(options) or "")
        with pytest.raises(MissingAssetError, match=words):
            hub.prepare(options, tmp_path)

    @pytest.mark.parametrize(
        "change, words",
        [
            ({"model_type": "whisper"}, "model_type 'whisper', which is no encoder of text"),
            (
                {"model_type": "mine", "auto_map": {"AutoModel": "mine.Mine"}},
                "code of its own, which autoqa never runs",
            ),
        ],
    )
    def test_architecture(
        self, slow_only: Path, tmp_path: Path, change: dict[str, object], words: str
    ) -> None:
        config = json.loads((slow_only / "config.json").read_text()) | change
        (slow_only / "config.json").write_text(json.dumps(config))
        (slow_only / "mine.py").write_text("raise AssertionError('ran')\n")
        with pytest.raises(ConfigError, match=words):
            hub.prepare(HuggingFaceOptions(model=str(slow_only)), tmp_path)

    def test_config_that_is_no_json(self, slow_only: Path, tmp_path: Path) -> None:
        (slow_only / "config.json").write_text("{")
        with pytest.raises(ConfigError, match=r"config\.json is no JSON"):
            hub.prepare(HuggingFaceOptions(model=str(slow_only)), tmp_path)

    def test_unreadable_tokenizer(self, slow_only: Path, tmp_path: Path) -> None:
        (slow_only / "vocab.txt").unlink()
        (slow_only / "spiece.model").write_bytes(b"\xff no sentence-piece model")
        (slow_only / "tokenizer_config.json").write_text('{"tokenizer_class": "T5Tokenizer"}')
        with pytest.raises(MissingAssetError, match=r"no tokenizer\.json could be made of spiece"):
            hub.prepare(HuggingFaceOptions(model=str(slow_only)), tmp_path)


class TestCache:
    def test_found_without_network(self, hub_cache: Path, tiny: Path, tmp_path: Path) -> None:
        put_in_cache(hub_cache, "someone/tiny", tiny)
        options = HuggingFaceOptions(model="someone/tiny")
        assert hub.missing(options) is None
        folder = hub.prepare(options, tmp_path)
        assert is_complete(folder)
        assert folder.name.startswith("hf-someone--tiny-")

    def test_by_revision(self, hub_cache: Path, tiny: Path) -> None:
        put_in_cache(hub_cache, "someone/tiny", tiny, revision="refs/pr/3")
        assert hub.missing(HuggingFaceOptions(model="someone/tiny", revision="refs/pr/3")) is None
        assert hub.missing(HuggingFaceOptions(model="someone/tiny", revision=COMMIT)) is None
        sentence = hub.missing(HuggingFaceOptions(model="someone/tiny", revision="v2")) or ""
        assert "`hf download someone/tiny --revision v2 " in sentence

    def test_absent(self, hub_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        options = HuggingFaceOptions(model="google/muril-large-cased")
        sentence = hub.missing(options) or ""
        assert "google/muril-large-cased (revision main) is not in the local" in sentence
        assert "hf download google/muril-large-cased" in sentence
        assert "with HF_HUB_OFFLINE unset" in sentence
        with pytest.raises(MissingAssetError, match="hf download google/muril"):
            hub.prepare(options, tmp_path)
        monkeypatch.delenv("HF_HUB_OFFLINE")
        assert "HF_HUB_OFFLINE" not in (hub.missing(options) or "")

    def test_only_a_config(self, hub_cache: Path, tiny: Path, tmp_path: Path) -> None:
        files = tmp_path / "files"
        files.mkdir()
        shutil.copyfile(tiny / "config.json", files / "config.json")
        put_in_cache(hub_cache, "someone/tiny", files)
        sentence = hub.missing(HuggingFaceOptions(model="someone/tiny")) or ""
        assert "has no model.safetensors" in sentence
        assert "hf download someone/tiny" in sentence


class TestOptions:
    @pytest.mark.parametrize("model", ["a/b/c", "no such folder", "", "https://x.y/z"])
    def test_neither_id_nor_folder(self, model: str) -> None:
        with pytest.raises(ValidationError, match="model"):
            HuggingFaceOptions(model=model)

    def test_existing_relative_folder(self, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tiny.parent)
        assert local_folder(HuggingFaceOptions(model=tiny.name)) == Path(tiny.name)
        assert local_folder(HuggingFaceOptions(model="google/rembert")) is None

    def test_licence(self) -> None:
        assert hub.licence(HuggingFaceOptions(model="google/rembert")) == "Apache-2.0"
        assert hub.licence(HuggingFaceOptions(model="me/rembert")) == "unknown"
        assert hub.licence(HuggingFaceOptions(model="me/x", licence="CC-BY-4.0")) == "CC-BY-4.0"


class TestProtocol:
    @pytest.mark.parametrize(
        "model, rate, batch, warmup, window",
        [
            ("google/muril-large-cased", 3e-5, 32, 0.1, (384, 192)),
            ("FacebookAI/xlm-roberta-large", 1e-5, 32, 0.2, (384, 192)),
            ("xlm-roberta-large", 1e-5, 32, 0.2, (384, 192)),
            ("deepset/xlm-roberta-large-squad2", 1e-5, 32, 0.2, (384, 192)),
            ("microsoft/infoxlm-large", 1e-5, 32, 0.2, (384, 192)),
            ("google/rembert", 1e-5, 128, 0.1, (384, 192)),
            ("intfloat/multilingual-e5-small", 2e-4, 8, 0.1, (256, 64)),
            ("someone/else", 3e-5, 32, 0.1, (384, 128)),
            ("FacebookAI/xlm-roberta-base", 3e-5, 32, 0.1, (384, 128)),
        ],
    )
    def test_by_id(
        self,
        hub_cache: Path,
        model: str,
        rate: float,
        batch: int,
        warmup: float,
        window: tuple[int, int],
    ) -> None:
        protocol = hub.protocol(HuggingFaceOptions(model=model))
        assert (protocol.learning_rate, protocol.batch_size) == (rate, batch)
        assert protocol.warmup_ratio == warmup
        assert (protocol.length, protocol.stride) == window

    def test_folder_name_counts_only_itself(self, tmp_path: Path) -> None:
        folder = tmp_path / "muril-things" / "mine"
        folder.mkdir(parents=True)
        assert hub.protocol(HuggingFaceOptions(model=str(folder))) == protocols.GENERIC
