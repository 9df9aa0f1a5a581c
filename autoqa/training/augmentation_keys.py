"""What names the work of augmentations, so that runs fork only where it is the same."""

import hashlib

from autoqa.data.overlay import fingerprint
from autoqa.data.study_data import StudyData
from autoqa.recipes import Stage
from autoqa.registry import BoundStudy
from autoqa.training.row_augmentation import row_changers


class AugmentationKeys:
    """Keys of stages' augmentations, made once: tables may be long, and rows many.

    Args:
        bound: The study with its plugins.
    """

    def __init__(self, bound: BoundStudy) -> None:
        self._bound = bound
        self._own: dict[str, tuple[list[str], bool]] = {}
        self._rows: tuple[StudyData, str] | None = None

    def of(self, stage: Stage, data: StudyData) -> list[str]:
        """What decides the work of a stage's augmentations beside their options.

        Args:
            stage: A stage.
            data: What is trained on.

        Returns:
            One text for each augmentation, empty where its options decide alone; and one for all
            rows that there are, where an augmentation changes rows and so may look at any.
        """
        name = repr(stage.augmentations)
        if name not in self._own:
            changers = row_changers(self._bound.augmentations(stage))
            self._own[name] = self._bound.augmentation_keys(stage), bool(changers)
        keys, changes_rows = self._own[name]
        return [*keys, self._rows_key(data)] if changes_rows else keys

    def _rows_key(self, data: StudyData) -> str:
        if self._rows is None or self._rows[0] is not data:
            digest = hashlib.sha256()
            for name, examples in sorted(data.train.items()):
                digest.update(f"{name} {fingerprint(examples)} ".encode())
            self._rows = data, digest.hexdigest()[:12]
        return self._rows[1]
