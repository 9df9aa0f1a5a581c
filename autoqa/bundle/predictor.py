"""Opens a bundle and answers questions with it.

The windows, the forward pass, the decoding and the vote are the functions that scored the ensemble
when it was selected, so a bundle answers as its manifest promises.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autoqa.bundle.batching import cut_rows, size, split
from autoqa.bundle.entries import MemberEntry
from autoqa.bundle.input_rows import Row, check_row
from autoqa.bundle.loading import Forward, check_device, load_member
from autoqa.bundle.manifest import Manifest
from autoqa.bundle.time_estimate import Estimate, seconds_of_loading, seconds_of_passes
from autoqa.bundle.verify import verify
from autoqa.ensemble.joining.join import Joined, join
from autoqa.errors import ConfigError
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.types import ProgressCallback


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer.

    Attributes:
        answer: Its text; empty where no answer was found. Where groups voted words away in the
            middle, it is shorter than the fragment that it was cut from.
        start: First character of that fragment in the context.
        end: One past its last character.
        score: Confidence, 0 to 1, higher is better; comparable between rows of one bundle.
        no_answer: Probability that the context holds no answer; ``None`` where the bundle was
            validated on no question without one, and so cannot tell.
    """

    answer: str
    start: int
    end: int
    score: float
    no_answer: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Its values by name, for JSON; without ``no_answer`` where that is not known."""
        values = asdict(self)
        if self.no_answer is None:
            del values["no_answer"]
        return values


NO_ANSWER = Prediction("", 0, 0, 0.0)
"""What stands for a row that could not be answered."""


class Ensemble:
    """An opened bundle. Made by :func:`load`.

    Args:
        folder: A verified bundle.
        manifest: Its manifest.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``...
        resident: Keep models in memory between single calls.
        max_answer_tokens: Most tokens in an answer, for all groups; left out, what the bundle says.

    Attributes:
        manifest: What the bundle says about itself.
        max_answer_tokens: Most tokens in an answer, by group.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        *,
        device: str = "auto",
        resident: bool = True,
        max_answer_tokens: int | None = None,
    ) -> None:
        self.manifest = manifest
        self.max_answer_tokens = {
            group: max_answer_tokens or own for group, own in manifest.max_answer_tokens.items()
        }
        self._folder = folder
        self._device = device
        self._resident = resident
        self._resident_models: dict[str, Forward] = {}
        self._current: tuple[str, Forward] | None = None
        self._tokenizers = {
            group.id: QATokenizer.from_folder(folder / group.folder) for group in manifest.groups
        }

    def __call__(self, *, question: str, context: str, language: str = "") -> Prediction:
        """Answers one question; the models stay in memory unless opened with ``resident=False``.

        Of a question that is too long for a window, the beginning is read.

        Args:
            question: The question.
            context: The text that holds the answer.
            language: ISO 639-1 code of the context, which decides on post-processing rules; left
                out, the script of the context does.

        Raises:
            DataError: The question or the context is empty or no text.
        """
        row = Row("the row", question, context, language)
        return self.predict([row], keep_loaded=self._resident)[0]

    def predict(
        self,
        rows: Iterable[Row],
        *,
        keep_loaded: bool = False,
        announce: Callable[[Estimate], None] | None = None,
        progress: ProgressCallback | None = None,
        shortened: Callable[[list[str]], None] | None = None,
    ) -> list[Prediction]:
        """Answers many questions.

        Rows are answered in blocks: memory holds the rows and the answers, one model, and the
        windows and logits of one block.

        Args:
            rows: What to answer.
            keep_loaded: Leave all models in memory, for callers that will ask again, as a server
                does; otherwise one model at a time is loaded, and none stays.
            announce: Told what it will take, before the first answer. Costs a trial pass.
            progress: Called with windows done and windows in all, over all models; the latter is
                an extrapolation until the last block.
            shortened: Told at the end the ids of rows whose question is too long for a window of
                some model, so that only its beginning was read there; not called without any.

        Returns:
            One prediction per row, in their order.

        Raises:
            DataError: As for a single question; names the row.
        """
        questions = list(rows)
        for row in questions:
            check_row(row)
        long: list[str] = []
        try:
            predictions = self._answer(questions, keep_loaded, announce, progress, long)
        finally:
            self._current = None
        if long and shortened is not None:
            shortened(long)
        return predictions

    def _answer(
        self,
        rows: Sequence[Row],
        keep_loaded: bool,
        announce: Callable[[Estimate], None] | None,
        progress: ProgressCallback | None,
        long: list[str],
    ) -> list[Prediction]:
        blocks = split(rows, self.manifest, self._tokenizers, self.max_answer_tokens)
        left = sum(map(size, rows))
        predictions: list[Prediction] = []
        done = 0
        for block in blocks:
            characters = sum(map(size, block))
            windows = cut_rows(
                block, self.manifest.groups, self._tokenizers, self.max_answer_tokens, long
            )
            passes = sum(len(windows[member.group]) for member in self.manifest.members)
            expected = done + round(passes * left / characters)
            if announce is not None and not predictions:
                seconds = self._seconds(windows, left / characters, len(blocks), keep_loaded)
                models = len(self.manifest.members)
                announce(Estimate(len(rows), expected, models, seconds))

            def report(now: int, before: int = done, total: int = expected) -> None:
                if progress is not None:
                    progress(before + now, total)

            joined = self._joined(block, windows, report, keep_loaded)
            predictions += self._predictions(joined)
            done, left = done + passes, left - characters
        return predictions

    def _predictions(self, joined: Joined) -> list[Prediction]:
        return [Prediction(s.text, s.start, s.end, s.score) for s in joined.spans]

    def _joined(
        self,
        rows: Sequence[Row],
        windows: Mapping[str, Windows],
        report: Callable[[int], None],
        keep_loaded: bool,
    ) -> Joined:
        logits, done = {}, 0
        for member in self.manifest.members:
            member_windows = windows[member.group]

            def advance(now: int, _: int, before: int = done) -> None:
                report(before + now)

            logits[member.id] = self._model(member, keep_loaded)(member_windows, progress=advance)
            done += len(member_windows)
            report(done)
        return join(self.manifest.plan, logits, windows, rows)

    def _model(self, member: MemberEntry, keep_loaded: bool) -> Forward:
        if member.id in self._resident_models:
            return self._resident_models[member.id]
        if self._current is None or self._current[0] != member.id:
            self._current = None  # before the next one is loaded, not after
            self._current = member.id, load_member(self._folder, member, self._device)
        model = self._current[1]
        if keep_loaded:
            self._resident_models[member.id] = model
        return model

    def _seconds(
        self, windows: Mapping[str, Windows], share: float, blocks: int, keep_loaded: bool
    ) -> float:
        """Seconds for all blocks, the first of which has these windows."""
        begin = time.perf_counter()
        model = self._model(self.manifest.members[0], keep_loaded)
        loading = seconds_of_loading(self.manifest, time.perf_counter() - begin)
        passes = seconds_of_passes(self._folder, self.manifest, windows, model)
        once = keep_loaded or len(self.manifest.members) == 1
        return passes * share + loading * (1 if once else blocks)


def load(
    path: str | Path,
    *,
    device: str = "auto",
    resident: bool = True,
    max_answer_tokens: int | None = None,
) -> Ensemble:
    """Opens a bundle after comparing every file with its checksum.

    Args:
        path: The folder that ``autoqa export`` wrote.
        device: ``auto`` takes the first GPU, else the CPU.
        resident: Keep all models in memory between single calls: faster, if they fit.
        max_answer_tokens: Most tokens in an answer, in place of what the bundle says.

    Raises:
        BundleError: The folder is no bundle, damaged, or of another format version.
        ConfigError: There is no such device, the bundle's models do not run there, or no answer
            can have so many tokens.
        MissingAssetError: The package that computes the bundle's models is not installed.
    """
    folder = Path(path)
    manifest = verify(folder)
    check_device(device, manifest)
    if max_answer_tokens is not None:
        _check_longest(max_answer_tokens, manifest)
    return Ensemble(
        folder,
        manifest,
        device=device,
        resident=resident,
        max_answer_tokens=max_answer_tokens,
    )


def _check_longest(most: object, manifest: Manifest) -> None:
    longest = max(group.length for group in manifest.groups)
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most < longest:
        raise ConfigError(
            f"max_answer_tokens is {most!r}: give a whole number from 1 to {longest - 1}; an "
            f"answer stands in one window, and those of the bundle have {longest} tokens, question "
            "included."
        )


def _token_counts(tokenizer: QATokenizer, texts: list[str]) -> list[int]:
    encodings = tokenizer.core.encode_batch_fast(texts, add_special_tokens=False)
    return [len(encoding.ids) for encoding in encodings]
