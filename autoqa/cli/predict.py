"""``autoqa predict``: answers on stdout, everything else on stderr."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.answer_limit import answer_limit
from autoqa.cli.many_documents import document_options, opened_documents
from autoqa.cli.none_option import no_answer_option, opened_bundle
from autoqa.cli.progress import announce, progress_bar, say_shortened, say_unread
from autoqa.cli.reading import input_file, reading_options, shown
from autoqa.cli.terminal import complain
from autoqa.errors import ConfigError, DataError

if TYPE_CHECKING:
    from autoqa.bundle.answer_files import Format
    from autoqa.bundle.documents import Documents
    from autoqa.bundle.input_rows import Rows
    from autoqa.bundle.manifest import Manifest
    from autoqa.bundle.prediction import Prediction

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_PATH)
@click.argument("file", type=_PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "jsonl", "squad"]),
    default="csv",
    show_default=True,
    help="csv has id and answer; json and jsonl have start, end and score, too; squad is an "
    "object of id to answer, as SQuAD's scripts take it.",
)
@click.option("--output", type=_PATH, help="Write to this file instead of stdout.")
@click.option(
    "--na-prob-file",
    "no_answer_file",
    type=_PATH,
    metavar="FILE",
    help="Also write how likely there is no answer, by id, as SQuAD 2.0's script takes it.",
)
@click.option(
    "--top-k",
    type=int,
    default=1,
    show_default=True,
    help="Most answers to a question; json and jsonl have the further ones under others.",
)
@no_answer_option
@click.option(
    "--min-score",
    type=float,
    default=0.0,
    show_default=True,
    help="Leave answers with a lower score empty (0 to 1).",
)
@document_options
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
    no_answer_file: Path | None,
    top_k: int,
    no_answer: Any,
    min_score: float,
    documents: Path | None,
    passages: int | None,
    skip_bad: bool,
    max_answer_tokens: int | None,
    device: str,
    quiet: bool,
    **reading: Any,
) -> None:
    """Answer the questions of FILE with BUNDLE.

    FILE is JSON, JSON Lines, CSV, Parquet or what annotation tools export, with questions and
    contexts; - reads standard input. Ids and languages are optional. A context may be a list of
    texts; with --documents FILE needs questions only.
    """
    from autoqa.bundle.input_rows import read_rows
    from autoqa.bundle.predictor import NO_ANSWER

    _check_outputs(form, top_k, output, no_answer_file)
    several = opened_documents(documents, passages, quiet=quiet)
    with input_file(file) as path:
        rows = read_rows(path, documents=several, **reading)
        _check_rows(rows, file, several, skip_bad)
    ensemble = opened_bundle(
        bundle,
        device=device,
        resident=False,
        top_k=top_k,
        passages=passages,
        no_answer=no_answer,
        min_score=min_score,
        max_answer_tokens=max_answer_tokens,
    )
    _check_no_answer_file(no_answer_file, ensemble.manifest)
    say_unread(ensemble.unread(rows.good))
    with progress_bar("answering", quiet=quiet) as progress:
        predictions = ensemble.predict(
            rows.good,
            announce=None if quiet else announce,
            progress=progress,
            shortened=say_shortened,
        )
    answers = dict(zip((row.id for row in rows.good), predictions, strict=True))
    in_order = [answers.get(each, NO_ANSWER) for each in rows.ids]
    _write_answers(rows.ids, in_order, form, output, no_answer_file)
    if rows.problems:
        complain("\n".join(rows.problems).replace(str(path), shown(file)))
        ctx.exit(1)


def _check_rows(rows: "Rows", file: Path, documents: "Documents | None", skip_bad: bool) -> None:
    from autoqa.bundle.input_rows import refuse

    if not skip_bad:
        refuse(rows.problems)
    if documents is not None and not rows.ids:
        raise DataError(f"{file} holds no questions to look for answers to.")


def _check_no_answer_file(path: Path | None, manifest: "Manifest") -> None:
    if path is not None and manifest.no_answer is None:
        raise ConfigError(
            f"--na-prob-file {path}: the bundle was validated on no question without an answer, so "
            "it cannot say how likely there is none; leave the option out."
        )


def _check_outputs(form: str, top_k: int, output: Path | None, no_answer_file: Path | None) -> None:
    """Refuses what cannot be written before anything is answered."""
    if top_k > 1 and form in ("csv", "squad"):
        raise click.UsageError(
            f"--top-k {top_k} needs --format json or jsonl: {form} holds one answer to a question"
        )
    if output and no_answer_file and output.resolve() == no_answer_file.resolve():
        raise ConfigError(
            f"--na-prob-file {no_answer_file} is the file of --output, too: give each its own."
        )
    for option, path in (("--output", output), ("--na-prob-file", no_answer_file)):
        if path is None:
            continue
        folder = path.absolute().parent
        if not folder.is_dir():
            raise ConfigError(f"{option} {path}: the folder {folder} does not exist.")
        if path.is_dir() or not os.access(folder, os.W_OK):
            raise ConfigError(f"{option} {path} cannot be written: give the path of a new file.")


def _write_answers(
    ids: Sequence[str],
    predictions: "Sequence[Prediction]",
    form: "Format",
    output: Path | None,
    no_answer_file: Path | None,
) -> None:
    from autoqa.bundle.answer_files import render_answers, render_no_answers

    if no_answer_file is not None:
        _write(render_no_answers(ids, predictions), no_answer_file)
    _write(render_answers(ids, predictions, form), output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        # Bytes, so that neither the locale nor the platform's line ends change them.
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    from autoqa.files import write_atomically

    write_atomically(output, text)
