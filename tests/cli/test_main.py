"""The command line's own behaviour: light, helpful, with the promised exit codes."""

import io
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from autoqa import __version__, errors
from autoqa.cli import main as module
from autoqa.cli.main import COMMANDS, cli, main

HELP = Path(__file__).parent / "help"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from autoqa.cli.main import main; main()", *arguments]
    variables = {**os.environ, "COLUMNS": "80", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=variables)


@pytest.fixture
def stub(monkeypatch, tmp_path):
    """Puts one command into the group whose body is the given code."""

    def stub(code: str, name: str = "stub") -> None:
        body = textwrap.indent(textwrap.dedent(code).strip(), "    ")
        text = (
            f"import click, sys\nfrom autoqa import errors\n@click.command()\ndef stub():\n{body}\n"
        )
        (tmp_path / f"autoqa_test_{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        sys.modules.pop(f"autoqa_test_{name}", None)
        monkeypatch.setitem(COMMANDS, "stub", (f"autoqa_test_{name}:stub", "A stub."))

    return stub


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


def test_help_is_what_it_was():
    """After a deliberate change: autoqa --help > tests/cli/help/autoqa.txt."""
    result = run("--help")
    assert result.returncode == 0
    assert result.stdout == (HELP / "autoqa.txt").read_text()


def test_version():
    assert run("--version").stdout == f"autoqa {__version__}\n"


def test_help_and_plugins_are_light():
    """Neither the group's help nor the list of plugins imports a framework."""
    code = (
        "import sys\nfrom autoqa.cli.main import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    heavy = {"torch", "transformers", "optuna", "datasets", "sklearn", "sqlalchemy", "tokenizers"}
    lazy = {"pydantic", "numpy", "rich", *(path.split(":")[0] for path, _ in COMMANDS.values())}
    for arguments, banned in (
        (["--help"], heavy | lazy),
        (["plugins", "list"], heavy),
        (["plugins", "list", "--json"], heavy),
    ):
        command = [sys.executable, "-c", code, *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert not banned & set(result.stderr.splitlines()[-1].split()), arguments


@pytest.mark.parametrize("path, line", COMMANDS.values())
def test_each_line_of_help_fits_and_ends(path, line):
    assert len(line) <= 62
    assert line.endswith(".")
    assert path.startswith("autoqa.cli.")


@pytest.mark.parametrize(
    "typed, hint", [("serach", "did you mean 'search'?"), ("x", "there are: ")]
)
def test_a_mistyped_command_gets_a_hint(typed, hint, capsys):
    assert exit_code(typed) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"no command is named '{typed}'; {hint}" in captured.err


@pytest.mark.parametrize("arguments", [("--frobnicate",), ("plugins", "list", "--jsn"), ()])
def test_wrong_usage_exits_with_2(arguments):
    assert exit_code(*arguments) == 2


@pytest.mark.parametrize(
    "error, code",
    [
        ("AutoqaError('one')", 1),
        ("ConfigError('one')", 2),
        ("DataError('one')", 2),
        ("PluginError('one')", 3),
        ("MissingAssetError('one')", 4),
        ("NothingFeasibleError('one')", 5),
        ("BundleError('one')", 1),
    ],
)
def test_errors_become_a_sentence_and_a_code(stub, error, code, capsys):
    stub(f"raise errors.{error}")
    assert exit_code("stub") == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Error: one\n")


def test_each_problem_stands_on_a_line_of_its_own_unfolded_and_unstyled(stub, capsys):
    long = "recipe.portions[0].x: " + "word " * 40
    stub(f"raise errors.ConfigError({long!r}, 'a [bold]b[/bold]\\x1b[2J')")
    assert exit_code("stub") == 2
    assert capsys.readouterr().err == f"Error: {long}\nError: a [bold]b[/bold]\\x1b[2J\n"


def test_a_traceback_is_shown_on_demand(stub, capsys):
    stub("raise errors.PluginError('one') from ValueError('the cause')")
    assert exit_code("--traceback", "stub") == 3
    lines = capsys.readouterr().err
    assert "ValueError: the cause" in lines
    assert lines.endswith("\nError: one\n")


def test_a_bug_is_not_dressed_up_as_a_users_mistake(stub):
    stub("raise KeyError('bug')")
    with pytest.raises(KeyError, match="bug"):
        main(["stub"])


def test_commands_say_how_they_ended(stub):
    stub("click.get_current_context().exit(5)", "five")
    assert exit_code("stub") == 5
    stub("return None", "none")
    assert exit_code("stub") == 0


def test_an_interrupt_exits_with_130(stub, capsys):
    stub("raise KeyboardInterrupt")
    assert exit_code("stub") == 130
    assert capsys.readouterr().err.endswith("Error: interrupted\n")


def test_a_prompt_that_gets_no_answer_is_an_interrupt(stub, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    stub("click.prompt('Sure?')")
    assert exit_code("stub") == 130


def test_shells_complete_commands():
    script = run(_AUTOQA_COMPLETE="bash_source")
    assert script.returncode == 0
    assert "complete" in script.stdout
    variables = {
        "_AUTOQA_COMPLETE": "bash_complete",
        "COMP_WORDS": "autoqa plug",
        "COMP_CWORD": "1",
    }
    assert run(**variables).stdout.split() == ["plain,plugins"]


def test_a_sigint_while_a_command_runs(tmp_path):
    (tmp_path / "napping.py").write_text(
        "import click, time\n@click.command()\ndef nap():\n"
        "    click.echo('ready')\n    time.sleep(60)\n"
    )
    code = (
        "from autoqa.cli.main import COMMANDS, main\n"
        "COMMANDS['nap'] = ('napping:nap', '')\nmain(['nap'])"
    )
    variables = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
        # A shell's background job ignores the signal, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_a_sigint_while_a_command_ends(tmp_path):
    """The second Ctrl-C of an impatient person comes when the first one has been dealt with."""
    (tmp_path / "lingering.py").write_text(
        "import atexit, click, signal\n"
        "from autoqa.supervision.interrupts import SearchInterruptedError\n"
        "@atexit.register\ndef stay():\n"
        "    print('ends', flush=True)\n"
        "    while True: signal.pause()\n"
        "@click.command()\ndef linger():\n"
        "    raise SearchInterruptedError('the search was interrupted')\n"
    )
    code = (
        "from autoqa.cli.main import COMMANDS, main\n"
        "COMMANDS['linger'] = ('lingering:linger', '')\nmain()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "linger"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ends\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.strip().splitlines() == ["Error: the search was interrupted"]


@pytest.mark.parametrize("buffering", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments", [["--help"], ["plugins", "list", "--json"], ["plugins", "list"], ["--version"]]
)
def test_a_reader_that_leaves_is_no_error(arguments, buffering, plugin_folder):
    reading, writing = os.pipe()
    os.close(reading)
    variables = {**os.environ, "PYTHONPATH": str(plugin_folder), "PYTHONUNBUFFERED": buffering}
    variables["AUTOQA_PLUGINS"] = "autoqa-plugin-example"
    result = subprocess.run(
        [sys.executable, "-c", "from autoqa.cli.main import main; main()", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, "")


def test_a_broken_pipe_of_the_commands_own_is_an_error(stub):
    stub("raise BrokenPipeError(32, 'a worker is gone')")
    with pytest.raises(BrokenPipeError, match="a worker is gone"):
        main(["stub"])


def test_a_command_that_is_no_command_is_a_bug(monkeypatch):
    monkeypatch.setitem(COMMANDS, "odd", ("autoqa.errors:AutoqaError", ""))
    with pytest.raises(TypeError, match=r"autoqa\.errors:AutoqaError is no click command"):
        CliRunner().invoke(cli, ["odd"], catch_exceptions=False)


def test_the_group_is_what_the_entry_point_runs():
    assert isinstance(cli, click.Group)
    assert cli.list_commands(click.Context(cli)) == list(COMMANDS)
    assert module.main is main
    assert errors.ConfigError.exit_code == 2
