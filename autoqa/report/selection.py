"""A selection as tables: members, alternatives, grounds for each member, disagreement."""

from typing import TYPE_CHECKING

from autoqa.report.tables import folded, numbers, table, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from autoqa.ensemble.choosing.explain import Explanation, Grounds
    from autoqa.ensemble.choosing.selection import Alternative, Pick, Selection
    from autoqa.scores.bootstrap import Comparison

_COLUMNS = 18
"""Members beside each other in the matrix: with their names it takes 100 columns."""

_SPARE = ("first seat", "bags", "kept, public", "seats")
"""Grounds that go first where the terminal is narrow."""


def named_picks(selection: "Selection") -> "dict[str, Pick]":
    """The two picks by name, or one under both names where they are the same ensemble."""
    picks = {"safe": selection.pick("safe"), "best": selection.pick("best")}
    if picks["safe"].chosen == picks["best"].chosen:
        return {"safe and best": picks["safe"]}
    return picks


def members_table(pick: "Pick") -> "Table":
    """Members with their seats and the reason for each."""
    members = table(
        *unwrapped("member", "group"), *numbers("seats"), *folded("why it is in"), spare=("group",)
    )
    for seat in pick.members:
        group = f"{seat.group} (best)" if seat.group == pick.tie_group else seat.group
        members.add_row(seat.id, group, f"{seat.weight:g}", seat.reason)
    return members


def alternatives_table(selection: "Selection") -> "Table":
    """The ensembles that were compared.

    Gains are out of bag, on the best single candidate; with rule ``shrinkage`` on the equal mean of
    comparable candidates, as observed and as expected of other documents.
    """
    shrunk = any(other.posterior is not None for other in selection.alternatives)
    gains = ("gain observed", "expected") if shrunk else ("gain", "95 %")
    columns = numbers("models", "s/1,000", f"public {selection.metric}", "out of bag", *gains)
    alternatives = table(
        "pick", "ensemble", *columns, spare=("s/1,000", "models", "95 %", "out of bag")
    )
    for other in selection.alternatives:
        safe = "safe" if selection.chosen == other.kind else ""
        best = "best" if selection.best_public.chosen == other.kind else ""
        alternatives.add_row(
            f"{safe} {best}".strip(),
            other.kind + ("" if other.allowed else " (beyond the limits)"),
            str(len(other.members)),
            f"{other.seconds:.0f}",
            f"{other.public.mean:.3f} ± {other.public.half_width:.3f}",
            "–" if other.out_of_bag is None else f"{other.out_of_bag:.3f}",
            *_gains(other),
        )
    return alternatives


def _gains(other: "Alternative") -> tuple[str, str]:
    """An alternative's gain and what is known about it."""
    if (known := other.posterior) is not None:
        seen = "–" if known.observed is None else f"{known.observed:+.3f} ± {known.error:.3f}"
        return seen, f"{known.mean:+.3f} ± {known.deviation:.3f}"
    if (gain := other.gain) is None:
        return "–", "–"
    return f"{gain.gain:+.3f}", f"{gain.low:+.3f} to {gain.high:+.3f}"


def explanation_parts(explanation: "Explanation") -> "Iterator[str | Table]":
    """Headings and tables: the grounds of each pick, then the matrix of disagreements."""
    short = {name: _short(number) for number, name in enumerate(explanation.ids)}
    for kind, members in explanation.picks.items():
        yield f"\n{kind}: gain by a member's first seat, and by keeping it (95 %)"
        yield _grounds(members, short)
    if len(explanation.ids) > 1:
        yield "\nDisagreement: words in a hundred that two members do not share"
        for at in range(0, len(explanation.ids), _COLUMNS):
            yield _matrix(explanation, short, slice(at, at + _COLUMNS))


def _grounds(members: "Sequence[Grounds]", short: dict[str, str]) -> "Table":
    headings = ("seats", "alone", "first seat", "bags", "kept, public", "kept, out of bag")
    grounds = table("", *unwrapped("member"), *unwrapped(*headings, right=True), spare=_SPARE)
    for each in members:
        grounds.add_row(
            short[each.id],
            each.id,
            str(each.seats),
            f"{each.alone:.3f}",
            "–" if each.first_seat is None else f"{each.first_seat:+.3f}",
            f"{each.bags:.0%}",
            _gain(each.kept),
            _gain(each.kept_out_of_bag),
        )
    return grounds


def _gain(gain: "Comparison | None") -> str:
    if gain is None:
        return "–"
    mean, low, high = (
        f"{value:+.3f}".replace("0.", ".", 1) for value in (gain.gain, gain.low, gain.high)
    )
    return f"{mean} ({low} to {high})"


def _matrix(explanation: "Explanation", short: dict[str, str], columns: slice) -> "Table":
    from rich.table import Table

    matrix = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    matrix.add_column("")
    matrix.add_column("member", no_wrap=True)
    for name in explanation.ids[columns]:
        matrix.add_column(short[name], justify="right", min_width=2, no_wrap=True)
    for row, (name, away) in enumerate(zip(explanation.ids, explanation.disagreement, strict=True)):
        cells = [
            "·" if column == row else f"{100 * value:.0f}" for column, value in enumerate(away)
        ]
        matrix.add_row(short[name], name, *cells[columns])
    return matrix


def _short(number: int) -> str:
    """A to Z, then AA, AB and so on."""
    before, letter = divmod(number, 26)
    return (_short(before - 1) if before else "") + chr(ord("A") + letter)
