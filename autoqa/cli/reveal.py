"""``autoqa reveal``: opens the sealed part of the validation set, and shows the shake-up."""

from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.terminal import data_console, echo_json, note_console

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.analysis.reveal import Revealed


@click.command()
@click.argument("study")
@click.option("--reason", required=True, help="Why it is opened; written down with the time.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of a table.")
def reveal(study: str, reason: str, as_json: bool) -> None:
    """Open the private part for all candidates of STUDY and for its last selection.

    STUDY is the name of a study or its file. Shows private beside public scores and ranks: how far
    the public ranking holds. Every opening is counted, because what is decided after it makes the
    private part a public one.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.reveal import reveal as opened

    run = open_run(study)
    with run.store:
        found = opened(run, reason)
    if as_json:
        echo_json(_object(found))
    else:
        data_console().print(_table(found))
        click.echo("\n".join(_sentences(found)))
    if found.before:
        last = found.before[-1]
        note_console().print(
            f"This is opening {found.opening}; the last one was on {last.opened:%Y-%m-%d %H:%M} "
            f"({last.reason}). The more often, the less it says about new questions.",
            markup=False,
        )


def _object(found: "Revealed") -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "opening": found.opening,
        "before": [
            {
                "opened": row.opened.isoformat(timespec="seconds"),
                "purpose": row.purpose,
                "reason": row.reason,
            }
            for row in found.before
        ],
        "candidates": [asdict(row) for row in found.candidates],
        "agreement": None if found.agreement is None else asdict(found.agreement),
        "ensemble": {
            "members": list(found.members),
            "public": found.public.model_dump(),
            "private": found.private.model_dump(),
        },
        "best": found.best,
        "gain": None if found.gain is None else asdict(found.gain),
    }


def _table(found: "Revealed") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("candidate")
    for heading in ("private", "±", "public", "rank", "public rank", "moved"):
        table.add_column(heading, justify="right")
    for row in found.candidates:
        moved = row.public_rank - row.private_rank
        table.add_row(
            "→" if row.id == found.best else "",
            row.id,
            f"{row.private.mean:.3f}",
            f"{row.private.half_width:.3f}",
            f"{row.public:.3f}",
            f"{row.private_rank:g}",
            f"{row.public_rank:g}",
            f"{moved:+g}" if moved else "",
        )
    return table


def _sentences(found: "Revealed") -> list[str]:
    lines = []
    agreement = found.agreement
    if agreement is not None and agreement.spearman is not None:
        order = agreement.spearman
        lines.append(
            f"Ranks on the two parts correlate by {order.mean:+.2f} (Spearman, 95 % "
            f"{order.low:+.2f} to {order.high:+.2f}); private scores are "
            f"{agreement.offset.mean:+.3f} off the public ones on average."
        )
    one = len(found.members) == 1
    lines.append(
        f"The selection ({', '.join(found.members)}): public {found.public.jaccard:.3f} ± "
        f"{found.public.half_width:.3f}, private {found.private.jaccard:.3f} ± "
        f"{found.private.half_width:.3f}."
    )
    gain = found.gain
    if gain is not None:
        lines.append(
            f"On the private part {'it' if one else 'the ensemble'} gains {gain.gain:+.3f} (95 % "
            f"{gain.low:+.3f} to {gain.high:+.3f}, P(better) {gain.p_better:.2f}) on {found.best}, "
            "the ladder's best."
        )
    return lines
