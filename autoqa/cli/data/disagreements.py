"""``autoqa data disagreements``: labels that confident candidates contradict."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoqa.cli.progress import progress_bar
from autoqa.cli.terminal import data_console, echo_json
from autoqa.errors import ConfigError

if TYPE_CHECKING:
    from autoqa.analysis.finished_run import StudyRun
    from autoqa.labels.disagreements import Disagreements

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("study")
@click.option("--source", help="Whose labels; left out, those of the validation's source.")
@click.option("--to", "target", type=_PATH, help="File of decisions (or, with --apply, overlay).")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["csv", "label-studio", "argilla"]),
    default="csv",
    show_default=True,
    help="What --to writes: decisions to fill in, or tasks for an annotation tool.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Least mean probability of the answer that contradicts a label.",
)
@click.option(
    "--models",
    type=click.IntRange(min=2),
    default=4,
    show_default=True,
    help="Most candidates asked about a row.",
)
@click.option(
    "--apply", "decided", type=_PATH, help="Turn an edited file of decisions into an overlay."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def disagreements(
    study: str,
    source: str | None,
    target: Path | None,
    kind: str,
    threshold: float,
    models: int,
    decided: Path | None,
    as_json: bool,
) -> None:
    """List rows of STUDY whose label at least two confident candidates contradict alike.

    STUDY is the name of a searched study or its file. Only candidates that did not train on a row
    are asked about it: about rows of the public part all of them, about training rows those whose
    recipe did not draw it. The private part is left alone.

    --to writes a file of decisions. Write accept, reject or drop into its column `decision`, then
    `--apply FILE --to OVERLAY` turns accepted answers and dropped rows into an overlay. With --as,
    it writes tasks with the candidates' answers for Label Studio or Argilla; `autoqa data relabel`
    takes their exports back.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.config.checks import check_source

    if kind != "csv" and (target is None or decided is not None):
        raise ConfigError(f"--as {kind} says what --to writes: give --to FILE, without --apply.")
    run = open_run(study)
    source = source or run.study.validation.source
    check_source(run.study, source)
    if decided is not None:
        _apply(run, source, decided, target, as_json)
        return
    from autoqa.labels.candidate_opinions import Judges
    from autoqa.labels.disagreements import find_disagreements
    from autoqa.report import disagreements as report

    judges = Judges(run, source)
    with progress_bar("asking candidates", quiet=as_json) as progress:
        disputed = find_disagreements(judges, threshold=threshold, models=models, progress=progress)
    if target is not None:
        _write(target, disputed, kind)
    if as_json:
        echo_json(report.as_objects(run.study.name, source, disputed))
        return
    console = data_console()
    for text in report.dispute_texts(disputed):
        console.print(text, markup=False)
    click.echo("\n".join(report.sentences(study, source, disputed, target, kind)))


def _write(target: Path, disputed: "Disagreements", kind: str) -> None:
    from autoqa.files import write_atomically
    from autoqa.labels.annotation_tasks import TASKS

    if target.exists():
        raise ConfigError(
            f"--to {target}: the file exists, and may hold decisions; give another path or remove "
            "it."
        )
    try:
        write_atomically(target, TASKS[kind](disputed.disputes))
    except OSError as error:
        raise ConfigError(f"--to {target} cannot be written: {error.strerror}.") from error


def _apply(run: "StudyRun", source: str, decided: Path, target: Path | None, as_json: bool) -> None:
    from autoqa.data.overlay import Overlay, check_target, fingerprint
    from autoqa.data.prepare import corrected, load_source
    from autoqa.labels.decisions import read_decisions
    from autoqa.registry import bind, discover
    from autoqa.report.disagreements import decision_sentence

    if target is None:
        raise ConfigError("--apply needs --to: the overlay to write.")
    bound = bind(run.study, discover())
    check_target(target, source)
    loaded, _ = load_source(source, bound.sources[source])
    rows, _ = corrected(source, loaded, run.study.sources[source].overlays)
    changes = read_decisions(decided, source, rows)
    dropped = sum(change.answers is None for change in changes)
    accepted = len(changes) - dropped
    if changes:
        Overlay(source, fingerprint(loaded), changes).write(target)
    if as_json:
        overlay = str(target) if changes else None
        echo_json({"accepted": accepted, "dropped": dropped, "overlay": overlay})
        return
    click.echo(decision_sentence(decided, source, accepted, dropped, target))
