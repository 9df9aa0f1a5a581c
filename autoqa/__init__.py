"""AutoML for extractive question answering.

``autoqa.search("study.toml")`` searches, ``autoqa.open_run("study")`` opens what a search left,
``autoqa.load("bundle")`` opens an exported ensemble, ``autoqa.pipeline("bundle")`` does so with the
calls of transformers' pipeline. The command ``autoqa`` does the same and more.
Importing the package imports neither torch nor transformers nor optuna.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autoqa.env import wait_passively

if TYPE_CHECKING:
    from autoqa.bundle.documents import Documents
    from autoqa.bundle.pipeline import pipeline
    from autoqa.bundle.predictor import Ensemble, load
    from autoqa.run import Run, open_run, search

__version__ = "0.2.0"
__all__ = [
    "Documents",
    "Ensemble",
    "Run",
    "__version__",
    "load",
    "open_run",
    "pipeline",
    "search",
]

wait_passively()

_HOMES = {
    "Documents": "autoqa.bundle.documents",
    "pipeline": "autoqa.bundle.pipeline",
    "Ensemble": "autoqa.bundle.predictor",
    "load": "autoqa.bundle.predictor",
    "Run": "autoqa.run",
    "open_run": "autoqa.run",
    "search": "autoqa.run",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'autoqa' has no attribute {name!r}")
