"""``autoqa export``: the chosen ensemble as one folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from autoqa.cli.export_member import export_member
from autoqa.cli.terminal import complain, data_console, note_console
from autoqa.errors import MissingAssetError
from autoqa.types import WeightFormat

if TYPE_CHECKING:
    from autoqa.analysis.finished_run import StudyRun
    from autoqa.bundle.manifest import Manifest
    from autoqa.ensemble.choosing.selection import PickName
    from autoqa.export.distilled import Distilled
    from autoqa.export.refit import RefitOptions

FOLDS = 5
"""Folds of a refit check unless another number is asked for."""


@click.command()
@click.argument("study")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Folder to make.")
@click.option("--force", is_flag=True, help="Replace a bundle that is there.")
@click.option(
    "--kaggle",
    is_flag=True,
    help="Also make FOLDER-kaggle, a Kaggle dataset with wheels and an offline notebook.",
)
@click.option(
    "--pick",
    type=click.Choice(["safe", "best"]),
    help="safe: the ensemble that the rule chose (default); best: the highest public score.",
)
@click.option(
    "--weights",
    type=click.Choice(get_args(WeightFormat)),
    default="fp16",
    show_default=True,
    help="onnx: files for ONNX Runtime on CPUs; onnx-int8: with 8-bit integers, smaller and "
    "faster. Says what the conversion changes on the public part.",
)
@click.option("--candidate", metavar="ID", help="Export this candidate alone, not the selection.")
@click.option(
    "--refit",
    is_flag=True,
    help="First train the members again with the rows held out for validation as well; the scores "
    "stay those of the members before.",
)
@click.option(
    "--refit-check",
    is_flag=True,
    help="Measure by folds of the held-out documents what --refit brings; writes no bundle.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    help="With --refit or --refit-check: train each run so often and average the weights (1).",
)
@click.option("--folds", type=click.IntRange(min=2), help="With --refit-check: how many folds (5).")
@click.option(
    "--distil",
    metavar="BACKBONE",
    help="Teach one model of this backbone what the ensemble says, and export that.",
)
@click.option(
    "--unlabelled",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --distil: questions and contexts without answers that it learns from, too.",
)
@click.option(
    "--as",
    "form",
    type=click.Choice(["bundle", "transformers"]),
    default="bundle",
    show_default=True,
    help="transformers: one member, for AutoModelForQuestionAnswering.",
)
@click.option("--member", metavar="ID", help="With --as transformers: the candidate to write.")
def export(
    study: str,
    target: Path | None,
    force: bool,
    kaggle: bool,
    pick: "PickName | None",
    weights: WeightFormat,
    candidate: str | None,
    refit: bool,
    refit_check: bool,
    seeds: int | None,
    folds: int | None,
    distil: str | None,
    unlabelled: Path | None,
    form: str,
    member: str | None,
) -> None:
    """Write the ensemble of STUDY, the name of a study or its file, into one folder.

    The selection is made anew if candidates have come since the last one. The private part of
    the validation set is opened once to score the ensemble; every opening is counted, and an
    ensemble that was scored there before keeps its score.
    """
    if member is not None or form == "transformers":
        # Every other option says something of an ensemble.
        export_member(click.get_current_context(), form)
        return
    _check_options(pick, candidate, distil, unlabelled, refit=refit)
    _check_refit_numbers(refit, refit_check, seeds, folds)
    if refit_check:
        others = {"--refit": refit, "--kaggle": kaggle, "--force": force, "--to": target}
        more = {"--distil": distil, f"--weights {weights}": weights != "fp16"}
        _refuse_beside_check({**others, **more})
        _measure_refit(study, pick or "safe", candidate, folds or FOLDS, seeds or 1)
        return
    if target is None:
        raise click.MissingParameter(param_hint="'--to'", param_type="option")
    from autoqa.analysis.finished_run import open_run
    from autoqa.export.export_run import export_run

    if kaggle:
        _check_kit(target, weights, force=force)
    run = open_run(study)
    distilled = _distil(run, target, distil, pick, unlabelled, force) if distil else None
    manifest, opened = export_run(
        run,
        target,
        pick=pick or "safe",
        candidate=distilled.pupil.id if distilled else candidate,
        weights=weights,
        refit=_refit_options(seeds or 1) if refit else None,
        force=force,
        announce=note_console().print,
    )
    _report(run, manifest, target, distilled, opened=opened)
    if kaggle:
        _write_kit(run, manifest, target, force=force)


def _check_kit(target: Path, weights: WeightFormat, *, force: bool) -> None:
    """Refuses a kit that cannot be written, before anything costly is done."""
    if weights != "fp16":
        raise click.UsageError(
            f"--kaggle and --weights {weights} exclude each other: a kit answers on a GPU, where "
            "half precision is faster; leave one of them out"
        )
    from autoqa.export.kaggle.kit import check_kit

    check_kit(target, force=force)


def _report(
    run: "StudyRun",
    manifest: "Manifest",
    target: Path,
    distilled: "Distilled | None",
    *,
    opened: bool,
) -> None:
    """Says what was written."""
    from autoqa.analysis.rule_tests import stored_rule_tests
    from autoqa.analysis.span_fit import stored_span_fit
    from autoqa.report import export as report

    click.echo("\n".join(report.bundle_sentences(target, manifest)))
    if distilled:
        _compare(run, distilled, target, manifest.openings)
    tests = stored_rule_tests(run)
    tested = () if tests is None else tests.members
    for sentence in (
        *report.rule_sentences(run.study.name, manifest, tested),
        *report.scoring_sentences(run.study.name, manifest, stored_span_fit(run)),
        *report.opening_sentences(manifest, opened=opened),
    ):
        note_console().print(sentence)


def _refuse_beside_check(others: Mapping[str, object]) -> None:
    """Refuses options that say how a bundle is written where none is."""
    given = [name for name, value in others.items() if value]
    if given:
        raise click.UsageError(
            f"--refit-check measures and writes no bundle: leave out {', '.join(given)}"
        )


def _check_refit_numbers(
    refit: bool, refit_check: bool, seeds: int | None, folds: int | None
) -> None:
    """Refuses numbers without the option that they belong to."""
    if seeds is not None and not (refit or refit_check):
        raise click.UsageError(f"--seeds {seeds} needs --refit or --refit-check")
    if folds is not None and not refit_check:
        raise click.UsageError(f"--folds {folds} needs --refit-check")


def _refit_options(seeds: int) -> "RefitOptions":
    from autoqa.export.refit import RefitOptions
    from autoqa.supervision.display_choice import choose_display

    return RefitOptions(seeds, choose_display(quiet=False))


def _measure_refit(
    study: str, pick: "PickName", candidate: str | None, folds: int, seeds: int
) -> None:
    """Measures what a refit brings, and says it."""
    from autoqa.analysis.finished_run import open_run
    from autoqa.export.export_run import chosen_seats
    from autoqa.export.refit_check import refit_check
    from autoqa.report import export as report

    run = open_run(study)
    seats, tie_group = chosen_seats(run, pick, candidate, note_console().print)
    effect, opened = refit_check(run, seats, tie_group, folds, _refit_options(seeds))
    click.echo("\n".join(report.refit_sentences(effect)))
    note_console().print(report.refit_opening(effect, opened=opened))


def _check_options(
    pick: "PickName | None",
    candidate: str | None,
    distil: str | None,
    unlabelled: Path | None,
    *,
    refit: bool,
) -> None:
    """Refuses options that contradict each other."""
    if refit and distil:
        raise click.UsageError(
            "--refit and --distil exclude each other: a pupil is taught by the members as they are"
        )
    if candidate and (pick or distil):
        other = "--pick" if pick else "--distil"
        raise click.UsageError(f"{other} and --candidate exclude each other: give one of them")
    if unlabelled and not distil:
        raise click.UsageError("--unlabelled is for what --distil learns from: give both")


def _distil(
    run: "StudyRun",
    target: Path,
    backbone: str,
    pick: "PickName | None",
    unlabelled: Path | None,
    force: bool,
) -> "Distilled":
    """Makes the pupil, after a look at what could be in the way of its export."""
    from autoqa.export.distilled import distil_run
    from autoqa.export.write import check_target
    from autoqa.supervision.display_choice import choose_display

    check_target(target, force=force)
    display = choose_display(quiet=False)
    return distil_run(run, backbone, display, pick=pick or "safe", unlabelled=unlabelled)


def _compare(run: "StudyRun", distilled: "Distilled", target: Path, openings: int) -> None:
    """Shows a pupil beside the ensemble that taught it."""
    from autoqa.export.distilled import standings
    from autoqa.report import export as report

    reason = f"ensemble beside its pupil {distilled.pupil.id}, exported to {target}"
    both = standings(run, distilled, reason)
    data_console().print(report.distilled_table(*both))
    click.echo(report.distilled_sentence(*both))
    if len(run.store.openings()) > openings:
        note_console().print("The private part was opened once more, to score the ensemble.")


def _write_kit(run: "StudyRun", manifest: "Manifest", bundle: Path, *, force: bool) -> None:
    """Writes the Kaggle kit and says what is in it; ends the command where wheels are missing."""
    from autoqa.export.kaggle.hours import estimate
    from autoqa.export.kaggle.kit import write_kit
    from autoqa.report import export as report

    hours = estimate(run, manifest, bundle)
    kit = write_kit(bundle, manifest, hours, force=force)
    click.echo("\n".join(report.kit_sentences(kit, hours)))
    if kit.missing:
        complain(report.missing_wheels(kit))
        for command in kit.download_commands:
            click.echo(f"    {command}", err=True)
        click.get_current_context().exit(MissingAssetError.exit_code)
