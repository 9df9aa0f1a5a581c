"""All that a plugin imports.

A plugin is a light *spec* object behind an entry point of one of four groups:

* ``autoqa.backbones``: :class:`BackboneSpec`
* ``autoqa.sources``: :class:`SourceSpec`
* ``autoqa.augmentations``: :class:`AugmentationSpec`
* ``autoqa.metrics``: :class:`MetricSpec`

The module that holds the spec is imported by ``autoqa plugins list``, so it must import fast:
torch, transformers, datasets and the like belong inside the functions that use them.
"""

from autoqa.api.augmentations import Augmentation, AugmentationSpec, TokenBatch, TrainingRows
from autoqa.api.backbones import BackboneFacts, BackboneKind, BackboneSpec
from autoqa.api.downloads import Download, Received, hub_downloads
from autoqa.api.made_texts import MadeTexts
from autoqa.api.metrics import MetricSpec
from autoqa.api.model_files import ModelFiles
from autoqa.api.protocol import Precision, TrainingProtocol
from autoqa.api.sources import SourceSpec
from autoqa.api.version import API_VERSION
from autoqa.errors import AutoqaError, ConfigError, DataError, MissingAssetError
from autoqa.hub.fetchable import Fetchable
from autoqa.hub.repository import HubRepository
from autoqa.options import Options
from autoqa.placing.examples import Examples, examples_from
from autoqa.placing.options import RowOptions
from autoqa.placing.selection import selected
from autoqa.reading.columnar import is_saved_dataset, parquet_objects
from autoqa.reading.fields import row_from
from autoqa.reading.formats import missing_package, read_rows, rows_from, rows_in
from autoqa.reading.options import ColumnNames, Delimiter, FormatName
from autoqa.reading.rows import RawRow
from autoqa.text.segmentation import pieces
from autoqa.text.sentences import sentences
from autoqa.types import Answer, Example, ProgressCallback

__all__ = [
    "API_VERSION",
    "Answer",
    "Augmentation",
    "AugmentationSpec",
    "AutoqaError",
    "BackboneFacts",
    "BackboneKind",
    "BackboneSpec",
    "ColumnNames",
    "ConfigError",
    "DataError",
    "Delimiter",
    "Download",
    "Example",
    "Examples",
    "Fetchable",
    "FormatName",
    "HubRepository",
    "MadeTexts",
    "MetricSpec",
    "MissingAssetError",
    "ModelFiles",
    "Options",
    "Precision",
    "ProgressCallback",
    "RawRow",
    "Received",
    "RowOptions",
    "SourceSpec",
    "TokenBatch",
    "TrainingProtocol",
    "TrainingRows",
    "examples_from",
    "hub_downloads",
    "is_saved_dataset",
    "missing_package",
    "parquet_objects",
    "pieces",
    "read_rows",
    "row_from",
    "rows_from",
    "rows_in",
    "selected",
    "sentences",
]
