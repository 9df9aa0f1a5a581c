"""A study's finished run, opened for selection and export."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoqa.config.load import load_study
from autoqa.config.study import StudyFile
from autoqa.env import run_folder, runs_folder
from autoqa.errors import (
    ConfigError,
    DataError,
    MissingAssetError,
    NothingFeasibleError,
    PluginError,
    did_you_mean,
)
from autoqa.registry.versions import gone_plugins
from autoqa.scores.registry import Metric, get_metric
from autoqa.store.artifacts import Artifacts
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.predictions import left_out
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_elsewhere import fetch_study
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import dropped

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StudyRun:
    """A finished search: its study, its files and its database.

    Attributes:
        study: The study file as the search froze it.
        folder: Its run folder.
        store: Its database.
        told: Sentences about damaged candidates that were told already.
    """

    study: StudyFile
    folder: RunFolder
    store: Store
    told: set[str] = field(default_factory=set, repr=False, compare=False)

    def metric(self) -> Metric:
        """What the study is about.

        Raises:
            PluginError: It is a plugin's that is not installed here any more, or cannot be used.
            ConfigError: It is unknown, and the search did not say which plugins it had.
        """
        name, where = self.study.validation.metric, f"study {self.study.name!r}"
        try:
            return get_metric(name, where)
        except ConfigError as error:
            recorded = (self.store.conditions() or {}).get("environment", {})
            gone = gone_plugins(recorded)
            if not gone:
                raise
            packages = " or ".join(f"{package} {version}" for package, version in gone.items())
            wanted = " ".join(f"{package}=={version}" for package, version in gone.items())
            raise PluginError(
                f"{where}: the package of its metric {name!r}, {packages}, is not installed: "
                f"`pip install {wanted}` brings it back"
            ) from error

    def require_weights(self, names: Sequence[str]) -> None:
        """Checks that candidates' weights are on this machine.

        Those among the study's shared files are fetched.

        Raises:
            MissingAssetError: Some were dropped, or are damaged; the sentence names the way to get
                them back.
            DataError: Some are missing although they were not dropped.
        """
        if self.store.files is not None:
            self.store.files.bring_weights(names)
        gone = {name: each for name in names if (each := dropped(self.folder, name))}
        damaged = [name for name, each in gone.items() if each.damaged]
        if damaged:
            raise MissingAssetError(
                f"the weights of {', '.join(damaged)} are damaged or lost: "
                f"`autoqa retrain {self.study.name} {' '.join(gone)}` makes them again"
            )
        absent = list(gone)
        if absent:
            raise MissingAssetError(
                f"the weights of {', '.join(absent)} were dropped to keep within search.weights = "
                f"{self.study.search.weights:g} GiB: "
                f"`autoqa retrain {self.study.name} {' '.join(absent)}` makes them again"
            )

    def whole_candidates(self) -> list[str]:
        """Ids of candidates on this machine whose record and predictions are as written, sorted.

        Those among the study's shared files are fetched first. A sentence in the log says which
        are not whole, and why.
        """
        whole, sentences = [], []
        if self.store.files is not None:
            sentences = self.store.files.bring(self.store.candidates())
        for name in self.folder.candidate_ids():
            sentence = left_out(self.folder, name)
            if sentence is None:
                whole.append(name)
            else:
                sentences.append(sentence)
        for sentence in sentences:
            if sentence not in self.told:
                self.told.add(sentence)
                _log.warning("%s", sentence)
        return whole

    def candidates(self) -> list[CandidateRecord]:
        """All candidates whose files are on this machine, by id; damaged ones are left out.

        Raises:
            NothingFeasibleError: There is none.
            DataError: A record is of a newer version.
        """
        records = [self.folder.read_record(name) for name in self.whole_candidates()]
        if not records:
            raise NothingFeasibleError(
                f"the study {self.study.name!r} has no candidate in {self.folder.candidates}: run "
                "`autoqa search`, or look at its failed trials with `autoqa leaderboard`."
            )
        return records


def known_study(study: str) -> Path:
    """The study file as a search on this machine keeps it.

    One whose file names a database and shared files may have been searched elsewhere.

    Args:
        study: The study's name, or its study file.

    Raises:
        ConfigError: No search of that name has run here.
        AutoqaError: Its database cannot be opened.
    """
    given = load_study(Path(study), frozen=True) if study.endswith(".toml") else None
    name = study if given is None else given.name
    path = RunFolder(run_folder(name)).study_file
    if given is not None and given.search.files and given.search.storage and not path.is_file():
        return fetch_study(name, given.search.storage)
    if not path.is_file():
        home = runs_folder()
        known = sorted(path.parent.name for path in home.glob("*/study.toml"))
        hint = did_you_mean(name, known) or f"; there are: {', '.join(known) or 'none'}"
        raise ConfigError(
            f"STUDY {study!r}: no study of that name has been searched in {home}{hint}"
            f"{'' if hint.endswith('?') else '.'} `autoqa search STUDY.toml` searches one; "
            "AUTOQA_HOME says where runs are"
        )
    return path


def open_run(study: str) -> StudyRun:
    """Opens the run of a study.

    Args:
        study: The study's name, or its study file.

    Raises:
        ConfigError: No search of that name has run here.
        DataError: Its database is lost. A new one would be empty, and say that nothing was trained.
    """
    path = known_study(study)
    folder, frozen = RunFolder(path.parent), load_study(path, frozen=True)
    lost = frozen.search.storage is None and not folder.database.is_file()
    if lost and folder.candidate_ids():
        raise DataError(
            f"{folder.database}: the study's database is lost; `autoqa search {path}` makes a new "
            "one and gives it back the candidates of the run folder"
        )
    url = folder.store_url(frozen.search.storage)
    files = Artifacts.of(folder, frozen.search.files)
    if files is not None:
        files.study.fetch()
    store = Store(url, frozen.name, openings=folder.openings, files=files)
    return StudyRun(frozen, folder, store)
