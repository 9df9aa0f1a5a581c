"""One candidate on its way from a study's shared files to this machine."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from autoqa.files import locked, writing_folder
from autoqa.store.checksums import SUMS, Checksum, DamagedError, damage, written_sums
from autoqa.store.run_folder import RunFolder
from autoqa.store.shared_study import SharedStudy
from autoqa.store.weight_quota import DROPPED, MODEL_WEIGHTS, leave_elsewhere

_TRIES = 2
"""A connection that was cut off, or a candidate that is just being uploaded again."""


@dataclass(frozen=True)
class ArtifactDownload:
    """Has on this machine what is missing or damaged here of a candidate.

    What has another run's checksums here is set aside first. Several processes may ask for the
    same.

    Attributes:
        folder: The study's run folder.
        shared: Where its files are.
        candidate: Which.
    """

    folder: RunFolder
    shared: SharedStudy
    candidate: str

    def predictions(self) -> None:
        """All but the model.

        Raises:
            DamagedError: It is not there, or not as it was written, at the second try either.
        """
        self._fetch(model=False)

    def model(self) -> None:
        """The model as well, without its weights if those were dropped.

        Raises:
            DamagedError: It is not there, or not as it was written, at the second try either.
        """
        self._fetch(model=True)

    @property
    def _there(self) -> str:
        return f"{self.folder.path.name}/candidates/{self.candidate}"

    def _fetch(self, *, model: bool) -> None:
        final = self.folder.candidate(self.candidate)
        with locked(self.folder.path / ".files.lock"):
            sums = self.shared.objects.read(f"{self._there}/{SUMS}")
            if sums is None:
                raise DamagedError(f"it is not in {self.shared.objects.shown}")
            if final.is_dir() and _content(final / SUMS) != sums:
                self.folder.set_aside(self.candidate)
            if final.is_dir():
                self._complete(final, sums, model=model)
            else:
                with writing_folder(final, final.with_name(f".{self.candidate}.partial")) as made:
                    (made / SUMS).write_bytes(sums)
                    self._fill(made, model=model)
        self.shared.get_windows(self.folder.read_record(self.candidate).group)

    def _complete(self, final: Path, sums: bytes, *, model: bool) -> None:
        """Puts what is missing into a folder that is there."""
        with TemporaryDirectory(dir=final.parent, prefix=f".{self.candidate}.") as scratch:
            made = Path(scratch)
            (made / SUMS).write_bytes(sums)
            self._fill(made, model=model, beside=final)
            for path in sorted(path for path in made.rglob("*") if path.is_file()):
                target = final / path.relative_to(made)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
        if (final / MODEL_WEIGHTS).is_file():
            (final / DROPPED).unlink(missing_ok=True)

    def _fill(self, made: Path, *, model: bool, beside: Path | None = None) -> None:
        """Downloads into a folder that has the sums; what is whole beside is left out."""
        gone = self.shared.objects.read(f"{self._there}/{DROPPED}")
        sums = written_sums(made)
        if any(".." in Path(name).parts or Path(name).is_absolute() for name in sums):
            raise DamagedError(f"its {SUMS} names a file outside its folder")
        wanted = {
            name: each
            for name, each in sums.items()
            if (model or not name.startswith("model/"))
            and not (name == MODEL_WEIGHTS and gone is not None)
            and (beside is None or damage(beside, name) is not None)
        }
        for _ in range(_TRIES):
            self.shared.objects.get({f"{self._there}/{name}": made / name for name in wanted})
            wanted = {name: each for name, each in wanted.items() if not _equal(made / name, each)}
            if not wanted:
                break
        if wanted:
            raise DamagedError(
                f"{self.shared.objects.shown}/{self._there}/{next(iter(wanted))} is damaged; "
                "`autoqa search` on the machine that has it whole uploads it again"
            )
        if gone is not None:
            (made / DROPPED).write_bytes(gone)
        elif not model and (beside is None or not (beside / MODEL_WEIGHTS).is_file()):
            leave_elsewhere(made)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _equal(path: Path, expected: Checksum) -> bool:
    return path.is_file() and Checksum.of(path) == expected
