"""Random windows with logits, and the slow and obvious ways to decode them."""

import math
from dataclasses import dataclass

import numpy as np

from autoqa.types import Span


@dataclass(frozen=True)
class FakeWindows:
    bounds: np.ndarray
    example: np.ndarray
    context: np.ndarray
    offsets: np.ndarray
    max_answer_tokens: int = 48


def make_contexts(rng, count, tokens):
    """Contexts and their tokens' offsets; some tokens carry or are white space."""
    contexts, offsets = [], []
    for _ in range(count):
        n = int(rng.integers(*tokens, endpoint=True)) if isinstance(tokens, tuple) else tokens
        text, places = "", []
        for _ in range(n):
            piece = str(rng.choice(["ab", " c", " दिल्ली", " ", ".", " வணக்கம்", "x "]))
            places.append((len(text), len(text) + len(piece)))
            text += piece
        contexts.append(text)
        offsets.append(places)
    return contexts, offsets


def cut(offsets, room, overlap, question=3, shuffle=None, limit=48):
    """Windows of ``[question tokens] context [one last token]``."""
    windows = []
    for row, places in enumerate(offsets):
        at = 0
        while True:
            windows.append((row, places[at : at + room]))
            if at + room >= len(places):
                break
            at += room - overlap
    if shuffle is not None:
        windows = [windows[i] for i in shuffle.permutation(len(windows))]
    flat, bounds = [], [0]
    for _, places in windows:
        flat += [(0, 0)] * question + places + [(0, 0)]
        bounds.append(len(flat))
    return FakeWindows(
        bounds=np.array(bounds, np.int64),
        example=np.array([row for row, _ in windows], np.int32),
        context=np.array([(question, question + len(p)) for _, p in windows], np.int32).reshape(
            -1, 2
        ),
        offsets=np.array(flat, np.int32).reshape(-1, 2),
        max_answer_tokens=limit,
    )


def strip(context, low, high):
    while low < high and context[low].isspace():
        low += 1
    while high > low and context[high - 1].isspace():
        high -= 1
    return low, high


def exhaustive(start, end, windows, contexts, n_best, max_tokens, scored=None):
    """Every span of every window, one after the other.

    ``scored`` takes both logits and the number of tokens, and decides instead of the sum.
    """
    found = [[] for _ in contexts]
    sums = [[0.0, 0.0] for _ in contexts]
    for w, row in enumerate(windows.example):
        low, high = windows.bounds[w] + windows.context[w]
        for i in range(low, high):
            sums[row][0] += math.exp(start[i])
            sums[row][1] += math.exp(end[i])
            for j in range(i, min(high, i + max_tokens)):
                place = int(windows.offsets[i][0]), int(windows.offsets[j][1])
                total = float(start[i]) + float(end[j])
                rank = total if scored is None else scored(start[i], end[j], j - i + 1)
                found[row].append((rank, w, i, j, place, total))
    result = []
    for row, spans in enumerate(found):
        kept, seen = [], set()
        for _, _, _, _, place, total in sorted(spans, key=lambda s: (-s[0], s[1], s[2], s[3])):
            place = strip(contexts[row], *place)
            if place[0] == place[1] or place in seen:
                continue
            seen.add(place)
            score = math.exp(total) / (sums[row][0] * sums[row][1])
            kept.append(Span(*place, score, contexts[row][place[0] : place[1]]))
        result.append(kept[:n_best])
    return result


def like_run_qa(start, end, windows, contexts, n_best=20, max_tokens=48):
    """The published loop (run_qa example of transformers), without what autoqa leaves out."""
    by_example = [[] for _ in contexts]
    for w, row in enumerate(windows.example):
        by_example[row].append(w)
    result = []
    for row, context in enumerate(contexts):
        preliminary = []
        for w in by_example[row]:
            low, high = windows.bounds[w], windows.bounds[w + 1]
            first, last = windows.context[w]
            offsets = windows.offsets[low:high].tolist()
            starts, ends = start[low:high], end[low:high]
            for i in np.argsort(starts)[-1 : -n_best - 1 : -1].tolist():
                for j in np.argsort(ends)[-1 : -n_best - 1 : -1].tolist():
                    if not (first <= i < last and first <= j < last):
                        continue
                    if j < i or j - i + 1 > max_tokens:
                        continue
                    preliminary.append(
                        {
                            "offsets": (offsets[i][0], offsets[j][1]),
                            "score": float(starts[i]) + float(ends[j]),
                            "start_logit": starts[i],
                            "end_logit": ends[j],
                        }
                    )
        kept, seen = [], set()
        for prediction in sorted(preliminary, key=lambda x: x["score"], reverse=True):
            a, b = prediction["offsets"]
            text = context[a:b]
            bare = text.strip()
            a += len(text) - len(text.lstrip())
            if not bare or (a, a + len(bare)) in seen:
                continue
            seen.add((a, a + len(bare)))
            kept.append(Span(a, a + len(bare), prediction["score"], bare))
            if len(kept) == n_best:
                break
        result.append(kept)
    return result


def peaked_logits(rng, windows):
    """Logits like a trained model's: a hill in most windows, low noise everywhere else."""
    start = rng.normal(-6, 1, windows.bounds[-1]).astype(np.float32)
    end = rng.normal(-6, 1, windows.bounds[-1]).astype(np.float32)
    for w in range(len(windows.example)):
        low, high = windows.bounds[w] + windows.context[w]
        if high - low < 2 or rng.random() < 0.2:
            continue
        i = int(rng.integers(low, high))
        j = min(i + int(rng.integers(0, 6)), high - 1)
        height = rng.normal(8, 3)
        tokens = np.arange(low, high)
        start[low:high] += height * np.exp(-np.abs(tokens - i) / 5).astype(np.float32)
        end[low:high] += height * np.exp(-np.abs(tokens - j) / 5).astype(np.float32)
    return start, end
