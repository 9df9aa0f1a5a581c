"""``autoqa export``: the chosen ensemble as one folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import complain, note_console
from autoqa.errors import MissingAssetError

if TYPE_CHECKING:
    from autoqa.ensemble.selection import PickName, Selection
    from autoqa.export.manifest import Manifest
    from autoqa.export.run import StudyRun


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
@click.option("--candidate", metavar="ID", help="Export this candidate alone, not the selection.")
def export(
    study: str,
    target: Path,
    force: bool,
    kaggle: bool,
    pick: "PickName | None",
    candidate: str | None,
) -> None:
    """Write the ensemble of STUDY, the name of a study or its file, into one folder.

    The selection is made anew if candidates have come since the last one. The private part of
    the validation set is opened once to score the ensemble; every opening is counted, and an
    ensemble that was scored there before keeps its score.
    """
    from autoqa.export.assemble import assemble
    from autoqa.export.bundle import check_target, write_bundle
    from autoqa.export.run import open_run
    from autoqa.export.selecting import named

    if pick and candidate:
        raise click.UsageError("--pick and --candidate exclude each other: give one of them")
    check_target(target, force=force)
    if kaggle:
        from autoqa.export.kaggle.kit import check_kit

        check_kit(target, force=force)
    run = open_run(study)
    if candidate is None:
        chosen = _selection(run).pick(pick or "safe")
        seats, best = chosen.members, chosen.best
    else:
        seats = (named(run, candidate),)
        best = seats[0].group
    run.require_weights([seat.id for seat in seats])
    names = ", ".join(seat.id for seat in seats)
    plan = assemble(run, seats, best, reason=f"export of {names} to {target}")
    manifest = write_bundle(plan, target, force=force)
    size = sum(entry.size for entry in manifest.files.values())
    models = len(manifest.members)
    click.echo(f"{target}: {models} model{'' if models == 1 else 's'}, {size / 1e6:.1f} MB")
    click.echo(f"public {manifest.public}, private {manifest.private}")
    if manifest.rules:
        _say_rules(run, manifest)
    if not plan.opened:
        note_console().print(
            "The private score is the one that an earlier opening showed; nothing was opened."
        )
    elif manifest.openings > 1:
        note_console().print(
            f"The private part has now been opened {manifest.openings} times: the more often, the "
            "less its score says about new questions."
        )
    if kaggle:
        _write_kit(run, manifest, target, force=force)


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
    from autoqa.export.postprocessing import kept

    rules = "; ".join(f"{code}: {', '.join(names)}" for code, names in manifest.rules.items())
    note_console().print(f"Post-processing rules of the bundle: {rules}.")
    found = kept(run)
    if found is not None and set(found.members) != {member.id for member in manifest.members}:
        note_console().print(
            f"They were tested on the answers of {', '.join(found.members)}: "
            f"`autoqa postprocess test {run.study.name}` tests them on this ensemble."
        )


def _selection(run: "StudyRun") -> "Selection":
    from autoqa.export.selecting import choose, kept_selection

    kept = kept_selection(run)
    if kept is not None:
        return kept
    note_console().print("Selecting: the candidates are newer than the last selection.")
    return choose(run)
