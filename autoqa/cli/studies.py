"""``autoqa studies``: what studies there are; one begun, renamed, removed, or made small."""

import json
import sys
from pathlib import Path

import click

from autoqa.cli.reading import column_pairs
from autoqa.cli.status import end_with_problems, overview, show_status
from autoqa.cli.terminal import data_console, echo_json
from autoqa.errors import ConfigError


@click.group()
def studies() -> None:
    """List studies, begin one, look into one, rename it, remove it, or make it small."""


@studies.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
def list_studies(as_json: bool) -> None:
    """List the studies of this machine, as `autoqa status` does."""
    overview(as_json)


@studies.command()
@click.argument("study")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(study: str, as_json: bool) -> None:
    """Show what STUDY was searched with, and what was decided and looked at since.

    STUDY is the name of a study or its file. Shows the study file as the search keeps it, versions
    of the code, selections, openings of the private part, and reads of the public one.
    """
    from autoqa.report import status as report
    from autoqa.report.studies import facts_object, facts_sentences
    from autoqa.upkeep.facts import study_facts
    from autoqa.upkeep.status import study_status
    from autoqa.upkeep.study_place import find_study

    place = find_study(study)
    assert place.folder is not None
    text = place.folder.study_file.read_text(encoding="utf-8", errors="replace")
    found, facts = study_status(place), None
    if found.problem is None:
        with place.look() as store:
            facts = study_facts(store)
    if as_json:
        more = {} if facts is None else facts_object(facts)
        echo_json({**report.as_object(found), "study_file": text, **more})
    else:
        click.echo(f"# {place.folder.study_file}\n{text.rstrip()}\n")
        show_status(found)
        if facts is not None:
            click.echo("\n".join(facts_sentences(facts)))
    end_with_problems([found])


@studies.command()
@click.argument("name")
@click.option(
    "--target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Your questions with answers: what counts.",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Data that may help; may be repeated.",
)
@click.option(
    "--column",
    "columns",
    metavar="FIELD=COLUMN",
    multiple=True,
    callback=column_pairs,
    help="What a file calls question, context, answer_text...; may be repeated.",
)
@click.option(
    "--language",
    metavar="CODE",
    help="Language of rows that state none; letters that are not that language's say their own.",
)
@click.option(
    "--backbone",
    "backbones",
    multiple=True,
    metavar="TYPE",
    help="A pretrained model, in place of those on this machine; may be repeated.",
)
@click.option(
    "--to", type=click.Path(path_type=Path), metavar="FILE", help="In place of NAME.toml."
)
def new(
    name: str,
    target: Path,
    sources: tuple[Path, ...],
    columns: list[tuple[str, str]],
    language: str | None,
    backbones: tuple[str, ...],
    to: Path | None,
) -> None:
    """Write a study file to begin with, from files in any format.

    The files are read whole; of each is said what it was recognised as. Columns of other names
    are given by --column; a file takes those that it has. Backbones are those on this machine that
    read the languages of the target.
    """
    from autoqa.report.amounts import count
    from autoqa.upkeep.new_study import dry_run_command, write_study

    made = write_study(
        name,
        target,
        sources,
        columns=columns,
        language=language,
        backbones=backbones,
        to=to,
    )
    for file in made.files:
        click.echo(f"{file.path}: {file.sentence}")
    sources_made = count(len(made.files), "source")
    click.echo(f"{made.path}: {sources_made}, backbones {', '.join(made.backbones)}")
    click.echo(f"Next: {dry_run_command(made.path)}", err=True)


@studies.command()
@click.argument("old")
@click.argument("new")
def rename(old: str, new: str) -> None:
    """Give the study OLD the name NEW: its folder, its study file there, and all its rows.

    It is refused while somebody works on the study, and changes everything or nothing. Your own
    study file needs the new name, too, if the search is to go on.
    """
    from autoqa.upkeep.rename import rename_study
    from autoqa.upkeep.study_place import find_study

    folder = rename_study(find_study(old), new)
    click.echo(
        f'study {old} is called {new} now and lies in {folder.path}; write name = "{new}" in your '
        "own study file before you search on"
    )


@studies.command()
@click.argument("study")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rm(study: str, yes: bool) -> None:
    """Remove STUDY: its rows and its run folder, with everything in it, and its shared files.

    It says what will be lost, and asks. It is refused while somebody works on the study.
    """
    from autoqa.report.studies import losses
    from autoqa.store.study_tables import Store
    from autoqa.upkeep.facts import study_facts
    from autoqa.upkeep.remove import remove_study
    from autoqa.upkeep.sole_use import own_folder
    from autoqa.upkeep.status import study_status
    from autoqa.upkeep.study_place import find_study

    place = find_study(study)
    own_folder(place)
    assert place.storage is not None
    with Store(place.storage, place.name) as store:
        facts = study_facts(store)
    found = study_status(place)
    if found.problem is not None:
        raise found.problem
    lost = losses(found, facts)
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigError(
                f"{lost} would be removed, and nobody can be asked here: --yes removes it unasked"
            )
        click.confirm(f"Remove {lost}?", abort=True)
    remove_study(place)
    click.echo(f"removed {lost}")


@studies.command()
@click.argument("study")
@click.option(
    "--weights",
    is_flag=True,
    help="Also weights that the selection has no seat for; `autoqa retrain` makes them again.",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of what goes.")
def compact(study: str, weights: bool, dry_run: bool, as_json: bool) -> None:
    """Remove what no later command on STUDY needs, and pack its database.

    That is: checkpoints of finished runs, half-written files, scratch of retraining, and logs
    older than a week. A search that goes on trains stages anew whose checkpoints are gone. It is
    refused while somebody works on the study.
    """
    from autoqa.report.amounts import size
    from autoqa.report.studies import spare_objects, spare_table
    from autoqa.upkeep.compact import compact as make_small
    from autoqa.upkeep.compact import plan_compact
    from autoqa.upkeep.study_place import find_study

    place = find_study(study)
    gone = plan_compact(place, weights=weights) if dry_run else make_small(place, weights=weights)
    if as_json:
        echo_json(spare_objects(gone))
        return
    if gone:
        data_console().print(spare_table(gone))
    total = size(sum(each.size for each in gone))
    click.echo(f"{total} would be freed" if dry_run else f"{total} freed")


@studies.command()
@click.option("--to", type=click.Path(path_type=Path), metavar="FILE", help="Write it here.")
def schema(to: Path | None) -> None:
    """Print the JSON schema of study files, for editors.

    It has the options of all plugins that are installed. Editors that read TOML by a schema take
    it from a line `#:schema study.schema.json` at the top of a study file, complete keys and show
    what they mean.
    """
    from autoqa.registry import discover
    from autoqa.registry.study_schema import study_schema

    found = study_schema(discover())
    if to is None:
        echo_json(found)
        return
    from autoqa.files import write_atomically

    if not to.absolute().parent.is_dir():
        raise ConfigError(f"--to {to}: the folder {to.absolute().parent} does not exist.")
    write_atomically(to, json.dumps(found, ensure_ascii=False, indent=2) + "\n")
