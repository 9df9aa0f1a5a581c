"""A toy corpus, two toy tokenizers and toy models; enough for a run folder and a bundle."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForQuestionAnswering

from autoqa.features.tokenizer import QATokenizer
from autoqa.modeling.load import SpanModel, rounded_state, save_model
from autoqa.types import Answer, Example

LENGTH, STRIDE = 24, 6
_NAMES = ("Ada", "Bose", "Curie", "Dev", "Euler", "Fermi", "Gauss", "Hari")
_PLACES = ("Pune", "Rome", "Delhi", "Oslo", "Lima")
_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def examples(count: int, start: int = 0) -> list[Example]:
    """Questions about who lives where; two languages, a few documents, some long contexts."""
    made = []
    for i in range(start, start + count):
        people = [_NAMES[(i + k) % len(_NAMES)] for k in range(2 + i % 5)]
        sentences = [
            f"{name} lives in {_PLACES[(i * 3 + k) % len(_PLACES)]} , near the old station ."
            for k, name in enumerate(people)
        ]
        context = "  ".join(sentences)
        answer = sentences[-1].split()[3]
        place = context.rindex(answer)
        made.append(
            Example(
                id=f"q{i}",
                question=f"Where does {people[-1]} live ?",
                context=context,
                answers=(Answer(answer, place),),
                language=("en", "hi")[i % 2],
                document=f"d{i // 2}",
            )
        )
    return made


def write_tokenizer(folder: Path, *, lower: bool = False) -> QATokenizer:
    """A word-level tokenizer with BERT's layout; ``lower`` makes another group of it."""
    folder.mkdir(parents=True, exist_ok=True)
    text = " ".join(f"{e.question} {e.context}" for e in examples(40))
    words = sorted(set((text.lower() if lower else text).split()))
    vocabulary = {word: number for number, word in enumerate((*_SPECIALS, *words))}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    if lower:
        core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.add_special_tokens(list(_SPECIALS))
    core.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    core.save(str(folder / "tokenizer.json"))
    return QATokenizer.from_folder(folder)


def write_model(folder: Path, tokenizer_folder: Path, seed: int) -> None:
    """A random two-layer BERT in half precision, large enough weights to have opinions."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    model = SpanModel(BertForQuestionAnswering(config))
    save_model(model, rounded_state(model), tokenizer_folder, folder)


def write_squad(path: Path, rows: Sequence[Example]) -> Path:
    """The rows as SQuAD JSON."""
    paragraphs = [
        {
            "context": e.context,
            "qas": [
                {
                    "id": e.id,
                    "question": e.question,
                    "language": e.language,
                    "answers": [{"text": a.text, "answer_start": a.start} for a in e.answers],
                }
            ],
        }
        for e in rows
    ]
    articles = [
        {"title": e.document, "paragraphs": [p]} for e, p in zip(rows, paragraphs, strict=True)
    ]
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return path
