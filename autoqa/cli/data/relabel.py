"""``autoqa data relabel``: labels that people corrected elsewhere, as an overlay."""

from pathlib import Path

import click

from autoqa.cli.terminal import echo_json

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("study")
@click.argument("file", type=_PATH)
@click.option("--to", "target", type=_PATH, required=True, help="The overlay to write.")
@click.option("--source", help="Whose labels; left out, those of the validation's source.")
@click.option(
    "--input-format", default="auto", show_default=True, help="What FILE is, such as label-studio."
)
@click.option(
    "--empty",
    type=click.Choice(["drop", "no-answer"]),
    default="drop",
    show_default=True,
    help="What a row means that somebody left without an answer.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def relabel(
    study: str,
    file: Path,
    target: Path,
    source: str | None,
    input_format: str,
    empty: str,
    as_json: bool,
) -> None:
    """Take the labels of FILE, corrected in an annotation tool, as an overlay of STUDY's source.

    STUDY is the name of a searched study or its file. FILE is an export of Label Studio (JSON),
    Argilla (to_json) or doccano, or any file of questions with the ids of the source's rows, as
    `autoqa data disagreements --as` writes them for these tools. Rows that are labelled as the
    source has them, or that nobody labelled, and rows that the file does not have stay as they
    are.
    """
    from autoqa.config.checks import check_source
    from autoqa.data.overlay import Overlay, check_target, fingerprint
    from autoqa.data.prepare import corrected, load_source
    from autoqa.labels.relabelled import read_relabelled
    from autoqa.registry import open_study
    from autoqa.report.disagreements import relabelled_sentences

    bound = open_study(_study_file(study))
    source = source or bound.study.validation.source
    check_source(bound.study, source)
    check_target(target, source)
    loaded, _ = load_source(source, bound.sources[source])
    # What the target holds is what this call makes anew.
    earlier = [
        path
        for path in bound.study.sources[source].overlays
        if Path(path).resolve() != target.resolve()
    ]
    rows, _ = corrected(source, loaded, earlier)
    found = read_relabelled(
        file, source, rows, format=input_format, keep_empty=empty == "no-answer"
    )
    if found.changes:
        Overlay(source, fingerprint(loaded), found.changes).write(target)
    if as_json:
        echo_json(
            {
                "source": source,
                "changed": len(found.changes) - found.dropped,
                "dropped": found.dropped,
                "confirmed": found.confirmed,
                "undecided": found.undecided,
                "overlay": str(target) if found.changes else None,
            }
        )
        return
    click.echo("\n".join(relabelled_sentences(file, source, found, target)))


def _study_file(study: str) -> Path:
    """A study's file: the one that is named, or the one that its search keeps."""
    from autoqa.analysis.finished_run import known_study

    return Path(study) if study.endswith(".toml") else known_study(study)
