"""What is made of a model's files before it is trained: weights, configuration, tokenizer."""

import json
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from autoqa_backbones import hub
from autoqa_backbones.hub_layout import HuggingFaceOptions
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from autoqa.api import ConfigError, MissingAssetError
from autoqa.features.tokenizer import QATokenizer
from autoqa.modeling.load import load_inner, read_configuration
from tests.bundle_kit import write_tokenizer
from tests.modeling.architectures import save_pretrained


def options(folder: Path, **more: Any) -> HuggingFaceOptions:
    return HuggingFaceOptions(model=str(folder), **more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A complete folder of a tiny EuroBERT."""
    path = save_pretrained(tmp_path / "model", "eurobert")
    write_tokenizer(path)
    (path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"})
    )
    return path


@pytest.fixture
def pickled(folder: Path) -> Path:
    """The same with its weights as pytorch_model.bin only."""
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").rename(folder.parent / "weights.safetensors")
    return folder


class TestConvert:
    def test_weights_are_converted_once_and_are_the_same(
        self, pickled: Path, tmp_path: Path
    ) -> None:
        wanted = options(pickled, convert=True)
        assert hub.missing(wanted) is None
        prepared = hub.prepare(wanted, tmp_path / "cache")
        written = load_file(prepared / "model.safetensors")
        expected = load_file(tmp_path / "weights.safetensors")
        assert written.keys() == expected.keys()
        assert all(torch.equal(written[name], expected[name]) for name in expected)
        stamp = (prepared / "model.safetensors").stat().st_mtime_ns
        assert hub.prepare(wanted, tmp_path / "cache") == prepared
        assert (prepared / "model.safetensors").stat().st_mtime_ns == stamp
        load_inner(prepared, read_configuration(prepared), torch.device("cpu"))

    def test_without_the_option_the_refusal_names_it(self, pickled: Path, tmp_path: Path) -> None:
        assert "set `convert = true`" in (hub.missing(options(pickled)) or "")
        with pytest.raises(MissingAssetError, match="set `convert = true`"):
            hub.prepare(options(pickled), tmp_path)

    def test_in_several_parts(self, folder: Path, tmp_path: Path) -> None:
        state = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        names = sorted(state)
        parts = {"pytorch_model-00001-of-00002.bin": names[::2],
                 "pytorch_model-00002-of-00002.bin": names[1::2]}  # fmt: skip
        for part, held in parts.items():
            torch.save({name: state[name] for name in held}, folder / part)
        places = {name: part for part, held in parts.items() for name in held}
        index = folder / "pytorch_model.bin.index.json"
        index.write_text(json.dumps({"weight_map": places}))
        prepared = hub.prepare(options(folder, convert=True), tmp_path / "cache")
        found: dict[str, torch.Tensor] = {}
        for path in sorted(prepared.glob("model-*.safetensors")):
            found |= load_file(path)
        assert found.keys() == state.keys()
        load_inner(prepared, read_configuration(prepared), torch.device("cpu"))
        (folder / "pytorch_model-00002-of-00002.bin").unlink()
        sentence = hub.missing(options(folder, convert=True)) or ""
        assert "has not all parts that its pytorch_model.bin.index.json lists" in sentence
        index.write_text(json.dumps({"weight_map": {"a": "../../elsewhere.bin"}}))
        with pytest.raises(MissingAssetError, match="must lie beside it"):
            hub.prepare(options(folder, convert=True), tmp_path / "other")

    @pytest.mark.parametrize(
        "content, said",
        [
            ({"a": torch.ones(2), "epoch": 3}, "holds a int as 'epoch' beside its tensors"),
            ([torch.ones(2)], "holds a list, not tensors by name"),
            ({}, "holds a dict, not tensors by name"),
            (OrderedDict(a=Path("x")), "is not opened, because it holds more than tensors"),
        ],
    )
    def test_what_is_not_tensors_only_is_refused(
        self, pickled: Path, tmp_path: Path, content: object, said: str
    ) -> None:
        torch.save(content, pickled / "pytorch_model.bin")
        with pytest.raises(MissingAssetError, match=said):
            hub.prepare(options(pickled, convert=True), tmp_path / "cache")
        assert not [p for p in (tmp_path / "cache" / "backbones").iterdir() if p.is_dir()]

    def test_a_damaged_file_is_refused(self, pickled: Path, tmp_path: Path) -> None:
        (pickled / "pytorch_model.bin").write_bytes(b"no weights")
        with pytest.raises(MissingAssetError, match="or is damaged"):
            hub.prepare(options(pickled, convert=True), tmp_path / "cache")

    def test_old_files_and_tied_tensors(self, pickled: Path, tmp_path: Path) -> None:
        table = torch.randn(4, 3)
        content = {"table": table, "tied": table, "part": table[1:3]}
        torch.save(content, pickled / "pytorch_model.bin", _use_new_zipfile_serialization=False)
        prepared = hub.prepare(options(pickled, convert=True), tmp_path / "cache")
        written = load_file(prepared / "model.safetensors")
        assert all(torch.equal(written[name], content[name]) for name in content)


def test_new_options_count_only_where_they_are_set(folder: Path) -> None:
    """Checkpoints are named by the options, also by those of before."""
    assert options(folder).model_dump(mode="json").keys() == {"model", "revision", "licence"}
    assert options(folder, convert=True).model_dump(mode="json")["convert"] is True


class TestBothSides:
    def test_a_decoder_s_architecture_becomes_an_encoder(
        self, folder: Path, tmp_path: Path
    ) -> None:
        gemma = save_pretrained(tmp_path / "gemma", "gemma3_text, one side")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(folder / name, gemma / name)
        with pytest.raises(ConfigError, match="IndicBERT v3's were\\), set `bidirectional = true`"):
            hub.prepare(options(gemma), tmp_path / "cache")
        prepared = hub.prepare(options(gemma, bidirectional=True), tmp_path / "cache")
        assert prepared != gemma
        assert read_configuration(prepared).use_bidirectional_attention is True
        assert (prepared / "model.safetensors").resolve() == gemma / "model.safetensors"


class TestPairs:
    def test_a_tokenizer_that_begins_with_text_gets_a_token_in_front(
        self, folder: Path, tmp_path: Path
    ) -> None:
        """As T5's: nothing stands before the question."""
        core = Tokenizer.from_file(str(folder / "tokenizer.json"))
        core.post_processor = processors.TemplateProcessing(
            single="$A [SEP]", pair="$A [SEP] $B [SEP]", special_tokens=[("[SEP]", 3)]
        )
        core.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text("{}")
        with pytest.raises(ConfigError, match="has no special token to put before the question"):
            hub.prepare(options(folder), tmp_path / "none")
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "[SEP]"})
        )
        prepared = hub.prepare(options(folder), tmp_path / "cache")
        template = QATokenizer.from_folder(prepared).template
        assert [list(part.ids) for part in (template.prefix, template.middle, template.suffix)] == [
            [3], [3], [3],
        ]  # fmt: skip

    def test_bytes_keep_their_places(self, folder: Path, tmp_path: Path) -> None:
        """A byte-level tokenizer's own post-processor, which sees to offsets, stays."""
        alphabet = {sign: n for n, sign in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
        core = Tokenizer(models.BPE({**alphabet, "<end>": 256}, []))
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        core.decoder = decoders.ByteLevel()
        core.post_processor = processors.ByteLevel(trim_offsets=True)
        core.add_special_tokens(["<end>"])
        core.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"eos_token": {"content": "<end>"}})
        )
        prepared = hub.prepare(options(folder), tmp_path / "cache")
        encoding = Tokenizer.from_file(str(prepared / "tokenizer.json")).encode("a", "b c")
        assert encoding.tokens == ["<end>", "a", "<end>", "b", "Ġ", "c", "<end>"]
        assert encoding.offsets[3] == (0, 1)
