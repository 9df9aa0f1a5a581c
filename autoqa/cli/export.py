"""``autoqa export``: the chosen ensemble as one folder."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from autoqa.cli.terminal import complain, data_console, note_console
from autoqa.errors import MissingAssetError
from autoqa.types import WeightFormat

if TYPE_CHECKING:
    from autoqa.analysis.finished_run import StudyRun
    from autoqa.bundle.manifest import Manifest
    from autoqa.ensemble.choosing.selection import PickName
    from autoqa.export.distilled import Distilled


@click.command()
@click.argument("study")
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path), help="Folder to make."
)
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
def export(
    study: str,
    target: Path,
    force: bool,
    kaggle: bool,
    pick: "PickName | None",
    weights: WeightFormat,
    candidate: str | None,
    distil: str | None,
    unlabelled: Path | None,
) -> None:
    """Write the ensemble of STUDY, the name of a study or its file, into one folder.

    The selection is made anew if candidates have come since the last one. The private part of
    the validation set is opened once to score the ensemble; every opening is counted, and an
    ensemble that was scored there before keeps its score.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.rule_tests import stored_rule_tests
    from autoqa.export.export_run import export_run
    from autoqa.report import export as report

    _check_options(pick, candidate, distil, unlabelled)
    if kaggle and weights != "fp16":
        raise click.UsageError(
            f"--kaggle and --weights {weights} exclude each other: a kit answers on a GPU, where "
            "half precision is faster; leave one of them out"
        )
    if kaggle:
        from autoqa.export.kaggle.kit import check_kit

        check_kit(target, force=force)
    run = open_run(study)
    distilled = _distil(run, target, distil, pick, unlabelled, force) if distil else None
    manifest, opened = export_run(
        run,
        target,
        pick=pick or "safe",
        candidate=distilled.pupil.id if distilled else candidate,
        weights=weights,
        force=force,
        announce=note_console().print,
    )
    click.echo("\n".join(report.bundle_sentences(target, manifest)))
    if distilled:
        _compare(run, distilled, target, manifest.openings)
    tests = stored_rule_tests(run)
    tested = () if tests is None else tests.members
    for sentence in (
        *report.rule_sentences(run.study.name, manifest, tested),
        *report.opening_sentences(manifest, opened=opened),
    ):
        note_console().print(sentence)
    if kaggle:
        _write_kit(run, manifest, target, force=force)


def _check_options(
    pick: "PickName | None", candidate: str | None, distil: str | None, unlabelled: Path | None
) -> None:
    """Refuses options that contradict each other."""
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
    from autoqa.searching.display import choose_display

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
