"""The augmentation passes the checks of all augmentations, whatever its rate."""

from autoqa_plugin_example.augmentation import BlankOptions, spec

from autoqa.testing.cases import AugmentationCase


class TestBlank(AugmentationCase):
    spec = spec


class TestBlankingAll(AugmentationCase):
    spec = spec
    options = BlankOptions(rate=1.0)
