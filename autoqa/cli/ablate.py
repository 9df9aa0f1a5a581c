"""``autoqa ablate``: what of a recipe helps."""

from dataclasses import asdict

import click

from autoqa.cli.terminal import data_console, echo_json, wide_option


@click.command()
@click.argument("study")
@click.option(
    "--base",
    metavar="CANDIDATE|protocol",
    help="What to start from: a candidate, `protocol` or `protocol:BACKBONE`; else the best "
    "candidate by the ladder.",
)
@click.option(
    "--over",
    metavar="FACTOR,...",
    help="augmentations, stages, sources, languages, order, methods; else all of them.",
)
@click.option("--only", metavar="NAME", help="One thing, such as a source or an augmentation.")
@click.option(
    "--seeds", type=click.IntRange(min=3), default=8, show_default=True, help="Most for each arm."
)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="All is over by then.")
@click.option("--runs", type=click.IntRange(min=1), help="Most runs that are trained now.")
@click.option("--workers", type=click.IntRange(min=1), help="In place of [search].workers.")
@click.option("--dry-run", is_flag=True, help="Say what would be trained, train nothing.")
@click.option("--show", is_flag=True, help="Show what is known already, train nothing.")
@click.option("--quiet", is_flag=True, help="Show the result only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@wide_option
def ablate(
    study: str,
    base: str | None,
    over: str | None,
    only: str | None,
    seeds: int,
    minutes: float | None,
    runs: int | None,
    workers: int | None,
    dry_run: bool,
    show: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Find out what of a recipe of STUDY helps; the same command resumes where it stopped.

    What the recipe uses is left out, what the study file offers besides is added, one thing at a
    time. Base and arms are trained with the same new seeds and compared question by question on
    the public part, after 3, 5, 8, 12 and so on seeds; an arm whose effect is clear is trained no
    further. The runs are no candidates. Each counts as a read of the public part.
    """
    if show and dry_run:
        raise click.UsageError(
            "--show shows what is known, --dry-run what is not: give one of them"
        )
    if show and (over or only):
        raise click.UsageError(
            "--show shows everything that is known of a base: leave out "
            + ("--over" if over else "--only")
        )
    from autoqa.ablation.experiment import AblationOptions
    from autoqa.ablation.result import kept_ablation
    from autoqa.analysis.finished_run import open_run
    from autoqa.report import ablation as report

    run = open_run(study)
    factors = tuple(name.strip() for name in over.split(",")) if over else ()
    options = AblationOptions(base, factors, only, seeds, minutes, runs, workers)
    with run.store:
        if dry_run:
            from autoqa.ablation.plan import plan_ablation

            plan = plan_ablation(run, options)
            echo_json(asdict(plan)) if as_json else click.echo("\n".join(report.plan_lines(plan)))
            return
        if show:
            found = kept_ablation(run.folder, run.study.name, base)
        else:
            from autoqa.ablation.ablate import ablate as experiment
            from autoqa.supervision.display_choice import choose_display

            found = experiment(run, options, choose_display(quiet))
    if as_json:
        echo_json(found.as_json())
        return
    data_console().print(report.arms_table(found))
    click.echo("\n".join(report.sentences(found)))
