"""What an export wrote, as sentences."""

from pathlib import Path
from typing import TYPE_CHECKING

from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from autoqa.bundle.manifest import Manifest
    from autoqa.export.distilled import Standing
    from autoqa.export.kaggle.hours import Hours
    from autoqa.export.kaggle.kit import Kit


def bundle_sentences(target: Path, manifest: "Manifest") -> list[str]:
    """Size and scores of a bundle, and what converting its weights changed."""
    size = sum(entry.size for entry in manifest.files.values())
    count = len(manifest.members)
    lines = [
        f"{target}: {count} model{'' if count == 1 else 's'}, {size / 1e6:.1f} MB",
        f"public {manifest.public}, private {manifest.private}",
    ]
    return lines if manifest.conversion is None else [*lines, str(manifest.conversion)]


def rule_sentences(study: str, manifest: "Manifest", tested: "Sequence[str]") -> list[str]:
    """Which post-processing rules went along, and whether they were tested on this ensemble.

    Args:
        study: Name of the study.
        manifest: The bundle's.
        tested: Members whose joined answers the rules were tested on; empty where that is not
            known.
    """
    if not manifest.rules:
        return []
    rules = "; ".join(f"{code}: {', '.join(names)}" for code, names in manifest.rules.items())
    lines = [f"Post-processing rules of the bundle: {rules}."]
    if tested and set(tested) != {member.id for member in manifest.members}:
        lines.append(
            f"They were tested on the answers of {', '.join(tested)}: "
            f"`autoqa postprocess test {study}` tests them on this ensemble."
        )
    return lines


def opening_sentences(manifest: "Manifest", *, opened: bool) -> list[str]:
    """How often the private part was opened, and whether this export did.

    Args:
        manifest: The bundle's.
        opened: Whether it was opened for this bundle; else its private score was known.
    """
    if not opened:
        return ["The private score is the one that an earlier opening showed; nothing was opened."]
    if manifest.openings == 1:
        return []
    return [
        f"The private part has now been opened {manifest.openings} times: the more often, the "
        "less its score says about new questions."
    ]


def distilled_table(ensemble: "Standing", pupil: "Standing") -> "Table":
    """Ensemble and pupil side by side."""
    shown = table("", *numbers("models", "public", "private", "s/1,000 questions", "MB"))
    for name, each in (("ensemble", ensemble), (pupil.members[0], pupil)):
        shown.add_row(
            name,
            str(len(each.members)),
            str(each.public),
            str(each.private),
            f"{each.seconds:.3g}",
            f"{each.size / 1e6:.1f}",
        )
    return shown


def distilled_sentence(ensemble: "Standing", pupil: "Standing") -> str:
    """How much of the ensemble the pupil keeps, at which part of its cost."""
    kept = pupil.private.jaccard / ensemble.private.jaccard if ensemble.private.jaccard else 1.0
    time = pupil.seconds / ensemble.seconds if ensemble.seconds else 1.0
    return (
        f"The pupil has {kept:.1%} of the ensemble's private score and takes {time:.0%} of its "
        "time."
    )


def kit_sentences(kit: "Kit", hours: "Hours") -> list[str]:
    """What a Kaggle kit holds, and how long its notebook will run."""
    return [
        f"{kit.folder}: Kaggle kit with {kit.wheels} wheels; its README says the steps",
        *hours.sentences(),
    ]


def missing_wheels(kit: "Kit") -> str:
    """Which wheels a kit lacks; the commands that get them follow."""
    names = ", ".join(map(str, kit.missing))
    return f"the kit lacks wheels that no package index had: {names}; get them where there is one:"
