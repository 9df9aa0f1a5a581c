"""What a study's machines share besides candidates: its file, its questions, its openings."""

import hashlib
import json
from pathlib import Path

from autoqa.errors import ConfigError, DataError
from autoqa.files import locked
from autoqa.store.candidate_record import windows_key
from autoqa.store.checksums import damage_beside
from autoqa.store.objects import Objects
from autoqa.store.run_folder import PARTS, RunFolder

_VALIDATION = "validation"
_MARK = f"{_VALIDATION}/public.jsonl.sha256"


class SharedStudy:
    """The files of one study that belong to no candidate.

    The sealed part travels with the public one: to read it, here as anywhere, needs an opening.

    Args:
        folder: The study's run folder on this machine.
        objects: Where its files are shared.

    Attributes:
        objects: Those.
    """

    def __init__(self, folder: RunFolder, objects: Objects) -> None:
        self._folder = folder
        self.objects = objects
        self._study = folder.path.name

    def publish(self) -> None:
        """Has there the study file and the questions that it is scored on; call it when frozen.

        Raises:
            ConfigError: Another study of that name is there, or the store refuses to be used.
            AutoqaError: The store has not answered for too long.
        """
        mark = self.objects.read(f"{self._study}/{_MARK}")
        own = self._folder.path / _MARK
        if mark is not None and own.is_file() and mark != own.read_bytes():
            raise ConfigError(
                f"[search] files = {self.objects.shown!r}: there is another study "
                f"{self._study!r} with other validation questions: give another, or the study "
                "another name"
            )
        for path in self._own_files():
            name = f"{self._study}/{path.relative_to(self._folder.path).as_posix()}"
            if self.objects.read(name) != path.read_bytes():
                self.objects.put(path, name)
        self.mirror_openings()

    def _own_files(self) -> list[Path]:
        """The study file and its questions; what marks them as this study's comes last."""
        sealed = self._folder.validation / "sealed"
        parts = [*sealed.glob("*.jsonl*"), *self._folder.validation.glob("*.jsonl*")]
        last = self._folder.path / _MARK
        return [self._folder.study_file, *sorted(path for path in parts if path != last), last]

    def fetch(self) -> None:
        """Has on this machine the questions that the study is scored on, and its openings."""
        if not all(self._folder.examples_path(part).is_file() for part in PARTS):
            self._folder.create()
            self._get(_VALIDATION, only=".jsonl")
            self.mirror_openings()

    def put_windows(self, group: str) -> None:
        """Has a group's evaluation windows there."""
        local = self._folder.validation / windows_key(group)
        for path in sorted(local.rglob("*.safetensors*")):
            name = f"{self._study}/{path.relative_to(self._folder.path).as_posix()}"
            if not self.objects.sizes(name):
                self.objects.put(path, name)

    def get_windows(self, group: str) -> None:
        """Has a group's evaluation windows on this machine."""
        paths = [self._folder.windows_path(group, part) for part in PARTS]
        if not all(path.is_file() for path in paths):
            self._get(f"{_VALIDATION}/{windows_key(group)}", only="")

    def _get(self, under: str, only: str) -> None:
        """Downloads what is below a folder and not here; what has its sum beside is compared."""
        start = len(self._study) + 1
        names = [name[start:] for name in self.objects.sizes(f"{self._study}/{under}")]
        names = [name for name in names if only in name and ".." not in Path(name).parts]
        with locked(self._folder.path / ".files.lock"):
            wanted = {
                name: self._folder.path / name
                for name in names
                if not (self._folder.path / name).is_file()
            }
            # The sums first: then a file that is there unharmed is one that was compared.
            partial = {
                name: path.with_name(f".{path.name}.partial") for name, path in wanted.items()
            }
            self.objects.get({f"{self._study}/{name}": path for name, path in partial.items()})
            for name in sorted(partial, key=lambda name: not name.endswith(".sha256")):
                partial[name].replace(wanted[name])
        for name, path in wanted.items():
            problem = None if name.endswith(".sha256") else damage_beside(path)
            if problem is not None:
                path.unlink()
                raise DataError(
                    f"{self.objects.shown}/{self._study}/{name} is damaged ({problem}): a search "
                    "from the machine that has it whole uploads it again"
                )

    def mirror_openings(self) -> None:
        """Has every opening of the private part that is written down here there, and vice versa.

        Each is a file of its own, because no two writers can append to one.
        """
        with locked(self._folder.path / ".openings.lock"):
            path = self._folder.openings
            lines = path.read_bytes().splitlines() if path.is_file() else []
            own = {_digest(line): line for line in lines if _is_whole(line)}
            place = f"{self._study}/openings"
            there = {Path(name).stem: name for name in self.objects.sizes(place)}
            for key in own.keys() - there.keys():
                self.objects.write(f"{place}/{key}.json", own[key])
            news = [self.objects.read(there[key]) for key in sorted(there.keys() - own.keys())]
            text = b"".join(line + b"\n" for line in news if line)
            if text:
                with path.open("ab") as file:
                    torn = bool(lines) and not path.read_bytes().endswith(b"\n")
                    file.write(b"\n" + text if torn else text)


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()[:16]


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
