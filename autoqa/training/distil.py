"""Distillation: a run of a recipe in which other candidates say what each window should answer.

After Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015,
arXiv:1503.02531): the pupil learns the teachers' distributions over starts and ends beside the
labels. Questions without answers are learned from the teachers alone, each window as far as they
are sure of it.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Floats
from autoqa.data.overlap import Overlap, sentence
from autoqa.errors import DataError
from autoqa.features.window_group import WindowGroup
from autoqa.features.windows import SoftTargets, Windows, ragged_index
from autoqa.files import writing_file
from autoqa.recipes import Stage
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.checksums import damage_beside, forget_sum_beside, write_sum_beside
from autoqa.store.run_folder import RunFolder
from autoqa.store.unlabelled import is_unlabelled, load_unlabelled
from autoqa.store.weight_quota import whole_model
from autoqa.training.batches import PreparedStage
from autoqa.training.jobs import DistilJob
from autoqa.training.messages import Emit, Message, Note, Progress, SnapshotTaken
from autoqa.training.run import run_trial
from autoqa.training.teacher import Lesson, Teacher, joined
from autoqa.training.workbench import Workbench
from autoqa.types import Example

LABEL_SHARE = 0.5
"""What a label counts beside the teachers; the value of DistilBERT's question-answering script."""


def distil(job: DistilJob, bench: Workbench, emit: Emit) -> None:
    """Trains a pupil and sends it.

    One teacher is in memory at a time, beside the pupil. What each says is kept on disk until the
    pupil is complete, and the run has checkpoints as any, so an interrupted job goes on.

    Args:
        job: Which run, and who teaches.
        bench: What this worker has made already.
        emit: Takes the messages to the parent.

    Raises:
        MissingAssetError: A teacher's weights are not here, or the questions without answers.
        DataError: All of those stand in the validation set, too; or a teacher is broken.
        TrainingError: As :func:`autoqa.training.run.run_trial`, which raises others, too.
    """
    school = _School(job, bench, emit)
    for stage in job.run.recipe.stages:
        for portion in stage.portions:
            if is_unlabelled(portion.source) and portion.source not in bench.data.train:
                school.add_unlabelled(portion.source)

    def pass_on(message: Message) -> None:
        if isinstance(message, SnapshotTaken):
            shutil.rmtree(school.answers, ignore_errors=True)
        emit(message)

    run_trial(job, bench, pass_on, school.teach)


@dataclass(frozen=True, slots=True)
class _School:
    """Gives windows their teachers' answers."""

    job: DistilJob
    bench: Workbench
    emit: Emit

    @property
    def folder(self) -> RunFolder:
        """The study's, also where the pupil itself is written elsewhere."""
        return RunFolder(self.bench.run_folder)

    @property
    def answers(self) -> Path:
        """Holds what each teacher says, until the pupil is complete."""
        return self.folder.lessons / self.job.candidate_id(1.0)

    def add_unlabelled(self, source: str) -> None:
        """Lets the recipe draw from questions without answers that are not in validation."""
        examples = load_unlabelled(self.folder, source)
        data = self.bench.data
        leaks = Overlap(data.public + data.private).find(examples)
        if leaks:
            note = sentence(source, len(examples), leaks.values()).removeprefix("sources.")
            self.emit(Note(self.job.trial, note))
        left = tuple(each for row, each in enumerate(examples) if row not in leaks)
        if not left:
            raise DataError(
                f"all {len(examples)} questions without answers are about texts of the validation "
                "set: give others, or none"
            )
        self.bench.add_source(source, left)

    def teach(self, stages: list[PreparedStage]) -> list[PreparedStage]:
        """The stages with soft targets."""
        recipe = self.job.run.recipe
        lessons = [
            Lesson.of(stage.windows, [*self._examples(of), *stage.made])
            for stage, of in zip(stages, recipe.stages, strict=True)
        ]
        asked, total = sum(len(x.windows) for x in lessons), sum(len(s.windows) for s in stages)
        self.emit(
            Note(
                self.job.trial, f"teachers are asked about {asked:,} different of {total:,} windows"
            )
        )
        paths = [self._ask(record, lessons) for record, _ in self.job.teachers]
        taught = []
        for stage, lesson, answers in zip(stages, lessons, zip(*paths, strict=True), strict=True):
            soft = self._targets(stage.windows, lesson, answers)
            taught.append(replace(stage, windows=replace(stage.windows, soft=soft)))
        return taught

    def _examples(self, stage: Stage) -> list[Example]:
        """What ``example`` of a prepared stage's windows counts through at first."""
        train = self.bench.data.train
        return [example for portion in stage.portions for example in train[portion.source]]

    def _ask(self, record: CandidateRecord, lessons: Sequence[Lesson]) -> list[Path]:
        """Files with what one teacher says of each stage; asks it where they are not there yet."""
        paths = [self.answers / f"{record.id}-{_digest(each.windows)}.npy" for each in lessons]
        if all(path.is_file() and damage_beside(path) is None for path in paths):
            return paths
        protocol = self.bench.bound.backbones[record.backbone].protocol
        group = WindowGroup.parse(record.group)
        teacher = Teacher(whole_model(self.folder, record.id), group, protocol.precision)
        tokenizer = self.bench.backbone(self.job.backbone).tokenizer.key
        phase = f"asking {record.id}"
        self.answers.mkdir(parents=True, exist_ok=True)
        for number, (path, lesson) in enumerate(zip(paths, lessons, strict=True), 1):
            said = teacher.log_probabilities(
                lesson,
                tokenizer,
                lambda done, total, at=number: self.emit(  # type: ignore[misc]
                    Progress(self.job.trial, phase, at, len(lessons), done, total)
                ),
            )
            forget_sum_beside(path)
            with writing_file(path) as partial, partial.open("wb") as file:
                np.save(file, said.astype(np.float16))
            write_sum_beside(path)
        return paths

    def _targets(self, windows: Windows, lesson: Lesson, answers: Sequence[Path]) -> SoftTargets:
        """What all teachers say of a stage's windows, and how much that counts."""
        seats = [each for _, each in self.job.teachers]
        said = [(np.load(path, mmap_mode="r"), n) for path, n in zip(answers, seats, strict=True)]
        log_probability, sure = joined(said, lesson.windows)
        bounds, rows = lesson.windows.bounds, lesson.rows
        index, _ = ragged_index(bounds[:-1][rows], bounds[1:][rows])
        unlabelled = np.array([is_unlabelled(each.source) for each in lesson.examples], bool)
        return SoftTargets(
            np.take(log_probability, index, axis=0),
            _weights(unlabelled[windows.example], sure[rows]),
        )


def _weights(unlabelled: npt.NDArray[np.bool_], sure: Floats) -> Floats:
    """How much label and teachers of each window count, float32 ``[W, 2]``.

    Args:
        unlabelled: Which windows have no label.
        sure: How sure the teachers are, 0 where none could answer.
    """
    share = np.where(unlabelled, 0.0, np.where(sure > 0, LABEL_SHARE, 1.0))
    teachers = np.where(unlabelled, sure, 1 - share)
    return np.stack([share, teachers], axis=1).astype(np.float32)


def _digest(windows: Windows) -> str:
    content = hashlib.sha256(windows.input_ids.tobytes())
    content.update(windows.bounds.tobytes())
    return content.hexdigest()[:12]
