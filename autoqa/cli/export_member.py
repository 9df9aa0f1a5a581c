"""``autoqa export --as transformers``: one member, for people who have no autoqa."""

import click
from click.core import ParameterSource

_ALLOWED = frozenset({"study", "target", "force", "form", "member"})


def export_member(context: click.Context, form: str) -> None:
    """Writes the member that a command's options name, and says so.

    Args:
        context: That of ``autoqa export``.
        form: What ``--as`` says.

    Raises:
        click.UsageError: An option says how an ensemble is written, or one is missing.
    """
    given = context.params
    if form != "transformers":
        raise click.UsageError(
            f"--member {given['member']} is for --as transformers; a bundle of one candidate is "
            "made by --candidate"
        )
    others = [
        option.opts[0]
        for option in context.command.params
        if option.name not in _ALLOWED
        and context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    ]
    if others:
        raise click.UsageError(
            f"--as transformers writes one member as it is: leave out {', '.join(others)}"
        )
    for name, option in (("member", "--member"), ("target", "--to")):
        if given[name] is None:
            raise click.MissingParameter(param_hint=f"'{option}'", param_type="option")
    from autoqa.analysis.finished_run import open_run
    from autoqa.export.as_transformers import export_as_transformers, loading_class

    target = given["target"]
    record = export_as_transformers(
        open_run(given["study"]), given["member"], target, force=given["force"]
    )
    click.echo(
        f"{target}: {record.id} ({record.backbone}) for {loading_class(record)}, public "
        f"{record.metric} {record.score:.3f} alone"
    )
