"""A study's run folder: typed paths, and the files that more than one part reads.

Reading anything of the private part needs an :class:`~autoqa.store.study_tables.Opening`. Whoever
predicts it (the worker) writes it by :func:`autoqa.store.predictions.write_logits` and never reads
it back.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from autoqa.errors import ConfigError, DataError
from autoqa.files import write_atomically, writing_folder
from autoqa.store.candidate_record import CandidateRecord, identity, parse_record, windows_key
from autoqa.store.checksums import (
    DamagedError,
    check,
    damage_beside,
    forget_sum_beside,
    write_checksums,
    write_sum_beside,
)
from autoqa.store.example_lines import Digests, digests, from_line, to_line
from autoqa.store.private_openings import Opening
from autoqa.types import Example

Part = Literal["public", "private"]
PARTS: tuple[Part, ...] = ("public", "private")

RECORD = "candidate.json"
TRIAL = "trial.json"
"""The row of a candidate's trial as it was when its run began."""

CANDIDATE = re.compile(r"t\d{4,}-\d{1,3}|(soup|distil)-[a-z0-9_-]+-[0-9a-f]{6}")
"""What ids of candidates look like."""

_OF_TRIAL = re.compile(r"t(\d+)-\d+$")


class RunFolder:
    """Typed paths of one study's run folder.

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.study_file = path / "study.toml"
        self.database = path / "study.db"
        self.validation = path / "validation"
        self.candidates = path / "candidates"
        self.logs = path / "logs"
        self.refits = path / "refits"
        self.folds = path / "folds"
        self.selection = path / "selection.json"
        self.postprocess = path / "postprocess.json"
        self.span_scoring = path / "span-scoring.json"
        self.tried_soups = path / "soups.json"
        self.unlabelled = path / "unlabelled"
        self.lessons = path / "lessons"
        self.damaged = path / "damaged"
        self.openings = path / "openings.jsonl"
        self._token = path / ".token"

    def create(self) -> None:
        """Makes the folder and those below it that every study has."""
        for folder in (self.validation / "sealed", self.candidates, self.logs):
            folder.mkdir(parents=True, exist_ok=True)

    def mark(self, token: str) -> str:
        """Gives the folder something to be known by, wherever it is reached from."""
        write_atomically(self._token, token + "\n")
        return token

    def token(self) -> str | None:
        """What :meth:`mark` wrote, or ``None``."""
        with suppress(FileNotFoundError):
            return self._token.read_text(encoding="utf-8").strip()
        return None

    def store_url(self, storage: str | None = None) -> str:
        """URL of the study's database.

        Args:
            storage: ``[search].storage`` of the study file; left out, SQLite in this folder.
        """
        return storage or f"sqlite:///{self.database.resolve()}"

    def examples_path(self, part: Part) -> Path:
        """Examples of one part, one JSON object a line."""
        return sealed_folder(self.validation, part) / f"{part}.jsonl"

    def windows_path(self, group: str, part: Part) -> Path:
        """Evaluation windows of one group."""
        return sealed_folder(self.validation / windows_key(group), part) / f"{part}.safetensors"

    def candidate(self, candidate_id: str) -> Path:
        """Folder of one candidate.

        Raises:
            ConfigError: The id has not the form ``t0003-100``, ``soup-e5-3fa9c1`` or
                ``distil-e5-3fa9c1``.
        """
        if not CANDIDATE.fullmatch(candidate_id):
            raise ConfigError(
                f"candidate {candidate_id!r}: ids look like t0003-100, soup-e5-3fa9c1 or "
                "distil-e5-3fa9c1"
            )
        return self.candidates / candidate_id

    def model(self, candidate_id: str) -> Path:
        """Weights and tokenizer of one candidate, in Hugging Face layout."""
        return self.candidate(candidate_id) / "model"

    def logits_path(self, candidate_id: str, part: Part) -> Path:
        """Where one candidate's logits for one part stand."""
        return sealed_folder(self.candidate(candidate_id), part) / f"{part}.safetensors"

    @contextmanager
    def writing_candidate(self, candidate_id: str, trial: str = "") -> Iterator[Path]:
        """A folder to fill that becomes the candidate's when the block ends without an error.

        Args:
            candidate_id: Its id.
            trial: JSON of its trial's row, kept so that the database can be made again.

        Raises:
            DataError: A candidate of another run has that id; it stays.
        """
        final = self.candidate(candidate_id)
        with writing_folder(final, final.with_name(f".{candidate_id}.partial")) as partial:
            (partial / "sealed").mkdir()
            if trial:
                (partial / TRIAL).write_text(trial, encoding="utf-8")
            yield partial
            write_checksums(partial)
            if final.exists():
                self._make_way(candidate_id, _read_record(partial))

    def _make_way(self, candidate_id: str, new: CandidateRecord) -> None:
        """Refuses to replace another run's candidate, and sets one aside that cannot be read."""
        try:
            old = self.read_record(candidate_id)
        except DamagedError:
            self.set_aside(candidate_id)
            return
        if identity(old) != identity(new):
            raise DataError(
                f"{self.candidate(candidate_id)} is of another run ({old.backbone}, recipe "
                f"{old.recipe_hash}, rate {old.learning_rate:g}, seed {old.seed}) and is not "
                "replaced: move it away"
            )

    def set_aside(self, candidate_id: str) -> Path:
        """Moves a candidate's folder to where no command looks for candidates.

        Returns:
            Where it is.
        """
        self.damaged.mkdir(exist_ok=True)
        target = Path(tempfile.mkdtemp(prefix=f"{candidate_id}.", dir=self.damaged))
        self.candidate(candidate_id).rename(target)
        return target

    def candidate_ids(self) -> list[str]:
        """Ids of the complete candidates on disk, sorted."""
        if not self.candidates.is_dir():
            return []
        return sorted(path.name for path in self.candidates.iterdir() if _complete(path))

    def last_trial(self) -> int:
        """The highest number of a trial that left a candidate on disk; -1 where none did."""
        if not self.candidates.is_dir():
            return -1
        found = map(_OF_TRIAL.match, os.listdir(self.candidates))  # noqa: PTH208
        return max((int(match[1]) for match in found if match), default=-1)

    def read_record(self, candidate_id: str) -> CandidateRecord:
        """The record beside a candidate's weights.

        Raises:
            DamagedError: The file is missing, not a candidate record, or not what was written.
            DataError: It is of a newer version.
        """
        check(self.candidate(candidate_id), RECORD)
        return _read_record(self.candidate(candidate_id))

    def remove_partial(self, mark: str = "", spare: Collection[int] = ()) -> list[str]:
        """Removes what was being written when its writer died.

        Args:
            mark: Only what has this in its name, such as ``soup-``.
            spare: Trials whose writers are alive.

        Returns:
            Names of what was removed.
        """
        removed = []
        spared = [trial_mark(trial) for trial in spare]
        for path in sorted(self.candidates.iterdir()) if self.candidates.is_dir() else []:
            name = path.name
            if mark in name and not any(map(name.__contains__, spared)) and not _complete(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                removed.append(path.name)
        return removed

    def save_examples(self, part: Part, examples: Iterable[Example]) -> None:
        """Writes one part's examples down; :mod:`autoqa.store.validation` says when."""
        path = self.examples_path(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        forget_sum_beside(path)
        write_atomically(path, "".join(map(to_line, examples)))
        write_sum_beside(path)

    def example_digests(self, part: Part) -> Digests | None:
        """Digests of one part's stored examples, ``None`` where there are none yet.

        They say whether the sealed part is what it was, and nothing of what it holds.

        Raises:
            DataError: The file is damaged.
        """
        return digests(self._examples(part)) if self.examples_path(part).is_file() else None

    def load_examples(self, part: Part, opening: Opening | None = None) -> list[Example]:
        """The frozen examples of one part.

        Args:
            part: Which.
            opening: What :meth:`Store.log_opening` returned; needed for the private part.

        Raises:
            ConfigError: The private part was asked for without an opening.
            DataError: The file is missing or damaged.
        """
        check_opening(part, opening)
        if not self.examples_path(part).is_file():
            raise DataError(f"{self.examples_path(part)} does not exist: run `autoqa search` first")
        return list(self._examples(part))

    def _examples(self, part: Part) -> Iterator[Example]:
        path = self.examples_path(part)
        problem = damage_beside(path)
        if problem is not None:
            raise DamagedError(
                f"{path} is damaged ({problem}): `autoqa search {self.study_file}` writes it again"
            )
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                yield from_line(line, f"{path}:{number}")


def trial_mark(trial: int) -> str:
    """What the names of all candidates of a trial begin with, complete or not."""
    return f"t{trial:04d}-"


def sealed_folder(folder: Path, part: Part) -> Path:
    """Where a folder keeps what belongs to a part: the private part's has a folder of its own."""
    return folder / "sealed" if part == "private" else folder


def check_opening(part: Part, opening: Opening | None) -> None:
    """Raises ConfigError where the private part is read without an opening."""
    if part == "private" and not isinstance(opening, Opening):
        raise ConfigError(
            "the private part is sealed: pass what Store.log_opening(reason) returns, "
            "so that the opening is written down"
        )


def _complete(path: Path) -> bool:
    return bool(CANDIDATE.fullmatch(path.name)) and (path / RECORD).is_file()


def _read_record(folder: Path) -> CandidateRecord:
    path = folder / RECORD
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DamagedError(f"{path}: not a candidate record ({error})") from error
    return parse_record(content, str(path))
