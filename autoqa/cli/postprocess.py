"""``autoqa postprocess``: rules that clean answers up, and whether they help."""

import click

from autoqa.cli.terminal import data_console, echo_json


@click.group()
def postprocess() -> None:
    """Look at post-processing rules, and test which of them help."""


@postprocess.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
def list_rules(as_json: bool) -> None:
    """List the rules in order of use, with an example each."""
    from autoqa.report.rule_tests import rules_as_objects, rules_table

    rules = rules_as_objects()
    if as_json:
        echo_json(rules)
    else:
        data_console().print(rules_table(rules))


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
    from autoqa.report import rule_tests as report

    run = open_run(study)
    if clear_all:
        existed = clear(run)
        if as_json:
            echo_json({"rules": {}})
        else:
            click.echo("No rule is enabled any more." if existed else "No rule was enabled.")
        return
    tests = try_rules(run)
    if as_json:
        echo_json(report.as_objects(tests))
        return
    data_console().print(report.tests_table(tests))
    click.echo(report.summary(tests))
