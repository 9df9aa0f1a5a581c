from dataclasses import replace
from pathlib import Path

import numpy as np

import autoqa.features.flat as flat_module
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.select import take
from autoqa.features.tokenizer import QATokenizer

from .practice import CORPUS, assert_same, example


def test_each_distinct_text_is_encoded_once(trained: dict[str, Path]) -> None:
    tokenizer = QATokenizer.from_folder(trained["byte-level"])
    once = encode(tokenizer, [example(CORPUS[0], 4, 11)])
    thrice = encode(tokenizer, [example(CORPUS[0], 4, 11, name=str(i)) for i in range(3)])
    np.testing.assert_array_equal(once.ids, thrice.ids)
    assert len(thrice) == 3


def test_many_batches_equal_one(trained: dict[str, Path], monkeypatch) -> None:
    tokenizer = QATokenizer.from_folder(trained["unigram"])
    examples = [
        example(text, 2, 9, question=f"  what {number}", name=str(number))
        for number, text in enumerate(CORPUS + [a + b for a in CORPUS for b in CORPUS])
    ]
    whole = encode(tokenizer, examples)
    monkeypatch.setattr(flat_module, "_CHARACTERS", 100)
    parts = encode(tokenizer, examples)
    np.testing.assert_array_equal(whole.offsets, parts.offsets)
    assert_same(cut(whole, 64, 16), cut(parts, 64, 16))


def test_take_shares_the_pool(trained: dict[str, Path]) -> None:
    tokenizer = QATokenizer.from_folder(trained["word-piece"])
    examples = [example(text, 0, 5, name=text) for text in CORPUS[:5]]
    encoded = encode(tokenizer, examples)
    picked = encoded.take([4, 1, 1])
    assert picked.ids is encoded.ids
    assert picked.names == (CORPUS[4], CORPUS[1], CORPUS[1])
    alone = cut(encode(tokenizer, [examples[4], examples[1], examples[1]]), 50, 4)
    assert_same(cut(picked, 50, 4), alone)
    assert len(encoded.take([])) == 0


def test_names_carry_the_source(trained: dict[str, Path]) -> None:
    tokenizer = QATokenizer.from_folder(trained["word-piece"])
    made = replace(example("A B", name="7"), source="squad")
    assert encode(tokenizer, [made, example("A B", name="8")]).names == ("squad/7", "8")


def test_an_answer_without_tokens_has_no_label(trained: dict[str, Path]) -> None:
    encoded = encode(QATokenizer.from_folder(trained["word-piece"]), [example("one   two", 4, 5)])
    windows = cut(encoded, 64, 4)
    assert not windows.answerable.any()
    assert len(take(windows, [])) == 0
