"""What an export wrote, as sentences."""

from pathlib import Path
from typing import TYPE_CHECKING

from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from autoqa.analysis.span_fit import SpanFit
    from autoqa.bundle.manifest import Manifest
    from autoqa.bundle.reliability_entries import NoAnswerEntry
    from autoqa.export.distilled import Standing
    from autoqa.export.kaggle.hours import Hours
    from autoqa.export.kaggle.kit import Kit
    from autoqa.export.refit_check import RefitEffect


def bundle_sentences(target: Path, manifest: "Manifest") -> list[str]:
    """Size and scores of a bundle, its refit, and what converting its weights changed."""
    size = sum(entry.size for entry in manifest.files.values())
    count = len(manifest.members)
    notes = (manifest.refit, manifest.conversion)
    none = manifest.no_answer
    return [
        f"{target}: {count} model{'' if count == 1 else 's'}, {size / 1e6:.1f} MB",
        f"public {manifest.public}, private {manifest.private}",
        *([] if none is None else no_answer_sentences(none)),
        *(str(note) for note in notes if note is not None),
    ]


def no_answer_sentences(entry: "NoAnswerEntry") -> list[str]:
    """When no answer is given, and what that is worth on the private part."""
    lines = [f"no answer above {entry.threshold}, fitted on {entry.threshold.total} questions"]
    lines += [f"no answer in {code} above {each}" for code, each in entry.by_language.items()]
    split = entry.private
    if split is not None:
        lines.append(
            f"private, by kinds of questions: {split.has_answer:.3f} of {split.answerable} with an "
            f"answer, {split.no_answer:.3f} of {split.unanswerable} without, {split.all:.3f} of "
            f"all; {split.best:.3f} with the best possible threshold, {split.always:.3f} always "
            "answering"
        )
    return lines


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


def scoring_sentences(study: str, manifest: "Manifest", fit: "SpanFit | None") -> list[str]:
    """How spans are scored, or that a fit stayed behind because it was made for other members.

    Args:
        study: Name of the study.
        manifest: The bundle's.
        fit: The study's last fit, if there is one.
    """
    if manifest.scoring:
        return ["The bundle scores spans as `autoqa postprocess spans` fitted them."]
    if fit is None or not fit.enabled:
        return []
    return [
        f"The bundle scores spans by the plain sum: they were fitted for {', '.join(fit.members)}; "
        f"`autoqa postprocess spans {study}` fits them for the last selection."
    ]


def refit_sentences(effect: "RefitEffect") -> list[str]:
    """What a refit brings: by fold, in all, and how that was measured."""
    from autoqa.scores.registry import title

    seeds = f", {effect.seeds} seeds each" if effect.seeds > 1 else ""
    runs = "1 run" if effect.runs == 1 else f"{effect.runs} runs"
    lines = [
        f"fold {number}: {fold.questions} questions about {fold.documents} documents, "
        f"{fold.rows} rows added: {title(effect.metric)} {fold.before:.3f} -> {fold.after:.3f} "
        f"({fold.after - fold.before:+.3f})"
        for number, fold in enumerate(effect.folds, 1)
    ]
    return [
        *lines,
        f"all: {title(effect.metric)} {effect.before:.3f} -> {effect.after:.3f}, "
        f"ratio {effect.ratio:.3f}, gain {effect.gain:+.3f}, 95 % interval {effect.low:+.3f} to "
        f"{effect.high:+.3f} (documents drawn anew)",
        f"Measured for {', '.join(effect.members)} by {len(effect.folds)} folds of {runs}{seeds}, "
        f"in {effect.minutes:.1f} minutes. A refit for export adds more rows than each fold did; "
        "the members before were chosen by the public questions, which favours them.",
    ]


def refit_opening(effect: "RefitEffect", *, opened: bool) -> str:
    """Whether measuring a refit opened the private part."""
    if not opened:
        return "This was measured before; nothing was trained and nothing opened."
    return f"The private part was opened for it; that was opening {effect.opening} of this study."


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
    kept = pupil.private.score / ensemble.private.score if ensemble.private.score else 1.0
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
