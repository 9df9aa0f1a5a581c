"""A study's files where all that search it reach them; its run folder here is their cache.

Below the URL every study has a folder of its name, which is laid out as a run folder. A candidate
is there when its ``checksums.json`` is, which comes last. Predictions travel to whoever compares
candidates, weights only to whoever needs them.
"""

import json
import time
from collections.abc import Iterable, Mapping

from autoqa.errors import DataError
from autoqa.store.artifact_download import ArtifactDownload
from autoqa.store.candidate_record import CandidateRecord, identity, parse_record
from autoqa.store.checksums import SUMS, DamagedError, write_checksums, written_sums
from autoqa.store.objects import Objects
from autoqa.store.patience import Patience
from autoqa.store.predictions import left_out
from autoqa.store.run_folder import CANDIDATE, RECORD, RunFolder
from autoqa.store.shared_study import SharedStudy
from autoqa.store.weight_quota import DROPPED, MODEL_WEIGHTS, drop, dropped, weights_size

_FRESH_SECONDS = 10.0
"""Age at which weights are listed again, where a list is a hint and decides nothing by itself."""


class Artifacts:
    """One study's files behind a URL.

    Args:
        folder: The study's run folder on this machine.
        url: ``[search] files`` of the study file.
        patience: How long work waits for a store that does not answer.

    Attributes:
        study: What belongs to no candidate.

    Raises:
        ConfigError: The URL cannot be used.
        MissingAssetError: The package for its protocol is not installed.
    """

    def __init__(self, folder: RunFolder, url: str, patience: Patience | None = None) -> None:
        self.study = SharedStudy(folder, Objects(url, patience))
        self._objects = self.study.objects
        self._folder = folder
        self._root = f"{folder.path.name}/candidates"
        self._published: set[str] = set()
        self._listed: tuple[float, dict[str, dict[str, int]]] | None = None

    @classmethod
    def of(
        cls, folder: RunFolder, url: str | None, patience: Patience | None = None
    ) -> "Artifacts | None":
        """Those of a study whose file may name no URL: then its run folder is all there is."""
        return None if url is None else cls(folder, url, patience)

    @classmethod
    def reached(
        cls, folder: RunFolder, url: str | None, patience: Patience | None = None
    ) -> "Artifacts | None":
        """As :meth:`of`, after :meth:`reach`."""
        made = cls.of(folder, url, patience)
        if made is not None:
            made.reach()
        return made

    def reach(self) -> None:
        """Tries whether the store can be written, read and listed, before anything depends on it.

        Raises:
            ConfigError: It refuses.
            AutoqaError: It does not answer.
        """
        name = f"{self._folder.path.name}/.reached"
        self._objects.write(name, b"autoqa\n")
        if name not in self._objects.sizes(self._folder.path.name):
            raise DataError(f"{self._objects.shown} does not list what was written to it")

    def publish(self, candidate: str) -> None:
        """Has a candidate that is complete here there, too; weights that were dropped stay out.

        Raises:
            DataError: A candidate of another run has that id there; it stays.
            ConfigError: The store refuses it.
            AutoqaError: The store has not answered for too long; the candidate stays here.
        """
        source = self._folder.candidate(candidate)
        if not (source / SUMS).is_file():  # of a version without
            write_checksums(source)
        own, there = (source / SUMS).read_bytes(), self._read(candidate, SUMS)
        if there == own:
            return
        if there is not None:
            self._make_way(candidate)
        self._publish_windows(self._folder.read_record(candidate).group)
        names = [name for name in written_sums(source) if (source / name).is_file()]
        if self._is_dropped(candidate):
            names = [name for name in names if name != MODEL_WEIGHTS] + [DROPPED]
        for name in (*names, SUMS):
            self._objects.put(source / name, self._name(candidate, name))
        self._listed = None

    def _is_dropped(self, candidate: str) -> bool:
        """Whether weights that a candidate had are not here any more, or damaged."""
        has = MODEL_WEIGHTS in written_sums(self._folder.candidate(candidate))
        return has and dropped(self._folder, candidate) is not None

    def _make_way(self, candidate: str) -> None:
        """Refuses to replace another run's candidate; hides one that is about to be replaced."""
        content = self._read(candidate, RECORD)
        if content is not None:
            old = parse_record(content, f"{self._objects.shown}/{self._name(candidate, RECORD)}")
            if identity(old) != identity(self._folder.read_record(candidate)):
                raise DataError(
                    f"{self._objects.shown}/{self._root}/{candidate} is of another run "
                    f"({old.backbone}, recipe {old.recipe_hash}, rate {old.learning_rate:g}, seed "
                    f"{old.seed}) and is not replaced: give another [search] files, or the study "
                    "another name"
                )
        self._objects.remove(self._name(candidate, name) for name in (SUMS, DROPPED))

    def _publish_windows(self, group: str) -> None:
        """Has a group's windows there before the first candidate whose predictions need them."""
        if group not in self._published:
            self.study.put_windows(group)
            self._published.add(group)

    def publish_missing(self, records: Iterable[CandidateRecord]) -> list[str]:
        """Has there what is written down and whole on this machine, but not there as it was.

        Args:
            records: The study's candidates.

        Returns:
            Ids of what was uploaded.
        """
        there, uploaded = self._listing(), []
        here = set(self._folder.candidate_ids())
        for record in records:
            if record.id not in here or left_out(self._folder, record.id) is not None:
                continue
            if record.id not in there:
                self.publish(record.id)
                uploaded.append(record.id)
            elif self._mended(record.id, there[record.id]):
                uploaded.append(record.id)
        return uploaded

    def _mended(self, candidate: str, there: Mapping[str, int]) -> bool:
        """Uploads again what has another size there than it was written with."""
        source = self._folder.candidate(candidate)
        torn = [
            name
            for name, each in written_sums(source).items()
            if there.get(name) != each.size and not (name == MODEL_WEIGHTS and DROPPED in there)
        ]
        torn = [name for name in torn if (source / name).is_file()]
        if not torn or self._read(candidate, SUMS) != (source / SUMS).read_bytes():
            return False
        for name in torn:
            self._objects.put(source / name, self._name(candidate, name))
        return True

    def candidates(self) -> list[str]:
        """Ids of the candidates that are there, sorted."""
        return sorted(self._listing())

    def weights(self, *, fresh: bool = False) -> dict[str, int]:
        """Bytes of the weights that are there, by candidate.

        Args:
            fresh: Ask now, and take no list that is seconds old.
        """
        now = time.monotonic()
        if fresh or self._listed is None or now - self._listed[0] > _FRESH_SECONDS:
            self._listed = now, self._listing()
        found = self._listed[1].items()
        return {name: each[MODEL_WEIGHTS] for name, each in found if MODEL_WEIGHTS in each}

    def without_weights(self) -> set[str]:
        """Ids of candidates that are there without the weights that they had."""
        return {
            name
            for name, each in self._listing().items()
            if DROPPED in each and MODEL_WEIGHTS not in each
        }

    def remove(self) -> None:
        """Removes all that is there of the study."""
        self._objects.remove_all(self._folder.path.name)

    def bring(self, records: Iterable[CandidateRecord]) -> list[str]:
        """Has records and predictions of candidates on this machine, and their windows.

        Returns:
            One sentence for each that cannot be had as it was written.
        """
        sentences = []
        for record in records:
            if self._is_needed(record):
                try:
                    self._download(record.id).predictions()
                except DamagedError as error:
                    sentences.append(f"candidate {record.id} is left out: {error}")
        return sentences

    def _is_needed(self, record: CandidateRecord) -> bool:
        """Whether a candidate is not here, not whole, or not the one that is written down."""
        if not (self._folder.candidate(record.id) / RECORD).is_file():
            return True
        if left_out(self._folder, record.id) is not None:
            return True
        return self._folder.read_record(record.id).as_text() != record.as_text()

    def bring_all(self) -> list[str]:
        """As :meth:`bring`, all that is there: for a database that has lost its rows."""
        here, sentences = set(self._folder.candidate_ids()), []
        for name in self.candidates():
            if name not in here:
                try:
                    self._download(name).predictions()
                except DamagedError as error:
                    sentences.append(f"candidate {name} is left out: {error}")
        return sentences

    def bring_weights(self, candidates: Iterable[str]) -> None:
        """Has candidates' weights on this machine, except those that were dropped there, too.

        Raises:
            DamagedError: What is there is not what was written.
            DataError: Weights are missing here, and nothing says what they were.
        """
        for name in candidates:
            folder = self._folder.candidate(name)
            if not folder.is_dir() or dropped(self._folder, name) is not None:
                self._download(name).model()

    def drop_weights(self, candidate: str) -> None:
        """Removes a candidate's weights, there and here; what they were stays written down."""
        sums = self._read(candidate, SUMS)
        try:
            note = "" if sums is None else json.dumps(json.loads(sums)["content"][MODEL_WEIGHTS])
        except (ValueError, KeyError, TypeError):  # damaged there: whoever fetches it says so
            note = ""
        if note:
            note += "\n"
            self._objects.write(self._name(candidate, DROPPED), note.encode())
            self._objects.remove([self._name(candidate, MODEL_WEIGHTS)])
            self._listed = None
        if weights_size(self._folder, candidate):
            drop(self._folder, candidate)

    def return_candidate(self, candidate: str) -> None:
        """Uploads all that is here of a candidate whose weights have been made again.

        Its sums come last: of one that was made again as a whole they may not be there.
        """
        source = self._folder.candidate(candidate)
        for name in (*written_sums(source), SUMS):
            if (source / name).is_file():
                self._objects.put(source / name, self._name(candidate, name))
        self._objects.remove([self._name(candidate, DROPPED)])
        self._listed = None

    def _download(self, candidate: str) -> ArtifactDownload:
        return ArtifactDownload(self._folder, self.study, candidate)

    def _listing(self) -> dict[str, dict[str, int]]:
        """Sizes of the files of each candidate that is there, by their names in its folder."""
        found: dict[str, dict[str, int]] = {}
        for path, size in self._objects.sizes(self._root).items():
            candidate, _, name = path[len(self._root) + 1 :].partition("/")
            found.setdefault(candidate, {})[name] = size
        return {
            name: files
            for name, files in found.items()
            if SUMS in files and CANDIDATE.fullmatch(name)
        }

    def _read(self, candidate: str, name: str) -> bytes | None:
        return self._objects.read(self._name(candidate, name))

    def _name(self, candidate: str, name: str) -> str:
        return f"{self._root}/{candidate}/{name}"
