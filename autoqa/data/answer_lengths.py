"""How long the answers of a study are, beside what its models may answer with."""

from collections.abc import Mapping, Sequence

import numpy as np

from autoqa.config.study import StudyFile
from autoqa.data.study_data import StudyData
from autoqa.errors import AutoqaError
from autoqa.features.answer_limit import QUANTILE, AnswerLengths, AnswerTexts
from autoqa.features.files import kept_limit
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.window_group import WindowGroup
from autoqa.registry.bound import BoundBackbone, BoundStudy
from autoqa.registry.prepared import known_tokenizer
from autoqa.store.run_folder import RunFolder
from autoqa.types import Example

PUBLIC = "the public part"


def limit_of(study: StudyFile, data: StudyData, tokenizer: QATokenizer, length: int) -> int:
    """Most tokens in an answer of one tokenizer's windows: the study's number, else the data's.

    The private part has no say.

    Args:
        study: The study file.
        data: What it trains on and is measured on.
        tokenizer: What the windows are made by.
        length: Tokens in a window.
    """
    if study.validation.max_answer_tokens is not None:
        return study.validation.max_answer_tokens
    texts = AnswerTexts.of(open_examples(data))
    return AnswerLengths.of(tokenizer, texts).limit(length)


def open_examples(data: StudyData) -> dict[str, Sequence[Example]]:
    """All examples but those of the private part, by where they are from."""
    return {**data.train, PUBLIC: data.public}


def length_sentences(
    bound: BoundStudy, examples: Mapping[str, Sequence[Example]], run_folder: RunFolder
) -> list[str]:
    """How many answers are longer than any that the models may give.

    Tokens are counted where a backbone's tokenizer is on this machine; else words, that is what
    white space separates.

    Args:
        bound: The study with its plugins.
        examples: By where they are from.
        run_folder: The study's: of one that was begun, the limits are settled.
    """
    texts = AnswerTexts.of(examples)
    if not any(texts.by_source.values()):
        return []
    sentences, unknown = [], []
    for name, backbone in bound.backbones.items():
        tokenizer = _tokenizer(backbone)
        if tokenizer is None:
            unknown.append(name)
            continue
        lengths = AnswerLengths.of(tokenizer, texts)
        limit = (
            kept_limit(run_folder, str(_group(tokenizer, backbone)))
            or bound.study.validation.max_answer_tokens
            or lengths.limit(backbone.protocol.length)
        )
        sentences.append(
            f"backbone {name} answers with at most {limit} tokens: {_beyond(lengths, limit)}"
        )
    if unknown:
        sentences.append(_in_words(texts, unknown, bound.study.validation.max_answer_tokens))
    return sentences


def _tokenizer(backbone: BoundBackbone) -> QATokenizer | None:
    folder = known_tokenizer(backbone)
    try:
        return None if folder is None else QATokenizer.from_folder(folder)
    except AutoqaError:  # told where backbones are looked at
        return None


def _group(tokenizer: QATokenizer, backbone: BoundBackbone) -> WindowGroup:
    return WindowGroup(tokenizer.key, backbone.protocol.length, backbone.protocol.stride)


def _beyond(lengths: AnswerLengths, limit: int) -> str:
    longer = {name: count for name, count in lengths.beyond(limit).items() if count}
    total = sum(map(len, lengths.by_source.values()))
    if not longer:
        longest = max(int(each[-1]) for each in lengths.by_source.values())
        return f"none of {total:,} answers is longer (the longest has {longest})"
    parts = ", ".join(
        f"{name} {count:,} of {len(lengths.by_source[name]):,}" for name, count in longer.items()
    )
    return f"longer, and never given in full, are {parts}"


def _in_words(texts: AnswerTexts, backbones: Sequence[str], fixed: int | None) -> str:
    """What can be said before there is a tokenizer."""
    most = {name: _words(counts) for name, counts in texts.by_source.items() if counts}
    parts = ", ".join(f"{name} {few} (longest {longest})" for name, (few, longest) in most.items())
    limit = "the limit" if fixed is None else f"the limit of {fixed}"
    return (
        f"answers are counted in tokens, and {' and '.join(backbones)} must be prepared first: "
        f"how many are beyond {limit} is known after the first start. Words in {QUANTILE:.1%} of "
        f"the answers at most: {parts}"
    )


def _words(counts: Mapping[str, int]) -> tuple[int, int]:
    """Words of all but the longest answers, and of the longest."""
    words = np.repeat([len(text.split()) for text in counts], list(counts.values()))
    return int(np.quantile(words, QUANTILE, method="higher")), int(words.max())
