"""``autoqa predict``: answers on stdout, everything else on stderr."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.answer_limit import answer_limit
from autoqa.cli.progress import announce, progress_bar, say_shortened
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
@click.option("--skip-bad", is_flag=True, help="Leave answers of bad rows empty; exit with 1.")
@answer_limit
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
    max_answer_tokens: int | None,
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
    from autoqa.bundle.predictor import NO_ANSWER, load

    if output is not None:
        _check_output(output)
    rows = read_rows(file, **reading)
    if not skip_bad:
        refuse(rows.problems)
    ensemble = load(bundle, device=device, resident=False, max_answer_tokens=max_answer_tokens)
    with progress_bar("answering", quiet=quiet) as progress:
        predictions = ensemble.predict(
            rows.good,
            announce=None if quiet else announce,
            progress=progress,
            shortened=say_shortened,
        )
    answers = dict(zip((row.id for row in rows.good), predictions, strict=True))
    in_order = [answers.get(each, NO_ANSWER) for each in rows.ids]
    _write(render_answers(rows.ids, in_order, form), output)
    if rows.problems:
        complain("\n".join(rows.problems))
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
