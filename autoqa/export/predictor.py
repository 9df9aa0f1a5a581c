"""Opens a bundle and answers questions with it.

The windows, the forward pass, the decoding and the vote are the functions that scored the ensemble
when it was selected, so a bundle answers as its manifest promises.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from autoqa.ensemble.aggregate import Member
from autoqa.errors import ConfigError, DataError
from autoqa.export.bundle import verify
from autoqa.export.join import join
from autoqa.export.manifest import GroupEntry, Manifest, MemberEntry
from autoqa.export.rows import Row, check_row
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.types import Example, Span

if TYPE_CHECKING:
    from autoqa.modeling.model import SpanModel

Progress = Callable[[int, int], None]
Logits = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]

_DEVICE = re.compile(r"auto|cpu|cuda(:(?P<index>\d+))?")

_CHARACTERS = 8_000_000
"""Context characters per chunk of rows: some 10 million tokens of windows, 80 MB of logits a
member. Loading every model once per chunk costs seconds, answering a chunk minutes."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer.

    Attributes:
        answer: Its text; empty where no answer was found. Where groups voted words away in the
            middle, it is shorter than the fragment that it was cut from.
        start: First character of that fragment in the context.
        end: One past its last character.
        score: Confidence, 0 to 1, higher is better; comparable between rows of one bundle.
    """

    answer: str
    start: int
    end: int
    score: float


class Ensemble:
    """An opened bundle. Made by :func:`load`.

    Args:
        folder: A verified bundle.
        manifest: Its manifest.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``...
        resident: Keep models in memory between single calls.

    Attributes:
        manifest: What the bundle says about itself.
    """

    def __init__(
        self, folder: Path, manifest: Manifest, *, device: str = "auto", resident: bool = True
    ) -> None:
        self.manifest = manifest
        self._folder = folder
        self._device = device
        self._resident = resident
        self._models: dict[str, SpanModel] = {}
        self._tokenizers = {
            group.id: QATokenizer.from_folder(folder / group.folder) for group in manifest.groups
        }

    def __call__(self, *, question: str, context: str, language: str = "") -> Prediction:
        """Answers one question; the models stay in memory unless opened with ``resident=False``.

        Args:
            question: The question.
            context: The text that holds the answer.
            language: ISO 639-1 code of the context, which decides on post-processing rules; left
                out, the script of the context does.

        Raises:
            DataError: The question or the context is empty or no text, or the question fills a
                whole window.
        """
        return self._checked([Row("the row", question, context, language)], keep=self._resident)[0]

    def predict(self, rows: Iterable[Row], *, progress: Progress | None = None) -> list[Prediction]:
        """Answers many questions; one model at a time is in memory.

        Args:
            rows: What to answer.
            progress: Called with units of work done and units in all.

        Returns:
            One prediction per row, in their order.

        Raises:
            DataError: As for a single question; names the row.
        """
        return self._checked(list(rows), keep=False, progress=progress)

    def misfits(self, rows: Sequence[Row]) -> dict[int, str]:
        """Rows whose question leaves no room to cut the context, with the reason, by position."""
        found: dict[int, str] = {}
        for group in self.manifest.groups:
            tokenizer = self._tokenizers[group.id]
            room = group.length - tokenizer.template.specials
            sizes = _token_counts(tokenizer, [row.question.lstrip() for row in rows])
            # A context that fits beside its question whole needs no cut.
            tight = [i for i, size in enumerate(sizes) if room - size <= group.stride]
            contexts = _token_counts(tokenizer, [rows[i].context for i in tight])
            for position, tokens in zip(tight, contexts, strict=True):
                if tokens > room - sizes[position]:
                    found.setdefault(
                        position,
                        f"the question has {sizes[position]} tokens, but beside this context there "
                        f"is room for {room - group.stride - 1}: shorten the question",
                    )
        return found

    def _checked(
        self, rows: list[Row], *, keep: bool, progress: Progress | None = None
    ) -> list[Prediction]:
        for row in rows:
            check_row(row)
        for position, reason in sorted(self.misfits(rows).items()):
            raise DataError(f"{rows[position].id}: {reason}.")
        total = len(rows) * len(self.manifest.members)
        predictions: list[Prediction] = []
        for chunk in chunks(rows):
            before = len(predictions) * len(self.manifest.members)

            def report(done: int, base: int = before) -> None:
                if progress is not None:
                    progress(base + done, total)

            spans = self._answer(chunk, report, keep=keep)
            predictions += [Prediction(s.text, s.start, s.end, s.score) for s in spans]
        return predictions

    def _answer(self, rows: list[Row], report: Callable[[int], None], *, keep: bool) -> list[Span]:
        examples = [Example(r.id, r.question, r.context, (), "", r.id) for r in rows]
        windows = {g.id: self._windows(g, examples) for g in self.manifest.groups}
        logits: dict[str, Logits] = {}
        for number, member in enumerate(self.manifest.members):

            def advance(done: int, of: int, base: int = number * len(rows)) -> None:
                report(base + len(rows) * done // of)

            logits[member.id] = self._logits(member, windows[member.group], advance, keep=keep)
            report((number + 1) * len(rows))
        return join(
            ensemble_members(self.manifest.members),
            logits,
            windows,
            rows,
            self.manifest.vote,
            self.manifest.rules,
        )

    def _windows(self, group: GroupEntry, examples: list[Example]) -> Windows:
        return cut(encode(self._tokenizers[group.id], examples), group.length, group.stride)

    def _logits(
        self, member: MemberEntry, windows: Windows, advance: Progress, *, keep: bool
    ) -> Logits:
        from autoqa.modeling.forward import predict
        from autoqa.modeling.load import load_for_inference

        model = self._models.get(member.id)
        if model is None:
            model = load_for_inference(self._folder / member.folder, self._device)
        if keep:
            self._models[member.id] = model
        return predict(model, windows, precision=member.precision, progress=advance)


def load(path: str | Path, *, device: str = "auto", resident: bool = True) -> Ensemble:
    """Opens a bundle after comparing every file with its checksum.

    Args:
        path: The folder that ``autoqa export`` wrote.
        device: ``auto`` takes the first GPU, else the CPU.
        resident: Keep all models in memory between single calls: faster, if they fit.

    Raises:
        BundleError: The folder is no bundle, damaged, or of another format version.
        ConfigError: There is no such device.
    """
    folder = Path(path)
    _check_device(device)
    return Ensemble(folder, verify(folder), device=device, resident=resident)


def ensemble_members(members: Iterable[MemberEntry]) -> list[Member]:
    """The manifest's members as the ensemble functions take them."""
    return [Member(member.id, member.group, member.weight) for member in members]


def _check_device(device: str) -> None:
    match = _DEVICE.fullmatch(device)
    if match is None:
        raise ConfigError(f"device {device!r} is unknown: write auto, cpu, cuda, or cuda:1.")
    if device.startswith("cuda"):
        import torch

        if int(match["index"] or 0) >= torch.cuda.device_count():
            raise ConfigError(
                f"device {device!r} is not there: torch sees {torch.cuda.device_count()} CUDA "
                "devices; write auto or cpu."
            )


def _token_counts(tokenizer: QATokenizer, texts: list[str]) -> list[int]:
    encodings = tokenizer.core.encode_batch_fast(texts, add_special_tokens=False)
    return [len(encoding.ids) for encoding in encodings]


class _HasContext(Protocol):
    @property
    def context(self) -> str: ...


_Asked = TypeVar("_Asked", bound=_HasContext)


def chunks(rows: Iterable[_Asked]) -> Iterator[list[_Asked]]:
    """Rows in runs whose windows and logits fit into memory together."""
    chunk: list[_Asked] = []
    characters = 0
    for row in rows:
        if chunk and characters + len(row.context) > _CHARACTERS:
            yield chunk
            chunk, characters = [], 0
        chunk.append(row)
        characters += len(row.context)
    if chunk:
        yield chunk
