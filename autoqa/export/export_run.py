"""A finished run's ensemble: chosen, scored, converted where asked, and written as a bundle."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, get_args

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.selection import candidate_seat, choose, stored_selection
from autoqa.bundle.manifest import Manifest
from autoqa.ensemble.choosing.selection import PickName, Seat
from autoqa.errors import ConfigError, check_choice
from autoqa.export.assemble import assemble
from autoqa.export.conversion_effect import convert_members, with_converted
from autoqa.export.write import check_target, write_bundle
from autoqa.types import WeightFormat

if TYPE_CHECKING:
    from autoqa.export.refit import RefitOptions, Refitted


def export_run(
    run: StudyRun,
    target: Path,
    *,
    pick: PickName = "safe",
    candidate: str | None = None,
    weights: WeightFormat = "fp16",
    refit: "RefitOptions | None" = None,
    force: bool = False,
    announce: Callable[[str], None],
) -> tuple[Manifest, bool]:
    """Writes an ensemble of a run into one folder.

    The selection is made anew if candidates have come since the last one.

    Args:
        run: The study's run.
        target: The folder to make.
        pick: Which of the selection's two picks.
        candidate: This candidate alone, not the selection.
        weights: How the models are stored.
        refit: How to train the members again first, with the validation rows, if at all.
        force: Replace a bundle that is there.
        announce: Told, in sentences, what takes long.

    Returns:
        The manifest, and whether the private part was opened for it.

    Raises:
        ConfigError: The target is in the way, a refit would add no rows, or models are to be
            converted that learned from the public part (by a refit, or in folds).
        NothingFeasibleError: There is no (such) candidate.
        MissingAssetError: Members' weights were dropped, or a package for converting is missing.
        DataError: Predictions, weights or records are missing or damaged.
        TrainingError: A run of the refit failed.
        SearchInterruptedError: A signal ended the refit; what was complete is kept.
    """
    _check_weights(run, weights, refit)
    check_target(target, force=force)
    seats, tie_group = chosen_seats(run, pick, candidate, announce)
    if refit is None:
        run.require_weights([seat.id for seat in seats])
    reason = f"export of {', '.join(seat.id for seat in seats)} to {target}"
    with TemporaryDirectory() as scratch:
        # Converted before the private part is opened: what fails must not cost an opening.
        converting = weights != "fp16"
        models = convert_members(run, seats, weights, Path(scratch), announce) if converting else {}
        refitted = None if refit is None else _refitted(run, seats, refit, Path(scratch))
        plan = assemble(run, seats, tie_group, reason=reason)
        if converting:
            plan = with_converted(run, plan, weights, models)
        if refitted is not None:
            plan = replace(plan, models={**plan.models, **refitted.models}, refit=refitted.entry)
        return write_bundle(plan, target, force=force), plan.opened


def _check_weights(run: StudyRun, weights: WeightFormat, refit: "RefitOptions | None") -> None:
    """Refuses to convert models that learned from what the conversion would be measured on."""
    check_choice("weights", weights, get_args(WeightFormat))
    if refit is not None and weights != "fp16":
        raise ConfigError(
            f"refit and weights {weights!r} exclude each other: what a conversion changes is "
            "measured on the public part, which refitted models were trained on; leave one of "
            "them out"
        )
    if run.study.validation.folds is not None and weights != "fp16":
        raise ConfigError(
            f"weights {weights!r} of a study with validation.folds: what a conversion changes is "
            "measured on the public part, which the models were trained on; export fp16"
        )


def _refitted(
    run: StudyRun, seats: Sequence[Seat], options: "RefitOptions", scratch: Path
) -> "Refitted":
    # Searching brings Optuna along, which an export does without.
    from autoqa.export.refit import kept_members, refit_members

    run.require_weights(kept_members(run, seats))
    return refit_members(run, seats, options, scratch)


def chosen_seats(
    run: StudyRun, pick: PickName, candidate: str | None, announce: Callable[[str], None]
) -> tuple[Sequence[Seat], str]:
    """Who is exported, and the group whose answer stands where a vote decides nothing."""
    if candidate is not None:
        seat = candidate_seat(run, candidate)
        return (seat,), seat.group
    selection = stored_selection(run)
    if selection is None:
        announce("Selecting: the candidates are newer than the last selection.")
        selection = choose(run)
    picked = selection.pick(pick)
    return picked.members, picked.tie_group
