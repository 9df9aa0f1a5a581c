"""What a worker keeps between trials: data, tokenizers, evaluation windows."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from autoqa.api import TrainingProtocol
from autoqa.data.answer_lengths import limit_of
from autoqa.data.overlay import fingerprint
from autoqa.data.prepare import prepare_data
from autoqa.data.study_data import StudyData
from autoqa.features.cache import content_key, machine_cache
from autoqa.features.cut import cut
from autoqa.features.encode import Encoded
from autoqa.features.fertility import hard_to_read
from autoqa.features.files import keep_windows, kept_limit
from autoqa.features.offset_check import check_offsets
from autoqa.features.questions import check_window, shortened
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.window_group import WindowGroup
from autoqa.features.windows import Windows
from autoqa.modeling.load import check_length
from autoqa.modeling.model import SpanModel
from autoqa.parallel.leader import Leader
from autoqa.parallel.peers import Alone, OtherRanks
from autoqa.parallel.ranks import RankProcesses
from autoqa.recipes import Answers, Portion, Stage
from autoqa.registry import BoundBackbone, BoundStudy
from autoqa.registry.prepared import prepare
from autoqa.store.artifacts import Artifacts
from autoqa.store.checksums import damage_beside
from autoqa.store.run_folder import RunFolder
from autoqa.training.engine_plan import EnginePlan
from autoqa.training.lower_layers import LowerLayers
from autoqa.training.references import Labelling, References, single_answers
from autoqa.training.row_augmentation import row_changers
from autoqa.training.stop_request import PROCESS, StopRequest
from autoqa.types import Example


@dataclass(frozen=True, slots=True)
class ReadyBackbone:
    """A backbone whose folder is on this machine, and the study's evaluation windows for it.

    Attributes:
        bound: Specification, options, protocol.
        folder: Weights and tokenizer in Hugging Face layout.
        tokenizer: Encodes questions and contexts.
        group: Tokenizer, length and stride of the evaluation windows.
        public: Windows of the public part.
        private: Windows of the sealed part; predicted, saved, never scored here.
        shortened: Questions of both parts that stand in their windows without their end.
        metric: The study's metric, by which candidates are ranked.
        unread: Sentences on languages of the public part that the tokenizer hardly knows.
    """

    bound: BoundBackbone
    folder: Path
    tokenizer: QATokenizer
    group: WindowGroup
    public: Windows
    private: Windows
    shortened: int
    metric: str
    unread: tuple[str, ...] = ()


class Workbench:
    """Data, tokenizers and evaluation windows, made once per worker for all of its trials.

    Args:
        bound: The study with its plugins.
        run_folder: The study's folder.
        stop: By which runs are asked to stop.
        ranks: The processes of this worker's other devices, if it has several.

    Raises:
        ConfigError: The cache's size in the environment is not one.
    """

    def __init__(
        self,
        bound: BoundStudy,
        run_folder: Path,
        stop: StopRequest = PROCESS,
        ranks: RankProcesses | None = None,
    ) -> None:
        self.bound = bound
        self.run_folder = run_folder
        self.stop, self.ranks = stop, ranks
        self._cache = machine_cache()
        self._ready: dict[str, ReadyBackbone] = {}
        self._encoded: dict[tuple[str, str], Encoded] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._references: dict[tuple[str, str], References] = {}
        self._searched: StudyData | None = None

    @cached_property
    def data(self) -> StudyData:
        """Training examples per source and both parts of the validation set."""
        return prepare_data(self.bound)

    def with_validation_rows(self, held: Collection[str]) -> "Workbench":
        """The same with the validation rows among the training rows of their source.

        What is kept of that source is named by its content, so that neither cached features nor
        checkpoints of runs without the rows are taken for those of runs with them.

        Args:
            held: Documents whose rows stay out.
        """
        return self._with(self.data.refit(self.bound.study.validation.source, held))

    def without_fold(self, number: int) -> "Workbench":
        """The same with what is trained on to answer a fold; evaluation windows stay those of all.

        Args:
            number: The fold.
        """
        return self._with(self.data.without_fold(number))

    def _with(self, data: StudyData) -> "Workbench":
        """The same with other rows of the validation's source."""
        source = self.bound.study.validation.source
        other = Workbench(self.bound, self.run_folder, self.stop, self.ranks)
        other.data, other._searched = data, self._searched or self.data
        other._cache, other._ready = self._cache, self._ready
        other._encoded = {key: value for key, value in self._encoded.items() if key[1] != source}
        other._keys = {key: value for key, value in self._keys.items() if key[1] != source}
        return other

    def add_source(self, name: str, examples: tuple[Example, ...]) -> None:
        """Adds examples to train on that the study file does not name."""
        self.data = replace(self.data, train={**self.data.train, name: examples})
        self.__dict__.pop("rows_key", None)

    def backbone(self, name: str) -> ReadyBackbone:
        """Prepares a backbone on first use."""
        if name not in self._ready:
            bound = self.bound.backbones[name]
            folder = prepare(bound)
            tokenizer = QATokenizer.from_folder(folder)
            group = WindowGroup(tokenizer.key, bound.protocol.length, bound.protocol.stride)
            check_offsets(tokenizer, self._rows(), f"backbones.{name}")
            where = f"backbones.{name}.protocol"
            check_length(folder, group.length, where)
            check_window(tokenizer.template, group.length, group.stride, where)
            parts = [
                self._cache.encoded(tokenizer, part)
                for part in (self.data.public, self.data.private)
            ]
            limit = self._max_answer_tokens(tokenizer, group)
            public, private = (self._windows(part, group, limit) for part in parts)
            self._ready[name] = ReadyBackbone(
                metric=self.bound.study.validation.metric,
                unread=tuple(
                    hard_to_read(tokenizer, ((e.language, e.context) for e in self.data.public))
                ),
                bound=bound,
                folder=folder,
                tokenizer=tokenizer,
                group=group,
                public=public,
                private=private,
                shortened=sum(len(shortened(part, group.length, group.stride)) for part in parts),
            )
            self._save_windows(self._ready[name])
        return self._ready[name]

    def _rows(self) -> list[Example]:
        """What tokenizers must be able to read, but for the sealed part."""
        return [*self.data.public, *chain.from_iterable(self.data.train.values())]

    def encoded(self, backbone: str, source: str) -> Encoded:
        """All training examples of a source as a backbone's tokens, encoded on first use."""
        if (backbone, source) not in self._encoded:
            tokenizer = self.backbone(backbone).tokenizer
            examples = self.data.train[source]
            self._encoded[backbone, source] = self._cache.encoded(tokenizer, examples)
        return self._encoded[backbone, source]

    def references(self, backbone: str, source: str) -> References:
        """All different answers of a source's rows that have several, as a backbone's tokens."""
        if (backbone, source) not in self._references:
            rows, single = single_answers(self.data.train[source])
            encoded = self._cache.encoded(self.backbone(backbone).tokenizer, single)
            self._references[backbone, source] = References.of(rows, encoded)
        return self._references[backbone, source]

    def labelling(self, backbone: str, answers: Answers) -> Labelling | None:
        """What rows with several answers teach; ``None`` where that is their first answer."""
        if answers == "first":
            return None
        return Labelling(answers, lambda source: self.references(backbone, source))

    def references_key(self, source: str) -> str:
        """Names all answers of a source's rows, where :meth:`data_key` has the first ones only."""
        answers = [
            [(answer.start, answer.end) for answer in each.answers]
            for each in self.data.train[source]
        ]
        return hashlib.sha256(json.dumps(answers).encode()).hexdigest()[:12]

    def augmentation_keys(self, stage: Stage) -> list[str]:
        """What decides the work of a stage's augmentations; empty texts where its options do."""
        keys = self.bound.augmentation_keys(stage)
        if row_changers(self.bound.augmentations(stage)):
            keys.append(self.rows_key)
        return keys

    @cached_property
    def rows_key(self) -> str:
        """Names all that there is to train on, for what may look at any of it."""
        digest = hashlib.sha256()
        for name, examples in sorted(self.data.train.items()):
            digest.update(f"{name} {fingerprint(examples)} ".encode())
        return digest.hexdigest()[:12]

    def data_key(self, backbone: str, source: str) -> str:
        """Names what there is to train on in a source: its tokens, labels and languages."""
        if (backbone, source) not in self._keys:
            tokenizer, examples = self.backbone(backbone).tokenizer, self.data.train[source]
            languages = hashlib.sha256(" ".join(e.language for e in examples).encode()).hexdigest()
            self._keys[backbone, source] = content_key(tokenizer, examples) + languages[:8]
        return self._keys[backbone, source]

    def portion_key(self, backbone: str, portion: Portion) -> str:
        """Names what a portion draws from: its source, and the target where that decides, too."""
        target = self.bound.study.recipe.target
        sources = [portion.source]
        if portion.similar < 1 and target is not None:
            sources.append(target)
        return " ".join(self.data_key(backbone, source) for source in sources)

    def backbone_key(self, name: str) -> dict[str, Any]:
        """JSON values that say which weights a backbone starts from, and how it is fine-tuned."""
        ready = self.backbone(name)
        protocol = ready.bound.protocol.model_dump(mode="json")
        if not protocol["cache_frozen"]:  # as keys were before there was such a thing
            del protocol["cache_frozen"]
        return {
            "type": ready.bound.spec.name,
            "options": ready.bound.options.model_dump(mode="json"),
            "folder": ready.folder.name,
            "protocol": protocol,
        }

    def lower_layers(self, model: SpanModel, protocol: TrainingProtocol) -> LowerLayers | None:
        """What gives the output of a model's frozen layers, if that is kept; else ``None``."""
        return LowerLayers.of(model, protocol, self._cache)

    def peers(self, plan: EnginePlan) -> OtherRanks:
        """The other processes that train a run, if this worker has several devices."""
        return Alone() if self.ranks is None else Leader(self.ranks, plan)

    @property
    def checkpoints(self) -> Path:
        """Where runs of this study leave checkpoints."""
        return self.run_folder / "checkpoints"

    def _max_answer_tokens(self, tokenizer: QATokenizer, group: WindowGroup) -> int:
        """The limit that the study's windows have, here or among its shared files, or else get.

        What was scored with one number stays comparable only with what is scored with the same.
        """
        folder, key = RunFolder(self.run_folder), str(group)
        files = Artifacts.of(folder, self.bound.study.search.files)
        if files is not None and kept_limit(folder, key) is None:
            files.study.get_windows(key)
        data = self._searched or self.data
        kept = kept_limit(folder, key)
        return limit_of(self.bound.study, data, tokenizer, group.length) if kept is None else kept

    def _windows(self, encoded: Encoded, group: WindowGroup, limit: int) -> Windows:
        return replace(cut(encoded, group.length, group.stride), max_answer_tokens=limit)

    def _save_windows(self, ready: ReadyBackbone) -> None:
        folder, key = RunFolder(self.run_folder), str(ready.group)
        for path, windows in (
            (folder.windows_path(key, "public"), ready.public),
            (folder.windows_path(key, "private"), ready.private),
        ):
            if not path.is_file() or damage_beside(path):
                keep_windows(path, windows)

    @property
    def public(self) -> tuple[Example, ...]:
        """The part of the validation set that the search may see."""
        return self.data.public
