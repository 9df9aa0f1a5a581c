"""The option by which commands that answer take another limit than the bundle's."""

import click

answer_limit = click.option(
    "--max-answer-tokens",
    type=click.IntRange(min=1),
    metavar="N",
    help="Most tokens in an answer, in place of what the bundle says.",
)
