"""``autoqa evaluate``: scores of a bundle on a file with answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.answer_limit import answer_limit
from autoqa.cli.progress import announce, progress_bar, say_shortened
from autoqa.cli.reading import reading_options
from autoqa.cli.terminal import data_console, echo_json

if TYPE_CHECKING:
    from autoqa.scores.summary import ScoreEntry

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_PATH)
@click.argument("file", type=_PATH)
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of a table.")
@answer_limit
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1...")
@click.option("--quiet", is_flag=True, help="No estimate, no progress bar.")
def evaluate(
    bundle: Path,
    file: Path,
    as_json: bool,
    max_answer_tokens: int | None,
    device: str,
    quiet: bool,
    **reading: Any,
) -> None:
    """Score BUNDLE on the answers in FILE.

    FILE is JSON, JSON Lines, CSV, Parquet or what annotation tools export, with answers. The
    score is that of the metric that the bundle was made for, with half the width of its 95 %
    interval; the means of all other metrics stand beside it.
    """
    from autoqa.bundle.input_rows import Row, read_examples
    from autoqa.bundle.predictor import load
    from autoqa.scores.summary import score_answers, score_languages

    examples = read_examples(file, **reading)
    ensemble = load(bundle, device=device, resident=False, max_answer_tokens=max_answer_tokens)
    rows = [Row(e.id, e.question, e.context, e.language) for e in examples]
    with progress_bar("answering", quiet=quiet) as progress:
        predictions = ensemble.predict(
            rows,
            announce=None if quiet else announce,
            progress=progress,
            shortened=say_shortened,
        )
    answers = [prediction.answer for prediction in predictions]
    metric = ensemble.manifest.public.metric
    overall = score_answers(answers, examples, metric)
    languages = score_languages(answers, examples, metric)
    if as_json:
        by_language = {language: _object(entry) for language, entry in languages.items()}
        echo_json({**_object(overall), "by_language": by_language})
    else:
        _print_table(overall, languages)


def _object(entry: "ScoreEntry") -> dict[str, Any]:
    return {
        "n": entry.questions,
        "metric": entry.metric,
        entry.metric: entry.score,
        "half_width": entry.half_width,
        "low": entry.low,
        "high": entry.high,
        **entry.further,
    }


def _print_table(overall: "ScoreEntry", languages: dict[str, "ScoreEntry"]) -> None:
    from autoqa.report.tables import numbers, table
    from autoqa.scores.registry import further_metrics

    further = [metric.name for metric in further_metrics(overall.metric)]
    scores = table("language", *numbers("n", overall.metric, *further))
    for name, entry in (*languages.items(), ("all", overall)):
        score = f"{entry.score:.3f} ± {entry.half_width:.3f}"
        means = (f"{entry.scores[metric]:.3f}" for metric in further)
        scores.add_row(name, str(entry.questions), score, *means)
    data_console().print(scores)
