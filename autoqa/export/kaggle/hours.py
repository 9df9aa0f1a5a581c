"""How long a bundle will take for Kaggle's hidden test, as far as that can be known beforehand."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoqa.analysis.finished_run import StudyRun
from autoqa.api import Precision
from autoqa.bundle.manifest import Manifest
from autoqa.bundle.time_estimate import encoder_weights
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.files import load_windows
from autoqa.features.tokenizer import QATokenizer
from autoqa.types import Example

QUESTIONS = 2_000
CHARACTERS = 10_000
"""The hidden test that is assumed: questions, and characters of a context."""

LIMITS = (5.0, 9.0)
"""Hours that competitions allow a notebook; each says its own."""

_SAMPLE = 40

# NVIDIA's data sheet of the T4: 8.1 TFLOP/s in single precision, 65 in half precision. It has no
# bfloat16, so "auto" computes in single precision there. Large matrix products reach some 40 % of
# either under its 70 W.
_PEAK: Mapping[Precision, float] = {"fp16": 65e12}
_SINGLE = 8.1e12
_REACHED = 0.4


@dataclass(frozen=True, slots=True)
class Hours:
    """An estimate of the work and the time.

    Attributes:
        windows: Windows that go through a model, all members together.
        searched: Hours on the device of the search, at the speed that it had there.
        t4: Hours on one of Kaggle's T4.
    """

    windows: int
    searched: float
    t4: float

    def sentences(self) -> list[str]:
        """For people: the figures, the limits, and what they rest on."""
        verdict = "; ".join(
            f"{'within' if self.t4 <= limit else 'over'} a limit of {limit:g} h" for limit in LIMITS
        )
        return [
            f"About {_time(self.t4)} on one T4 ({verdict}); {_time(self.searched)} at the speed "
            "of the search's device.",
            f"Assumed: {QUESTIONS:,} hidden questions with contexts of {CHARACTERS:,} characters "
            f"in the languages of the public part, {self.windows:,} windows over all models; "
            "on the T4 two operations per token and encoder weight at 40 % of the card's peak; "
            "loading, tokenizing and joining left out. The notebook's progress bar knows better.",
        ]


def estimate(run: StudyRun, manifest: Manifest, bundle: Path) -> Hours:
    """Estimates the time for the hidden test.

    Args:
        run: The study's run, whose records hold measured times.
        manifest: The bundle's manifest.
        bundle: Where the bundle is.

    Raises:
        DataError: Stored windows or a record are missing or damaged.
    """
    examples = _long_examples(run.folder.load_examples("public"))
    scale = QUESTIONS / len(examples)
    windows, tokens, public = {}, {}, {}
    for group in manifest.groups:
        tokenizer = QATokenizer.from_folder(bundle / group.folder)
        cuts = cut(encode(tokenizer, examples), group.length, group.stride)
        stored = load_windows(run.folder.windows_path(group.id, "public"))
        windows[group.id] = len(cuts) * scale
        tokens[group.id] = len(cuts.input_ids) * scale
        public[group.id] = len(stored.input_ids)
    searched = t4 = 0.0
    for member in manifest.members:
        work = tokens[member.group]
        measured = run.folder.read_record(member.id).inference_seconds
        searched += measured * work / public[member.group]
        operations = 2 * encoder_weights(bundle / member.folder) * work
        t4 += operations / (_REACHED * _PEAK.get(member.precision, _SINGLE))
    total = sum(windows[member.group] for member in manifest.members)
    return Hours(round(total), searched / 3600, t4 / 3600)


def _time(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{max(1, math.ceil(60 * hours))} min"


def _long_examples(public: Sequence[Example]) -> list[Example]:
    """Questions of the public part, with contexts of the assumed length made of theirs."""
    texts: dict[str, str] = {}
    for language in {example.language for example in public}:
        contexts = dict.fromkeys(e.context for e in public if e.language == language)
        joined = "\n".join(contexts)
        texts[language] = joined * math.ceil(2 * CHARACTERS / len(joined))
    examples = []
    for number, place in enumerate(np.linspace(0, len(public) - 1, _SAMPLE).round().astype(int)):
        example = public[place]
        text = texts[example.language]
        begin = number * CHARACTERS % (len(text) - CHARACTERS)
        context = text[begin : begin + CHARACTERS]
        examples.append(Example(f"{number}", example.question, context, (), example.language, ""))
    return examples
