"""``autoqa export``: the chosen ensemble as one folder."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, get_args

import click

from autoqa.cli.terminal import complain, note_console
from autoqa.errors import MissingAssetError
from autoqa.types import Weights

if TYPE_CHECKING:
    from autoqa.analysis.finished_run import StudyRun
    from autoqa.bundle.manifest import Manifest
    from autoqa.ensemble.choosing.selection import PickName, Seat, Selection


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
    type=click.Choice(get_args(Weights)),
    default="fp16",
    show_default=True,
    help="onnx: files for ONNX Runtime on CPUs; onnx-int8: with 8-bit integers, smaller and "
    "faster. Says what the conversion changes on the public part.",
)
@click.option("--candidate", metavar="ID", help="Export this candidate alone, not the selection.")
def export(
    study: str,
    target: Path,
    force: bool,
    kaggle: bool,
    pick: "PickName | None",
    weights: Weights,
    candidate: str | None,
) -> None:
    """Write the ensemble of STUDY, the name of a study or its file, into one folder.

    The selection is made anew if candidates have come since the last one. The private part of
    the validation set is opened once to score the ensemble; every opening is counted, and an
    ensemble that was scored there before keeps its score.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.selection import named
    from autoqa.export.write import check_target

    if pick and candidate:
        raise click.UsageError("--pick and --candidate exclude each other: give one of them")
    if kaggle and weights != "fp16":
        raise click.UsageError(
            f"--kaggle and --weights {weights} exclude each other: a kit answers on a GPU, where "
            "half precision is faster; leave one of them out"
        )
    check_target(target, force=force)
    if kaggle:
        from autoqa.export.kaggle.kit import check_kit

        check_kit(target, force=force)
    run = open_run(study)
    if candidate is None:
        chosen = _selection(run).pick(pick or "safe")
        seats, best = chosen.members, chosen.tie_group
    else:
        seats = (named(run, candidate),)
        best = seats[0].group
    manifest = _write(run, seats, best, weights, target, force=force)
    if kaggle:
        _write_kit(run, manifest, target, force=force)


def _write(
    run: "StudyRun",
    seats: "Sequence[Seat]",
    best: str,
    weights: Weights,
    target: Path,
    *,
    force: bool,
) -> "Manifest":
    """Writes the bundle and says what is in it."""
    from autoqa.export.assemble import assemble
    from autoqa.export.conversion_effect import convert_members, with_converted
    from autoqa.export.write import write_bundle

    run.require_weights([seat.id for seat in seats])
    reason = f"export of {', '.join(seat.id for seat in seats)} to {target}"
    with TemporaryDirectory() as scratch:
        # Converted before the private part is opened: what fails must not cost an opening.
        converting = weights != "fp16"
        say = note_console().print
        models = convert_members(run, seats, weights, Path(scratch), say) if converting else {}
        plan = assemble(run, seats, best, reason=reason)
        if converting:
            plan = with_converted(run, plan, weights, models)
        manifest = write_bundle(plan, target, force=force)
    size = sum(entry.size for entry in manifest.files.values())
    count = len(manifest.members)
    click.echo(f"{target}: {count} model{'' if count == 1 else 's'}, {size / 1e6:.1f} MB")
    click.echo(f"public {manifest.public}, private {manifest.private}")
    if manifest.conversion is not None:
        click.echo(str(manifest.conversion))
    if manifest.rules:
        _say_rules(run, manifest)
    _say_openings(manifest, opened=plan.opened)
    return manifest


def _say_openings(manifest: "Manifest", *, opened: bool) -> None:
    if not opened:
        note_console().print(
            "The private score is the one that an earlier opening showed; nothing was opened."
        )
    elif manifest.openings > 1:
        note_console().print(
            f"The private part has now been opened {manifest.openings} times: the more often, the "
            "less its score says about new questions."
        )


def _write_kit(run: "StudyRun", manifest: "Manifest", bundle: Path, *, force: bool) -> None:
    """Writes the Kaggle kit and says what is in it; ends the command where wheels are missing."""
    from autoqa.export.kaggle.hours import estimate
    from autoqa.export.kaggle.kit import write_kit

    hours = estimate(run, manifest, bundle)
    kit = write_kit(bundle, manifest, hours, force=force)
    click.echo(f"{kit.folder}: Kaggle kit with {kit.wheels} wheels; its README says the steps")
    for sentence in hours.sentences():
        click.echo(sentence)
    if kit.missing:
        names = ", ".join(map(str, kit.missing))
        complain(
            f"the kit lacks wheels that no package index had: {names}; get them where there is one:"
        )
        for command in kit.get:
            click.echo(f"    {command}", err=True)
        click.get_current_context().exit(MissingAssetError.exit_code)


def _say_rules(run: "StudyRun", manifest: "Manifest") -> None:
    """Which post-processing rules went along, and whether they were tested on this ensemble."""
    from autoqa.analysis.rule_tests import kept

    rules = "; ".join(f"{code}: {', '.join(names)}" for code, names in manifest.rules.items())
    note_console().print(f"Post-processing rules of the bundle: {rules}.")
    found = kept(run)
    if found is not None and set(found.members) != {member.id for member in manifest.members}:
        note_console().print(
            f"They were tested on the answers of {', '.join(found.members)}: "
            f"`autoqa postprocess test {run.study.name}` tests them on this ensemble."
        )


def _selection(run: "StudyRun") -> "Selection":
    from autoqa.analysis.selection import choose, kept_selection

    kept = kept_selection(run)
    if kept is not None:
        return kept
    note_console().print("Selecting: the candidates are newer than the last selection.")
    return choose(run)
