"""An extractive model that answers questions, to see whether they ask what they should."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autoqa.api import ConfigError, ModelFiles, ProgressCallback

_LENGTH, _STRIDE, _LONGEST = 384, 128, 30
"""Tokens of a window, that neighbouring windows share, and of the longest answer."""


def answered(
    files: ModelFiles, asked: Sequence[str], progress: ProgressCallback, *, batch_size: int
) -> Iterator[tuple[str, list[str]]]:
    """The best answer to each question.

    Args:
        files: The model.
        asked: JSON lists of a question and its context.
        progress: Called with questions done and in all.
        batch_size: Questions at once.

    Yields:
        A JSON list and, in a list, the fragment of its context with the highest sum of logits.

    Raises:
        MissingAssetError: The model is not here.
        ConfigError: It is no such model, or has no fast tokenizer.
    """
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    folder = files.folder()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForQuestionAnswering.from_pretrained(
            folder, use_safetensors=not files.pickled
        )
    except (ValueError, ImportError, OSError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise ConfigError(
            f"answerer: {files.model} cannot be loaded as an extractive model, {reason}; name one "
            "that answers questions, or a folder of autoqa export --as transformers."
        ) from error
    if not tokenizer.is_fast:
        raise ConfigError(
            f"answerer: {files.model} has no fast tokenizer, which says where tokens stand; name "
            "another model."
        )
    model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    for begin in range(0, len(asked), batch_size):
        batch = asked[begin : begin + batch_size]
        questions, texts = zip(*map(json.loads, batch), strict=True)
        inputs = _windows(tokenizer, questions, texts)
        facts = [inputs.pop(key) for key in ("offset_mapping", "overflow_to_sample_mapping")]
        inside = [[part == 1 for part in inputs.sequence_ids(n)] for n in range(len(facts[1]))]
        with torch.inference_mode():
            given = model(**inputs.convert_to_tensors("pt").to(model.device))
        starts, ends = (
            each.float().cpu().numpy() for each in (given.start_logits, given.end_logits)
        )
        best: dict[int, tuple[float, str]] = {}
        for window, row in enumerate(facts[1]):
            score, low, high = _best(starts[window], ends[window], np.array(inside[window]))
            if score > best.get(row, (-np.inf, ""))[0]:
                offsets = facts[0][window]
                best[row] = score, texts[row][offsets[low][0] : offsets[high][1]]
        for row, each in enumerate(batch):
            yield each, [best[row][1]] if row in best else []
        progress(begin + len(batch), len(asked))


def _windows(tokenizer: Any, questions: Sequence[str], texts: Sequence[str]) -> Any:
    length = min(_LENGTH, tokenizer.model_max_length)
    # A third of a window at most is question, so that its context advances.
    alone = tokenizer(
        list(questions),
        add_special_tokens=False,
        truncation=True,
        max_length=length // 3,
        return_offsets_mapping=True,
    )["offset_mapping"]
    pairs = zip(questions, alone, strict=True)
    asked = [question[: offsets[-1][1]] if offsets else question for question, offsets in pairs]
    return tokenizer(
        asked,
        list(texts),
        truncation="only_second",
        max_length=length,
        stride=min(_STRIDE, length // 4),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding=True,
    )


def _best(start: np.ndarray, end: np.ndarray, inside: np.ndarray) -> tuple[float, int, int]:
    """Highest sum of logits of a span inside the context, and its first and last token.

    Args:
        start: Logits of starts, float ``[tokens]``.
        end: Logits of ends, float ``[tokens]``.
        inside: Which tokens are the context's, bool ``[tokens]``.
    """
    count = len(inside)
    begins, stops = (np.where(inside, side[:count], -np.inf) for side in (start, end))
    sums = begins[:, None] + stops
    allowed = np.triu(np.ones_like(sums, bool)) & ~np.triu(np.ones_like(sums, bool), _LONGEST)
    first, last = np.unravel_index(int(np.argmax(np.where(allowed, sums, -np.inf))), sums.shape)
    return float(sums[first, last]), int(first), int(last)
