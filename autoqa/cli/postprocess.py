"""``autoqa postprocess``: rules that clean answers up, and whether they help."""

from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.terminal import data_console, echo_json

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.analysis.rule_tests import Postprocessing


@click.group()
def postprocess() -> None:
    """Look at post-processing rules, and test which of them help."""


@postprocess.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
def list_rules(as_json: bool) -> None:
    """List the rules in order of use, with an example each."""
    from rich import box
    from rich.table import Table

    from autoqa.text.rules import RULES

    rows = []
    for rule in RULES.values():
        before, after = rule.example()
        rows.append(
            {
                "rule": rule.name,
                "summary": rule.summary,
                "context": rule.context,
                "before": before,
                "after": after,
            }
        )
    if as_json:
        echo_json(rows)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in ("rule", "summary", "context", "before", "after"):
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    data_console().print(table)


@postprocess.command(name="test")
@click.argument("study")
@click.option("--none", "clear_all", is_flag=True, help="Test nothing; enable no rule from now on.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of a table.")
def test_rules(study: str, clear_all: bool, as_json: bool) -> None:
    """Test every rule on the stored public predictions of STUDY.

    STUDY is the name of a study or its file. The answers are those of the last selection, or of
    the best candidate where there is none. A rule is enabled for a language where the interval of
    its gain lies above zero, corrected for the number of rules tested; `autoqa export` takes the
    enabled rules along.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.rule_tests import clear, try_rules

    run = open_run(study)
    if clear_all:
        there = clear(run)
        if as_json:
            echo_json({"rules": {}})
        else:
            click.echo("No rule is enabled any more." if there else "No rule was enabled.")
        return
    found = try_rules(run)
    if as_json:
        echo_json(_object(found))
        return
    data_console().print(_table(found))
    click.echo(_sentence(found))


def _object(found: "Postprocessing") -> dict[str, Any]:
    import json

    content: dict[str, Any] = json.loads(found.to_json())
    return {"rules": found.rules, **content}


def _table(found: "Postprocessing") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("rule", "language"):
        table.add_column(header)
    percent = f"{100 * found.level:.4g} %"
    for header in ("questions", "changed", "gain", percent, "P(better)"):
        table.add_column(header, justify="right")
    table.add_column("enabled")
    for test in found.tests:
        gain = test.gain
        table.add_row(
            test.rule,
            test.language,
            str(test.questions),
            str(test.changed),
            "–" if gain is None else f"{gain.gain:+.4f}",
            "–" if gain is None else f"{gain.low:+.4f} to {gain.high:+.4f}",
            "–" if gain is None else f"{gain.p_better:.3f}",
            "yes" if test.enabled else "no",
        )
    return table


def _sentence(found: "Postprocessing") -> str:
    tested = sum(test.gain is not None for test in found.tests)
    names = ", ".join(found.members)
    if not found.rules:
        return (
            f"No rule is enabled: of {tested} comparison{'' if tested == 1 else 's'} on the "
            f"answers of {names} none has an interval above zero."
        )
    enabled = "; ".join(f"{code}: {', '.join(rules)}" for code, rules in found.rules.items())
    total = found.total
    return (
        f"Enabled: {enabled}. Together they take the answers of {names} from {found.before:.4f} to "
        f"{found.after:.4f}, a gain of {total.gain:+.4f} (95 % {total.low:+.4f} to "
        f"{total.high:+.4f})."
    )
