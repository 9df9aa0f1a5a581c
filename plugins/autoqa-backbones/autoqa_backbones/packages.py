"""Weights that arrive as files inside Python packages; the packages are never imported."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from autoqa.api import MissingAssetError


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One file of one release of a package.

    Attributes:
        package: Name to import.
        requirement: What to install.
        path: Where the file is inside the package.
        size: Bytes.
        sha256: Of the content, hexadecimal.
    """

    package: str
    requirement: str
    path: str
    size: int
    sha256: str

    def locate(self) -> Path:
        """Where the file is on this machine; quick, looks at its size only.

        Raises:
            MissingAssetError: The package is not installed, or its file is not the expected one.
        """
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise MissingAssetError(
                f"the weights come with the Python package {self.package}, which is not "
                f"installed; install it with `pip install {self.requirement}`"
            )
        path = Path(next(iter(spec.submodule_search_locations))) / self.path
        size = path.stat().st_size if path.is_file() else None
        if size != self.size:
            state = "does not exist" if size is None else f"has {size:,} bytes"
            raise MissingAssetError(
                f"{path} {state}, where {self.requirement} has a file of {self.size:,} bytes; "
                + self._reinstall_sentence()
            )
        return path

    def read(self) -> bytes:
        """The file's content.

        Raises:
            MissingAssetError: The file is not there, or its content is not the expected one.
        """
        path = self.locate()
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest != self.sha256:
            raise MissingAssetError(
                f"{path} has sha256 {digest}, expected {self.sha256}: it is damaged or of another "
                "version; " + self._reinstall_sentence()
            )
        return content

    def _reinstall_sentence(self) -> str:
        return (
            f"install that version again with `pip install --force-reinstall --no-deps "
            f"{self.requirement}`"
        )


def missing_sentence(*files: PackagedFile) -> str | None:
    """A sentence on the first of the files that is not here, or ``None``."""
    try:
        for file in files:
            file.locate()
    except MissingAssetError as error:
        return str(error)
    return None
