"""What ``autoqa select --explain`` adds: the grounds for each member, and who answers like whom."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from autoqa.ensemble.choosing.explain import Explanation, Grounds
    from autoqa.scores.bootstrap import Comparison

_COLUMNS = 18
"""Members beside each other in the matrix: with their names it takes 100 columns."""


def show(explanation: "Explanation", console: "Console") -> None:
    """Prints a table for each pick and the matrix of disagreements."""
    short = {name: _short(number) for number, name in enumerate(explanation.ids)}
    for kind, members in explanation.picks.items():
        console.print(f"\n{kind}: gain by a member's first seat, and by keeping it (95 %)")
        console.print(_grounds(members, short))
    if len(explanation.ids) > 1:
        console.print("\nDisagreement: words in a hundred that two members do not share")
        for at in range(0, len(explanation.ids), _COLUMNS):
            console.print(_matrix(explanation, short, slice(at, at + _COLUMNS)))


def _grounds(members: "Sequence[Grounds]", short: dict[str, str]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("member", no_wrap=True)
    headers = ("seats", "alone", "first seat", "bags", "kept, public", "kept, out of bag")
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    for each in members:
        table.add_row(
            short[each.id],
            each.id,
            str(each.seats),
            f"{each.alone:.3f}",
            "–" if each.first_seat is None else f"{each.first_seat:+.3f}",
            f"{each.bags:.0%}",
            _gain(each.kept),
            _gain(each.kept_out_of_bag),
        )
    return table


def _gain(gain: "Comparison | None") -> str:
    if gain is None:
        return "–"
    mean, low, high = (
        f"{value:+.3f}".replace("0.", ".", 1) for value in (gain.gain, gain.low, gain.high)
    )
    return f"{mean} ({low} to {high})"


def _matrix(explanation: "Explanation", short: dict[str, str], columns: slice) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    table.add_column("member", no_wrap=True)
    for name in explanation.ids[columns]:
        table.add_column(short[name], justify="right", min_width=2, no_wrap=True)
    for row, (name, away) in enumerate(zip(explanation.ids, explanation.disagreement, strict=True)):
        cells = [
            "·" if column == row else f"{100 * value:.0f}" for column, value in enumerate(away)
        ]
        table.add_row(short[name], name, *cells[columns])
    return table


def _short(number: int) -> str:
    """A to Z, then AA, AB and so on."""
    before, letter = divmod(number, 26)
    return (_short(before - 1) if before else "") + chr(ord("A") + letter)
