"""``type = "huggingface"``: data sets of the Hugging Face hub, or local folders in its layout."""

import importlib.util
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from autoqa.api import (
    DataError,
    Download,
    Examples,
    Fetchable,
    HubRepository,
    MissingAssetError,
    RawRow,
    Received,
    RowOptions,
    SourceSpec,
    examples_from,
    rows_from,
    selected,
)

_PACKAGE_MISSING = (
    "needs the package datasets, which is not installed; "
    "get it with: pip install 'autoqa[huggingface]'"
)


class HubOptions(RowOptions):
    """Which data set, and which part of it; its rows are laid out as in any file.

    Attributes:
        dataset: Id on the hub (``"owner/name"``), or a local folder of Parquet or JSON files.
        config: The data set's configuration, where it has several.
        split: ``"train"``, ``"validation"``, or a slice such as ``"train[:10%]"``.
        revision: Commit, tag or branch; name a commit and the data cannot change under a study.
    """

    dataset: Annotated[str, Field(min_length=1)]
    config: str | None = None
    split: str = "train"
    revision: str | None = None


def load(options: HubOptions) -> Examples:
    """Loads one split: from the folder, the local cache, or the hub where it may be reached.

    Raises:
        MissingAssetError: It is not on this machine and cannot be fetched.
        DataError: The split or a row cannot be used.
    """
    name = f"{options.dataset} ({options.split})"
    return examples_from(_rows(options, name), options, name)


def rows(options: HubOptions) -> Iterator[RawRow]:
    """The rows of one split, as they stand.

    Raises:
        MissingAssetError: It is not on this machine and cannot be fetched.
        DataError: The split or a row cannot be read.
    """
    name = f"{options.dataset} ({options.split})"
    return selected(_rows(options, name), options)


def _dataset(options: HubOptions) -> Any:
    if importlib.util.find_spec("datasets") is None:
        raise MissingAssetError(f"{options.dataset}: {_PACKAGE_MISSING}.")
    import datasets

    # As an absolute path a folder is never taken for a file reader such as "csv".
    folder = _folder(options)
    try:
        return datasets.load_dataset(
            str(folder.resolve()) if folder else options.dataset,
            options.config,
            split=options.split,
            revision=None if folder else options.revision,
        )
    except OSError as error:
        reason = f"{options.dataset}: it cannot be fetched, {_first_line(error)}"
        if not datasets.config.HF_HUB_OFFLINE and not folder:
            reason = _refusal(options) or reason
        raise MissingAssetError(f"{reason}; {_advice(options)}") from error
    except (ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise DataError(
            f"{options.dataset}: config {options.config!r}, split {options.split!r} cannot be "
            f"loaded, {_first_line(error)}."
        ) from error


def _refusal(options: HubOptions) -> str | None:
    """Why the hub does not give a data set, in the words that all plugins have for that."""
    try:
        HubRepository(options.dataset, "dataset", options.revision or "main").listing()
    except MissingAssetError as error:
        return str(error)
    return None


def downloads(options: HubOptions) -> Sequence[Download]:
    """The data set, where it is not in the cache of ``datasets``; its size is not known before."""
    if missing(options) is None:
        return ()

    def fetch(_: Received) -> None:
        _dataset(options)

    name = "/".join(filter(None, (options.dataset, options.config)))
    return (Download(name=f"the data set {name} ({options.split})", size=None, fetch=fetch),)


def missing(options: HubOptions) -> str | None:
    """Says what is not in the local cache and the command that gets it."""
    if importlib.util.find_spec("datasets") is None:
        return f"{options.dataset}: {_PACKAGE_MISSING}."
    if _folder(options) is not None:
        return None
    cache = _cache_folder()
    owner, _, name = options.dataset.rpartition("/")
    cached = cache / "___".join(filter(None, (owner, _snake_case(name))))
    commit = options.revision if _is_commit(options.revision) else "*"
    for folder in cached.glob(f"{options.config or '*'}/*/{commit}"):
        if (folder / "dataset_info.json").is_file():
            return None
    data_set = "/".join(filter(None, (options.dataset, options.config)))
    sentence = f"the data set {data_set} is not in the cache {str(cache)!r}; {_advice(options)}"
    return Fetchable(sentence)


def _advice(options: HubOptions) -> str:
    arguments = [repr(options.dataset)]
    if options.config:
        arguments.append(repr(options.config))
    if options.revision:
        arguments.append(f"revision={options.revision!r}")
    call = f"from datasets import load_dataset; load_dataset({', '.join(arguments)})"
    return f'fetch it where there is a network with: python -c "{call}"'


def _folder(options: HubOptions) -> Path | None:
    path = Path(options.dataset).expanduser()
    return path if path.is_dir() else None


def _cache_folder() -> Path:
    """Where ``datasets`` keeps prepared data; the same rules, without its slow import."""
    base = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME", str(Path(base) / "huggingface"))
    return Path(os.environ.get("HF_DATASETS_CACHE", str(Path(home) / "datasets"))).expanduser()


def _snake_case(name: str) -> str:
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).lower()


def _is_commit(revision: str | None) -> bool:
    return revision is not None and re.fullmatch(r"[0-9a-f]{40}", revision) is not None


def _rows(options: HubOptions, name: str) -> Iterator[RawRow]:
    return rows_from(_dataset(options).to_list(), name, options.columns)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")


spec = SourceSpec(
    name="huggingface",
    summary="Data sets of the Hugging Face hub for extractive question answering",
    options=HubOptions,
    load=load,
    missing=missing,
    rows=rows,
    downloads=downloads,
)
