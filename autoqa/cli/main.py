"""The command ``autoqa``: finds the subcommand, and turns errors into sentences and exit codes.

A subcommand's module is imported when it runs; the list of commands knows their first lines.
"""

import importlib
import os
import select
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import click

from autoqa import __version__
from autoqa.cli.terminal import complain
from autoqa.errors import AutoqaError, did_you_mean

INTERRUPTED = 130
READER_GONE = 141
"""What a shell reports of a command that SIGINT or SIGPIPE ended."""

COMPLETION = "_AUTOQA_COMPLETE"
"""Set by the script that makes a shell complete ``autoqa``."""

COMMANDS: dict[str, tuple[str, str]] = {
    "data": ("autoqa.cli.data:data", "Look into a study's data before it costs a search."),
    "fetch": ("autoqa.cli.fetch:fetch", "Get all that studies need from the network."),
    "search": ("autoqa.cli.search:search", "Search recipes for a study; resumes where it stopped."),
    "worker": ("autoqa.cli.worker:worker", "Train for a search that another process began."),
    "status": ("autoqa.cli.status:status", "Show how far studies are, and who works on them."),
    "dashboard": ("autoqa.cli.dashboard:dashboard", "Show a study in Optuna's dashboard."),
    "leaderboard": ("autoqa.cli.leaderboard:leaderboard", "Show the candidates of a study."),
    "report": ("autoqa.cli.report:report", "Write a page about a study: results, what helped."),
    "compare": ("autoqa.cli.compare:compare", "Show what differs between two studies."),
    "ablate": ("autoqa.cli.ablate:ablate", "Find out what of a recipe helps, by paired runs."),
    "soup": ("autoqa.cli.soup:soup", "Average candidates' weights into further candidates."),
    "select": ("autoqa.cli.select:select", "Choose a small, diverse ensemble from the candidates."),
    "retrain": ("autoqa.cli.retrain:retrain", "Make weights again that a search has dropped."),
    "postprocess": (
        "autoqa.cli.postprocess:postprocess",
        "Test rules that clean up the ends of answers.",
    ),
    "export": ("autoqa.cli.export:export", "Write the ensemble into one folder."),
    "reveal": ("autoqa.cli.reveal:reveal", "Open the sealed part, and show the shake-up."),
    "predict": ("autoqa.cli.predict:predict", "Answer the questions of a file with a bundle."),
    "evaluate": ("autoqa.cli.evaluate:evaluate", "Score a bundle on a file with answers."),
    "serve": ("autoqa.cli.serve:serve", "Answer questions over HTTP, with a page to try it."),
    "studies": (
        "autoqa.cli.studies:studies",
        "Begin, list, rename, remove studies; make one small.",
    ),
    "cache": ("autoqa.cli.cache:cache", "Look into the cache of this machine, or clean it."),
    "plugins": ("autoqa.cli.plugins:plugins", "List, show and check plugins, or begin one."),
    "completion": ("autoqa.cli.completion:completion", "Make a shell complete all of this."),
}
"""Name to (where the click command is, its line in ``autoqa --help``), in order of use."""


@dataclass
class _State:
    traceback: bool = False


class LazyGroup(click.Group):
    """A group that imports a command's module only to run it or to show its own help.

    Args:
        lazy: Name to (``module:attribute``, short help).
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    # The signatures are click's.
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in order of use."""
        return list(self._lazy)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Imports a command."""
        if cmd_name not in self._lazy:
            return None
        module, attribute = self._lazy[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is no click command: {command!r}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command; a name that is close to one gets a hint."""
        name = args[0]
        if name not in self._lazy and not name.startswith("-") and not ctx.resilient_parsing:
            hint = did_you_mean(name, self._lazy) or f"; there are: {', '.join(self._lazy)}"
            ctx.fail(f"no command is named {name!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """Writes the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._lazy.items()])


def _remember_traceback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.ensure_object(_State).traceback = value


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failure, 2 usage or study file, 3 plugin, 4 missing asset, "
    "5 nothing feasible, 6 fault of the machine, 130 interrupted.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "--traceback",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_remember_traceback,
    help="Show where in the code an error arose.",
)
def cli() -> None:
    """AutoML for extractive question answering.

    A study file names data, backbones and a space of recipes. Search trains candidates, select
    chooses an ensemble among them, export writes it into one folder that answers questions
    offline.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command and exits with its code.

    Args:
        arguments: What follows ``autoqa`` on the command line; left out, that of the process.
    """
    state = _State()
    try:
        code = _run(arguments, state)
        sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_is_gone():
            raise  # a pipe of the command's own, to a worker say: that is a real failure
        # What is still buffered would be written at exit, and fail again with a message.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = READER_GONE
    except KeyboardInterrupt:  # while another end was told
        code = INTERRUPTED
    if arguments is None:  # the process has nothing to do but to end
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    sys.exit(code)


def _run(arguments: Sequence[str] | None, state: _State) -> int:
    if COMPLETION in os.environ:
        cli.main(prog_name="autoqa")  # answers the shell and exits
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Not cli.main(): that takes every EPIPE, a dead worker's too, for a reader that has left.
    try:
        with cli.make_context("autoqa", words, obj=state) as context:
            cli.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except AutoqaError as error:
        if state.traceback:
            import traceback

            traceback.print_exception(error)
        complain(str(error))
        return error.exit_code
    return 0


def _reader_is_gone() -> bool:
    """Whether nobody reads the process's output any more, as behind ``| head``."""
    try:
        sys.stdout.flush()
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except BrokenPipeError:
        return True
    except (AttributeError, OSError):  # no poll on Windows, no descriptor under a test runner
        return False
