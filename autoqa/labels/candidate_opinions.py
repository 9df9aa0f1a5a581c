"""Candidates of a search as judges of rows that they did not train on.

A row of the public part was never trained on: its logits are stored. A training row was not
trained on by candidates whose recipe did not draw it; their kept models are run on it. Rows of the
private part are not asked about.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from autoqa.analysis.finished_run import StudyRun
from autoqa.arrays import Floats
from autoqa.bundle.batching import by_characters
from autoqa.data.checks import question_key
from autoqa.data.portions import turns
from autoqa.data.prepare import prepare_data
from autoqa.data.study_data import StudyData
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.files import kept_limits, load_windows
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.window_group import WindowGroup
from autoqa.features.windows import Windows
from autoqa.recipes import Recipe
from autoqa.registry import BoundStudy, bind, discover
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.predictions import load_logits
from autoqa.store.validation import check_validation
from autoqa.store.weight_quota import WEIGHTS, dropped
from autoqa.types import Example, ProgressCallback, Segmentation

T = TypeVar("T")

Reader = Callable[[Sequence[Example], Windows, Floats, Floats], Sequence[T]]
"""(examples, their windows, start logits, end logits) to one value per example."""

MODELS = 4
"""Judges of one row. More cost a forward pass each and rarely say something else."""


@dataclass(frozen=True, slots=True)
class Opinion(Generic[T]):
    """What one candidate says about one row.

    Attributes:
        candidate: Its id.
        value: What the reader made of its logits.
    """

    candidate: str
    value: T


class Judges:
    """The candidates of a run that can say something about rows of one source.

    One candidate stands for each recipe and backbone: of those whose weights are still there, or
    else of all, the one with the best public score.

    Args:
        run: The study's run.
        source: Name of a source in the study file.

    Attributes:
        candidates: Who is asked, best first.
        public: Rows of the source that belong to the public part.

    Raises:
        NothingFeasibleError: There is no candidate.
        DataError: The validation set is no longer the one that the study began with.
        PluginError: A plugin that the study names cannot be used.
        MissingAssetError: A source is not on this machine.
    """

    def __init__(self, run: StudyRun, source: str) -> None:
        self._run = run
        self._bound: BoundStudy = bind(run.study, discover())
        self._data: StudyData = prepare_data(self._bound)
        check_validation(run.folder, run.store, self._data.public, self._data.private)
        self._examples = run.folder.load_examples("public")
        # A soup's opinion is no further one beside those of its ingredients, nor a pupil's.
        records = [record for record in run.candidates() if not record.derived]
        chosen: dict[tuple[str, str], CandidateRecord] = {}
        for record in sorted(
            records, key=lambda record: (not self._runs(record), *by_score(record))
        ):
            chosen.setdefault((record.backbone, record.recipe_hash), record)
        self.candidates = tuple(sorted(chosen.values(), key=by_score))
        self._public = {_key(e): row for row, e in enumerate(self._examples) if e.source == source}
        self._train = {_key(e): e for e in self._data.train.get(source, ())}
        self.public = len(self._public)

    @property
    def segmentation(self) -> Segmentation:
        """Where the study's metric cuts answers into words."""
        return self._run.metric().segmentation

    def rows(self) -> list[Example]:
        """Rows of the source that may be asked about: training rows, then public ones."""
        return [*self._train.values(), *(self._examples[row] for row in self._public.values())]

    def ask(
        self,
        examples: Sequence[Example],
        read: Reader[T],
        *,
        models: int = MODELS,
        progress: ProgressCallback | None = None,
    ) -> list[list[Opinion[T]]]:
        """Opinions of the best candidates about rows that they did not train on.

        Args:
            examples: Rows of the source; those that :meth:`rows` lacks get no opinion.
            read: Makes something of a candidate's logits.
            models: Most opinions about one row, those of the best candidates.
            progress: Called with candidates asked and candidates in all.

        Raises:
            DataError: Stored windows or logits are damaged.
        """
        keys = [_key(example) for example in examples]
        opinions: list[list[Opinion[T]]] = [[] for _ in examples]
        for number, record in enumerate(self.candidates):
            open_rows = [row for row in range(len(keys)) if len(opinions[row]) < models]
            public = [row for row in open_rows if keys[row] in self._public]
            for row, value in zip(public, self._stored(record, keys, public, read), strict=True):
                opinions[row].append(Opinion(record.id, value))
            seen = self._seen(record) if len(public) < len(open_rows) else set()
            fresh = [r for r in open_rows if keys[r] in self._train and keys[r][2:] not in seen]
            if fresh and self._runs(record):
                unseen = [examples[row] for row in fresh]
                for row, value in zip(fresh, self._run_model(record, unseen, read), strict=True):
                    opinions[row].append(Opinion(record.id, value))
            if progress is not None:
                progress(number + 1, len(self.candidates))
        return opinions

    def _runs(self, record: CandidateRecord) -> bool:
        """Whether a candidate's weights are there: some are dropped to save room."""
        folder, files = self._run.folder, self._run.store.files
        if files is not None:
            files.bring_weights([record.id])
        return (folder.model(record.id) / WEIGHTS).is_file() and dropped(folder, record.id) is None

    def _stored(
        self,
        record: CandidateRecord,
        keys: Sequence["_RowKey"],
        rows: Sequence[int],
        read: Reader[T],
    ) -> Iterable[T]:
        """What is read from a candidate's public logits."""
        if not rows:
            return []
        windows = load_windows(self._run.folder.windows_path(record.group, "public"))
        logits = load_logits(self._run.folder, record.id, "public")
        values = read(self._examples, windows, *logits)
        return [values[self._public[keys[row]]] for row in rows]

    def _seen(self, record: CandidateRecord) -> set[tuple[str, str]]:
        """Questions and contexts that a candidate's recipe drew, in whatever source they stood.

        A candidate from the middle of a run counts as having seen all that the run was to see.
        """
        epochs = self._bound.backbones[record.backbone].protocol.epochs
        seen: set[tuple[str, str]] = set()
        for number, stage in enumerate(Recipe.from_dict(record.recipe).stages):
            for place, portion in enumerate(stage.portions):
                examples = self._data.train[portion.source]
                seed = (record.seed, number, place)
                for rows, _ in turns(self._data, portion, epochs, seed):
                    seen.update(_key(examples[row])[2:] for row in np.unique(rows).tolist())
        return seen

    def _run_model(
        self, record: CandidateRecord, examples: Sequence[Example], read: Reader[T]
    ) -> Iterator[T]:
        """The value of each example."""
        from autoqa.modeling.forward import predict
        from autoqa.modeling.load import load_for_inference

        folder = self._run.folder.model(record.id)
        tokenizer = QATokenizer.from_folder(folder)
        model = load_for_inference(folder)
        precision = self._bound.backbones[record.backbone].protocol.precision
        group = WindowGroup.parse(record.group)
        most = kept_limits(self._run.folder, [record.group])[record.group]
        for chunk in by_characters(examples):
            windows = cut(encode(tokenizer, chunk), group.length, group.stride)
            windows = replace(windows, max_answer_tokens=most)
            yield from read(chunk, windows, *predict(model, windows, precision=precision))


_RowKey = tuple[str, str, str, str]


def _key(example: Example) -> _RowKey:
    """Id and language, then what makes two rows the same question about the same text."""
    return example.id, example.language, question_key(example.question), example.context
