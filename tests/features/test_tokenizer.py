import hashlib
import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from autoqa.errors import ConfigError, MissingAssetError
from autoqa.features.tokenizer import QATokenizer


def test_pairs_are_laid_out_as_the_tokenizer_does(folder: Path) -> None:
    ours = QATokenizer.from_folder(folder)
    theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs.no_truncation()
    theirs.no_padding()
    question, context = "Who gave the name?", "The Normans, in Normandy."
    pair = theirs.encode(question, context)
    template = ours.template
    ids = [
        *template.prefix.ids,
        *ours.core.encode(question, add_special_tokens=False).ids,
        *template.middle.ids,
        *ours.core.encode(context, add_special_tokens=False).ids,
        *template.suffix.ids,
    ]
    assert ids == pair.ids
    assert template.context_type == pair.type_ids[pair.sequence_ids.index(1)]
    assert template.specials == pair.sequence_ids.count(None)


def test_the_key_is_the_file(folder: Path) -> None:
    content = (folder / "tokenizer.json").read_bytes()
    assert QATokenizer.from_folder(folder).key == hashlib.sha256(content).hexdigest()[:12]


def test_mask_or_unknown_token(folder: Path) -> None:
    ours = QATokenizer.from_folder(folder)
    assert ours.core.id_to_token(ours.mask_id) in ("[MASK]", "<mask>")
    file = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    if file["model"]["type"] != "WordPiece":
        return
    file["added_tokens"] = [t for t in file["added_tokens"] if t["content"] != "[MASK]"]
    file["model"]["vocab"].pop("[MASK]")
    unmasked = QATokenizer(json.dumps(file).encode(), "tokenizer.json")
    assert unmasked.core.id_to_token(unmasked.mask_id) == "[UNK]"


def test_a_tokenizer_without_mask_and_unknown_says_so(trained: dict[str, Path]) -> None:
    text = (trained["byte-level"] / "tokenizer.json").read_text("utf-8")
    renamed = text.replace("<mask>", "<other>").replace("<unk>", "<more>")
    with pytest.raises(ConfigError, match="neither a mask nor an unknown"):
        QATokenizer(renamed.encode(), "tokenizer.json").mask_id  # noqa: B018


def test_what_cannot_be_used_is_refused(tmp_path: Path, trained: dict[str, Path]) -> None:
    with pytest.raises(MissingAssetError, match="does not exist"):
        QATokenizer.from_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"tokenizer\.json cannot be read as a fast tokenizer"):
        QATokenizer.from_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        QATokenizer.from_folder(tmp_path)
    file = json.loads((trained["word-piece"] / "tokenizer.json").read_text("utf-8"))
    (tmp_path / "tokenizer.json").write_text(json.dumps({**file, "post_processor": None}))
    with pytest.raises(ConfigError, match="autoqa needs a special token, then the question"):
        QATokenizer.from_folder(tmp_path)
    swapped = file["post_processor"]
    swapped["pair"] = [swapped["pair"][i] for i in (0, 3, 2, 1, 4)]
    (tmp_path / "tokenizer.json").write_text(json.dumps({**file, "post_processor": swapped}))
    with pytest.raises(ConfigError, match="then the context"):
        QATokenizer.from_folder(tmp_path)
