"""AutoML for extractive question answering.

``autoqa.load("bundle")`` opens an exported ensemble; everything else is the command ``autoqa``.
Importing the package imports neither torch nor transformers nor optuna.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoqa.bundle.predictor import load

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from autoqa.bundle.predictor import load

        return load
    raise AttributeError(f"module 'autoqa' has no attribute {name!r}")
