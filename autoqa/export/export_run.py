"""A finished run's ensemble, scored, converted where asked, and written as a bundle."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.selection import choose, kept_selection
from autoqa.bundle.manifest import Manifest
from autoqa.ensemble.choosing.selection import Seat, Selection
from autoqa.export.assemble import assemble
from autoqa.export.conversion_effect import convert_members, with_converted
from autoqa.export.write import write_bundle
from autoqa.types import Weights


def current_selection(run: StudyRun, say: Callable[[str], None]) -> Selection:
    """The last selection, made anew if candidates have come since.

    Args:
        run: The study's run.
        say: Told in a sentence that it is made anew.

    Raises:
        NothingFeasibleError: There is no candidate.
        DataError: Stored predictions are missing, damaged or do not fit.
    """
    stored = kept_selection(run)
    if stored is not None:
        return stored
    say("Selecting: the candidates are newer than the last selection.")
    return choose(run)


def export_ensemble(
    run: StudyRun,
    seats: Sequence[Seat],
    tie_group: str,
    target: Path,
    *,
    weights: Weights = "fp16",
    force: bool = False,
    say: Callable[[str], None],
) -> tuple[Manifest, bool]:
    """Writes an ensemble into one folder.

    Args:
        run: The study's run.
        seats: Which candidates, with which weights.
        tie_group: The group whose answer stands where the vote decides nothing.
        target: The folder to make.
        weights: How the models are stored.
        force: Replace a bundle that is there.
        say: Told, in sentences, what takes long.

    Returns:
        The manifest, and whether the private part was opened for it.

    Raises:
        ConfigError: The target is in the way.
        MissingAssetError: Members' weights were dropped, or a package for converting is missing.
        DataError: Predictions, weights or records are missing or damaged.
    """
    run.require_weights([seat.id for seat in seats])
    reason = f"export of {', '.join(seat.id for seat in seats)} to {target}"
    with TemporaryDirectory() as scratch:
        # Converted before the private part is opened: what fails must not cost an opening.
        converting = weights != "fp16"
        models = convert_members(run, seats, weights, Path(scratch), say) if converting else {}
        plan = assemble(run, seats, tie_group, reason=reason)
        if converting:
            plan = with_converted(run, plan, weights, models)
        return write_bundle(plan, target, force=force), plan.opened
