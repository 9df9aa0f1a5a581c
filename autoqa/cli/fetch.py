"""``autoqa fetch``: all that studies need comes to this machine, before a search asks for it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.terminal import echo_json

if TYPE_CHECKING:
    from autoqa.upkeep.fetch import FetchPlan


@click.command()
@click.argument(
    "studies", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="STUDY..."
)
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and how much it is.")
@click.option("--quiet", is_flag=True, help="Show the result only.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def fetch(studies: tuple[Path, ...], dry_run: bool, quiet: bool, as_json: bool) -> None:
    """Get what the study files STUDY... need from the network: models and data sets.

    What is broken off goes on where it stopped when the same command is given again. A search of
    these studies needs no network afterwards.
    """
    from autoqa.cli.progress import download_bar
    from autoqa.errors import MissingAssetError
    from autoqa.registry import discover, open_study
    from autoqa.upkeep.fetch import fetch_all, plan_fetch

    catalogue = discover()
    bound = [open_study(path, catalogue) for path in studies]
    plan = plan_fetch(bound)
    lines = _plan_lines(plan)
    if not as_json:
        click.echo("\n".join(lines), err=not dry_run)
    if dry_run:
        lacking = list(plan.refused)
    else:
        lacking = fetch_all(
            plan, bound, lambda name, size: download_bar(name, size, quiet=quiet or as_json)
        )
    if as_json:
        echo_json(_as_object(plan, lacking, fetched=not dry_run))
    if lacking:
        raise MissingAssetError("\n".join(lacking))
    if not dry_run and not as_json:
        from autoqa.hub.cache import hub_cache

        names = ", ".join(each.study.name for each in bound)
        click.echo(
            f"all that {names} needs is on this machine, what comes from the Hugging Face hub in "
            f"{hub_cache()}; a search needs no network"
        )


def _plan_lines(plan: "FetchPlan") -> list[str]:
    from autoqa.report.amounts import size

    lines = [f"here: {where}" for where in plan.here]
    for needed in plan.needed:
        for download in needed.downloads:
            amount = "size not known" if download.size is None else size(download.size)
            lines.append(f"to fetch: {needed.study}: {needed.where}: {download.name}, {amount}")
    if plan.downloads:
        known = sum(download.size or 0 for download in plan.downloads)
        least = "at least " if plan.size is None else ""
        lines.append(f"to fetch in all: {least}{size(known)}")
    elif not plan.refused:
        lines.append("nothing to fetch")
    return lines


def _as_object(plan: "FetchPlan", lacking: list[str], *, fetched: bool) -> dict[str, Any]:
    from autoqa.hub.cache import hub_cache

    return {
        "fetched": fetched,
        "downloads": [
            {
                "study": needed.study,
                "where": needed.where,
                "name": download.name,
                "bytes": download.size,
            }
            for needed in plan.needed
            for download in needed.downloads
        ],
        "bytes": plan.size,
        "here": list(plan.here),
        "lacking": lacking,
        "cache": str(hub_cache()),
    }
