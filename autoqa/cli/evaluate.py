"""``autoqa evaluate``: scores of a bundle, or of anybody's answers, on a file with answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.answer_limit import answer_limit
from autoqa.cli.none_option import no_answer_option, opened_bundle
from autoqa.cli.progress import announce, progress_bar, say_shortened, say_unread
from autoqa.cli.reading import input_file, reading_options
from autoqa.cli.terminal import data_console, echo_json, wide_option
from autoqa.types import DEFAULT_METRIC

if TYPE_CHECKING:
    from autoqa.bundle.evaluation import BundleEvaluation
    from autoqa.bundle.input_rows import AnsweredRows
    from autoqa.types import Example

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("paths", type=_PATH, nargs=-1, required=True, metavar="[BUNDLE] FILE")
@click.option(
    "--predictions",
    type=_PATH,
    metavar="ANSWERS",
    help="Score these answers: {id: text} as SQuAD's scripts take them, or rows with id and "
    "answer. With BUNDLE, too, both are compared.",
)
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of a table.")
@wide_option
@answer_limit
@no_answer_option
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1...")
@click.option("--quiet", is_flag=True, help="No estimate, no progress bar.")
def evaluate(
    paths: tuple[Path, ...],
    predictions: Path | None,
    as_json: bool,
    max_answer_tokens: int | None,
    no_answer: Any,
    device: str,
    quiet: bool,
    **reading: Any,
) -> None:
    """Score BUNDLE, or ANSWERS of any origin, on the answers in FILE.

    FILE is JSON, JSON Lines, CSV, Parquet or what annotation tools export, with answers; - reads
    standard input. A context may be a list of texts. The score is that of the metric that the
    bundle was made for, with half the width of its 95 % interval; the means of all other metrics
    stand beside it.
    """
    bundle, file = _bundle_and_file(paths, predictions)
    from autoqa.bundle.foreign_answers import answers_to
    from autoqa.bundle.input_rows import read_answered
    from autoqa.scores.answer_comparison import compare_answers

    with input_file(file) as path:
        rows = read_answered(path, **reading)
    examples = rows.examples
    answered: dict[str, list[str]] = {}
    found = None
    if predictions is not None:
        answered["predictions"] = answers_to(examples, predictions, file)
    if bundle is not None:
        found = _evaluated(
            bundle,
            rows,
            quiet,
            device=device,
            max_answer_tokens=max_answer_tokens,
            no_answer=no_answer,
        )
        answered["bundle"] = found.answers
    gains = None
    if len(answered) == 2:
        gains = compare_answers(answered["bundle"], answered["predictions"], examples)
    _print(answered, examples, gains, found, as_json)


def _bundle_and_file(paths: tuple[Path, ...], predictions: Path | None) -> tuple[Path | None, Path]:
    if len(paths) == 2:
        return paths
    if len(paths) > 2:
        raise click.UsageError(f"got {len(paths)} paths: name a bundle and a file with answers")
    if predictions is None:
        raise click.UsageError(
            f"{paths[0]} alone says nothing: name a bundle and a file with answers, or give "
            "--predictions ANSWERS beside the file"
        )
    return None, paths[0]


def _evaluated(
    bundle: Path,
    rows: "AnsweredRows",
    quiet: bool,
    **options: Any,
) -> "BundleEvaluation":
    from autoqa.bundle.evaluation import evaluate_bundle

    ensemble = opened_bundle(bundle, resident=False, **options)
    say_unread(ensemble.unread(rows.rows))
    with progress_bar("answering", quiet=quiet) as progress:
        return evaluate_bundle(
            ensemble,
            rows,
            announce=None if quiet else announce,
            progress=progress,
            shortened=say_shortened,
        )


def _print(
    answered: dict[str, list[str]],
    examples: "Sequence[Example]",
    gains: Any,
    found: "BundleEvaluation | None",
    as_json: bool,
) -> None:
    from autoqa.report import evaluation as report
    from autoqa.report import reliability
    from autoqa.scores.summary import score_answers, score_languages

    metric = DEFAULT_METRIC if found is None else found.metric
    scored = {
        name: (
            score_answers(answers, examples, metric),
            score_languages(answers, examples, metric),
        )
        for name, answers in answered.items()
    }
    if as_json:
        objects = {name: report.evaluation_object(*entries) for name, entries in scored.items()}
        if found is not None:
            objects["bundle"] |= reliability.reliability_object(found.split, found.reliability)
        one = next(iter(objects.values()))
        echo_json({**objects, "gains": report.comparison_object(gains)} if gains else one)
        return
    for name, entries in scored.items():
        data_console().print(report.evaluation_table(*entries, title=name if gains else None))
    if found is not None and found.split is not None:
        data_console().print(reliability.split_table(found.split))
    if found is not None and found.reliability is not None:
        data_console().print(*reliability.reliability_tables(found.reliability))
    if gains:
        data_console().print(report.comparison_table(gains))
