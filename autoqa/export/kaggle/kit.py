"""The folder to upload: bundle, wheels, notebook, metadata and the steps."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autoqa.bundle.manifest import Manifest
from autoqa.export.kaggle.hours import Hours
from autoqa.export.kaggle.notebook import render_notebook
from autoqa.export.kaggle.wheels import PYTHONS, Missing, download_command, write_wheels
from autoqa.files import check_folder, writing_output

METADATA = "dataset-metadata.json"
USER = "INSERT_YOUR_USERNAME"


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit that was written.

    Attributes:
        folder: The kit.
        wheels: How many wheels it holds.
        missing: Which wheels it lacks.
        download_commands: Commands that get them where a package index can be reached.
    """

    folder: Path
    wheels: int
    missing: tuple[Missing, ...]
    download_commands: tuple[str, ...]


def kit_folder(bundle: Path) -> Path:
    """Where the kit of a bundle goes: beside it."""
    return bundle.with_name(f"{bundle.name}-kaggle")


def check_kit(bundle: Path, *, force: bool) -> None:
    """Says whether the kit can be written, before anything costly is done.

    Raises:
        ConfigError: Something is in the way.
        MissingAssetError: nbformat is not installed.
    """
    check_folder(kit_folder(bundle), "a Kaggle kit", METADATA, force=force)
    render_notebook("")


def write_kit(bundle: Path, manifest: Manifest, hours: Hours, *, force: bool = False) -> Kit:
    """Writes the kit of a bundle beside it.

    Args:
        bundle: The bundle.
        manifest: Its manifest.
        hours: How long the notebook will take.
        force: Replace an older kit.

    Raises:
        ConfigError: The target is in the way or cannot be written.
        MissingAssetError: A package that the kit needs is not installed.
        AutoqaError: Writing failed on the way.
    """
    check_kit(bundle, force=force)
    target = kit_folder(bundle)
    with writing_output(target) as partial:
        shutil.copytree(bundle, partial / "bundle", copy_function=_link)
        wheels = partial / "wheels"
        wheels.mkdir()
        missing = write_wheels(wheels)
        kit = Kit(
            target,
            len(list(wheels.glob("*.whl"))),
            tuple(missing),
            _download_commands(missing, target),
        )
        texts = {
            "notebook.ipynb": render_notebook(manifest.study),
            METADATA: json.dumps(_metadata(manifest), indent=2, ensure_ascii=False) + "\n",
            "README.md": _readme(manifest, hours, kit),
        }
        for name, text in texts.items():
            (partial / name).write_text(text, encoding="utf-8")
    return kit


def _link(source: str, target: str) -> None:
    """A second name for the same bytes: weights are gigabytes, and a bundle is never written to."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


def _download_commands(missing: Sequence[Missing], target: Path) -> tuple[str, ...]:
    commands = []
    for python in PYTHONS:
        pins = [gap.pin for gap in missing if python in gap.pythons]
        if pins:
            commands.append(" ".join(download_command(python, pins, target / "wheels")))
    return tuple(commands)


def _metadata(manifest: Manifest) -> dict[str, object]:
    """What ``kaggle datasets create`` reads; titles have 6 to 50 characters, slugs 3 to 50."""
    name = f"autoqa {manifest.study}"[:50]
    licences = sorted({*manifest.licences, *manifest.data.values()})
    return {
        "title": name,
        "id": f"{USER}/{name.replace(' ', '-').replace('_', '-').rstrip('-')}",
        "licenses": [{"name": "other"}],
        "description": f"Licences of weights and training data: {', '.join(licences)}. "
        "bundle/README.md says which is whose.",
    }


def _readme(manifest: Manifest, hours: Hours, kit: Kit) -> str:
    gaps = []
    if kit.missing:
        gaps = [
            "**Incomplete.** No package index was reached for these wheels: "
            f"{', '.join(map(str, kit.missing))}. Get them where there is one, for the versions of "
            "Python that you need (the notebook's image has one):",
            "",
            *(f"    {command}" for command in kit.download_commands),
            "",
        ]
    return "\n".join(
        [
            f"# {manifest.study} for a Kaggle notebook without internet",
            "",
            *gaps,
            f"1. Put your user name into `{METADATA}` in place of `{USER}`.",
            "2. Upload this folder; without `--dir-mode` the folders in it would be left out:",
            "",
            f"       kaggle datasets create -p {kit.folder.name} --dir-mode zip",
            "",
            "3. On Kaggle, open a new notebook, *File > Import notebook*, and take "
            "`notebook.ipynb`. Add two inputs: this dataset and the competition's data.",
            "4. Accelerator: a GPU. Internet: off. Environment: the latest (autoqa needs its torch "
            "to be 2.8 or later). Run it once, then *Submit*.",
            "",
            "`test.csv` has the columns id, context, question and, if rules of post-processing "
            "are to know it, language. `submission.csv` gets id and PredictionString.",
            "",
            "## Running time",
            "",
            *(line for sentence in hours.sentences() for line in (sentence, "")),
            "## What is in it",
            "",
            "- `bundle/`: the ensemble; its README is the model card.",
            "- `wheels/`: autoqa, and what Kaggle's image has not or has too old, in the versions "
            "that the bundle was made with. torch, numpy and pydantic are the image's.",
            "- `notebook.ipynb`: finds the inputs, installs the wheels, answers, writes.",
            "",
        ]
    )
