"""``autoqa data disagreements``: labels that confident candidates contradict."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.progress import progress_bar
from autoqa.cli.terminal import data_console, echo_json
from autoqa.errors import ConfigError

if TYPE_CHECKING:
    from autoqa.analysis.finished_run import StudyRun
    from autoqa.labels.decisions import Dispute
    from autoqa.labels.disagreements import Disagreements

_PATH = click.Path(path_type=Path)
_SHOWN = 20


@click.command()
@click.argument("study")
@click.option("--source", help="Whose labels; left out, those of the validation's source.")
@click.option("--to", "target", type=_PATH, help="File of decisions (or, with --apply, overlay).")
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
    `--apply FILE --to OVERLAY` turns accepted answers and dropped rows into an overlay.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.config.checks import check_source

    run = open_run(study)
    source = source or run.study.validation.source
    check_source(run.study, source)
    if decided is not None:
        _apply(run, source, decided, target, as_json)
        return
    from autoqa.labels.candidate_opinions import Judges
    from autoqa.labels.disagreements import find_disagreements

    judges = Judges(run, source)
    with progress_bar("asking candidates", quiet=as_json) as progress:
        found = find_disagreements(judges, threshold=threshold, models=models, progress=progress)
    if target is not None:
        _write_decisions(target, found)
    if as_json:
        echo_json(_as_json(run.study.name, source, found))
        return
    _print(source, found, target)


def _write_decisions(target: Path, found: "Disagreements") -> None:
    from autoqa.files import write_atomically
    from autoqa.labels.decisions import render_decisions

    if target.exists():
        raise ConfigError(
            f"--to {target}: the file exists, and may hold decisions; give another path or remove "
            "it."
        )
    try:
        write_atomically(target, render_decisions(found.disputes))
    except OSError as error:
        raise ConfigError(f"--to {target} cannot be written: {error.strerror}.") from error


def _apply(run: "StudyRun", source: str, decided: Path, target: Path | None, as_json: bool) -> None:
    from autoqa.data.overlay import Overlay, check_target, fingerprint
    from autoqa.data.prepare import corrected, load_source
    from autoqa.labels.decisions import read_decisions
    from autoqa.registry import bind, discover

    if target is None:
        raise ConfigError("--apply needs --to: the overlay to write.")
    bound = bind(run.study, discover())
    check_target(target, source)
    given, _ = load_source(source, bound.sources[source])
    rows, _ = corrected(source, given, run.study.sources[source].overlays)
    changes = read_decisions(decided, source, rows)
    dropped = sum(change.answers is None for change in changes)
    if changes:
        Overlay(source, fingerprint(given), changes).write(target)
    if as_json:
        overlay = str(target) if changes else None
        echo_json(
            {"accepted": len(changes) - dropped, "dropped": dropped, "overlay": overlay},
        )
        return
    if not changes:
        click.echo(f"{decided} accepts and drops nothing; nothing is written.")
        return
    click.echo(
        f"{len(changes) - dropped} answers accepted, {dropped} rows dropped; {target} holds them. "
        f"To use it: overlays = [{str(target)!r}] below [sources.{source}]."
    )


def _print(source: str, found: "Disagreements", target: Path | None) -> None:
    console = data_console()
    for number, one in enumerate(found.disputes[:_SHOWN], 1):
        label, proposed = one.shown()
        row = one.example
        lines = (
            f"{number}. {row.id} ({row.language})  {one.confidence:.2f}, "
            f"{len(one.candidates)} candidates: {row.question}",
            f"  label     {label}",
            f"  proposed  {proposed}",
        )
        console.print("\n".join(lines), markup=False)
    if len(found.disputes) > _SHOWN:
        click.echo(f"... and {len(found.disputes) - _SHOWN} more.")
    click.echo(
        f"sources.{source}: the labels of {len(found.disputes)} rows are contradicted. At least "
        f"two candidates that had not trained on the row answered {found.heard} of {found.rows} "
        f"rows; {found.public} of these belong to the public part, the others are trained on."
    )
    if target is not None:
        click.echo(
            f"{target} waits for decisions: accept, reject or drop. Then --apply {target} --to "
            "OVERLAY."
        )


def _as_json(study: str, source: str, found: "Disagreements") -> dict[str, Any]:
    return {
        "study": study,
        "source": source,
        "rows": found.rows,
        "public_rows": found.public,
        "rows_heard": found.heard,
        "disagreements": [_row(one) for one in found.disputes],
    }


def _row(one: "Dispute") -> dict[str, Any]:
    label, proposed = one.shown()
    return {
        "id": one.example.id,
        "language": one.example.language,
        "question": one.example.question,
        "label": one.label,
        "proposed": one.proposed.text,
        "start": one.proposed.start,
        "confidence": round(one.confidence, 4),
        "candidates": list(one.candidates),
        "label_in_context": label,
        "proposed_in_context": proposed,
    }
