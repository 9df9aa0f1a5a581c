"""``back-translation``: questions are asked in words that another language lent."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from autoqa.api import (
    Augmentation,
    AugmentationSpec,
    AutoqaError,
    ConfigError,
    DataError,
    Download,
    Example,
    MadeTexts,
    ModelFiles,
    Options,
    ProgressCallback,
    TrainingRows,
    missing_package,
    rows_in,
)

Paraphrases = dict[str, list[str]]


class BackTranslationOptions(Options):
    """Options of ``back-translation``: a table, or two models.

    Attributes:
        share: Probability that a row's question is replaced, where it has a paraphrase.
        table: A file of any format with columns ``question`` and ``paraphrase``; the latter may be
            a list, and a question may stand in several rows.
        language: Only questions of rows in this language are replaced; models need it.
        forward: Model that translates from that language: an id on the hub, or a folder.
        backward: Model that translates back; left out, ``forward`` does.
        forward_revision: Branch, tag or commit of ``forward``.
        backward_revision: The same of ``backward``.
        pickled: The models' weights are in ``pytorch_model.bin``.
        source_language: What the models call the language.
        pivot_language: What they call the one in between.
        beams: Beams of both searches.
        paraphrases: Paraphrases of each question that are kept to draw from.
        batch_size: Questions that are translated at once.
    """

    share: Annotated[float, Field(ge=0, le=1)] = 0.3
    table: str | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")] | None = None
    forward: Annotated[str, Field(min_length=1)] | None = None
    backward: Annotated[str, Field(min_length=1)] | None = None
    forward_revision: str = "main"
    backward_revision: str = "main"
    pickled: bool = False
    source_language: str = ""
    pivot_language: str = ""
    beams: Annotated[int, Field(ge=1, le=32)] = 4
    paraphrases: Annotated[int, Field(ge=1)] = 1
    batch_size: Annotated[int, Field(ge=1)] = 16

    @model_validator(mode="after")
    def _one_way(self) -> "BackTranslationOptions":
        if (self.table is None) == (self.forward is None):
            raise ValueError("give table, or else forward: the model that translates questions")
        if self.forward is not None and self.language is None:
            raise ValueError("give language: the one of the questions that forward translates")
        if self.paraphrases > self.beams:
            raise ValueError(f"{self.paraphrases} paraphrases need as many beams, not {self.beams}")
        return self

    @property
    def models(self) -> tuple[ModelFiles, ModelFiles]:
        """Forward and back."""
        assert self.forward is not None
        there = ModelFiles(self.forward, self.forward_revision, self.pickled)
        if self.backward is None:
            return there, there
        return there, ModelFiles(self.backward, self.backward_revision, self.pickled)


def back_translated(
    examples: Sequence[Example], paraphrases: Paraphrases, chosen: np.ndarray, picks: np.ndarray
) -> list[Example]:
    """Replaces questions by one of their paraphrases; contexts and answers stay.

    Args:
        examples: Questions about contexts.
        paraphrases: Question to its paraphrases; one that is not there stays.
        chosen: Which examples may change, bool ``[N]``.
        picks: Where among its paraphrases each one's lies, 0 to 1, float ``[N]``.
    """
    changed = []
    for each, may, pick in zip(examples, chosen.tolist(), picks.tolist(), strict=True):
        others = paraphrases.get(each.question) if may else None
        changed.append(replace(each, question=others[int(pick * len(others))]) if others else each)
    return changed


def read_table(path: str) -> Paraphrases:
    """Reads a table of paraphrases; what repeats its question, or another paraphrase, goes.

    Raises:
        MissingAssetError: There is no such file, or the package that reads it is not installed.
        DataError: A row has no question or no paraphrase; says file and line.
    """
    found: Paraphrases = {}
    # Both are named, so that the message about one that is not there speaks of these.
    columns = {"question": "question", "context": "paraphrase"}
    read = rows_in(Path(path).expanduser(), columns=columns, labels=False, need="any")
    try:
        rows = list(read)
    except DataError as error:
        needed = "a table of paraphrases has the columns question and paraphrase"
        raise DataError(f"{str(error).rstrip('.')}; {needed}.") from error
    for row in rows:
        others = row.contexts or (row.context,)
        if row.problem or not row.question.strip() or not all(each.strip() for each in others):
            problem = row.problem or "a question or its paraphrase is empty"
            raise DataError(f"{row.where}: {problem.rstrip('.')}; correct or remove the row.")
        own = found.setdefault(row.question, [])
        own += [each for each in others if each != row.question and each not in own]
    if not found:
        raise DataError(f"{path}: the table has no rows; fill it, or leave it out.")
    if not any(found.values()):
        raise DataError(f"{path}: no paraphrase differs from its question; leave it out.")
    return found


class BackTranslation(Augmentation):
    """Questions are asked in other words, found by way of another language.

    **What.** Each time a row is drawn its question is replaced with some probability by one of its
    back-translations; contexts and answers stay. These come from a table, or from translation
    models on this machine, whose work is kept in the cache and done once for each question.

    **When.** Few questions that are seen several times, or questions that were written beside the
    open text and repeat its words, as in SQuAD: a paraphrase shares fewer of them. A translation
    that asks something else is a wrong label, so the models must be good at the language, and a
    share of at most a half keeps the questions as people ask them in the majority.

    **Source.** Sennrich, Haddow and Birch (2016), "Improving neural machine translation models with
    monolingual data"; for question answering, there of contexts, Yu et al. (2018), "QANet".
    """

    def __init__(self, options: BackTranslationOptions) -> None:
        self.options = options
        self._table = None if options.table is None else read_table(options.table)

    def rows(self, rows: TrainingRows, rng: np.random.Generator) -> Sequence[Example]:
        """See :meth:`autoqa.api.Augmentation.rows`."""
        options, examples = self.options, rows.examples
        spoken = np.array([options.language in (None, each.language) for each in examples], bool)
        drawn, picks = rng.random(len(examples)), rng.random(len(examples))
        chosen = spoken & (drawn < options.share)
        asked = [examples[row].question for row in np.flatnonzero(chosen).tolist()]
        paraphrases = self._of(asked, rows.progress)
        return back_translated(examples, paraphrases, chosen, picks)

    def _of(self, questions: Sequence[str], progress: ProgressCallback) -> Paraphrases:
        if self._table is not None:
            return self._table
        made = MadeTexts("paraphrases", key(self.options)).of(questions, self._make, progress)
        return {
            text: [each for each in own if each not in ("", text)] for text, own in made.items()
        }

    def _make(
        self, questions: Sequence[str], progress: ProgressCallback
    ) -> Iterator[tuple[str, list[str]]]:
        from autoqa_augmentations.translation_models import TranslationModel

        options = self.options
        there, back = options.models
        forward = TranslationModel(there)
        backward = forward if back == there else TranslationModel(back)
        source, pivot, beams = options.source_language, options.pivot_language, options.beams
        # What is of similar length is padded little.
        order = sorted(questions, key=lambda text: (len(text), text))
        for begin in range(0, len(order), options.batch_size):
            batch = order[begin : begin + options.batch_size]
            turned = forward.translations(batch, source, pivot, beams=beams)
            own = backward.translations(
                [best for (best,) in turned], pivot, source, beams=beams, count=options.paraphrases
            )
            yield from zip(batch, own, strict=True)
            progress(begin + len(batch), len(order))


def missing(options: BackTranslationOptions) -> str | None:
    """Says which file, package or model is not on this machine."""
    if options.table is not None:
        path = Path(options.table).expanduser()
        if not path.is_file():
            return f"there is no table {options.table!r}; correct its path, or put the file there"
        try:
            return missing_package(path)
        except AutoqaError:
            return None  # a damaged file: reading it says more
    return next((said for each in options.models if (said := each.missing())), None)


def downloads(options: BackTranslationOptions) -> Sequence[Download]:
    """The models, where they are not here."""
    models = () if options.table is not None else dict.fromkeys(options.models)
    return [each for model in models for each in model.downloads()]


def key(options: BackTranslationOptions) -> str:
    """Digest of the table, or of the models and how they are asked.

    Raises:
        MissingAssetError: As :func:`read_table`.
        DataError: As :func:`read_table`; keys are asked before anything is trained.
    """
    if options.table is not None:
        read_table(options.table)
        try:
            content = Path(options.table).expanduser().read_bytes()
        except OSError as error:
            raise ConfigError(f"the table {options.table!r} cannot be read: {error}.") from error
        return hashlib.sha256(content).hexdigest()[:16]
    asked = (options.source_language, options.pivot_language, options.beams, options.paraphrases)
    said = [*(model.key() for model in options.models), *map(str, asked)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


SPEC = AugmentationSpec(
    name="back-translation",
    summary="questions become paraphrases by way of another language: from a table or two models",
    options=BackTranslationOptions,
    build=BackTranslation,
    missing=missing,
    downloads=downloads,
    key=key,
)
