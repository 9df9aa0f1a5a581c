"""``autoqa plugins check``: whether a plugin keeps to its contract, without a test runner."""

from collections import Counter
from collections.abc import Container
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.plugins.naming import find, table_of, takes_options
from autoqa.cli.terminal import complain, echo_json
from autoqa.errors import ConfigError, PluginError

if TYPE_CHECKING:
    from autoqa.registry import Record
    from autoqa.testing import CheckResult


@click.command(name="check")
@click.argument("words", nargs=-1, metavar="[KIND] NAME")
@click.option("--all", "everything", is_flag=True, help="Check all plugins of this machine.")
@takes_options
@click.option(
    "--exempt",
    "exemptions",
    multiple=True,
    metavar="CHECK=REASON",
    help="A check that need not be passed, and why; can be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of lines.")
def check_plugins(
    words: tuple[str, ...],
    everything: bool,
    assignments: tuple[str, ...],
    exemptions: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check whether a plugin keeps to its contract.

    Prints a line for each check, with a sentence where something is broken. KIND is backbone,
    source, augmentation or metric, and needed only where plugins of several kinds have that name.
    Ends with exit code 3 where a check failed. Training checks of a large backbone take minutes.
    """
    from autoqa.registry import discover

    if everything == bool(words):
        raise ConfigError("give one plugin's name, or --all")
    if everything and (assignments or exemptions):
        raise ConfigError("--options and --exempt are about one plugin; give its name, not --all")
    if not everything:
        record = find(words)
        results = _checked(record, table_of(assignments), _reasons(exemptions), quiet=as_json)
        _end({record: results}, as_json)
        return
    done: dict[Record, tuple[CheckResult, ...]] = {}
    broken = []
    for record in discover().records:
        if record.spec is None:
            broken.append(f"{record.kind} {record.name}: {record.failure}")
        elif needed := _required(record):
            complain(
                f"{record.kind} {record.name} needs options, so it is not checked: autoqa plugins "
                f"check {record.kind} {record.name} --options {needed}=...",
                label="Note",
                style="bold",
            )
        else:
            if not as_json:
                click.echo(f"{record.kind} {record.name}")
            done[record] = _checked(record, {}, {}, quiet=as_json)
    _end(done, as_json, broken)


def _reasons(exemptions: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for exemption in exemptions:
        name, sign, reason = exemption.partition("=")
        if not sign:
            raise ConfigError(f"--exempt {exemption}: write CHECK=REASON")
        pairs[name.strip()] = reason
    return pairs


def _required(record: "Record") -> str:
    """The first option that a plugin requires."""
    model = getattr(record.spec, "options", None)
    fields = {} if model is None else model.model_fields
    return next((name for name, field in fields.items() if field.is_required()), "")


def _checked(
    record: "Record", table: dict[str, Any], exempt: dict[str, str], *, quiet: bool
) -> "tuple[CheckResult, ...]":
    from autoqa.testing import run_checks

    said: set[str] = set()

    def report(result: "CheckResult") -> None:
        if not quiet:
            click.echo(_line(result, said))
            said.add(result.sentence)

    assert record.spec is not None
    return run_checks(record.spec, table, exempt, report=report)


def _line(result: "CheckResult", said: Container[str]) -> str:
    text = result.check.summary
    if result.outcome == "failed":
        text = result.sentence
    elif result.outcome != "passed":
        reason = "as before" if result.sentence in said else result.sentence
        text = f"{result.check.summary}: {reason}"
    if result.needless:
        text += " (it passes: take the exemption out)"
    word = "FAILED" if result.outcome == "failed" else result.outcome
    return f"  {word:14}  {result.check.name:15}  {text}"


def _end(
    done: "dict[Record, tuple[CheckResult, ...]]", as_json: bool, broken: list[str] | None = None
) -> None:
    """Prints a summary, and fails if a check did."""
    if as_json:
        echo_json([_row(record, each) for record, results in done.items() for each in results])
    counts = Counter(each.outcome for results in done.values() for each in results)
    if not as_json:
        click.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    problems = [f"{problem}" for problem in broken or []]
    problems += [
        f"{record.kind} {record.name}: {each.check.name}: {each.sentence}"
        for record, results in done.items()
        for each in results
        if each.outcome == "failed"
    ]
    if problems:
        raise PluginError("\n".join(problems))


def _row(record: "Record", result: "CheckResult") -> dict[str, Any]:
    return {
        "kind": record.kind,
        "name": record.name,
        "check": result.check.name,
        "outcome": result.outcome,
        "sentence": result.sentence,
        "seconds": round(result.seconds, 3),
    }
