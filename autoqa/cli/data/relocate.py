"""``autoqa data relocate``: where answers that occur several times belong."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoqa.cli.progress import progress_bar
from autoqa.cli.terminal import data_console, echo_json
from autoqa.errors import ConfigError
from autoqa.report import relocation as report

if TYPE_CHECKING:
    from autoqa.labels.relocation import Relocation

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("study", type=_PATH)
@click.option("--source", required=True, help="The source whose answers are looked at.")
@click.option("--to", "target", type=_PATH, help="The overlay to write; left out, look only.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Move an answer where the new place is at least this likely; left out, from where on "
    "fewer than a tenth of the moves are expected to be wrong.",
)
@click.option(
    "--any-place",
    is_flag=True,
    help="Look at answers, too, that stand elsewhere than at their first occurrence.",
)
@click.option(
    "--learn-from",
    multiple=True,
    metavar="SOURCE",
    help="A source whose offsets can be trusted; learn from it what each kind of evidence counts.",
)
@click.option(
    "--translations",
    multiple=True,
    metavar="SOURCE",
    help="A source with translations under the same ids; they show where an answer belongs.",
)
@click.option(
    "--models",
    type=click.IntRange(min=0),
    default=4,
    show_default=True,
    help="Most candidates asked about an answer, once the study was searched; 0: texts alone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def relocate(
    study: Path,
    source: str,
    target: Path | None,
    threshold: float | None,
    any_place: bool,
    learn_from: tuple[str, ...],
    translations: tuple[str, ...],
    models: int,
    as_json: bool,
) -> None:
    """Choose the place of answers that stand at the first of several occurrences.

    STUDY is a study file. Whoever gave an answer as text alone often has it put at its first
    occurrence; one that stands elsewhere was put there by somebody, and is left. What the text
    around each occurrence says is weighed, where the answer stands in translations (rows in other
    languages under the same id), and once the study was searched, what candidates say that did
    not train on the row. Rows that move are written as an overlay, which `overlays = ["FILE"]`
    below [sources.NAME] lays over the source; the source's own file stays as it is. Where nothing
    moves, nothing is written.
    """
    from autoqa.config.checks import check_source
    from autoqa.data.overlay import check_target
    from autoqa.labels import relocation
    from autoqa.registry import open_study

    bound = open_study(study)
    if source in learn_from:
        raise ConfigError(
            f"--learn-from {source}: its offsets are what is in doubt; name other sources."
        )
    if source in translations:
        raise ConfigError(
            f"--translations {source}: its own rows are looked at anyway; name other sources."
        )
    check_source(bound.study, source)
    if target is not None:
        check_target(target, source)
    with progress_bar("asking candidates", quiet=as_json) as progress:
        placements = relocation.relocate(
            bound,
            source,
            target=target,
            models=models,
            learn_from=learn_from,
            translations=translations,
            any_place=any_place,
            progress=progress,
        )
    if threshold is None:
        threshold = placements.careful_threshold()
    overlay = placements.overlay(threshold)
    written = target if overlay.changes else None
    if written is not None:
        overlay.write(written)
    if as_json:
        echo_json(report.as_objects(placements, threshold, written))
        return
    _print(placements, threshold, len(overlay.changes), written)


def _print(placements: "Relocation", threshold: float, changed: int, written: Path | None) -> None:
    if placements.placed:
        console = data_console()
        console.print(report.confidence_histogram(placements.placed))
        for text in report.move_texts(placements, threshold):
            console.print(text, markup=False)
    click.echo("\n".join(report.sentences(placements, threshold, changed, written)))
