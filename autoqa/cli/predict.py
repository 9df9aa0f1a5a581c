"""``autoqa predict``: answers on stdout, everything else on stderr."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.progress import announce, progress_bar
from autoqa.cli.reading import reading_options
from autoqa.cli.terminal import complain
from autoqa.errors import ConfigError

if TYPE_CHECKING:
    from autoqa.bundle.answer_files import Format

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_PATH)
@click.argument("file", type=_PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "jsonl"]),
    default="csv",
    show_default=True,
    help="csv has id and answer; json and jsonl have start, end and score, too.",
)
@click.option("--output", type=_PATH, help="Write to this file instead of stdout.")
@reading_options
@click.option("--skip-bad", is_flag=True, help="Answer the good rows; report the bad; exit with 1.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1...")
@click.option("--quiet", is_flag=True, help="No estimate, no progress bar.")
@click.pass_context
def predict(
    ctx: click.Context,
    /,
    bundle: Path,
    file: Path,
    form: "Format",
    output: Path | None,
    skip_bad: bool,
    device: str,
    quiet: bool,
    **reading: Any,
) -> None:
    """Answer the questions of FILE with BUNDLE.

    FILE is JSON, JSON Lines, CSV, Parquet or what annotation tools export, with questions and
    contexts; ids and languages are optional.
    """
    from autoqa.bundle.answer_files import render_answers
    from autoqa.bundle.input_rows import read_rows, refuse
    from autoqa.bundle.predictor import load

    if output is not None:
        _check_output(output)
    rows = read_rows(file, **reading)
    if not skip_bad:
        refuse(rows.problems)
    ensemble = load(bundle, device=device, resident=False)
    misfits = ensemble.misfits(rows.good)
    problems = [*rows.problems, *(f"{file}, id {rows.good[i].id}: {misfits[i]}." for i in misfits)]
    if not skip_bad:
        refuse(problems)
    good = [row for position, row in enumerate(rows.good) if position not in misfits]
    with progress_bar("answering", quiet=quiet) as progress:
        predictions = ensemble.predict(
            good, announce=None if quiet else announce, progress=progress
        )
    _write(render_answers(good, predictions, form), output)
    if problems:
        complain("\n".join(problems))
        ctx.exit(1)


def _check_output(output: Path) -> None:
    """Refuses a path that cannot be written before anything is answered."""
    folder = output.absolute().parent
    if not folder.is_dir():
        raise ConfigError(f"--output {output}: the folder {folder} does not exist.")
    if output.is_dir() or not os.access(folder, os.W_OK):
        raise ConfigError(f"--output {output} cannot be written: give the path of a new file.")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        # Bytes, so that neither the locale nor the platform's line ends change them.
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    from autoqa.files import write_atomically

    write_atomically(output, text)
