"""The option by which commands that answer say when no answer is given."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.terminal import warn

if TYPE_CHECKING:
    from autoqa.bundle.predictor import Ensemble


def _parsed(_: click.Context, __: click.Parameter, text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text  # a word, which is checked where it is used


no_answer_option = click.option(
    "--no-answer",
    metavar="auto|never|NUMBER",
    default="auto",
    show_default=True,
    callback=_parsed,
    help="When no answer is given: as the bundle was fitted, never, or where the probability of no "
    "answer is above NUMBER (0 to 1).",
)


def opened_bundle(path: Path, **options: Any) -> "Ensemble":
    """Opens a bundle; what it has to say about the options goes to stderr.

    Raises:
        BundleError: The folder is no bundle, damaged, or of another format version.
        ConfigError: An option has a value that could not be kept to.
        MissingAssetError: The package that computes the bundle's models is not installed.
    """
    from autoqa.bundle.predictor import load

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        ensemble = load(path, **options)
    for each in caught:
        warn(str(each.message))
    return ensemble
