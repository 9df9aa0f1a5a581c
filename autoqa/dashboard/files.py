"""Files that Optuna's dashboard lists beside a study and its trials, made when they are asked for.

Nothing of the private part is read.
"""

import csv
import io
import json
import uuid
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, BinaryIO

from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.trial import FrozenTrial

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.stored_predictions import load_part
from autoqa.dashboard.notes import score_columns, scores_of
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.errors import AutoqaError
from autoqa.scores.metrics import score_by
from autoqa.scores.registry import get_metric
from autoqa.store.candidate_record import CandidateRecord
from autoqa.trials.trial_attributes import TrialAttributes

_SPACE = uuid.UUID("0f5a3a5e-6f1d-4a6e-9d0c-6c1b1f3f9f5b")

_MIME = {"csv": "text/csv", "toml": "text/plain", "txt": "text/plain"}


class StudyFiles:
    """Optuna's artifact store: a study's own files, and those that people add in the dashboard.

    Args:
        run: The study's run.
    """

    def __init__(self, run: StudyRun) -> None:
        self._run = run
        self._made: dict[str, Callable[[], str]] = {}
        self._added = run.folder.path / "artifacts"

    def of_study(self, records: Sequence[CandidateRecord]) -> dict[str, str]:
        """System attributes of the study by which the dashboard finds its files.

        Args:
            records: Candidates in order of time.
        """
        text = self._run.store.study_text
        attributes = self._entry("study", "study.toml", lambda: text() or "")
        if records:
            attributes |= self._entry("study", "candidates.csv", lambda: curve(records))
        return attributes

    def of_trial(
        self, trial: FrozenTrial, records: Sequence[CandidateRecord], here: Container[str]
    ) -> dict[str, str]:
        """The same of a trial.

        Args:
            trial: The trial.
            records: Candidates of its run, in order of time.
            here: Ids of the candidates on this machine.
        """
        attributes: dict[str, str] = {}
        for name, make in self._of_trial(trial, records, here):
            name = f"trial-{trial.number}-{name}"
            attributes |= self._entry(f"trial {trial.number}", name, make)
        return attributes

    def _of_trial(
        self, trial: FrozenTrial, records: Sequence[CandidateRecord], here: Container[str]
    ) -> Iterator[tuple[str, Callable[[], str]]]:
        card = TrialAttributes.of(trial).card
        if card:
            yield "recipe-card.txt", lambda: f"{card}\n"
        if records:
            yield "curve.csv", lambda: curve(records)
        if records and records[-1].id in here:
            yield "public-predictions.csv", lambda: self._predictions(records[-1])

    def _entry(self, whose: str, filename: str, make: Callable[[], str]) -> dict[str, str]:
        name = str(uuid.uuid5(_SPACE, f"{whose} {filename}"))
        self._made[name] = make
        mimetype = _MIME[filename.rpartition(".")[2]]
        about = {"artifact_id": name, "filename": filename, "mimetype": mimetype, "encoding": None}
        return {f"artifacts:{name}": json.dumps(about)}

    def _predictions(self, record: CandidateRecord) -> str:
        """A candidate's answers to the public questions, with their scores."""
        member = Member(record.id, record.group)
        part = load_part(self._run, [member], "public")
        segmentation = get_metric(part.metric).segmentation
        plan = EnsemblePlan((member,), record.group, segmentation=segmentation)
        answers = [span.text for span in part.spans(plan)]
        scores = score_by(part.metric, answers, part.examples)
        return _table(
            ("id", "language", "document", "question", "references", "answer", part.metric),
            [
                (
                    *(row.id, row.language, row.document, row.question),
                    " | ".join(reference.text for reference in row.answers),
                    answer,
                    f"{score:.4f}",
                )
                for row, answer, score in zip(part.examples, answers, scores, strict=True)
            ],
        )

    # The names of the three methods are those of Optuna's artifact stores.
    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Makes a file, or opens one that was added.

        A file that cannot be made says why in its place.
        """
        make = self._made.get(artifact_id)
        if make is None:
            if not self._added.is_dir():
                raise ArtifactNotFound(f"there is no file {artifact_id}")
            return FileSystemArtifactStore(self._added).open_reader(artifact_id)
        try:
            text = make()
        except (AutoqaError, OSError) as error:
            text = f"{error}\n"
        return io.BytesIO(text.encode())

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keeps a file that somebody adds, in the run folder."""
        self._added.mkdir(exist_ok=True)
        FileSystemArtifactStore(self._added).write(artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """Removes a file that somebody added; others are made anew and cannot be removed."""
        if artifact_id in self._made or not self._added.is_dir():
            raise ArtifactNotFound(f"{artifact_id} was not added here")
        FileSystemArtifactStore(self._added).remove(artifact_id)


def curve(records: Sequence[CandidateRecord]) -> str:
    """Scores of candidates as CSV, one line each, with the point of the run in per cent."""
    columns = score_columns(records)
    return _table(
        ("candidate", "trial", "backbone", "percent", "seconds", *columns),
        [
            (
                *(record.id, record.trial, record.backbone),
                *(round(100 * record.fraction), f"{record.seconds:.1f}"),
                *(f"{scores_of(record).get(name, float('nan')):.4f}" for name in columns),
            )
            for record in records
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *rows])
    return out.getvalue()
