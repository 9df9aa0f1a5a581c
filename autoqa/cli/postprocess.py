"""``autoqa postprocess``: rules that clean answers up and scores of spans; whether they help."""

import click

from autoqa.cli.terminal import data_console, echo_json, wide_option


@click.group()
def postprocess() -> None:
    """Look at post-processing rules, test which help, and fit how spans are scored."""


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
@wide_option
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


@postprocess.command(name="spans")
@click.argument("study")
@click.option("--none", "clear_all", is_flag=True, help="Fit nothing; take the plain sum again.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of sentences.")
def fit_scores(study: str, clear_all: bool, as_json: bool) -> None:
    """Fit how much starts, ends and lengths of answers count.

    STUDY is the name of a study or its file. A span scores the sum of two logits; here each gets a
    weight, and the length a prior, chosen on the stored public predictions of the last selection,
    or of the best candidate where there is none. It is enabled where its gain, measured on
    documents that had no say in the choice, has an interval above zero; `autoqa export` takes it
    along for the members that it was fitted for.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.span_fit import clear_spans, fit_spans
    from autoqa.report.span_fit import fit_as_object, fit_sentences

    run = open_run(study)
    if clear_all:
        existed = clear_spans(run)
        if as_json:
            echo_json({"enabled": False})
        else:
            click.echo("Spans score the plain sum again." if existed else "Nothing was fitted.")
        return
    fit = fit_spans(run)
    if as_json:
        echo_json(fit_as_object(fit))
        return
    for sentence in fit_sentences(fit):
        click.echo(sentence)
