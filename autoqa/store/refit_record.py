"""What stands beside a refitted model: which run it is the point of."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from autoqa.store.checksums import is_whole, write_checksums

_NAME = "refit.json"


@dataclass(frozen=True, slots=True)
class RefitRecord:
    """A candidate's run, trained again with more rows.

    Which rows is not said here: the folder is named by them.

    Attributes:
        candidate: Whose recipe.
        backbone: Name in the study file.
        run: :attr:`autoqa.recipes.TrainingRun.key`, which has recipe, rate and seed.
        fraction: Point of the run, 0 < fraction <= 1.
    """

    candidate: str
    backbone: str
    run: str
    fraction: float

    def write(self, folder: Path) -> None:
        """Writes it into the model's (possibly still temporary) folder, with sums of all files."""
        (folder / _NAME).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        write_checksums(folder)

    def is_in(self, folder: Path) -> bool:
        """Whether a folder holds this very model; a damaged or other one counts as absent."""
        try:
            stored = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(stored == asdict(self)) and is_whole(folder)
