"""Opens a bundle and answers questions with it.

The windows, the forward pass, the decoding and the vote are the functions that scored the ensemble
when it was selected, so a bundle answers as its manifest promises.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Unpack, overload

from autoqa.bundle.answer_options import AnswerKeywords, AnswerOptions, OtherKeywords
from autoqa.bundle.answering import Answering
from autoqa.bundle.document_answers import by_question, passage_rows
from autoqa.bundle.documents import Documents
from autoqa.bundle.input_rows import Row, check_row
from autoqa.bundle.loading import check_device
from autoqa.bundle.manifest import Manifest
from autoqa.bundle.model_shelf import ModelShelf
from autoqa.bundle.prediction import NO_ANSWER, Prediction
from autoqa.bundle.time_estimate import Estimate
from autoqa.bundle.verify import verify
from autoqa.bundle.withholding import told
from autoqa.errors import DataError
from autoqa.features.fertility import hard_to_read
from autoqa.features.tokenizer import QATokenizer
from autoqa.types import ProgressCallback

__all__ = ["NO_ANSWER", "Ensemble", "Prediction", "load"]


_LOOKED_AT = 100
"""Passages of many documents that are looked at for their languages."""


class Ensemble:
    """An opened bundle. Made by :func:`load`.

    Args:
        folder: A verified bundle.
        manifest: Its manifest.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``...
        resident: Keep models in memory between single calls.
        options: How questions are answered where a call says nothing else.

    Attributes:
        manifest: What the bundle says about itself.
        options: How questions are answered where a call says nothing else.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        *,
        device: str = "auto",
        resident: bool = True,
        options: AnswerOptions | None = None,
    ) -> None:
        self.manifest = manifest
        self.options = options or AnswerOptions()
        self._resident = resident
        self._shelf = ModelShelf(folder, device)
        self._tokenizers = {
            group.id: QATokenizer.from_folder(folder / group.folder) for group in manifest.groups
        }
        self._documents: tuple[tuple[str, ...], Documents] | None = None

    @property
    def max_answer_tokens(self) -> dict[str, int]:
        """Most tokens in an answer, by group."""
        return self.options.limits(self.manifest)

    @overload
    def __call__(
        self,
        *,
        question: str,
        context: str | None = None,
        contexts: Sequence[str] | Documents | None = None,
        language: str = "",
        top_k: None = None,
        **options: Unpack[OtherKeywords],
    ) -> Prediction: ...

    @overload
    def __call__(
        self,
        *,
        question: str,
        context: str | None = None,
        contexts: Sequence[str] | Documents | None = None,
        language: str = "",
        top_k: int,
        **options: Unpack[OtherKeywords],
    ) -> list[Prediction]: ...

    def __call__(
        self,
        *,
        question: str,
        context: str | None = None,
        contexts: Sequence[str] | Documents | None = None,
        language: str = "",
        top_k: int | None = None,
        **options: Unpack[OtherKeywords],
    ) -> Prediction | list[Prediction]:
        """Answers one question; the models stay in memory unless opened with ``resident=False``.

        Of a question that is too long for a window, the beginning is read.

        Args:
            question: The question.
            context: The text that holds the answer.
            contexts: In its place, texts one of which does. For many questions about the same
                texts make :class:`autoqa.Documents` of them once.
            language: ISO 639-1 code of the context, which decides on post-processing rules; left
                out, the script of the context does.
            top_k: How many answers; with a number, also with 1, they come as a list, best first.
            options: Further ones of :class:`autoqa.bundle.answer_options.AnswerOptions`.

        Raises:
            ConfigError: An option has a value that could not be kept to.
            DataError: The question or the context is empty or no text.
        """
        if (context is None) == (contexts is None):
            raise DataError("the row: give a context, or several as contexts.")
        several = None if contexts is None else self._several(contexts)
        row = Row("the row", question, context or "", language, several)
        asked: AnswerKeywords = {"top_k": 1 if top_k is None else top_k, **options}
        (found,) = self.predict([row], keep_loaded=self._resident, **asked)
        return found if top_k is None else [found.alone(), *found.others]

    def predict(
        self,
        rows: Iterable[Row],
        *,
        keep_loaded: bool = False,
        announce: Callable[[Estimate], None] | None = None,
        progress: ProgressCallback | None = None,
        shortened: Callable[[list[str]], None] | None = None,
        **options: Unpack[AnswerKeywords],
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
            options: Any of :class:`autoqa.bundle.answer_options.AnswerOptions`, such as
                ``top_k=3``; the further answers stand in ``others``.

        Returns:
            One prediction per row, in their order.

        Raises:
            ConfigError: An option has a value that could not be kept to.
            DataError: As for a single question; names the row.
            MissingAssetError: Passages are to be searched, and the package for that is missing.
        """
        asked = self.options.changed(self.manifest, **options)
        if "no_answer" in options:
            asked.warn(self.manifest)
        questions = list(rows)
        for row in questions:
            check_row(row)
        call = Answering(
            manifest=self.manifest,
            tokenizers=self._tokenizers,
            shelf=self._shelf,
            options=asked,
            keep_loaded=keep_loaded,
            announce=announce,
            progress=progress,
        )
        parts = passage_rows(questions, asked.passages)
        try:
            found = call.predictions([part.row for part in parts], len(questions))
        finally:
            self._shelf.clear()
        if call.shortened and shortened is not None:
            shortened(list(dict.fromkeys(call.shortened)))
        answers = by_question(parts, found, asked.top_k)
        return told(answers, questions, self.manifest, asked)

    def unread(self, rows: Sequence[Row]) -> list[str]:
        """A sentence for each language of some rows that a member can hardly read.

        Args:
            rows: What will be asked; of many documents, the first passages are looked at.
        """
        read = [(row.language, row.context) for row in rows if row.contexts is None]
        several = {id(row.contexts): row.contexts for row in rows if row.contexts is not None}
        read += [
            ("", near.text) for each in several.values() for near in each.passages[:_LOOKED_AT]
        ]
        return [
            f"{', '.join(m.id for m in self.manifest.members if m.group == group)}: {sentence}"
            for group, tokenizer in self._tokenizers.items()
            for sentence in hard_to_read(tokenizer, read)
        ]

    def _several(self, contexts: Sequence[str] | Documents) -> Documents:
        """The contexts of a call; those of the call before are not searched anew."""
        if isinstance(contexts, Documents):
            return contexts
        if isinstance(contexts, str) or not isinstance(contexts, Iterable):
            return Documents(contexts)  # which says what is wrong
        given = tuple(contexts)
        if self._documents is None or self._documents[0] != given:
            self._documents = given, Documents(given)
        return self._documents[1]


def load(
    path: str | Path,
    *,
    device: str = "auto",
    resident: bool = True,
    **options: Unpack[AnswerKeywords],
) -> Ensemble:
    """Opens a bundle after comparing every file with its checksum.

    Args:
        path: The folder that ``autoqa export`` wrote.
        device: ``auto`` takes the first GPU, else the CPU.
        resident: Keep all models in memory between single calls: faster, if they fit.
        options: How questions are answered where a call says nothing else, see
            :class:`autoqa.bundle.answer_options.AnswerOptions`; ``max_answer_tokens``: most tokens
            in an answer, in place of what the bundle says.

    Raises:
        BundleError: The folder is no bundle, damaged, or of another format version.
        ConfigError: There is no such device, the bundle's models do not run there, or an option
            has a value that could not be kept to.
        MissingAssetError: The package that computes the bundle's models is not installed.
    """
    folder = Path(path)
    manifest = verify(folder)
    check_device(device, manifest)
    asked = AnswerOptions().changed(manifest, **options)
    asked.warn(manifest)
    return Ensemble(folder, manifest, device=device, resident=resident, options=asked)
